/// The closing lines of test runners in `lines`: nextest's, cargo test's and pytest's own words, unchanged.
pub(super) fn lines(lines: &[String]) -> Vec<String> {
    lines.iter().filter(|line| is_closing(line)).cloned().collect()
}

/// Whether a line says how many cases passed and how many failed: `10000 passed, 0 failed`.
pub(super) fn is_count(line: &str) -> bool {
    line.starts_with(|c: char| c.is_ascii_digit()) && line.contains(" passed, ") && line.contains(" failed")
}

fn is_closing(line: &str) -> bool {
    let text = line.trim_start();
    let bare = text.trim_matches(|c| c == '=' || c == ' ');
    text.starts_with("Summary [")
        || text.starts_with("test result:")
        || (bare.starts_with(|c: char| c.is_ascii_digit()) && bare.contains(" passed") && bare.contains(" in "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_of_each_runner_are_known() {
        assert!(is_closing("     Summary [  12.345s] 240 tests run: 240 passed (3 slow), 1 skipped"));
        assert!(is_closing(
            "test result: ok. 34 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.12s"
        ));
        assert!(is_closing("============================== 12 passed in 3.41s =============================="));
        assert!(is_closing("12 passed, 1 skipped in 3.41s"));
        assert!(is_count("10000 passed, 0 failed") && !is_count("10000 pairs"));
        assert!(!is_closing("test clock::goes_on ... ok"));
        assert!(!is_closing("        PASS [   0.004s] dr-core time::tests::goes_on"));
    }
}
