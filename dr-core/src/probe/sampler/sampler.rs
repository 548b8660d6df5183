use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::{schedule::Schedule, windows::SampleWindows};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    model::VantageId,
    probe::{HealthProbe, Observation, ProbeCx, control::Control},
    time::{Monotonic, SharedClock},
};

/// Runs probes at a fixed rate and emits what they see.
///
/// - Rate: looks begin at whole intervals from the start, so that they do not drift. A look that takes longer than its
///   interval makes the next one wait for the next whole interval; two looks of one probe never overlap.
/// - Phases: the starts of the probes of one interval are spread evenly over it, and fall between those of other intervals. From
///   125 looks a second on, those of 16 ms begin together, 32 at most.
///   What could not begin in time begins at no more than half as much again as the usual rate.
/// - Isolation: a slow target delays only itself, as long as there are slots; how many looks run at once is bounded, and
///   half of the slots are kept in equal parts for each vantage's looks at each region, so that a region that answers
///   nothing cannot hold them all. A look that has waited an interval for a slot is not made: the observer is overloaded,
///   and says so. It says the same when nobody takes what it has seen.
/// - Honesty: each vantage has a control target. What fails while the control target cannot be reached either is
///   emitted as [`Outcome::ObserverImpaired`](crate::probe::Outcome::ObserverImpaired). So are readings that pass, since the
///   last look at it failed.
/// - Pauses: a process that was stopped, starved or suspended has seen nothing meanwhile. Looks that were under way, and turns
///   that went by, are emitted as impaired too, and so are looks during which the wall clock and the monotonic clock fell
///   apart.
/// - Memory: the last 128 looks at each target are kept ([`windows`](Self::windows)), all of it taken at the start.
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
    tolerance: Option<Duration>,
    windows: SampleWindows,
    controls: Vec<(Arc<dyn HealthProbe>, Duration)>,
    probes: Vec<(Arc<dyn HealthProbe>, Duration)>,
}

impl Sampler {
    /// A sampler on `clock` that runs up to 256 looks at once.
    pub fn new(clock: SharedClock) -> Self {
        Self {
            clock,
            slots: 256,
            tolerance: None,
            windows: SampleWindows::default(),
            controls: Vec::new(),
            probes: Vec::new(),
        }
    }

    /// Runs up to `slots` looks at once, and one at least for each vantage's looks at each region. Half of them are kept in
    /// equal parts for these; the rest is for whoever needs it. Targets that answer nothing hold a slot for their timeout, so
    /// a lost region of N targets takes `N * timeout / interval` of them.
    pub fn slots(mut self, slots: usize) -> Self {
        self.slots = slots.max(1);
        self
    }

    /// Lets pauses of this process pass that are shorter than `tolerance`, in place of half the shortest interval and at most
    /// half a second.
    pub fn pause_tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = Some(tolerance);
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

    /// What is remembered of each target, to read while this runs.
    #[must_use]
    pub fn windows(&self) -> SampleWindows {
        self.windows.clone()
    }

    /// Runs until `stop` is cancelled or nobody receives any more. Looks under way are dropped then.
    ///
    /// # Errors
    ///
    /// Those of [`validate`](Self::validate), before the first look.
    pub async fn run(self, out: mpsc::Sender<Observation>, stop: CancellationToken) -> Result<()> {
        self.validate()?;
        if self.probes.is_empty() {
            return Ok(());
        }
        let tolerance = self.tolerance();
        let cx = Arc::new(ProbeCx::new(self.clock).with_cancel(stop));
        let start = cx.clock().monotonic();
        let mut controls = BTreeMap::new();
        // The looks at control targets serve the others, and end with them.
        let mut at_controls = JoinSet::new();
        for (probe, interval) in self.controls {
            let control = Arc::new(Control::new(Arc::clone(&probe)));
            controls.insert(probe.vantage().clone(), Arc::clone(&control));
            at_controls.spawn(keep_looking(control, start, interval, Arc::clone(&cx)));
        }
        let schedule = Schedule::new(cx, self.probes, &controls, self.slots, tolerance, self.windows, out);
        schedule.run().await;
        at_controls.shutdown().await;
        Ok(())
    }

    /// How long a pause may be that nobody minds: half the shortest interval, from 0.2 s to 0.5 s of the machine's time.
    fn tolerance(&self) -> Duration {
        let unit = self.clock.resolution();
        let shortest = self.probes.iter().map(|(_, interval)| *interval).min().unwrap_or_default();
        self.tolerance.unwrap_or((shortest / 2).clamp(unit * 200, unit * 500)).max(unit * 20)
    }
}

/// Looks at a control target at its own pace. A look that overruns waits for the next whole interval.
async fn keep_looking(control: Arc<Control>, start: Monotonic, interval: Duration, cx: Arc<ProbeCx>) {
    let rounds = async {
        loop {
            control.impaired_since(&cx, cx.clock().monotonic()).await;
            let passed = cx.clock().monotonic().since(start).as_nanos();
            let next = passed / interval.as_nanos().max(1) + 1;
            let due = start + interval.saturating_mul(u32::try_from(next).unwrap_or(u32::MAX));
            cx.clock().sleep(due.since(cx.clock().monotonic())).await;
        }
    };
    // Not one step further once it is stopped: what a stopped look lets go of starts no other.
    tokio::select! {
        biased;
        () = cx.cancel().cancelled() => {}
        () = rounds => {}
    }
}
