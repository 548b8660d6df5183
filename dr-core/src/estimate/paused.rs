use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;

use super::{
    Model, Prediction,
    compile::Compiled,
    detection::{ends, next_tick},
    draw::{Draw, run_of},
    predict::Tally,
    queue::Played,
};
use crate::{
    detect::{CheckPolicy, Detector as _, Observer, Quorum, QuorumPolicy, Verdict},
    engine::{Engine, NewRun, OnPause},
    error::{Effect, Error, ErrorKind, Result, Retry},
    journal::{Journal, MemoryJournal},
    model::{RegionId, VantageId},
    plan::{Call, Goal, GoalKind, Mode, Plan, PlanBuilder, RetryPolicy},
    probe::{CheckKind, Latency, Observation, Outcome, Reading, Subject},
    step::{Observed, Reversibility, Step, StepCx, StepRegistry, erase},
    time::{ManualClock, Monotonic, Timestamp},
};

/// Plays a model's drills through the real quorum and the real engine, on a clock that jumps from event to event.
///
/// Hundreds of times slower than [`predict`](super::predict), and the reason to believe it: both draw the same numbers and give the same
/// times, to the nanosecond that the clock is cut into. Wants a tokio runtime of one thread.
///
/// # Errors
///
/// [`Invalid`](ErrorKind::Invalid) for a model that cannot be played; what the engine fails with.
pub async fn on_paused_time(model: &Model) -> Result<Prediction> {
    let compiled = Compiled::new(model)?;
    let mut draw = Draw::default();
    let mut tally = Tally::new(&compiled, model.drills);
    for drill in 0..model.drills {
        draw.again(&compiled, model.seed, drill);
        let (played, done) = play(model, &compiled, &draw, drill).await?;
        tally.add(&compiled, &played, &done);
    }
    Ok(tally.into_prediction(model, &compiled))
}

/// One drill, and when each of its steps was done.
pub(super) async fn play(
    model: &Model,
    compiled: &Compiled,
    draw: &Draw,
    drill: u32,
) -> Result<(Played, Vec<Option<f64>>)> {
    let detected = if model.detection.is_some() { detect(model, compiled, draw)? } else { 0.0 };
    let done = run(model, compiled, draw, drill).await?;
    let ends = || compiled.moved_by.iter().map(|at| done.get(*at).copied().flatten());
    let moved = if compiled.moved_by.is_empty() {
        done.iter().copied().flatten().max_by(f64::total_cmp)
    } else {
        ends().try_fold(0.0, |latest: f64, end| end.map(|end| latest.max(end)))
    };
    let followed = follow(compiled, draw);
    let there = moved.is_some();
    let played = Played {
        detected,
        decided: compiled.decision.at(draw.decision),
        moved,
        published: if there { compiled.publish.at(draw.publish) } else { 0.0 },
        followed: if there { followed } else { 0.0 },
        lag: compiled.lag.map(|lag| lag.at(draw.lag)),
    };
    Ok((played, done))
}

/// The clients without a queue: each one's time, sorted.
fn follow(model: &Compiled, draw: &Draw) -> f64 {
    let mut served: Vec<f64> = draw
        .clients
        .iter()
        .map(|client| {
            let overstay = model.overstay.filter(|(share, _)| client.overstays < *share);
            client.cached * model.ttl
                + overstay.map_or(0.0, |(_, by)| by.at(client.by))
                + model.reconnect.at(client.reconnect)
        })
        .collect();
    served.sort_unstable_by(f64::total_cmp);
    served.get(model.served - 1).copied().unwrap_or_default()
}

/// How long the lost region had been serving before the fault, as far as the quorum knows.
const BEFORE: f64 = 10_000.0;

