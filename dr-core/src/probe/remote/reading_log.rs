use std::collections::VecDeque;

use super::{BootId, Numbered, Question, Statement};
use crate::{
    model::VantageId,
    probe::{Observation, Outcome},
    time::Monotonic,
};

/// The most bytes of readings in one answer. Quoting can double them, and they must still be less than
/// [`MAX_ANSWER`](super::MAX_ANSWER).
const PAGE: usize = 256 * 1024;
/// The most bytes of one reading.
const LONGEST: usize = 16 * 1024;

/// What an observer saw last, numbered, for those who ask for it. The oldest gives way when it is full.
///
/// ```
/// use dr_core::{
///     probe::{
///         Latency, Observation, Outcome, Reading, Subject,
///         remote::{BootId, Nonce, Question, ReadingLog},
///     },
///     time::{Monotonic, Timestamp},
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut log = ReadingLog::new("office".parse()?, BootId::random()?, 1000);
/// log.push(Observation {
///     subject: Subject::infrastructure("storefront".parse()?, "us-east-1".parse()?),
///     vantage: "office".parse()?,
///     at: Monotonic::ZERO,
///     wall: Timestamp::UNIX_EPOCH,
///     outcome: Outcome::Looked(Reading::healthy(Latency::default(), "answered 200 OK")),
/// });
/// let answer = log.answer(&Question { nonce: Nonce::random()?, after: None }, Monotonic::ZERO);
/// assert_eq!((answer.readings.len(), answer.newest), (1, 1));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ReadingLog {
    observer: VantageId,
    boot: BootId,
    capacity: usize,
    newest: u64,
    /// Each with its size in an answer.
    kept: VecDeque<(Numbered, usize)>,
}

impl ReadingLog {
    /// An empty log that keeps `capacity` readings, 1 at least. It should hold those of as long as readings are worth
    /// anything: then nobody who lost touch for a shorter time misses one.
    #[must_use]
    pub fn new(observer: VantageId, boot: BootId, capacity: usize) -> Self {
        Self { observer, boot, capacity: capacity.max(1), newest: 0, kept: VecDeque::new() }
    }

    /// Who observes.
    #[must_use]
    pub fn observer(&self) -> &VantageId {
        &self.observer
    }

    /// Which life of its process this is.
    #[must_use]
    pub fn boot(&self) -> BootId {
        self.boot
    }

    /// How many looks were made.
    #[must_use]
    pub fn newest(&self) -> u64 {
        self.newest
    }

    /// The latest look.
    #[must_use]
    pub fn last(&self) -> Option<&Numbered> {
        self.kept.back().map(|(reading, _)| reading)
    }

    /// What every check made of its last look, as far as it is kept: the latest first.
    pub fn latest(&self) -> impl Iterator<Item = &Numbered> {
        let mut seen = std::collections::BTreeSet::new();
        self.kept.iter().rev().map(|(reading, _)| reading).filter(move |reading| seen.insert(&reading.subject))
    }

    /// Takes one more look in.
    pub fn push(&mut self, observation: Observation) {
        self.newest += 1;
        let Observation { subject, at, outcome, .. } = observation;
        // Looks that end together can arrive in either order. In one life dates never go back: whoever pulls would take that
        // for a clock that did, and believe nothing from there on.
        let at = self.last().map_or(at, |last| at.max(last.at));
        let mut reading = Numbered { seq: self.newest, at, subject, outcome };
        let mut size = size(&reading);
        if size > LONGEST {
            // Cut down it would say something else.
            let reason = format!("a reading of {size} bytes is too long to be passed on");
            reading.outcome = Outcome::ObserverImpaired { reason };
            size = self::size(&reading);
        }
        self.kept.push_back((reading, size));
        while self.kept.len() > self.capacity {
            self.kept.pop_front();
        }
    }

    /// The answer to a question, at `now` of this observer's monotonic clock.
    #[must_use]
    pub fn answer(&self, question: &Question, now: Monotonic) -> Statement {
        let after = question.after.filter(|cursor| cursor.boot == self.boot).map_or(0, |cursor| cursor.seq);
        let mut room = PAGE;
        let mut readings = Vec::new();
        let begin = self.kept.partition_point(|(reading, _)| reading.seq <= after);
        for (reading, size) in self.kept.range(begin..) {
            let Some(left) = room.checked_sub(*size) else { break };
            room = left;
            readings.push(reading.clone());
        }
        let (observer, boot, nonce) = (self.observer.clone(), self.boot, question.nonce);
        // A look may have ended since the clock was read.
        let now = readings.last().map_or(now, |last| now.max(last.at));
        Statement { observer, boot, nonce, now, newest: self.newest, readings }
    }
}

/// How long a reading is in JSON.
fn size(reading: &Numbered) -> usize {
    serde_json::to_vec(reading).map_or(usize::MAX, |text| text.len() + 1)
}
