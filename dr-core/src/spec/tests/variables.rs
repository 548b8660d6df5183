use super::{GOOD, load, loader};

#[test]
fn a_variable_without_a_value_is_a_finding_at_its_value() {
    let text = GOOD.replace("record: api.example.com", "record: ${RECORD}");
    let errors = load(&text).unwrap_err();
    let [finding] = errors.findings() else { panic!("{errors}") };
    assert_eq!((finding.line, finding.column), super::place(&text, "${RECORD}"));
    assert_eq!(finding.message, "the variable RECORD has no value");
    assert_eq!(finding.remedy, "`${RECORD:-default}`, or set RECORD in the environment");
    let spec = loader().variable("RECORD", "api.example.org").load_str("x", &text).unwrap();
    assert_eq!(spec.resources[2].spec["record"], "api.example.org");
}

#[test]
fn a_variable_is_text_even_when_it_looks_like_a_number() {
    let text = GOOD.replace("us-east-1: db-use1", "us-east-1: \"${ACCOUNT}\"");
    let spec = loader().variable("ACCOUNT", "123456789012").load_str("x", &text).unwrap();
    assert_eq!(spec.resources[0].spec["members"]["us-east-1"], "123456789012");
}

#[test]
fn a_variable_between_braces_needs_quotes_and_the_remedy_says_so() {
    let errors = load(&GOOD.replace("us-east-1: db-use1", "us-east-1: ${ACCOUNT}")).unwrap_err();
    assert!(errors.findings()[0].remedy.starts_with("quotes around a value with a variable"), "{errors}");
}

#[test]
fn what_a_variable_held_is_never_repeated() {
    // A secret in each place where a message tells what it found.
    for (from, to) in [
        ("application: shop", "application: ${SECRET}"),
        ("role: active", "role: ${SECRET}"),
        ("quorum: 2", "quorum: ${SECRET}"),
        ("rto: 5m", "rto: ${SECRET}"),
        ("kind: test.name", "kind: ${SECRET}"),
        ("depends_on: [db]", "depends_on: [\"${SECRET}\"]"),
        ("region: us-east-1 }", "region: \"${SECRET}\" }"),
        ("https://euw1.example.com }", "\"${SECRET}\" }"),
        ("switch: { kind: object, bucket: switch-euw1 }", "switch: { kind: \"${SECRET}\" }"),
        ("runner:", "waivers: [{ rule: \"${SECRET}\", who: a, why: b, until: 2027-01-01 }]\nrunner:"),
        ("id: cart", "id: \"${SECRET}\""),
    ] {
        assert_eq!(GOOD.matches(from).count(), 1, "{from}");
        let text = GOOD.replace(from, to);
        let errors = loader().variable("SECRET", "hunter2 hunter2").load_str("x", &text).unwrap_err();
        assert!(!errors.to_string().contains("hunter2"), "{errors}");
        assert!(!errors.to_json().to_string().contains("hunter2"), "{errors}");
    }
}

#[test]
fn a_password_in_the_file_is_not_repeated() {
    let text =
        GOOD.replace("members: { us-east-1: db-use1, eu-west-1: db-euw1 }", "members: {}\n      password: 271828");
    let errors = load(&text).unwrap_err();
    assert_eq!(errors.findings()[0].path, "resources[0].spec.password");
    assert!(!errors.to_string().contains("271828"), "{errors}");
}
