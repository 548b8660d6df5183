use std::{fmt, fs, path::Path};

use serde_json::Value;

use crate::run::Failure;

/// What became of the mutants of a shard.
#[derive(Debug, Default)]
pub(super) struct Found {
    caught: usize,
    /// They made the tests run into the time limit: they hang, or the machine was busy. Not counted as caught.
    timed_out: Vec<String>,
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
            let name = || mutant.get("name")?.as_str().map(str::to_owned);
            match outcome.get("summary")?.as_str()? {
                "CaughtMutant" => found.caught += 1,
                "Timeout" => found.timed_out.push(name()?),
                "Unviable" => found.unviable += 1,
                _ => found.missed.push(name()?),
            }
        }
        Some(found)
    }

    pub(super) fn add(&mut self, other: Self) {
        self.caught += other.caught;
        self.timed_out.extend(other.timed_out);
        self.unviable += other.unviable;
        self.missed.extend(other.missed);
    }

    /// The mutants that no test noticed, with their places.
    pub(super) fn missed(&self) -> impl Iterator<Item = &str> {
        self.missed.iter().map(String::as_str)
    }

    /// Those of which it is not known whether a test noticed.
    pub(super) fn timed_out(&self) -> impl Iterator<Item = &str> {
        self.timed_out.iter().map(String::as_str)
    }

    /// Of those that compile, the share that the tests noticed.
    pub(super) fn caught_percent(&self) -> f64 {
        let viable = self.caught + self.missed.len() + self.timed_out.len();
        if viable == 0 { 100.0 } else { self.caught as f64 * 100.0 / viable as f64 }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (missed, timed_out) = (self.missed.len(), self.timed_out.len());
        write!(f, "{} caught, {missed} missed, {} unviable, {timed_out} timeouts: ", self.caught, self.unviable)?;
        write!(f, "{:.1} %", self.caught_percent())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn mutants_that_do_not_compile_count_for_nothing_and_those_that_hang_are_not_counted_as_noticed() {
        let outcome = |summary: &str| json!({ "scenario": { "Mutant": { "name": "a.rs:1: x" } }, "summary": summary });
        let outcomes = json!({ "outcomes": [
            { "scenario": "Baseline", "summary": "Success" },
            outcome("CaughtMutant"), outcome("CaughtMutant"), outcome("Timeout"), outcome("Unviable"), outcome("MissedMutant"),
        ] });
        let mut found = Found::parse(&outcomes).unwrap();
        assert_eq!(found.to_string(), "2 caught, 1 missed, 1 unviable, 1 timeouts: 50.0 %");
        assert_eq!(found.missed().collect::<Vec<_>>(), ["a.rs:1: x"]);
        assert_eq!(found.timed_out().count(), 1);
        found.add(Found::parse(&json!({ "outcomes": [outcome("MissedMutant")] })).unwrap());
        assert_eq!(found.caught_percent(), 40.0);
        assert!(Found::parse(&json!({})).is_none());
    }
}
