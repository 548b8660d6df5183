use std::time::Duration;

use super::cell::Cell;
use crate::{
    model::Plane,
    plan::{GoalKind, Mode, Ungraceful},
    testing::{Fault, FaultRule},
};

/// One step of a scripted plan.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StepScript {
    pub(crate) id: String,
    pub(crate) kind: &'static str,
    pub(crate) sets: Vec<(Cell, i64)>,
    pub(crate) region: u8,
    pub(crate) takes_ms: u64,
    pub(crate) several: bool,
    /// Earlier steps, by name.
    pub(crate) after: Vec<String>,
    pub(crate) gate: bool,
    pub(crate) timeout: Duration,
    pub(crate) attempts: u32,
    /// The step whose before-image this one restores.
    pub(crate) undoes: Option<String>,
    /// What it does differently in an ungraceful run.
    pub(crate) ungraceful: Option<Ungraceful>,
}

/// One engine: a machine, a process on it, and whoever starts it again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EngineScript {
    pub(crate) start: Duration,
    pub(crate) lease: Duration,
    pub(crate) patience: Duration,
    /// Whether it waits for people, instead of returning.
    pub(crate) waits: bool,
    /// Whether it approves its gates itself.
    pub(crate) approves: bool,
    pub(crate) restart_after: Duration,
    pub(crate) restarts: u16,
}

/// At which point of an append a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing reached the store; a torn write is the same, for a store that writes all or nothing.
    Before,
    /// The store has it, and nobody was told.
    Written,
    /// The store has it, and the process was told.
    Told,
}

/// How a store fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outage {
    /// It answers with an error, and did nothing.
    Refuses,
    /// It never answers, and did nothing.
    Hangs,
    /// It does what it is asked, and its replies are lost.
    ReplyLost,
}

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Trouble {
    /// A region's plane, or the whole region, for a time.
    Region { region: u8, plane: Option<Plane>, fault: Fault, from: Duration, until: Duration },
    /// Some calls of an operation.
    Calls { rule: FaultRule, from: Duration },
    /// A process dies at a moment.
    Crash { engine: u8, at: Duration },
    /// A process dies at one of its appends, counted from the start.
    CrashAtAppend { engine: u8, nth: u32, phase: Phase },
    /// A process dies at one of its calls, before or after it is sent.
    CrashAtCall { engine: u8, nth: u32, sent: bool },
    /// A machine stands still; its monotonic clock may go on meanwhile.
    Suspend { engine: u8, from: Duration, until: Duration, counted: bool },
    /// A machine's wall clock jumps; the store's when no engine is named.
    Wall { engine: Option<u8>, at: Duration, by_ms: i64 },
    /// The journal's store is out.
    Store { how: Outage, from: Duration, until: Duration },
    /// One append of an engine reaches the store late, and its reply is lost.
    LateAppend { engine: u8, nth: u32, by: Duration },
    /// One append of an engine reaches the store a second time.
    AppendTwice { engine: u8, nth: u32, by: Duration },
    /// A step's effect cannot be made for a time.
    Blocked { step: String, from: Duration, until: Duration },
}

/// What an operator does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Pause,
    Resume,
    Retry(String),
    Skip(String),
    Cancel {
        compensate: bool,
    },
    Approve,
    Reject,
    Ungraceful(Option<String>),
    /// The same through the run's inbox, where whoever holds the run finds it.
    ThroughInbox(Box<Wish>),
}

/// How whoever is on call gets a run to its end, once nothing goes wrong any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closing {
    /// Retries what failed, then goes on without it.
    Skip,
    /// Retries what failed, then cancels and takes back.
    Cancel,
}

/// Everything that a seed decides: running it is a pure function of this.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scenario {
    pub(crate) seed: u64,
    pub(crate) goal: GoalKind,
    pub(crate) mode: Mode,
    pub(crate) to: u8,
    /// Whether the plan is one that lint would pass: fences before promotions before traffic.
    pub(crate) sensible: bool,
    pub(crate) steps: Vec<StepScript>,
    pub(crate) deadline: Duration,
    pub(crate) engines: Vec<EngineScript>,
    pub(crate) troubles: Vec<Trouble>,
    pub(crate) wishes: Vec<(Duration, Wish)>,
    /// From when on nothing goes wrong any more.
    pub(crate) heals: Duration,
    pub(crate) closing: Closing,
}

impl Scenario {
    /// The names of the steps, in the order of the script.
    pub(crate) fn names(&self) -> Vec<String> {
        self.steps.iter().map(|step| step.id.clone()).collect()
    }

    pub(crate) fn step(&self, id: &str) -> Option<&StepScript> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// How long the run may take once nothing goes wrong any more, or once it is gone on with: three hours, and as long as the
    /// store's wall goes back all in all, for a lease that was given before lasts that much longer, whoever dies.
    pub(crate) fn bound(&self) -> Duration {
        let back = self.troubles.iter().filter_map(|trouble| match trouble {
            Trouble::Wall { engine: None, by_ms, .. } => u64::try_from(-by_ms).ok(),
            _ => None,
        });
        Duration::from_hours(3) + Duration::from_millis(back.sum())
    }

    /// Whether `early` comes before `late`, by any path.
    pub(crate) fn precedes(&self, early: &str, late: &str) -> bool {
        let mut open = vec![late];
        let mut seen: Vec<&str> = Vec::new();
        while let Some(at) = open.pop() {
            let Some(step) = self.step(at) else { continue };
            for before in step.after.iter().map(String::as_str).chain(step.undoes.as_deref()) {
                if before == early {
                    return true;
                }
                if !seen.contains(&before) {
                    seen.push(before);
                    open.push(before);
                }
            }
        }
        false
    }
}
