use std::{collections::BTreeSet, sync::Arc, task::Poll, time::Duration};

use serde_json::Value;
use tokio::sync::oneshot;

use super::{
    TrafficSource,
    lease_keeper::Tenure,
    mail::{Mail, Mailbox},
    safety,
};
use crate::{
    error::{Effect, Error, ErrorKind, Result, Retry},
    journal::{Entry, Intent},
    model::RegionId,
    plan::{Plan, SafetyRule},
    step::{CancellationToken, DynStep, Observed, StepCx},
    time::{SharedClock, timeout},
};

/// The pause between two looks at an effect that is being made.
const POLL: Duration = Duration::from_secs(1);
/// How long an attempt may look for the effect of a call that ended badly, when its own time is up.
const SETTLE: Duration = Duration::from_secs(30);
/// How long a look for a safety rule may take.
const LOOK: Duration = Duration::from_secs(10);
/// How long an attempt that is no longer wanted may take to end by itself.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// The before-image of a step.
#[derive(Debug)]
pub(super) enum Before {
    /// An earlier attempt journalled it.
    Known(Option<Value>),
    /// The first attempt captures it.
    Capture,
}

/// What one attempt needs.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) step: Arc<dyn DynStep>,
    pub(super) timeout: Duration,
    pub(super) params: Result<Value>,
    pub(super) before: Before,
    pub(super) pause: Duration,
    pub(super) cx: StepCx,
    pub(super) tenure: Tenure,
    pub(super) mail: Mailbox,
    pub(super) guard: Option<Guard>,
}

/// The safety rules that must be looked up before an attempt, and who can look.
#[derive(Debug)]
pub(super) struct Guard {
    pub(super) plan: Arc<Plan>,
    pub(super) rules: Vec<SafetyRule>,
    pub(super) traffic: Option<Arc<dyn TrafficSource>>,
}

impl Guard {
    /// The regions that hold traffic, looked up once for all rules.
    async fn holding(&self, cx: &StepCx) -> Result<BTreeSet<RegionId>> {
        let Some(traffic) = &self.traffic else {
            return Err(Error::new(ErrorKind::Unsupported, "this program was given no way to look"));
        };
        let limit = cx.remaining().min(LOOK);
        timeout(&*cx.clock, limit, traffic.holding(&self.plan))
            .await
            .unwrap_or_else(|elapsed| Err(Error::new(ErrorKind::Timeout, elapsed.to_string())))
    }
}

/// How an attempt ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// The effect is there.
    Done { output: Value, already: bool },
    /// It failed.
    Failed(Error),
    /// Its effect was taken back.
    Compensated,
    /// It was not begun, and nothing needs to be written down.
    Withdrawn,
}

/// Makes one attempt: before-image, intent, observation, effect, proof.
pub(super) async fn attempt(mut job: Job) -> Ended {
    if !wait(&job).await {
        return Ended::Withdrawn;
    }
    restart_clock(&mut job);
    match job.begin().await {
        Ok(Some((cx, params))) => drive(&job, &cx, &params).await,
        Ok(None) => Ended::Withdrawn,
        // Nothing was done in the world yet, whatever the error says of its call.
        Err(error) => Ended::Failed(error.with_effect(Effect::NotApplied)),
    }
}

/// Takes an effect back, from the before-image.
pub(super) async fn compensate(mut job: Job, output: Option<Value>, number: u32) -> Ended {
    if !wait(&job).await {
        return Ended::Withdrawn;
    }
    restart_clock(&mut job);
    let Before::Known(before) = &job.before else { return Ended::Withdrawn };
    let params = match &job.params {
        Ok(params) => params.clone(),
        Err(error) => {
            return Ended::Failed(Error::new(error.kind(), error.message()).with_effect(Effect::NotApplied));
        }
    };
    let cx = job.cx.clone().with_before(before.clone());
    if !job.intend(Entry::CompensationIntent { step: job.cx.step.clone(), attempt: number }).await {
        return Ended::Withdrawn;
    }
    if let Err(error) = job.tenure.confirm().await {
        return Ended::Failed(error);
    }
    match bounded(&cx, job.held(job.step.compensate(&cx, &params, output.as_ref()))).await {
        Ok(()) => Ended::Compensated,
        Err(error) => Ended::Failed(error),
    }
}