/// Lets the real quorum look at what the observers see, and says when its verdict falls.
fn detect(model: &Model, compiled: &Compiled, draw: &Draw) -> Result<f64> {
    let (Some(detection), Some(shape)) = (&model.detection, &compiled.detection) else { return Ok(0.0) };
    let [lost, elsewhere, third] = [region("lost")?, region("standby")?, region("third")?];
    let observers: Vec<Observer> = detection
        .observers
        .iter()
        .map(|observer| Observer {
            vantage: observer.id.clone(),
            region: Some(if observer.outside {
                third.clone()
            } else if observer.votes {
                elsewhere.clone()
            } else {
                lost.clone()
            }),
        })
        .collect();
    let mut quorum = Quorum::new(QuorumPolicy {
        region: lost.clone(),
        pair: vec![lost.clone(), elsewhere],
        observers,
        quorum: shape.quorum,
        checks: detection
            .probes
            .iter()
            .map(|probe| CheckPolicy {
                probe: probe.id.clone(),
                kind: CheckKind::Infrastructure,
                trip: probe.trip,
                clear: 1,
                stale_after: (probe.interval + probe.timeout) * 3,
            })
            .collect(),
        dwell: detection.dwell,
        hold_down: Duration::ZERO,
        gray_dwell: None,
        checks_fail_dwell: None,
        damping: None,
        suspicion: None,
    })?;
    let voters: Vec<&VantageId> =
        detection.observers.iter().filter(|observer| observer.votes).map(|observer| &observer.id).collect();
    let mut looks: Vec<(f64, Observation)> = Vec::new();
    let mut horizon: f64 = 0.0;
    let subjects =
        voters.iter().flat_map(|vantage| detection.probes.iter().zip(&shape.probes).map(move |pair| (*vantage, pair)));
    for ((vantage, (probe, timing)), phase) in subjects.zip(&draw.looks) {
        let subject = Subject { probe: probe.id.clone(), region: lost.clone(), kind: CheckKind::Infrastructure };
        let see = |at: f64, reading: Reading| {
            let at_s = Duration::from_secs_f64(BEFORE + at);
            let observation = Observation {
                subject: subject.clone(),
                vantage: vantage.clone(),
                at: Monotonic::new(at_s),
                wall: Timestamp::UNIX_EPOCH,
                outcome: Outcome::Looked(reading),
            };
            (at, observation)
        };
        looks.push(see(phase * timing.interval - timing.interval, Reading::healthy(Latency::default(), "serves")));
        horizon = horizon.max(ends(timing, *phase, probe.trip) + shape.dwell + shape.tick + timing.spacing);
        let mut n = 0;
        while ends(timing, *phase, n) <= horizon {
            looks.push(see(ends(timing, *phase, n), Reading::unhealthy(Latency::default(), "lost")));
            n += 1;
        }
    }
    looks.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let mut tick = next_tick(shape, draw, 0.0);
    let told = |at: f64, quorum: &Quorum| (quorum.verdict() == Verdict::Unhealthy).then_some(at);
    for (at, observation) in looks {
        while tick <= at {
            quorum.tick(Monotonic::new(Duration::from_secs_f64(BEFORE + tick)));
            if let Some(at) = told(tick, &quorum) {
                return Ok(at);
            }
            tick += shape.tick;
        }
        quorum.observe(observation);
        if let Some(at) = told(at, &quorum) {
            return Ok(at);
        }
    }
    Err(Error::new(ErrorKind::Internal, "the quorum saw a lost region and said nothing")
        .with_effect(Effect::NotApplied))
}

fn region(name: &str) -> Result<RegionId> {
    RegionId::new(name).map_err(|e| Error::new(ErrorKind::Internal, e.to_string()).with_effect(Effect::NotApplied))
}

/// A step that takes as long as its luck says.
#[derive(Debug)]
struct Chance {
    /// By step: how long each attempt takes, and whether it fails; made when first asked for.
    luck: Arc<Luck>,
}

