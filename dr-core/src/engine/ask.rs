//! What somebody wants of a run that another process may hold.

use futures::TryStreamExt as _;

use super::{Control, Engine, RunView, answer::answer, new_token};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    journal::{Entry, Lease, Request, RequestId, Seq},
    model::{RequestToken, RunId},
    time::Monotonic,
};

/// Of how many looks for an answer one also tries to take the run up: whoever holds it is not to be kept from writing.
const TRY_EACH: u32 = 4;

impl Engine {
    /// Puts what somebody wants into the run's inbox, and waits until it is answered: by the engine that holds the run,
    /// or by this one when nobody does. Asking again with the same token, after a lost reply or in another process, asks
    /// once and gives the same answer.
    ///
    /// # Errors
    ///
    /// As [`accept`](super::accept) when it is refused, [`PreconditionFailed`](ErrorKind::PreconditionFailed) when the
    /// run ended before it was answered, [`NotFound`](ErrorKind::NotFound) when the journal has no such run,
    /// [`Conflict`](ErrorKind::Conflict) when the token was used for something else. [`Timeout`](ErrorKind::Timeout) when
    /// there is no answer within [`answer_within`](super::EngineBuilder::answer_within): the request stays in the inbox,
    /// and whoever holds the run next answers it. What the journal fails with.
    pub async fn ask(&self, run: &RunId, token: RequestToken, control: &Control) -> Result<()> {
        let core = self.core();
        let begun = core.clock.monotonic();
        let encoded = serde_json::to_value(control).map_err(|e| {
            Error::new(ErrorKind::Invalid, format!("what is asked cannot be written: {e}"))
                .with_effect(Effect::NotApplied)
        })?;
        let request = Request { token, control: encoded, at: core.clock.wall(), by: core.owner.clone() };
        let id = core.journal.submit(run, request).await?;
        self.answered(run, id, begun).await
    }

    /// A control from outside: straight into the journal while nobody holds the run, through its inbox otherwise.
    pub(super) async fn control_from_outside(&self, run: &RunId, control: &Control) -> Result<()> {
        match self.write(run, |view| super::accept(view, control)).await {
            Err(error) if error.kind() == ErrorKind::Conflict => self.ask(run, new_token(), control).await,
            other => other,
        }
    }

    /// Waits for the answer to a request. Takes the run up for a moment, to answer it itself, as soon as nobody holds it.
    async fn answered(&self, run: &RunId, id: RequestId, begun: Monotonic) -> Result<()> {
        let core = self.core();
        let (mut seen, mut looks, mut held) = (Seq(0), 0_u32, None);
        loop {
            let mut records = core.journal.read(run, seen);
            while let Some(record) = records.try_next().await? {
                seen = record.seq;
                match record.entry {
                    Entry::RequestAnswered { request, refused } if request == id => {
                        return refused.map_or(Ok(()), |why| {
                            Err(Error::new(ErrorKind::PreconditionFailed, why).with_effect(Effect::NotApplied))
                        });
                    }
                    Entry::RunEnded { summary, .. } => {
                        let message = format!("run {run} ended before it answered: {summary}");
                        return Err(Error::new(ErrorKind::PreconditionFailed, message).with_effect(Effect::NotApplied));
                    }
                    _ => {}
                }
            }
            drop(records);
            looks = looks.wrapping_add(1);
            if looks % TRY_EACH == 1 {
                match self.answer_alone(run).await {
                    // What was answered is read above; an end, too.
                    Ok(()) => continue,
                    // Somebody holds the run, or came between: that one answers.
                    Err(error) if matches!(error.kind(), ErrorKind::Fenced | ErrorKind::Conflict) => {
                        held = Some(error);
                    }
                    Err(error) => return Err(error),
                }
            }
            let waited = core.clock.monotonic().since(begun);
            if waited >= core.answer_within {
                let held = held.map_or_else(|| format!("run {run} is held"), |held| held.to_string());
                let message = format!(
                    "{held}, and has not answered request {id} within {waited:?}: it is left in the inbox, and whoever \
                     holds the run next answers it"
                );
                return Err(Error::new(ErrorKind::Timeout, message));
            }
            core.clock.sleep(core.listen_every.min(core.answer_within.saturating_sub(waited))).await;
        }
    }

    /// Takes the run up for a moment, if nobody holds it, and answers its inbox.
    async fn answer_alone(&self, run: &RunId) -> Result<()> {
        let journal = &self.core().journal;
        let lease = journal.acquire(run, &self.core().owner, self.short()).await?;
        let answered = self.answer_inbox(&lease).await;
        let _ = journal.release(lease).await;
        answered.map(drop)
    }

    /// Answers what waits in the inbox of a run whose lease is this engine's for a moment, and gives the run as it is then.
    pub(super) async fn answer_inbox(&self, lease: &Lease) -> Result<RunView> {
        let journal = &self.core().journal;
        let mut view = RunView::load(&**journal, &lease.run).await?;
        if view.ended().is_some() {
            return Ok(view);
        }
        for asked in journal.requests(&lease.run, view.answered()).await? {
            let entries = answer(&view, &asked);
            self.write_down(lease, &mut view, entries).await?;
        }
        Ok(view)
    }
}
