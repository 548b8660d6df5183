use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::{HealthProbe, Observation, Outcome, ProbeCx, Spoken, control::Control, look};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    model::VantageId,
    time::{Monotonic, SharedClock},
};

/// Runs probes at a fixed rate and emits what they see.
///
/// - Rate: looks begin at whole intervals from the start, so that they do not drift. A look that takes longer than its
///   interval makes the next one wait for the next whole interval; two looks of one probe never overlap.
/// - Phases: the probes' starts are spread evenly over their interval.
/// - Isolation: a slow target delays only itself, as long as there are slots; how many looks run at once is bounded.
///   A look that had to wait an interval for a slot is not made: the observer is overloaded, and says so.
/// - Honesty: each vantage has a control target. What fails while the control target cannot be reached either is
///   emitted as [`Outcome::ObserverImpaired`]. So are readings that pass, since the last look at it failed.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use async_trait::async_trait;
/// use dr_core::{
///     error::Result,
///     model::VantageId,
///     probe::{HealthProbe, Latency, ProbeCx, Reading, Sampler, Subject},
///     time::SystemClock,
/// };
/// use tokio::sync::mpsc;
/// use tokio_util::sync::CancellationToken;
///
/// #[derive(Debug)]
/// struct Fine { subject: Subject, vantage: VantageId }
///
/// #[async_trait]
/// impl HealthProbe for Fine {
///     fn subject(&self) -> &Subject { &self.subject }
///     fn vantage(&self) -> &VantageId { &self.vantage }
///     async fn probe(&self, _: &ProbeCx) -> Result<Reading> { Ok(Reading::healthy(Latency::default(), "fine")) }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let fine = |probe: &str, region: &str| -> Result<Arc<dyn HealthProbe>, Box<dyn std::error::Error>> {
///     let subject = Subject::infrastructure(probe.parse()?, region.parse()?);
///     Ok(Arc::new(Fine { subject, vantage: "office".parse()? }))
/// };
/// let sampler = Sampler::new(Arc::new(SystemClock::new()))
///     .control(fine("control", "eu-central-1")?, Duration::from_secs(10))
///     .probe(fine("storefront/health", "us-east-1")?, Duration::from_secs(10));
/// let (observations, mut seen) = mpsc::channel(16);
/// let stop = CancellationToken::new();
/// let running = tokio::spawn(sampler.run(observations, stop.clone()));
/// assert_eq!(seen.recv().await.map(|o| o.outcome.to_string()).as_deref(), Some("fine"));
/// stop.cancel();
/// running.await??;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a sampler does nothing until it runs"]
pub struct Sampler {
    clock: SharedClock,
    slots: usize,
    controls: Vec<(Arc<dyn HealthProbe>, Duration)>,
    probes: Vec<(Arc<dyn HealthProbe>, Duration)>,
}

impl Sampler {
    /// A sampler on `clock` that runs up to 256 looks at once.
    pub fn new(clock: SharedClock) -> Self {
        Self { clock, slots: 256, controls: Vec::new(), probes: Vec::new() }
    }

    /// Runs up to `slots` looks at once, 1 at least. Targets that answer nothing hold a slot for their timeout, so a
    /// lost region of N targets takes `N * timeout / interval` of them.
    pub fn slots(mut self, slots: usize) -> Self {
        self.slots = slots.max(1);
        self
    }

    /// The control target of the probe's vantage, looked at each `interval` and whenever another look fails.
    pub fn control(mut self, probe: Arc<dyn HealthProbe>, interval: Duration) -> Self {
        self.controls.push((probe, interval));
        self
    }

    /// One more probe, run each `interval`.
    pub fn probe(mut self, probe: Arc<dyn HealthProbe>, interval: Duration) -> Self {
        self.probes.push((probe, interval));
        self
    }

    /// Looks for everything that would keep it from running.
    ///
    /// # Errors
    ///
    /// With every problem: a vantage without a control target or with two, an interval of zero, a probe given twice.
    pub fn validate(&self) -> Result<()> {
        let mut problems = Vec::new();
        let mut controlled = BTreeSet::new();
        for (control, _) in &self.controls {
            if !controlled.insert(control.vantage()) {
                problems.push(format!("{} has two control targets: give it one", control.vantage()));
            }
        }
        let mut known = BTreeSet::new();
        for (probe, _) in &self.probes {
            let (subject, vantage) = (probe.subject(), probe.vantage());
            if !known.insert((vantage, subject)) {
                problems.push(format!("{} runs {} for {} twice", vantage, subject.probe, subject.region));
            }
        }
        let uncontrolled: BTreeSet<&VantageId> =
            self.probes.iter().map(|(probe, _)| probe.vantage()).filter(|v| !controlled.contains(v)).collect();
        for vantage in uncontrolled {
            problems.push(format!(
                "{vantage} has no control target: name something that is well when both regions are not"
            ));
        }
        for (probe, interval) in self.controls.iter().chain(&self.probes) {
            if interval.is_zero() {
                problems.push(format!("the interval of {} is zero", probe.subject().probe));
            }
        }
        if problems.is_empty() {
            return Ok(());
        }
        let message = format!("the sampler cannot run: {}", problems.join("; "));
        Err(Error::new(ErrorKind::Invalid, message).with_effect(Effect::NotApplied))
    }

