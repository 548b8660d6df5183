//! Durations as people write them: `10s`, `5m`, `1h30m`, `250ms`.

use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

/// Units from the longest to the shortest, with their length in milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// The grammar as a regular expression: at least one part, each unit at most once, longest first.
const PATTERN: &str = "^(?=[0-9])([0-9]{1,6}d)?([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?([0-9]{1,6}ms)?$";

/// Text that is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a duration: write whole numbers with the units d, h, m, s, ms, longest first, such as 5m or 1h30m"
)]
pub struct InvalidDuration(String);

/// Reads a duration: one or more whole numbers of at most six digits, each with a unit (`d`, `h`, `m`, `s`, `ms`),
/// each unit at most once, longest first, without spaces.
///
/// ```
/// use std::time::Duration;
/// use dr_core::spec::parse_duration;
///
/// assert_eq!(parse_duration("1h30m"), Ok(Duration::from_secs(5400)));
/// assert!(parse_duration("10").is_err());
/// ```
///
/// # Errors
///
/// [`InvalidDuration`] when the text does not follow that grammar.
pub fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let invalid = || InvalidDuration(text.to_owned());
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut millis: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(invalid)?;
        let (number, tail) = rest.split_at(digits);
        if number.is_empty() || number.len() > 6 {
            return Err(invalid());
        }
        let letters = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        // The iterator only moves on, so a repeated unit or one out of order is not found.
        let (_, length) = units.find(|(name, _)| *name == unit).ok_or_else(invalid)?;
        let number: u64 = number.parse().map_err(|_| invalid())?;
        millis = millis.saturating_add(number.saturating_mul(*length));
        rest = tail;
    }
    if text.is_empty() { Err(invalid()) } else { Ok(Duration::from_millis(millis)) }
}

/// Writes a duration the way [`parse_duration`] reads it, rounded down to milliseconds.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let mut millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 {
        return "0s".to_owned();
    }
    // Days are read but not written: 36h is clearer in a report than 1d12h.
    let mut text = String::new();
    for (unit, length) in UNITS.iter().skip(1) {
        let count = millis / length;
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
            millis %= length;
        }
    }
    text
}

/// The schema of a duration, for `#[schemars(with = "DurationText")]`.
pub(crate) struct DurationText;

impl JsonSchema for DurationText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": PATTERN, "examples": ["10s", "5m", "1h30m", "250ms"] })
    }
}

pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format_duration(*duration))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map_err(D::Error::custom)
}

/// The same for a duration that may be left out.
pub(crate) mod optional {
    use std::time::Duration;

    use serde::{Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "serde hands the field by reference")]
    pub(crate) fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => super::serialize(duration, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        super::deserialize(deserializer).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_each_unit_and_their_sums() {
        for (text, millis) in
            [("250ms", 250), ("10s", 10_000), ("5m", 300_000), ("1h30m", 5_400_000), ("1d", 86_400_000), ("0s", 0)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn refuses_what_could_be_read_two_ways() {
        for text in ["", "10", "s", "5 m", "1m1h", "1m1m", "1.5h", "-5s", "5min", "1234567s", "٣s"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn writing_and_reading_agree(millis in 0u64..3_000_000_000_000) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn the_schema_accepts_exactly_what_is_read(text in "[0-9]{0,7}[dhms]{0,2}[0-9]{0,3}(ms|s|m|h)?") {
            let schema = serde_json::json!({ "pattern": PATTERN });
            prop_assert_eq!(jsonschema::is_valid(&schema, &text.clone().into()), parse_duration(&text).is_ok());
        }
    }
}
