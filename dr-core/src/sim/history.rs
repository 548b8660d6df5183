use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sha2::{Digest as _, Sha256};

use super::cell::Cell;
use crate::time::{Clock as _, ManualClock};

/// Which verb of a step makes a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    BeforeImage,
    Observe,
    Execute,
    Verify,
    Compensate,
}

impl Role {
    const fn words(self) -> &'static str {
        match self {
            Self::BeforeImage => "notes what stands, before",
            Self::Observe => "looks, for",
            Self::Execute => "acts, for",
            Self::Verify => "proves",
            Self::Compensate => "takes back",
        }
    }
}

/// A process: which engine, and which of its lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Who(pub(crate) u8, pub(crate) u16);

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = char::from(b'a'.saturating_add(self.0));
        if self.1 == 0 { write!(f, "engine {letter}") } else { write!(f, "engine {letter} (life {})", self.1 + 1) }
    }
}

/// One remote call of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) id: u32,
    pub(crate) who: Who,
    /// The step's place in the plan as it was scripted.
    pub(crate) step: u16,
    /// One invocation of one verb.
    pub(crate) turn: u32,
    pub(crate) role: Role,
    pub(crate) attempt: u32,
    /// The caller's epoch.
    pub(crate) epoch: u64,
    /// The epoch of the lease at the moment of the call.
    pub(crate) current: u64,
    /// How many records were durable at the moment of the call.
    pub(crate) durable: u64,
    pub(crate) writes: bool,
    /// How much had happened when its verb began.
    pub(crate) begun: usize,
}

/// How a call ended for its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Well,
    /// It failed; whether the caller knows that nothing was applied.
    Badly {
        certain: bool,
    },
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Started(Who),
    Crashed(Who, &'static str),
    Returned(Who, String),
    Called(Call),
    Answered(Call, Answer),
    /// A verb that looks said that the effect is not there, in this turn.
    NotThere(Call),
    Applied {
        call: Call,
        cell: Cell,
        was: i64,
        is: i64,
        effective: Duration,
    },
    Acquired {
        who: Who,
        epoch: u64,
    },
    /// Records became durable.
    Written {
        who: Who,
        epoch: u64,
        first: u64,
        last: u64,
        says: String,
    },
    /// And the engine was told so.
    Acknowledged {
        who: Who,
        last: u64,
    },
    Refused {
        who: Who,
        what: &'static str,
        why: String,
    },
    Trouble(String),
    Asked {
        what: String,
        answer: String,
    },
}

/// Everything that happened, in order, with the virtual time.
#[derive(Clone, Debug)]
pub(crate) struct History {
    time: ManualClock,
    happened: Arc<Mutex<Vec<(Duration, What)>>>,
}

impl History {
    pub(crate) fn new(time: ManualClock) -> Self {
        Self { time, happened: Arc::default() }
    }

    fn lines(&self) -> MutexGuard<'_, Vec<(Duration, What)>> {
        self.happened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, what: What) {
        let at = self.time.monotonic().since_origin();
        self.lines().push((at, what));
    }

    /// How much has happened.
    pub(crate) fn count(&self) -> usize {
        self.lines().len()
    }

    pub(crate) fn take(&self) -> Vec<(Duration, What)> {
        std::mem::take(&mut *self.lines())
    }
}

/// The event log as text: what must be equal, byte for byte, when a seed is run again.
pub(crate) fn text(history: &[(Duration, What)], steps: &[String]) -> String {
    let mut text = String::new();
    for (at, what) in history {
        text.push_str(&format!("{:>10.3}  {}\n", at.as_secs_f64(), Line { what, steps }));
    }
    text
}

/// The SHA-256 of the event log, in hexadecimal.
pub(crate) fn digest(history: &[(Duration, What)], steps: &[String]) -> String {
    Sha256::digest(text(history, steps)).iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Line<'a> {
    what: &'a What,
    steps: &'a [String],
}

impl Line<'_> {
    fn step(&self, at: u16) -> &str {
        self.steps.get(usize::from(at)).map_or("?", String::as_str)
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            What::Started(who) => write!(f, "{who} starts"),
            What::Crashed(who, how) => write!(f, "{who} dies: {how}"),
            What::Returned(who, how) => write!(f, "{who} returns: {how}"),
            What::Called(call) => {
                let (does, step) = (call.role.words(), self.step(call.step));
                write!(
                    f,
                    "{} {does} {step} (attempt {}, epoch {}, call {})",
                    call.who, call.attempt, call.epoch, call.id
                )?;
                if call.epoch != call.current {
                    write!(f, "; the lease has epoch {} by now", call.current)?;
                }
                Ok(())
            }
            What::Answered(call, answer) => match answer {
                Answer::Well => write!(f, "call {} is answered", call.id),
                Answer::Badly { certain: true } => write!(f, "call {} fails, and did nothing", call.id),
                Answer::Badly { certain: false } => write!(f, "call {} fails, and nobody knows what it did", call.id),
            },
            What::NotThere(call) => write!(f, "{} has seen that {} is not there", call.who, self.step(call.step)),
            What::Applied { call, cell, was, is, effective } => {
                let step = self.step(call.step);
                write!(
                    f,
                    "the world: {cell} goes from {was} to {is} at {:.3} (call {}, {step})",
                    effective.as_secs_f64(),
                    call.id
                )
            }
            What::Acquired { who, epoch } => write!(f, "{who} has the lease, epoch {epoch}"),
            What::Written { who, epoch, first, last, says } => {
                write!(f, "{who} (epoch {epoch}) writes records {first} to {last}: {says}")
            }
            What::Acknowledged { who, last } => write!(f, "{who} knows that record {last} is durable"),
            What::Refused { who, what, why } => write!(f, "{who}: the store refuses to {what}: {why}"),
            What::Trouble(text) => write!(f, "trouble: {text}"),
            What::Asked { what, answer } => write!(f, "the operator: {what}: {answer}"),
        }
    }
}
