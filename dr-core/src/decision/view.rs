use std::collections::BTreeMap;

use super::{Answered, Blocker, Choice, Decision, LogEntry};
use crate::{
    journal::{Digest, Record, Seq, Signed},
    model::{ApplicationId, RunId},
    plan::Goal,
    time::Timestamp,
};

/// A decision as it was written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its place in the log.
    pub seq: Seq,
    /// When, on the wall.
    pub at: Timestamp,
    /// The decision.
    pub decision: Decision,
    /// The run that was to come of it.
    pub run: Option<RunId>,
}

/// A decision to act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// The run that was to come of it.
    pub run: RunId,
    /// What for.
    pub goal: Goal,
    /// Who said yes, when somebody was asked.
    pub by: Option<Signed>,
    /// When, on the wall.
    pub at: Timestamp,
    /// Why no run came of it, when that was so, and when that was written.
    pub failed: Option<(Timestamp, String)>,
}

/// What a decision log says, folded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionView {
    /// The application, once the log has begun.
    pub application: Option<ApplicationId>,
    /// The last record.
    pub seq: Seq,
    /// The last change of decision.
    pub last: Option<Recorded>,
    /// Every decision to act, oldest first.
    pub acts: Vec<Act>,
    /// What somebody answered to the question that stands.
    pub answer: Option<Answered>,
    /// Runs whose block period somebody lifted.
    pub acknowledged: BTreeMap<RunId, Signed>,
    /// Who keeps everything from starting, when somebody does.
    pub stopped: Option<Signed>,
    /// Runs that warmed the standby, oldest first, each with its moment and with whether it is over.
    pub prewarmed: Vec<(RunId, Timestamp, bool)>,
    pub(super) head: Option<Digest>,
}

impl DecisionView {
    /// Takes one more record in.
    pub fn apply(&mut self, record: &Record, entry: &LogEntry) {
        (self.seq, self.head) = (record.seq, Some(record.digest));
        match entry {
            LogEntry::Opened { application, .. } => {
                self.application.get_or_insert_with(|| application.clone());
            }
            LogEntry::Changed { decision, run, .. } => {
                if let (Choice::Act { goal, by }, Some(run)) = (&decision.choice, run)
                    && self.acts.iter().all(|act| act.run != *run)
                {
                    let (run, goal, by) = (run.clone(), goal.clone(), by.clone());
                    self.acts.push(Act { run, goal, by, at: record.at, failed: None });
                }
                self.answer = self.answer.take().filter(|answer| still_answers(answer, decision));
                let (seq, at) = (record.seq, record.at);
                self.last = Some(Recorded { seq, at, decision: decision.clone(), run: run.clone() });
            }
            LogEntry::NotStarted { run, why } => {
                if let Some(act) = self.acts.iter_mut().find(|act| act.run == *run) {
                    act.failed = Some((record.at, why.clone()));
                }
            }
            LogEntry::Answered { yes, who, why } => {
                // Whoever answers a question that stands no more answers nothing.
                if let Some(Choice::Ask { goal, .. }) = self.last.as_ref().map(|last| &last.decision.choice) {
                    let by = Signed { who: who.clone(), why: why.clone() };
                    self.answer = Some(Answered { yes: *yes, by, goal: goal.clone() });
                }
            }
            LogEntry::Acknowledged { run, who, why } => {
                self.acknowledged.insert(run.clone(), Signed { who: who.clone(), why: why.clone() });
            }
            LogEntry::KillSwitch { on, who, why } => {
                self.stopped = on.then(|| Signed { who: who.clone(), why: why.clone() });
            }
            LogEntry::Prewarming { run, .. } => self.prewarmed.push((run.clone(), record.at, false)),
            LogEntry::PrewarmOver { run, .. } => {
                self.prewarmed.iter_mut().filter(|(warmed, ..)| warmed == run).for_each(|(_, _, over)| *over = true);
            }
            LogEntry::ByHand { .. } => {}
        }
    }

    /// The last decision to act.
    #[must_use]
    pub fn last_act(&self) -> Option<&Act> {
        self.acts.last()
    }
}

/// Whether an answer is one to the decision that is taken now. A yes is spent by the decision to act, and by any reason that
/// comes up against it; a no lasts until the region is no longer held lost.
fn still_answers(answer: &Answered, decision: &Decision) -> bool {
    let not_lost = |blocker: &Blocker| matches!(blocker, Blocker::RegionNotLost { .. } | Blocker::RegionUnseen { .. });
    match &decision.choice {
        Choice::Act { .. } => false,
        Choice::Ask { goal, .. } => *goal == answer.goal,
        Choice::Hold => !answer.yes && !decision.blockers.iter().any(not_lost),
    }
}