/// Waits before the attempt; false when it is no longer wanted.
async fn wait(job: &Job) -> bool {
    if job.pause.is_zero() {
        return !job.cx.cancel.is_cancelled();
    }
    tokio::select! {
        biased;
        () = job.cx.clock.sleep(job.pause) => true,
        () = job.cx.cancel.cancelled() => false,
    }
}

/// The attempt's time runs from its start, not from when it was asked for.
fn restart_clock(job: &mut Job) {
    job.cx.deadline = job.cx.clock.monotonic() + job.timeout;
}

impl Job {
    /// Captures the before-image (guarantee 6) and writes the intent (guarantee 1); nothing when the attempt is no longer wanted.
    async fn begin(&self) -> Result<Option<(StepCx, Value)>> {
        let params = match &self.params {
            Ok(params) => params.clone(),
            Err(error) => return Err(Error::new(error.kind(), error.message())),
        };
        let before = match &self.before {
            Before::Known(before) => before.clone(),
            Before::Capture => bounded(&self.cx, self.step.before_image(&self.cx, &params)).await?,
        };
        if self.is_refused().await {
            return Ok(None);
        }
        let intent = Intent {
            step: self.cx.step.clone(),
            attempt: self.cx.attempt,
            before: before.clone(),
            params: params.clone(),
        };
        let begun = self.intend(Entry::StepIntent(intent)).await;
        Ok(begun.then(|| (self.cx.clone().with_before(before), params)))
    }

    /// Whether a safety rule does not let the attempt begin; the engine is told.
    async fn is_refused(&self) -> bool {
        let Some(guard) = &self.guard else { return false };
        let holding = guard.holding(&self.cx).await;
        let refusal = guard.rules.iter().find_map(|rule| Some((rule.id.clone(), safety::violated(rule, &holding)?)));
        let Some((rule, why)) = refusal else { return false };
        self.mail.send(Mail::Refused { step: self.cx.step.clone(), rule, why });
        true
    }

    /// Lets a verb go on only while the lease runs (guarantee 3). A verb makes several calls and waits between them; a process
    /// that was stopped meanwhile goes on where it was, maybe long after another engine has taken the run up.
    async fn held<T>(&self, verb: impl Future<Output = Result<T>>) -> Result<T> {
        let mut verb = std::pin::pin!(verb);
        let mut begun = false;
        std::future::poll_fn(|cx| {
            if !self.tenure.left().is_zero() {
                begun = true;
                return verb.as_mut().poll(cx);
            }
            let effect = if begun { Effect::Indefinite } else { Effect::NotApplied };
            let message = format!("{}: the lease has lapsed", self.cx.step);
            Poll::Ready(Err(Error::new(ErrorKind::Fenced, message).with_effect(effect)))
        })
        .await
    }

    /// Asks the engine to write an intent; true when it is durable and the lease still runs.
    async fn intend(&self, intent: Entry) -> bool {
        let (reply, durable) = oneshot::channel();
        self.mail.begin(intent, reply);
        durable.await.unwrap_or(false)
    }
}

