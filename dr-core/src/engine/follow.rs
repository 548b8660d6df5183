use std::{collections::VecDeque, sync::Arc, time::Duration};

use super::{
    Engine, RunState, RunView,
    announce::{Telling, waits},
};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    event::Event,
    journal::{Entry, Journal, Record, Seq},
    model::RunId,
    time::{Monotonic, SharedClock},
};
use futures::{
    TryStreamExt as _,
    stream::{BoxStream, StreamExt as _, try_unfold},
};

/// A record of a run, and what it means.
#[derive(Clone, Debug, PartialEq)]
pub struct Followed {
    /// The record.
    pub record: Record,
    /// What those who watch the engine itself were told of it. Their [`monotonic`](Event::monotonic) time is the time since
    /// the run was created, by the journal's wall.
    pub events: Vec<Event>,
    /// How far the run was after it.
    pub state: RunState,
}

#[derive(Debug)]
struct Follower {
    journal: Arc<dyn Journal>,
    clock: SharedClock,
    run: RunId,
    after: Seq,
    every: Duration,
    view: Option<RunView>,
    telling: Telling,
    ready: VecDeque<Followed>,
}

impl Follower {
    async fn next(&mut self) -> Result<Option<Followed>> {
        loop {
            if let Some(next) = self.ready.pop_front() {
                return Ok(Some(next));
            }
            if self.view.as_ref().is_some_and(|view| view.ended().is_some()) {
                return Ok(None);
            }
            let seen = self.view.as_ref().map_or(Seq(0), RunView::seq);
            let fresh: Vec<Record> = self.journal.read(&self.run, seen).try_collect().await?;
            if !fresh.is_empty() {
                fresh.into_iter().try_for_each(|record| self.take(record))?;
            } else if self.view.is_none() {
                return Err(Error::new(ErrorKind::NotFound, format!("the journal has no run {}", self.run))
                    .with_effect(Effect::NotApplied));
            } else {
                self.clock.sleep(self.every).await;
            }
        }
    }

    fn take(&mut self, record: Record) -> Result<()> {
        let (view, kinds) = match &mut self.view {
            Some(view) => {
                let waited = waits(view);
                view.apply(record.seq, record.at, record.epoch, &record.entry);
                let took = took(view, &record.entry);
                let kinds = self.telling.events(view, waited, &record.entry, took);
                (view, kinds)
            }
            None => {
                let view = RunView::new(self.run.clone(), record.seq, record.at, &record.entry)?;
                (self.view.insert(view), Vec::new())
            }
        };
        if record.seq > self.after {
            let monotonic = Monotonic::new(record.at.since(view.created()));
            let event = |kind| Event { at: record.at, monotonic, run: Some(self.run.clone()), kind };
            let events = kinds.into_iter().map(event).collect();
            let state = view.state();
            self.ready.push_back(Followed { record, events, state });
        }
        Ok(())
    }
}

/// How long a step has taken since its first attempt began, by the wall: all that the records know.
fn took(view: &RunView, entry: &Entry) -> Duration {
    let Entry::StepOutcome { step, .. } = entry else { return Duration::ZERO };
    let moments = view.step(step.as_str()).and_then(|step| step.started.zip(step.ended));
    moments.map_or(Duration::ZERO, |(started, ended)| ended.since(started))
}

/// A run's records after `after` with what they mean, those that are there and then those that come, until the run has
/// ended. The journal is looked into every `every`; any process may follow, and a run does not know who does.
///
/// What a step says of its progress, and what a detector or a drill says, is not in the journal and not told here.
///
/// # Errors
///
/// [`NotFound`](ErrorKind::NotFound) when the journal has no such run; what reading the journal fails with. The stream ends
/// there, and can be begun again after the last record that it gave.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use dr_core::{engine::follow, journal::{MemoryJournal, Seq}, model::RunId, time::SystemClock};
/// use futures::StreamExt as _;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = Arc::new(SystemClock::new());
/// let journal = Arc::new(MemoryJournal::new(clock.clone()));
/// let mut told = follow(journal, clock, RunId::new("run-1")?, Seq(0), Duration::from_secs(1));
/// assert!(told.next().await.is_some_and(|first| first.is_err())); // there is no such run
/// # Ok(())
/// # }
/// ```
pub fn follow(
    journal: Arc<dyn Journal>,
    clock: SharedClock,
    run: RunId,
    after: Seq,
    every: Duration,
) -> BoxStream<'static, Result<Followed>> {
    let telling = Telling::default();
    let follower = Follower { journal, clock, run, after, every, view: None, telling, ready: VecDeque::new() };
    try_unfold(follower, |mut follower| async move { Ok(follower.next().await?.map(|next| (next, follower))) }).boxed()
}

impl Engine {
    /// [`follow`] on this engine's journal and clock.
    #[must_use]
    pub fn follow(&self, run: &RunId, after: Seq) -> BoxStream<'static, Result<Followed>> {
        let core = self.core();
        follow(Arc::clone(&core.journal), core.clock.clone(), run.clone(), after, core.listen_every)
    }
}
