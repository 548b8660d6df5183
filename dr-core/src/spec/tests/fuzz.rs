use proptest::prelude::*;

use super::{EXAMPLE, example, load};

/// Everything that must hold for whatever a reader is given.
fn sound(text: &str, result: Result<super::Spec, super::SpecErrors>) -> Result<(), TestCaseError> {
    let Err(errors) = result else { return Ok(()) };
    prop_assert!(!errors.findings().is_empty());
    let mut lines: Vec<String> = vec![String::new()];
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\r' if letters.peek() == Some(&'\n') => {}
            '\n' | '\r' => lines.push(String::new()),
            other => lines.last_mut().unwrap().push(other),
        }
    }
    for finding in errors.findings() {
        let line = lines.get(finding.line - 1);
        prop_assert!(line.is_some(), "{finding}\nlies behind the {} lines of the file", lines.len());
        let length = line.unwrap().chars().count();
        prop_assert!((1..=length + 1).contains(&finding.column), "{finding}\nlies beside its line");
        // The schema is made from the types, so what passes the one must decode as the other.
        prop_assert!(!finding.message.contains("still cannot be read"), "{finding}");
        prop_assert!(!finding.message.is_empty() && !finding.remedy.is_empty());
    }
    let places: Vec<(usize, usize)> = errors.findings().iter().map(|finding| (finding.line, finding.column)).collect();
    prop_assert!(places.is_sorted());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_end_in_findings_inside_the_file(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let result = super::loader().load_bytes("x", &bytes);
        if let Ok(text) = std::str::from_utf8(&bytes) {
            sound(text, result)?;
        } else {
            prop_assert!(result.is_err());
        }
    }

    #[test]
    fn any_text_of_yaml_s_own_letters_ends_in_findings_inside_the_file(text in "[-a-c:{}\\[\\],&*!|>'\"%@#?$\\\\ \t\r\n0.~<=é]{0,80}") {
        sound(&text, load(&text))?;
    }

    #[test]
    fn any_change_of_the_example_ends_in_findings_inside_the_file(
        at in 0..EXAMPLE.len(),
        length in 0usize..60,
        put in "[-a-z0-9:{}\\[\\],&*!|>'\"#?$ \t\r\n~é]{0,12}",
    ) {
        let floor = |mut i: usize| { while !EXAMPLE.is_char_boundary(i) { i -= 1; } i };
        let (from, to) = (floor(at), floor((at + length).min(EXAMPLE.len())));
        let text = format!("{}{put}{}", &EXAMPLE[..from], &EXAMPLE[to..]);
        sound(&text, example::loader().load_str("x", &text))?;
    }

    #[test]
    fn the_example_without_any_one_line_ends_in_findings_inside_the_file(line in 0..EXAMPLE.lines().count()) {
        let text: String =
            EXAMPLE.lines().enumerate().filter(|(i, _)| *i != line).map(|(_, line)| format!("{line}\n")).collect();
        sound(&text, example::loader().load_str("x", &text))?;
    }
}
