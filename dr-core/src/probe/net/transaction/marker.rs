use crate::{model::VantageId, time::Timestamp};

/// Where the marker goes in a path or a body.
pub(super) const MARKER: &str = "{{id}}";

/// A name for one transaction that no other has: safe in a path, in JSON, and in a log.
pub(super) fn marker(vantage: &VantageId, at: Timestamp, count: u64) -> String {
    let place: String =
        vantage.as_str().chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect();
    format!("dr-probe-{place}-{}-{count}", at.as_millis())
}

/// `text` with the marker in its places.
pub(super) fn marked(text: &str, marker: &str) -> String {
    text.replace(MARKER, marker)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_safe_in_a_path_and_another_each_time() {
        let vantage: VantageId = "office/eu-1".parse().unwrap();
        let first = marker(&vantage, Timestamp::from_millis(17), 0);
        assert_eq!(first, "dr-probe-office-eu-1-17-0");
        assert_ne!(first, marker(&vantage, Timestamp::from_millis(17), 1));
        assert_eq!(marked("/orders/{{id}}?x={{id}}", "a"), "/orders/a?x=a");
    }
}
