use std::time::Duration;

use futures::TryStreamExt as _;

use super::Runner;
use crate::{
    engine::{Command, announce::waits},
    error::{Effect, Error, ErrorKind, Result},
    journal::{Entry, Outcome, Seq},
    step::CancellationToken,
    time::timeout,
};

/// The pause before an append is tried again, and the longest one.
const AGAIN: Duration = Duration::from_millis(100);
const AGAIN_MOST: Duration = Duration::from_secs(2);

impl Runner {
    /// Writes entries, takes them in, and tells those who watch. One append, one sync.
    pub(super) async fn append(&mut self, entries: Vec<Entry>) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let first = self.view.seq();
        let last = self.write(first, &entries).await?;
        let expected = first.0 + u64::try_from(entries.len()).unwrap_or(u64::MAX);
        if last.0 != expected {
            let message = format!("the journal says that it ends at {last}, after {expected} records");
            return Err(Error::new(ErrorKind::Storage, message));
        }
        // As measured: a wall that is set anew while the run is worked on moves no deadline (guarantee 10).
        let at = self.now();
        for (seq, entry) in (first.0 + 1..).zip(&entries) {
            let waited = waits(&self.view);
            self.view.apply(Seq(seq), at, self.tenure.lease.epoch, entry);
            let took = self.took(entry);
            self.announcer.tell(self.telling.events(&self.view, waited, entry, took));
        }
        if entries.iter().any(|entry| matches!(entry, Entry::ModeSwitched { .. })) {
            // Attempts that are under way see it at once: some can be content with less, or insist.
            let switched = self.modes.iter().filter(|(step, _)| self.view.ungraceful(step.as_str()));
            switched.for_each(|(_, mode)| mode.throw());
        }
        for entry in &entries {
            if let Entry::StepOutcome { step, outcome: Outcome::Skipped { .. }, .. } = entry
                && let Some(cancel) = self.live.get(step)
            {
                // What only prepares itself, or waits to be tried again, is no longer wanted.
                cancel.cancel();
            }
        }
        let ends = |entry: &Entry| matches!(entry, Entry::CancelRequested { .. } | Entry::ApprovalDecided { .. });
        if entries.iter().any(ends) && self.decided().contains(&Command::StopRunning) {
            // Before anybody is told that it is so, and before any of them can act once more.
            self.live.values().for_each(CancellationToken::cancel);
        }
        Ok(())
    }

    /// Writes entries into the journal. A store that fails is tried again for a third of the lease's length, so that a
    /// hiccup of it costs no run; one that does not answer at all is given until the lease lapses, as somebody else may
    /// write then (guarantee 9).
    pub(super) async fn write(&self, first: Seq, entries: &[Entry]) -> Result<Seq> {
        let clock = &self.core.clock;
        let give_up = clock.monotonic() + self.core.ttl / 3;
        let mut pause = AGAIN;
        let mut in_doubt = false;
        loop {
            let appended = self.core.journal.append(&self.tenure.lease, first, entries.to_vec());
            let error = match timeout(&**clock, self.tenure.left(), appended).await {
                Ok(Ok(last)) => return Ok(last),
                Ok(Err(error)) => error,
                Err(elapsed) => Error::new(ErrorKind::Storage, format!("the journal gave {elapsed}")),
            };
            let passes = matches!(
                error.kind(),
                ErrorKind::Storage | ErrorKind::Timeout | ErrorKind::Unavailable | ErrorKind::Throttled
            );
            // A write whose reply was lost may be what the next one collides with.
            if !(passes || in_doubt && error.kind() == ErrorKind::Conflict) {
                return Err(error);
            }
            in_doubt |= error.effect() != Effect::NotApplied;
            if clock.monotonic() + pause > give_up {
                return Err(error);
            }
            clock.sleep(pause).await;
            pause = (pause * 2).min(AGAIN_MOST);
            if in_doubt {
                match self.written(first, entries).await {
                    Ok(Some(last)) => return Ok(last),
                    // Not there, and a conflict all the same: somebody else writes.
                    Ok(None) if error.kind() == ErrorKind::Conflict => return Err(error),
                    Ok(None) => {}
                    Err(read) if read.kind() == ErrorKind::Conflict => return Err(read),
                    Err(_) if error.kind() == ErrorKind::Conflict => return Err(error),
                    // The journal cannot be read either: the append will say.
                    Err(_) => {}
                }
            }
        }
    }

    /// Where the journal ends, when these entries of ours are what it ends with.
    pub(super) async fn written(&self, first: Seq, entries: &[Entry]) -> Result<Option<Seq>> {
        let lease = &self.tenure.lease;
        let read = self.core.journal.read(&lease.run, first).try_collect::<Vec<_>>();
        let records = timeout(&*self.core.clock, self.tenure.left(), read)
            .await
            .unwrap_or_else(|elapsed| Err(Error::new(ErrorKind::Storage, format!("the journal gave {elapsed}"))))?;
        let Some(last) = records.last() else { return Ok(None) };
        let ours = records.len() == entries.len()
            && records.iter().zip(entries).all(|(record, entry)| record.epoch == lease.epoch && record.entry == *entry);
        if ours {
            return Ok(Some(last.seq));
        }
        Err(Error::new(ErrorKind::Conflict, format!("somebody else wrote into run {}", lease.run)))
    }

    /// How long the step of an outcome has taken since its first attempt began.
    pub(super) fn took(&mut self, entry: &Entry) -> Duration {
        let now = self.core.clock.monotonic();
        match entry {
            Entry::StepIntent(intent) if intent.attempt == 1 => {
                self.first_starts.insert(intent.step.clone(), now);
                Duration::ZERO
            }
            Entry::StepOutcome { step, .. } => {
                match (self.first_starts.get(step.as_str()), self.view.step(step.as_str())) {
                    (Some(start), _) => now.since(*start),
                    // Another engine began it: only the wall knows when.
                    (None, Some(state)) => {
                        state.started.zip(state.ended).map_or(Duration::ZERO, |(start, end)| end.since(start))
                    }
                    (None, None) => Duration::ZERO,
                }
            }
            _ => Duration::ZERO,
        }
    }
}
