//! Outputs of earlier steps within stored parameters.

use serde_json::{Value, json};

use super::*;

#[test]
fn outputs_are_found_and_filled_in_wherever_they_stand() {
    let of = |step: &str| json!({ "$output": step });
    let params = json!({ "a": [1, of("one"), { "b": of("two/x") }], "c": { "$output": "three", "more": 1 }, "d": of("no name") });
    assert_eq!(references(&params), ["one", "two/x"].map(|id| StepId::new(id).unwrap()));
    let (one, two) = (json!("first"), json!([2]));
    let output = |step: &str| match step {
        "one" => Some(&one),
        "two/x" => Some(&two),
        _ => None,
    };
    let known = json!({ "a": [1, of("one"), { "b": of("two/x") }], "c": { "$output": "three", "more": 1 } });
    let filled = json!({ "a": [1, "first", { "b": [2] }], "c": { "$output": "three", "more": 1 } });
    assert_eq!(resolve(&known, &output).unwrap(), filled);
    let error = resolve(&json!([of("four")]), &output).unwrap_err();
    assert!(error.message().contains("needs the output of four"), "{error}");
    assert!(references(&Value::Null).is_empty());
}

#[test]
fn outputs_are_the_same_where_they_are_of_the_same_step() {
    let of = |step: &str| Arg::From(OutputOf::<u32>::new(StepId::new(step).unwrap()));
    assert_eq!(of("a"), of("a"));
    assert_ne!(of("a"), of("b"));
    assert_ne!(of("a"), Arg::Value(1));
}