#[derive(Debug)]
struct Luck {
    draw: Mutex<BTreeMap<(usize, u32), (f64, bool)>>,
    done: Mutex<Vec<Option<f64>>>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Step for Chance {
    const KIND: &'static str = "estimate.chance";
    type Params = usize;
    type Output = ();

    fn reversibility(&self) -> Reversibility {
        Reversibility::ReadOnly
    }

    fn calls(&self, _: &usize) -> Vec<Call> {
        Vec::new()
    }

    async fn observe(&self, _: &StepCx, at: &usize) -> Result<Observed<()>> {
        let done = held(&self.luck.done).get(*at).is_some_and(Option::is_some);
        Ok(if done { Observed::Done { output: () } } else { Observed::NotStarted })
    }

    async fn execute(&self, cx: &StepCx, at: &usize) -> Result<()> {
        let (takes, fails) = held(&self.luck.draw).get(&(*at, cx.attempt)).copied().unwrap_or_default();
        cx.clock.sleep(Duration::from_secs_f64(takes)).await;
        if fails {
            return Err(Error::new(ErrorKind::Unavailable, "by chance")
                .with_effect(Effect::NotApplied)
                .with_retry(Retry::Backoff));
        }
        if let Some(done) = held(&self.luck.done).get_mut(*at) {
            *done = Some(cx.clock.monotonic().since_origin().as_secs_f64());
        }
        Ok(())
    }

    async fn compensate(&self, _: &StepCx, _: &usize, _: Option<&()>) -> Result<()> {
        Ok(())
    }
}

/// Lets the real engine run the plan; when each step was done, from the run's start.
async fn run(model: &Model, compiled: &Compiled, draw: &Draw, drill: u32) -> Result<Vec<Option<f64>>> {
    let mut lots = BTreeMap::new();
    for (at, step) in compiled.steps.iter().enumerate() {
        for attempt in 1..=step.retry.attempts {
            let (long, fails) = draw.attempt(at, attempt);
            lots.insert((at, attempt), (step.takes.at(long), fails < step.fails));
        }
    }
    let luck = Arc::new(Luck { draw: Mutex::new(lots), done: Mutex::new(vec![None; compiled.steps.len()]) });
    if compiled.steps.is_empty() {
        return Ok(Vec::new());
    }
    let clock = ManualClock::new();
    let shared: crate::time::SharedClock = Arc::new(clock.clone());
    let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new(shared.clone()));
    let mut steps = StepRegistry::new();
    let internal =
        |e: &dyn std::fmt::Display| Error::new(ErrorKind::Internal, e.to_string()).with_effect(Effect::NotApplied);
    let chance = Chance { luck: Arc::clone(&luck) };
    let plan = plan(model, &chance)?;
    steps.register(erase(chance)).map_err(|e| internal(&e))?;
    let engine = Engine::builder(journal, steps, shared).on_pause(OnPause::Return).build();
    let run = run_of(drill);
    drive(&clock, engine.create(NewRun::new(run.clone(), plan))).await?;
    drive(&clock, engine.run(&run)).await?;
    let done = held(&luck.done).clone();
    Ok(done)
}

fn plan(model: &Model, chance: &Chance) -> Result<Plan> {
    let goal = Goal { kind: GoalKind::Failover, from: region("lost")?, to: region("standby")?, mode: Mode::Ungraceful };
    let mut plan = PlanBuilder::new(model.application.clone(), goal, model.objectives.into());
    plan.deadline(model.deadline);
    for (at, step) in model.steps.iter().enumerate() {
        let retry = RetryPolicy { attempts: step.attempts, first: step.first_pause, most: step.most_pause };
        let mut draft = plan.step(step.id.as_str(), chance, &at).timeout(step.timeout).retry(retry);
        for before in &step.after {
            draft = draft.after(before.as_str());
        }
    }
    plan.build().map_err(|invalid| Error::new(ErrorKind::Invalid, invalid.to_string()).with_effect(Effect::NotApplied))
}

/// Polls a future, and moves the clock to the next sleeper whenever nothing else can happen.
async fn drive<F: Future>(clock: &ManualClock, future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        // Each yield lets every task that is ready go on; chains of wake-ups through engine and attempt are far shorter.
        for _ in 0..32 {
            if let Poll::Ready(output) = futures::poll!(&mut future) {
                return output;
            }
            tokio::task::yield_now().await;
        }
        clock.advance_to_next();
    }
}
