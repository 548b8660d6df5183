use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt as _;
use tokio::sync::oneshot;

use super::Runner;
use crate::{
    engine::{
        attempt,
        attempt::{Before, Ended, Guard, Job},
        mail::Mail,
        safety,
    },
    error::{Error, ErrorKind, Failure, Result},
    journal::{Entry, Outcome},
    model::StepId,
    plan::resolve,
    step::{CancellationToken, DynStep, ModeSwitch, StepCx},
};

impl Runner {
    /// Everything an attempt needs; nothing when one is under way, or when the step is unknown here.
    pub(super) fn job(&mut self, id: &StepId, attempt: u32, pause: Duration) -> Option<Job> {
        if self.live.contains_key(id.as_str()) {
            return None;
        }
        let (planned, state) = self.view.find(id.as_str())?;
        let timeout = planned.timeout;
        let step: Arc<dyn DynStep> = Arc::clone(self.core.steps.get(&planned.kind)?);
        let clock = self.core.clock.clone();
        let cancel = CancellationToken::new();
        let mode = ModeSwitch::new(self.view.ungraceful(id.as_str()));
        let cx = StepCx::new(self.view.run().clone(), id.clone(), self.tenure.lease.epoch, clock, timeout)
            .with_attempt(attempt)
            .with_cancel(cancel.clone())
            .with_mode(planned.ungraceful, mode.clone())
            .with_progress(Arc::clone(&self.announcer) as _);
        let params = resolve(&planned.params, &|id| self.view.step(id).and_then(|step| step.output()));
        // What an earlier attempt captured stays: a look now would see that attempt's own effect (guarantee 6).
        let before = if state.begun { Before::Known(state.before.clone()) } else { Before::Capture };
        let rules = safety::assertions(&self.view, planned);
        let (plan, traffic) = (Arc::clone(&self.plan), self.core.traffic.clone());
        let guard = (!rules.is_empty()).then_some(Guard { plan, rules, traffic });
        let (tenure, mail) = (self.tenure.clone(), self.mail.clone());
        self.live.insert(id.clone(), cancel);
        self.modes.insert(id.clone(), mode);
        Some(Job { step, timeout, params, before, pause, cx, tenure, mail, guard })
    }

    pub(super) fn start(&mut self, step: StepId, attempt: u32, pause: Duration) {
        if let Some(job) = self.job(&step, attempt, pause) {
            self.spawn(step, attempt, attempt::attempt(job));
        }
    }

    pub(super) fn compensate(&mut self, step: StepId, attempt: u32, pause: Duration) {
        let Some(state) = self.view.step(step.as_str()) else { return };
        let (output, params) = (state.output().cloned(), state.params.clone());
        if let Some(mut job) = self.job(&step, attempt, pause) {
            // Taken back with the parameters it was made with.
            job.params = params.map_or(job.params, Ok);
            self.spawn(step, attempt, attempt::compensate(job, output, attempt));
        }
    }

    pub(super) fn spawn(&mut self, step: StepId, attempt: u32, work: impl Future<Output = Ended> + Send + 'static) {
        let mail = self.mail.clone();
        self.tasks.spawn(async move {
            let ended = AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| {
                Ended::Failed(Error::new(ErrorKind::Internal, format!("{step}: the step's program panicked")))
            });
            mail.send(Mail::Ended { step, attempt, ended });
        });
    }

    /// Writes the intents of the attempts that are still wanted, all in one append, and lets them act (guarantee 1).
    pub(super) async fn begin(&mut self, begins: Vec<(Entry, oneshot::Sender<bool>)>) -> Result<()> {
        if begins.is_empty() {
            return Ok(());
        }
        let now = self.now();
        let (mut intents, mut allowed) = (Vec::new(), Vec::new());
        for (intent, durable) in begins {
            if self.wanted(now, &intent) {
                intents.push(intent);
                allowed.push(durable);
            } else {
                let _ = durable.send(false);
            }
        }
        self.append(intents).await?;
        for durable in allowed {
            let _ = durable.send(true);
        }
        Ok(())
    }
}

/// The record of how an attempt ended.
///
/// # Errors
///
/// The attempt's own error when it says that the lease has passed on: then nothing may be written any more.
pub(super) fn outcome(step: StepId, attempt: u32, ended: Ended) -> Result<Option<Entry>> {
    let outcome = match ended {
        Ended::Done { output, already } => Outcome::Done { output, already },
        Ended::Compensated => Outcome::Compensated,
        Ended::Failed(error) if error.kind() == ErrorKind::Fenced => return Err(error),
        Ended::Failed(error) => Outcome::Failed { failure: Failure::from(error) },
        Ended::Withdrawn => return Ok(None),
    };
    Ok(Some(Entry::StepOutcome { step, attempt, outcome }))
}
