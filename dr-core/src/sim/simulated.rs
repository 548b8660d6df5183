use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{
    VirtualTime, generate, history,
    invariant::{Invariant, Violation},
    mutant::Mutant,
    play::{Played, play},
    scenario::Scenario,
    shrink, story,
};
use crate::{engine::RunState, error::Result};

/// A seed that was run.
#[derive(Debug)]
pub struct Simulated {
    scenario: Scenario,
    played: Played,
    mutant: Option<Mutant>,
}

/// Runs a seed.
///
/// # Errors
///
/// [`Internal`](crate::error::ErrorKind::Internal) when the scenario cannot be built: a fault of the simulation itself.
pub fn simulate(time: &VirtualTime, seed: u64) -> Result<Simulated> {
    Simulated::of(time, generate::scenario(seed), None)
}

/// Runs a seed with something wrong on purpose.
///
/// # Errors
///
/// As [`simulate`].
pub fn simulate_mutant(time: &VirtualTime, seed: u64, mutant: Mutant) -> Result<Simulated> {
    Simulated::of(time, generate::scenario(seed), Some(mutant))
}

impl Simulated {
    pub(super) fn of(time: &VirtualTime, scenario: Scenario, mutant: Option<Mutant>) -> Result<Self> {
        // A panic of the engine is a failed seed, not the end of all others.
        let played = catch_unwind(AssertUnwindSafe(|| play(time, &scenario, mutant)));
        let played = played.unwrap_or_else(|_| {
            let violation = Violation {
                invariant: Invariant::ComesToAnEnd,
                at: std::time::Duration::ZERO,
                what: "the program panicked".to_owned(),
            };
            Ok(Played { violations: vec![violation], history: Vec::new(), state: None, records: 0 })
        })?;
        Ok(Self { scenario, played, mutant })
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.scenario.seed
    }

    /// The promises that were not kept.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.played.violations
    }

    /// How the run ended.
    #[must_use]
    pub fn state(&self) -> Option<RunState> {
        self.played.state
    }

    /// How many records its journal has.
    #[must_use]
    pub fn records(&self) -> usize {
        self.played.records
    }

    /// How many lines the event log has.
    #[must_use]
    pub fn events(&self) -> usize {
        self.played.history.len()
    }

    /// The event log.
    #[must_use]
    pub fn log(&self) -> String {
        history::text(&self.played.history, &self.scenario.names())
    }

    /// The SHA-256 of the event log, in hexadecimal.
    #[must_use]
    pub fn digest(&self) -> String {
        history::digest(&self.played.history, &self.scenario.names())
    }

    /// What happened, in numbered sentences that a person can follow.
    #[must_use]
    pub fn story(&self) -> String {
        story::tell(&self.scenario, &self.played)
    }

    /// The smallest scenario that still breaks the first promise that was broken: without every fault, wish, engine and
    /// step that does not matter. The same run when none was.
    ///
    /// # Errors
    ///
    /// As [`simulate`].
    pub fn shrink(self, time: &VirtualTime) -> Result<Self> {
        let Some(broken) = self.played.violations.first().map(|violation| violation.invariant) else { return Ok(self) };
        let mutant = self.mutant;
        let fails = |scenario: &Scenario| -> Option<Simulated> {
            let run = Self::of(time, scenario.clone(), mutant).ok()?;
            run.played.violations.iter().any(|violation| violation.invariant == broken).then_some(run)
        };
        Ok(shrink::shrink(self, &fails))
    }

    pub(super) fn scenario(&self) -> &Scenario {
        &self.scenario
    }
}