/// Observes until the effect is there, making it when nobody does (guarantee 2).
async fn drive(job: &Job, cx: &StepCx, params: &Value) -> Ended {
    let mut cx = cx.clone();
    let mut acted: Option<Error> = None;
    loop {
        match bounded(&cx, job.step.observe(&cx, params)).await {
            Ok(Observed::Done { output }) => {
                return prove(job, &cx, params, output, acted.is_none()).await;
            }
            Ok(Observed::InFlight) => {
                if let Err(error) = cx.wait(POLL).await {
                    let effect = if acted.is_some() { Effect::Indefinite } else { Effect::NotApplied };
                    return Ended::Failed(error.with_effect(effect));
                }
            }
            Ok(Observed::Blocked { reason }) => {
                let error = Error::new(ErrorKind::PreconditionFailed, reason).with_retry(Retry::Backoff);
                let effect = acted.map_or(Effect::NotApplied, |error| error.effect());
                return Ended::Failed(error.with_effect(effect));
            }
            Ok(Observed::NotStarted) => match acted {
                // The call that ended badly did nothing, as far as can be seen; the next attempt looks again.
                Some(error) => return Ended::Failed(error),
                None => match execute(job, &cx, params).await {
                    Ok(output) => return prove(job, &cx, params, output, false).await,
                    Err(error) if error.effect() == Effect::NotApplied => return Ended::Failed(error),
                    // Nobody knows what the world is like now: ask it, not the error.
                    Err(error) => {
                        cx.deadline = cx.deadline.max(cx.clock.monotonic() + SETTLE);
                        acted = Some(error);
                    }
                },
            },
            // Whether it was done must be found out as long as there is time: the next attempt would not know more.
            Err(error) if acted.is_some() && error.retry() != Retry::Never && cx.remaining() > POLL => {
                let pause = match error.retry() {
                    Retry::After(pause) => pause.max(POLL),
                    _ => POLL,
                };
                if cx.wait(pause).await.is_err() {
                    return Ended::Failed(acted.unwrap_or(error));
                }
            }
            Err(error) => {
                return Ended::Failed(match acted {
                    // What the call said matters more than that nobody could look afterwards.
                    Some(acted) => acted,
                    None => error.with_effect(Effect::NotApplied),
                });
            }
        }
        if cx.cancel.is_cancelled() {
            let error = Error::new(ErrorKind::Cancelled, format!("{}: cancelled", cx.step));
            let effect = if acted.is_some() { Effect::Indefinite } else { Effect::NotApplied };
            return Ended::Failed(error.with_effect(effect));
        }
    }
}

/// Makes the effect, unless it is no longer wanted since somebody looked, or the lease has lapsed meanwhile.
async fn execute(job: &Job, cx: &StepCx, params: &Value) -> Result<Value> {
    job.tenure.confirm().await?;
    if cx.cancel.is_cancelled() {
        return Err(Error::new(ErrorKind::Cancelled, format!("{}: cancelled", cx.step)).with_effect(Effect::NotApplied));
    }
    bounded(cx, job.held(job.step.execute(cx, params))).await
}

/// Looks for the effect with other eyes (guarantee 7).
async fn prove(job: &Job, cx: &StepCx, params: &Value, output: Value, already: bool) -> Ended {
    match bounded(cx, job.step.verify(cx, params, &output)).await {
        Ok(()) => Ended::Done { output, already },
        Err(error) if already => Ended::Failed(error.with_effect(Effect::NotApplied)),
        Err(error) => Ended::Failed(error.with_effect(Effect::Applied)),
    }
}

/// Runs one verb within the attempt's time. A cancelled one is given a moment to end by itself.
async fn bounded<T>(cx: &StepCx, verb: impl Future<Output = Result<T>>) -> Result<T> {
    let late = cancelled(&cx.cancel, &cx.clock);
    tokio::select! {
        // A verb that has ended has ended, also when its time is up at that very moment.
        biased;
        ended = timeout(&*cx.clock, cx.remaining(), verb) => ended.unwrap_or_else(|elapsed| {
            Err(Error::new(ErrorKind::Timeout, format!("{}: {elapsed}", cx.step)))
        }),
        () = late => Err(Error::new(ErrorKind::Cancelled, format!("{}: cancelled", cx.step))),
    }
}

async fn cancelled(cancel: &CancellationToken, clock: &SharedClock) {
    cancel.cancelled().await;
    clock.sleep(GRACE).await;
}
