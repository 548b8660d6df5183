use std::{sync::Arc, time::Duration};

use futures::TryStreamExt as _;

use super::{DecisionView, LogEntry};
use crate::{
    engine::RunView,
    error::{Effect, Error, ErrorKind, Result},
    journal::{Digest, Entry, Journal, Record, Seq},
    model::{ApplicationId, OwnerId, RunId},
    planner::BeforeImages,
    time::SharedClock,
};

/// How long a lease lasts under which one record is written.
const LEASE: Duration = Duration::from_secs(10);
/// How long to wait for somebody else who writes.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two tries.
const AGAIN: Duration = Duration::from_millis(250);
/// What the names of decision logs begin with.
const PREFIX: &str = "decisions/";

/// The decision log of one application: a run of the journal that never ends and has no plan.
///
/// Any process can write into it, under a lease that it holds for one record: the kill switch, an answer, an acknowledgement
/// need no decider that runs. `verify` and `export` work on it as on any run.
///
/// ```
/// use std::sync::Arc;
/// use dr_core::{
///     decision::{DecisionLog, LogEntry},
///     journal::MemoryJournal,
///     time::{SharedClock, SystemClock},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock: SharedClock = Arc::new(SystemClock::new());
/// let journal = Arc::new(MemoryJournal::new(clock.clone()));
/// let mut log = DecisionLog::new(journal, &"shop".parse()?, "ops-1".parse()?, clock)?;
/// log.write(LogEntry::KillSwitch { on: true, who: "ada".into(), why: "change freeze".into() }).await?;
/// assert_eq!(log.read().await?.stopped.as_ref().map(|by| by.who.as_str()), Some("ada"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct DecisionLog {
    journal: Arc<dyn Journal>,
    application: ApplicationId,
    run: RunId,
    owner: OwnerId,
    clock: SharedClock,
    view: DecisionView,
}

impl DecisionLog {
    /// The log of an application. Nothing is read or written yet.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) for an application whose name leaves no room for the log's.
    pub fn new(
        journal: Arc<dyn Journal>,
        application: &ApplicationId,
        owner: OwnerId,
        clock: SharedClock,
    ) -> Result<Self> {
        let run = Self::name(application)?;
        Ok(Self { journal, application: application.clone(), run, owner, clock, view: DecisionView::default() })
    }

    /// The name that the application's log has among the journal's runs.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) for an application whose name leaves no room for it.
    pub fn name(application: &ApplicationId) -> Result<RunId> {
        RunId::new(format!("{PREFIX}{application}"))
            .map_err(|e| Error::new(ErrorKind::Invalid, e.to_string()).with_effect(Effect::NotApplied))
    }

    /// Whether a run is a decision log: it has no plan, and never ends.
    #[must_use]
    pub fn is_one(run: &RunId) -> bool {
        run.as_str().starts_with(PREFIX)
    }

    /// The log's name among the journal's runs.
    #[must_use]
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// What was read last.
    #[must_use]
    pub fn view(&self) -> &DecisionView {
        &self.view
    }

    /// Reads what is new, and gives the whole.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](ErrorKind::Corrupt) naming a record that is not what was written; what reading the journal fails with.
    pub async fn read(&mut self) -> Result<&DecisionView> {
        // What was read stays when the rest cannot be: a record is taken in as it comes.
        let (journal, run) = (Arc::clone(&self.journal), self.run.clone());
        let mut records = journal.read(&run, self.view.seq);
        while let Some(record) = records.try_next().await? {
            self.follow(&record)?;
        }
        Ok(&self.view)
    }

    fn follow(&mut self, record: &Record) -> Result<()> {
        let damaged = |what: String| {
            let message = format!("the decision log {} is damaged: {what}", self.run);
            Error::new(ErrorKind::Corrupt, message).with_effect(Effect::NotApplied)
        };
        if record.seq != self.view.seq.next() {
            return Err(damaged(format!("record {} stands where {} belongs", record.seq, self.view.seq.next())));
        }
        if self.view.head.unwrap_or(Digest::START).then(record.text().as_bytes()) != record.digest {
            return Err(damaged(format!("record {} is not what was written", record.seq)));
        }
        match &record.entry {
            Entry::Decision(entry) => self.view.apply(record, entry),
            _ => return Err(damaged(format!("record {} is of a run", record.seq))),
        }
        Ok(())
    }

    /// What stood before this run changed it, and before the run that had warmed the standby for it did: what a failback
    /// restores. What a run that warmed it has taken back is not among it.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), and as [`RunView::load`].
    pub async fn before_images(&mut self, run: &RunView) -> Result<BeforeImages> {
        let warmed: Vec<RunId> = self.read().await?.prewarmed.iter().rev().map(|(run, ..)| run.clone()).collect();
        let images = run.before_images();
        for warmed in warmed {
            match RunView::load(&*self.journal, &warmed).await {
                Ok(view) if view.created() <= run.created() => return Ok(images.preceded_by(&view.before_images())),
                // It was made after this run, or never.
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(images)
    }

    /// Every record, oldest first, with what it says.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub async fn entries(&self) -> Result<Vec<(Record, LogEntry)>> {
        let records: Vec<Record> = self.journal.read(&self.run, Seq(0)).try_collect().await?;
        let entry = |record: Record| match &record.entry {
            Entry::Decision(entry) => Some(((**entry).clone(), record)),
            _ => None,
        };
        Ok(records.into_iter().filter_map(entry).map(|(entry, record)| (record, entry)).collect())
    }

    /// Writes one entry. Durable when it returns.
    ///
    /// # Errors
    ///
    /// [`Conflict`](ErrorKind::Conflict) when others write all the time; what the journal fails with.
    pub async fn write(&mut self, entry: LogEntry) -> Result<()> {
        self.write_if(|_| Some(entry)).await.map(drop)
    }

    /// Writes what `make` makes of the log as it is, which nobody else changes meanwhile; nothing when it makes nothing. Says
    /// whether something was written.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    pub async fn write_if(&mut self, make: impl FnOnce(&DecisionView) -> Option<LogEntry> + Send) -> Result<bool> {
        let begun = self.clock.monotonic();
        let lease = loop {
            match self.journal.acquire(&self.run, &self.owner, LEASE).await {
                Ok(lease) => break lease,
                Err(error) if error.kind() == ErrorKind::Conflict && self.clock.monotonic().since(begun) < PATIENCE => {
                    self.clock.sleep(AGAIN).await;
                }
                Err(error) => return Err(error),
            }
        };
        let written = self.write_under(&lease, make).await;
        let _ = self.journal.release(lease).await;
        // What was written is taken in as everybody else reads it.
        if *written.as_ref().unwrap_or(&false) {
            self.read().await?;
        }
        written
    }

    async fn write_under(
        &mut self,
        lease: &crate::journal::Lease,
        make: impl FnOnce(&DecisionView) -> Option<LogEntry> + Send,
    ) -> Result<bool> {
        self.read().await?;
        let Some(entry) = make(&self.view) else { return Ok(false) };
        let mut entries = Vec::new();
        if self.view.seq == Seq(0) {
            entries.push(LogEntry::Opened { application: self.application.clone(), by: self.owner.clone() });
        }
        entries.push(entry);
        let entries = entries.into_iter().map(|entry| Entry::Decision(Box::new(entry))).collect();
        self.journal.append(lease, self.view.seq, entries).await?;
        Ok(true)
    }
}
