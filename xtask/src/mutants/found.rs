use std::{fmt, fs, path::Path};

use serde_json::Value;

use crate::run::Failure;

/// What became of the mutants of a shard.
#[derive(Debug, Default)]
pub(super) struct Found {
    caught: usize,
    /// They made the tests run into the time limit, which is being noticed.
    timed_out: usize,
    /// They do not compile: no test can notice them.
    unviable: usize,
    missed: Vec<String>,
}

impl Found {
    /// Reads what cargo-mutants left in a folder.
    ///
    /// # Errors
    ///
    /// When there is nothing, or it is not as expected.
    pub(super) fn read(folder: &Path) -> Result<Self, Failure> {
        let file = folder.join("mutants.out/outcomes.json");
        let unreadable = |error: &dyn fmt::Display| Failure::new(format!("cannot read {}: {error}", file.display()));
        let text = fs::read_to_string(&file).map_err(|error| unreadable(&error))?;
        Self::parse(&serde_json::from_str(&text).map_err(|error| unreadable(&error))?)
            .ok_or_else(|| unreadable(&"it holds no outcomes"))
    }

    fn parse(outcomes: &Value) -> Option<Self> {
        let mut found = Self::default();
        for outcome in outcomes.get("outcomes")?.as_array()? {
            // The one outcome that is no mutant is the run before anything is changed.
            let Some(mutant) = outcome.get("scenario")?.get("Mutant") else { continue };
            match outcome.get("summary")?.as_str()? {
                "CaughtMutant" => found.caught += 1,
                "Timeout" => found.timed_out += 1,
                "Unviable" => found.unviable += 1,
                _ => found.missed.push(mutant.get("name")?.as_str()?.to_owned()),
            }
        }
        Some(found)
    }

    pub(super) fn add(&mut self, other: Self) {
        self.caught += other.caught;
        self.timed_out += other.timed_out;
        self.unviable += other.unviable;
        self.missed.extend(other.missed);
    }

    /// The mutants that no test noticed, with their places.
    pub(super) fn missed(&self) -> impl Iterator<Item = &str> {
        self.missed.iter().map(String::as_str)
    }

    /// Of those that compile, the share that the tests noticed.
    pub(super) fn caught_percent(&self) -> f64 {
        let noticed = self.caught + self.timed_out;
        let viable = noticed + self.missed.len();
        if viable == 0 { 100.0 } else { noticed as f64 * 100.0 / viable as f64 }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (noticed, missed) = (self.caught + self.timed_out, self.missed.len());
        let share = self.caught_percent();
        write!(f, "{noticed} of {} mutants noticed ({share:.1} %)", noticed + missed)?;
        write!(f, ", {} of them by the time limit; {} do not compile", self.timed_out, self.unviable)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn mutants_that_do_not_compile_count_for_nothing_and_those_that_hang_count_as_noticed() {
        let outcome = |summary: &str| json!({ "scenario": { "Mutant": { "name": "a.rs:1: x" } }, "summary": summary });
        let outcomes = json!({ "outcomes": [
            { "scenario": "Baseline", "summary": "Success" },
            outcome("CaughtMutant"), outcome("CaughtMutant"), outcome("Timeout"), outcome("Unviable"), outcome("MissedMutant"),
        ] });
        let mut found = Found::parse(&outcomes).unwrap();
        assert_eq!(found.caught_percent(), 75.0);
        assert_eq!(found.missed().collect::<Vec<_>>(), ["a.rs:1: x"]);
        found.add(Found::parse(&json!({ "outcomes": [outcome("MissedMutant")] })).unwrap());
        assert_eq!(found.caught_percent(), 60.0);
        assert!(Found::parse(&json!({})).is_none());
    }
}
