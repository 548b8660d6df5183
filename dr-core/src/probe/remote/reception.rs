use std::{collections::VecDeque, sync::Arc, time::Duration};

use super::{
    BootId, Nonce, Refusal, SignedStatement, Statement,
    statement::{MAX_ANSWER, message},
};
use crate::{
    journal::Verifier,
    model::VantageId,
    probe::Observation,
    time::{Monotonic, Timestamp},
};

/// How many former lives of an observer are remembered.
const FORMER: usize = 64;

/// How far an observer's readings were had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Of which life of it.
    pub boot: BootId,
    /// The last that was had.
    pub seq: u64,
}

/// What an observer is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// What its answer must repeat.
    pub nonce: Nonce,
    /// What it saw after this; everything that it still has when absent, or when it has lived anew since.
    pub after: Option<Cursor>,
}

/// When a question was put and answered, on the clock of whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// When it was put.
    pub asked: Monotonic,
    /// When the whole answer was there.
    pub answered: Monotonic,
    /// The same moment in wall time, for people.
    pub wall: Timestamp,
}

/// What was believed of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delivery {
    /// What the observer saw, dated on the clock of whoever asked.
    pub observations: Vec<Observation>,
    /// Whether the observer has more to tell at once.
    pub more: bool,
}

/// What one observer's answers have to be, and how far they were had. Pure: it reads no clock and does no I/O.
///
/// An observation's age is what passed on the observer's clock between the look and the signature, and the signature
/// was made after the question was put. So the look ended no earlier than its age before the question, and no later
/// than its age before the answer; it is dated at the former, which never makes it fresher than it is. Nor is it dated
/// before the observation that preceded it.
#[derive(Debug)]
pub struct Reception {
    observer: VantageId,
    verifier: Arc<dyn Verifier>,
    had: Option<Had>,
    former: VecDeque<BootId>,
}

/// What was had of the present life.
#[derive(Clone, Copy, Debug)]
struct Had {
    cursor: Cursor,
    /// The observer's clock at its last statement, and at its last reading.
    clock: Monotonic,
    looked: Monotonic,
    /// How the last reading was dated here.
    dated: Monotonic,
}

impl Reception {
    /// Believes what `observer` says under a signature that `verifier` trusts. The verifier should trust this
    /// observer's key and no other's: otherwise one observer can speak for another.
    #[must_use]
    pub fn new(observer: VantageId, verifier: Arc<dyn Verifier>) -> Self {
        Self { observer, verifier, had: None, former: VecDeque::new() }
    }

    /// How far its readings were had.
    #[must_use]
    pub fn cursor(&self) -> Option<Cursor> {
        self.had.map(|had| had.cursor)
    }

    /// What to ask it next.
    #[must_use]
    pub fn question(&self, nonce: Nonce) -> Question {
        Question { nonce, after: self.cursor() }
    }

    /// Takes the answer to a question in.
    ///
    /// # Errors
    ///
    /// [`Refusal`] when it is not to be believed. Nothing has changed then.
    pub fn take(&mut self, question: &Question, exchange: &Exchange, answer: &[u8]) -> Result<Delivery, Refusal> {
        let statement = self.believe(question, answer)?;
        let same = self.had.filter(|had| had.cursor.boot == statement.boot);
        if same.is_none() && self.former.contains(&statement.boot) {
            return Err(Refusal::FormerBoot);
        }
        let mut had = same.unwrap_or(Had {
            cursor: Cursor { boot: statement.boot, seq: 0 },
            clock: Monotonic::ZERO,
            looked: Monotonic::ZERO,
            dated: Monotonic::ZERO,
        });
        if statement.now < had.clock {
            return Err(Refusal::ClockWentBack);
        }
        had.clock = statement.now;
        let before_this = had.cursor.seq;
        let mut observations = Vec::with_capacity(statement.readings.len());
        for reading in statement.readings {
            let seq = reading.seq;
            if seq <= had.cursor.seq || seq > statement.newest {
                return Err(Refusal::OutOfSequence { seq });
            }
            if reading.at > statement.now {
                return Err(Refusal::FromTheFuture { seq });
            }
            if reading.at < had.looked {
                return Err(Refusal::ClockWentBack);
            }
            (had.cursor.seq, had.looked) = (seq, reading.at);
            let age = statement.now.since(reading.at);
            let since_origin = exchange.asked.since_origin();
            // What was seen before this clock began cannot be dated on it, and is of no use any more.
            let Some(at) = since_origin.checked_sub(age) else { continue };
            had.dated = had.dated.max(Monotonic::new(at));
            observations.push(Observation {
                subject: reading.subject,
                vantage: self.observer.clone(),
                at: had.dated,
                wall: earlier(exchange.wall, exchange.answered.since(had.dated)),
                outcome: reading.outcome,
            });
        }
        if same.is_none()
            && let Some(ended) = self.had
        {
            self.former.push_back(ended.cursor.boot);
            if self.former.len() > FORMER {
                self.former.pop_front();
            }
        }
        self.had = Some(had);
        let more = had.cursor.seq < statement.newest && had.cursor.seq > before_this;
        Ok(Delivery { observations, more })
    }

    /// The statement, when it is this observer's answer to this question.
    fn believe(&self, question: &Question, answer: &[u8]) -> Result<Statement, Refusal> {
        if answer.len() > MAX_ANSWER {
            return Err(Refusal::TooBig { limit: MAX_ANSWER });
        }
        // The far side's own text is not repeated: it could say anything.
        let malformed = |error: serde_json::Error| Refusal::Malformed {
            why: format!("{:?} error at line {}, column {}", error.classify(), error.line(), error.column()),
        };
        let signed: SignedStatement = serde_json::from_slice(answer).map_err(malformed)?;
        let (Some(key), Some(signature)) = (signed.key, signed.signature) else { return Err(Refusal::Unsigned) };
        if !self.verifier.trusts(&key, message(&signed.statement, &key).as_bytes(), &signature) {
            return Err(Refusal::NotTrusted { named: key.chars().take(80).collect() });
        }
        let statement: Statement = serde_json::from_str(&signed.statement).map_err(malformed)?;
        if statement.observer != self.observer {
            return Err(Refusal::AnotherObserver { named: statement.observer });
        }
        if statement.nonce != question.nonce {
            return Err(Refusal::Replayed);
        }
        Ok(statement)
    }
}

fn earlier(wall: Timestamp, age: Duration) -> Timestamp {
    let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(wall.as_millis().saturating_sub(age))
}
