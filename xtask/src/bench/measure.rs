use std::fmt;

use serde_json::{Map, Value, json};

/// One measured value beside its goal and its peer.
///
/// A benchmark prints `name`, `value`, `unit` and `better` (`lower` or `higher`), and where it has them `goal`, `peer`
/// (what it is compared with) and `peer_value` (the same measure of the peer, in the same unit).
#[derive(Debug)]
pub(super) struct Measure {
    name: String,
    value: f64,
    unit: String,
    better: Better,
    goal: Option<f64>,
    peer: Option<String>,
    peer_value: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Better {
    Lower,
    Higher,
}

impl Measure {
    /// Reads one line of a benchmark.
    ///
    /// # Errors
    ///
    /// What is missing or malformed.
    pub(super) fn parse(line: &str) -> Result<Self, String> {
        let object: Map<String, Value> = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
        let number = |key: &str| object.get(key).and_then(Value::as_f64);
        let wanted = |key: &str| format!("`{key}` is missing");
        Ok(Self {
            name: text("name").ok_or_else(|| wanted("name"))?,
            value: number("value").ok_or_else(|| wanted("value"))?,
            unit: text("unit").ok_or_else(|| wanted("unit"))?,
            better: match text("better").as_deref() {
                Some("lower") => Better::Lower,
                Some("higher") => Better::Higher,
                _ => return Err("`better` is neither `lower` nor `higher`".to_owned()),
            },
            goal: number("goal"),
            peer: text("peer"),
            peer_value: number("peer_value"),
        })
    }

    /// How many times as good as the peer: above 1 is better, whichever way the measure points.
    fn ratio(&self) -> Option<f64> {
        let peer = self.peer_value?;
        let (above, below) = match self.better {
            Better::Lower => (peer, self.value),
            Better::Higher => (self.value, peer),
        };
        (below > 0.0).then(|| above / below)
    }

    /// Whether the goal is met; none without a goal.
    pub(super) fn met(&self) -> Option<bool> {
        let goal = self.goal?;
        Some(match self.better {
            Better::Lower => self.value <= goal,
            Better::Higher => self.value >= goal,
        })
    }

    /// What is measured.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The whole measure as one JSON object.
    pub(super) fn json(&self) -> Value {
        json!({
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "better": match self.better { Better::Lower => "lower", Better::Higher => "higher" },
            "goal": self.goal,
            "peer": self.peer,
            "peer_value": self.peer_value,
            "ratio": self.ratio(),
            "met": self.met(),
        })
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {:<64} {:>14.3} {}", self.name, self.value, self.unit)?;
        if let (Some(goal), Some(met)) = (self.goal, self.met()) {
            // A goal may be what a peer did in the same run.
            let goal = (goal * 1_000.0).round() / 1_000.0;
            write!(f, "  goal {goal} {}", if met { "met" } else { "MISSED" })?;
        }
        match (&self.peer, self.ratio()) {
            (Some(peer), Some(ratio)) => {
                write!(f, "  {ratio:.2}× {peer}")?;
                self.peer_value.map_or(Ok(()), |value| write!(f, " ({value:.3})"))
            }
            (Some(peer), None) => write!(f, "  {peer}"),
            (None, _) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratio_and_goal_follow_the_direction_of_the_measure() {
        let lower = Measure::parse(
            r#"{"name":"resume","value":2.0,"unit":"ms","better":"lower","goal":5,"peer":"x","peer_value":8.0}"#,
        );
        let lower = lower.unwrap();
        assert_eq!((lower.ratio(), lower.met()), (Some(4.0), Some(true)));
        let higher =
            Measure::parse(r#"{"name":"appends","value":90,"unit":"1/s","better":"higher","goal":100}"#).unwrap();
        assert_eq!((higher.ratio(), higher.met()), (None, Some(false)));
        assert_eq!(higher.json()["peer"], Value::Null);
        assert_eq!(higher.json()["met"], false);
    }

    #[test]
    fn a_line_tells_the_goal_and_what_the_peer_did() {
        let measure = Measure::parse(
            r#"{"name":"look","value":2.0,"unit":"ms","better":"lower","goal":8.000123,"peer":"x","peer_value":8.000123}"#,
        );
        let line = measure.unwrap().to_string();
        assert!(line.ends_with("  2.000 ms  goal 8 met  4.00× x (8.000)"), "{line}");
    }

    #[test]
    fn a_line_that_is_no_measure_is_refused() {
        assert!(Measure::parse("warming up").is_err());
        assert!(Measure::parse(r#"{"name":"a","value":1,"unit":"ms","better":"smaller"}"#).is_err());
        assert!(Measure::parse(r#"{"name":"a","unit":"ms","better":"lower"}"#).is_err());
    }
}