    /// Runs until `stop` is cancelled or nobody receives any more. Looks under way are dropped then.
    ///
    /// # Errors
    ///
    /// Those of [`validate`](Self::validate), before the first look.
    pub async fn run(self, out: mpsc::Sender<Observation>, stop: CancellationToken) -> Result<()> {
        self.validate()?;
        let cx = ProbeCx::new(self.clock).with_cancel(stop);
        let slots = Arc::new(Semaphore::new(self.slots));
        let start = cx.clock().monotonic();
        let mut controls = BTreeMap::new();
        let mut at_controls = JoinSet::new();
        for (probe, interval) in self.controls {
            let control = Arc::new(Control::new(Arc::clone(&probe)));
            controls.insert(probe.vantage().clone(), Arc::clone(&control));
            at_controls.spawn(keep_looking(control, Pace { next: start, interval }, cx.clone()));
        }
        let mut at_probes = JoinSet::new();
        let n = u32::try_from(self.probes.len()).unwrap_or(u32::MAX).max(1);
        for (i, (probe, interval)) in (0_u32..).zip(self.probes) {
            let Some(control) = controls.get(probe.vantage()).map(Arc::clone) else { continue };
            let phase = interval.mul_f64(f64::from(i) / f64::from(n));
            let watch = Watch {
                probe,
                control,
                pace: Pace { next: start + phase, interval },
                slots: Arc::clone(&slots),
                out: out.clone(),
                cx: cx.clone(),
            };
            at_probes.spawn(watch.run());
        }
        drop(out);
        // The looks at control targets serve these, and end with them.
        while at_probes.join_next().await.is_some() {}
        Ok(())
    }
}

/// When the next look is due.
#[derive(Clone, Copy, Debug)]
struct Pace {
    next: Monotonic,
    interval: Duration,
}

impl Pace {
    /// Moves on to the next whole interval that has not passed.
    fn advance(&mut self, now: Monotonic) {
        let behind = now.since(self.next).as_nanos();
        let steps = behind.div_ceil(self.interval.as_nanos().max(1)).max(1);
        self.next = self.next + self.interval.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX));
    }
}

/// Runs `rounds` until `stop` is cancelled, and not one step further: what a stopped look lets go of starts no other.
async fn until_stopped(stop: &CancellationToken, rounds: impl Future<Output = ()>) {
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        () = rounds => {}
    }
}

/// Looks at a control target at its own pace.
async fn keep_looking(control: Arc<Control>, mut pace: Pace, cx: ProbeCx) {
    let rounds = async {
        loop {
            cx.clock().sleep(pace.next.since(cx.clock().monotonic())).await;
            control.impaired_since(&cx, cx.clock().monotonic()).await;
            pace.advance(cx.clock().monotonic());
        }
    };
    until_stopped(cx.cancel(), rounds).await;
}

/// One probe, at its own pace.
struct Watch {
    probe: Arc<dyn HealthProbe>,
    control: Arc<Control>,
    pace: Pace,
    slots: Arc<Semaphore>,
    out: mpsc::Sender<Observation>,
    cx: ProbeCx,
}

impl Watch {
    async fn run(mut self) {
        let stop = self.cx.cancel().clone();
        let rounds = async {
            loop {
                let clock = self.cx.clock();
                clock.sleep(self.pace.next.since(clock.monotonic())).await;
                let observation = self.observe().await;
                // The room in the channel is the receiver's pace; this probe waits for it, and no other.
                if self.out.send(observation).await.is_err() {
                    return;
                }
                self.pace.advance(self.cx.clock().monotonic());
            }
        };
        until_stopped(&stop, rounds).await;
    }

    async fn observe(&self) -> Observation {
        let clock = self.cx.clock();
        let due = self.pace.next;
        let slot = self.slots.acquire().await;
        let began = clock.monotonic();
        let late = began.since(due);
        let mut outcome = if late >= self.pace.interval {
            Outcome::ObserverImpaired { reason: format!("overloaded: a look waited {} for its turn", Spoken(late)) }
        } else {
            look(self.probe.as_ref(), &self.cx).await
        };
        drop(slot);
        let (at, wall) = (clock.monotonic(), clock.wall());
        if let Outcome::Looked(reading) = &outcome {
            // A look that failed counts when the control target was well all the while.
            let impaired = match self.control.impaired() {
                None if !reading.is_healthy() => self.control.impaired_since(&self.cx, began).await,
                known => known,
            };
            if let Some(reason) = impaired {
                outcome = Outcome::ObserverImpaired { reason };
            }
        }
        let (subject, vantage) = (self.probe.subject().clone(), self.probe.vantage().clone());
        Observation { subject, vantage, at, wall, outcome }
    }
}
