//! What must be true of every run: each invariant has a name and a checker of its own, which reads what happened in the
//! world and what the journal says, and asks no engine.

mod journal;
mod order;
mod owner;
mod restoration;
mod writers;

use std::{fmt, time::Duration};

use super::{cell::Course, history::What, scenario::Scenario};
use crate::{
    engine::RunView,
    error::Effect,
    journal::{Entry, Outcome, Record, Seq},
};

/// Something that is promised of every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// Never do two regions accept writes of one store.
    OneWriter,
    /// No traffic is moved before each writable store is promoted.
    TrafficFollowsWriters,
    /// A call that changes something is not repeated without a look at the world in between.
    NoBlindRepetition,
    /// No engine acts whose lease has passed on.
    OneEngineActs,
    /// Every prefix of a journal can be gone on with, to the same end or to a hold with a name.
    EveryPrefixResumes,
    /// A drill, a rehearsal or a cancelled run leaves the world as it was, but for what it names.
    WorldAsItWas,
    /// Nothing is begun that goes forward once a run is taken back.
    NoStepWhileUnwinding,
    /// No record is lost that an engine was told is durable.
    NothingLost,
    /// Nothing is done whose intent is not durable.
    IntentFirst,
    /// No step acts before those that it comes after.
    EdgesHold,
    /// No step with a gate acts before somebody has opened it.
    GatesHold,
    /// What the journal says is done is there.
    DoneMeansThere,
    /// The records follow from each other: no attempt twice, no outcome without an intent, an unbroken chain.
    JournalMakesSense,
    /// Every run comes to an end once nothing goes wrong any more.
    ComesToAnEnd,
}

impl Invariant {
    /// Every invariant.
    pub const ALL: [Self; 14] = [
        Self::OneWriter,
        Self::TrafficFollowsWriters,
        Self::NoBlindRepetition,
        Self::OneEngineActs,
        Self::EveryPrefixResumes,
        Self::WorldAsItWas,
        Self::NoStepWhileUnwinding,
        Self::NothingLost,
        Self::IntentFirst,
        Self::EdgesHold,
        Self::GatesHold,
        Self::DoneMeansThere,
        Self::JournalMakesSense,
        Self::ComesToAnEnd,
    ];

    /// The promise, in a sentence.
    #[must_use]
    pub const fn promise(self) -> &'static str {
        match self {
            Self::OneWriter => "never do two regions accept writes of one store",
            Self::TrafficFollowsWriters => "no traffic is moved before each writable store is promoted",
            Self::NoBlindRepetition => "no change is asked for again without a look at the world in between",
            Self::OneEngineActs => "no engine acts whose lease has passed on",
            Self::EveryPrefixResumes => "every prefix of a journal resumes to the same end, or to a hold with a name",
            Self::WorldAsItWas => {
                "a drill, a rehearsal or a cancelled run leaves the world as it was, or names what it leaves"
            }
            Self::NoStepWhileUnwinding => "unwinding never runs a forward step",
            Self::NothingLost => "nothing is lost from the journal once acknowledged",
            Self::IntentFirst => "nothing is done whose intent is not durable",
            Self::EdgesHold => "no step acts before those that it comes after",
            Self::GatesHold => "no gated step acts before somebody has opened the gate",
            Self::DoneMeansThere => "what the journal says is done is there",
            Self::JournalMakesSense => "the records follow from each other",
            Self::ComesToAnEnd => "every run comes to an end once nothing goes wrong any more",
        }
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}: {}", self.promise())
    }
}

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// When it was seen, in virtual time.
    pub at: Duration,
    /// What was seen.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {:.3} s: {} ({})", self.at.as_secs_f64(), self.what, self.invariant)
    }
}

/// What a finished run left behind, for the checkers.
#[derive(Debug)]
pub(crate) struct Evidence<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) history: &'a [(Duration, What)],
    pub(crate) records: &'a [Record],
    pub(crate) view: &'a RunView,
    pub(crate) courses: &'a [Course],
    /// What each cell was in the beginning.
    pub(crate) initial: &'a [i64],
    pub(crate) acknowledged: &'a [(Seq, Entry)],
    /// How many records there were when this engine's story begins: 0, unless a prefix is gone on with.
    pub(crate) since: Seq,
    pub(crate) now: Duration,
}

impl Evidence<'_> {
    pub(crate) fn step_name(&self, at: u16) -> &str {
        self.scenario.steps.get(usize::from(at)).map_or("?", |step| step.id.as_str())
    }

    /// When a record was written, in virtual time; the end when it was not.
    pub(crate) fn written_at(&self, seq: Seq) -> Duration {
        let found = self.history.iter().find_map(|(at, what)| match what {
            What::Written { first, last, .. } if (*first..=*last).contains(&seq.0) => Some(*at),
            _ => None,
        });
        found.unwrap_or(Duration::ZERO)
    }

    /// Steps that somebody decided to go on without.
    pub(crate) fn skipped(&self, step: &str) -> bool {
        self.records.iter().any(|record| match &record.entry {
            Entry::StepOutcome { step: skipped, outcome: Outcome::Skipped { .. }, .. } => *skipped == step,
            _ => false,
        })
    }

    /// Steps that somebody decided to go on without when a call for them may have been under way still: what it does, it does
    /// whenever it arrives.
    pub(crate) fn skipped_in_doubt(&self, step: &str) -> bool {
        let (mut open, mut doubt) = (false, false);
        for record in self.records {
            match &record.entry {
                Entry::StepIntent(intent) if intent.step == step => {
                    doubt |= open;
                    open = true;
                }
                Entry::StepOutcome { step: of, outcome, .. } if *of == step => match outcome {
                    Outcome::Skipped { .. } => return doubt || open,
                    Outcome::Failed { failure } => {
                        doubt |= failure.effect != Effect::NotApplied;
                        open = false;
                    }
                    Outcome::Done { .. } | Outcome::Compensated => open = false,
                },
                _ => {}
            }
        }
        false
    }

    /// Whether a call that arrived late undid a later one: then the world is not what anybody asked for last, and no
    /// engine can know.
    pub(crate) fn overtaken(&self, cell: u8) -> bool {
        let mut newest = None;
        for (_, what) in self.history {
            if let What::Applied { call, cell: applied, .. } = what
                && applied.0 == cell
            {
                if newest.is_some_and(|newest| call.id < newest) {
                    return true;
                }
                newest = Some(call.id);
            }
        }
        false
    }
}

/// Everything that is not as promised.
pub(crate) fn check(evidence: &Evidence<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    writers::check(evidence, &mut found);
    order::check(evidence, &mut found);
    owner::check(evidence, &mut found);
    journal::check(evidence, &mut found);
    restoration::check(evidence, &mut found);
    found
}
