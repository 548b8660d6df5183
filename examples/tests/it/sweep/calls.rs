//! A drill, and the drills in which one call goes wrong.

use std::{
    collections::BTreeMap,
    env,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use dr_core::{
    engine::{AutoApprove, Control, Engine, NewRun, OnPause, RunState, RunView, StepState, new_run_id},
    journal::MemoryJournal,
    lint::{LintInput, lint},
    plan::{Goal, GoalKind, Mode},
    planner::{BeforeImages, PlanOptions, Planner, survey},
    testing::{Fault, FaultRule},
};
use dr_lab::state::StackState;

use super::stage::Stage;
use crate::by_hand::{east, west};

/// How often somebody asks for another attempt before the drill counts as stuck.
const PATIENCE: u32 = 3;

/// The faults of one call, by the names of the acceptance list.
fn faults() -> [(&'static str, Fault); 9] {
    [
        ("throttle", Fault::Throttle),
        ("5xx", Fault::ServerError),
        ("timeout before", Fault::BlackHole),
        ("timeout after apply", Fault::NoReply),
        ("late apply", Fault::late_apply(Duration::from_secs(20))),
        ("refused", Fault::Refuse),
        ("reset", Fault::ReplyLost),
        ("slow", Fault::slow(Duration::from_secs(3))),
        ("stale", Fault::stale_read(Duration::from_secs(30))),
    ]
}

/// What a drill came to.
#[derive(Debug)]
struct End {
    /// The calls of the failover and of the failback.
    calls: [u32; 2],
    /// How often each effect was made.
    effects: BTreeMap<String, usize>,
    /// What the stack looked like after the failover and after the failback.
    states: [StackState; 2],
    /// Why somebody was asked, when somebody was.
    asked: Vec<String>,
}

/// The rule that counts calls, or hits one of them.
struct Countdown(FaultRule);

impl Countdown {
    /// Puts the rule on the board while `work` goes on; says how many calls passed it.
    async fn during<T>(&mut self, stage: &Stage, work: impl Future<Output = T>) -> (T, u32) {
        let before = self.0.skip;
        let spent = self.0.times == Some(0);
        let id = (!spent).then(|| stage.faults.add(self.0.clone()));
        let value = stage.passing(work).await;
        let left = stage.faults.rules().into_iter().find(|(other, _)| Some(*other) == id);
        match left {
            Some((id, rule)) => {
                self.0.skip = rule.skip;
                stage.faults.remove(id);
            }
            None => (self.0.skip, self.0.times) = (0, Some(0)),
        }
        (value, before - self.0.skip)
    }
}

/// Fails over from a lost region and back again; `hit` goes wrong.
async fn drill(hit: FaultRule) -> Result<End, String> {
    let stage = Stage::new().await;
    let mut countdown = Countdown(hit);
    let clock = stage.shared_clock();
    let engine =
        Engine::builder(Arc::new(MemoryJournal::new(clock.clone())), stage.drivers.steps().unwrap(), clock.clone())
            .approver(Arc::new(AutoApprove::new("test", "agreed")))
            .on_pause(OnPause::Return)
            .build();
    let mut asked = Vec::new();
    stage.faults.switch_region(&east(), Some(Fault::BlackHole));
    let there = Goal { kind: GoalKind::Failover, from: east(), to: west(), mode: Mode::Ungraceful };
    let (view, first) = leg(&stage, &engine, there, &BeforeImages::default(), &mut countdown, &mut asked).await?;
    let failed_over = stage.state();
    stage.faults.switch_region(&east(), None);
    let back = Goal { kind: GoalKind::Failback, from: west(), to: east(), mode: Mode::Graceful };
    let (_, second) = leg(&stage, &engine, back, &view.before_images(), &mut countdown, &mut asked).await?;
    // What is still under way in the world comes to rest.
    stage.passing(clock.sleep(Duration::from_secs(120))).await;
    let mut effects = BTreeMap::new();
    for effect in stage.effects.all() {
        *effects.entry(format!("{} {}", effect.operation, effect.subject)).or_insert(0) += 1;
    }
    Ok(End { calls: [first, second], effects, states: [failed_over, stage.state()], asked })
}

/// One plan, from the survey to its end.
async fn leg(
    stage: &Stage,
    engine: &Engine,
    goal: Goal,
    before: &BeforeImages,
    countdown: &mut Countdown,
    asked: &mut Vec<String>,
) -> Result<(RunView, u32), String> {
    let clock = stage.shared_clock();
    let inventory = stage.passing(survey(&stage.topology, &stage.drivers, &clock)).await;
    let options = PlanOptions {
        runner: Some(stage.spec.runner.region.clone()),
        journal: Some(stage.spec.journal.region.clone()),
        approval: true,
        deadline: None,
    };
    let plan = Planner::new(&stage.topology, &stage.drivers).plan(goal, &inventory, before, &options).unwrap();
    let input = LintInput::new(&plan, &stage.topology, &inventory).waived(&stage.spec.waivers, clock_date(stage));
    let report = lint(&input);
    assert!(report.allows_run(), "{report}");
    let run = new_run_id(&clock);
    engine
        .create(NewRun::new(run.clone(), plan).inventory(inventory).linted(&report))
        .await
        .map_err(|e| e.to_string())?;
    let work = async {
        for _ in 0..=PATIENCE {
            let view = engine.run(&run).await.map_err(|e| e.to_string())?;
            if view.state() != RunState::PausedByFailure {
                return Ok(view);
            }
            let failed: Vec<_> = view.failed_for_good().map(|(step, state)| (step.id.clone(), state.clone())).collect();
            for (step, state) in failed {
                let StepState::Failed { failure } = state.state else { return Err(format!("{step}: {state:?}")) };
                if failure.message.is_empty() {
                    return Err(format!("{step} does not say why it failed"));
                }
                asked.push(format!("{step}: {failure}"));
                let (who, why) = ("operator".to_owned(), "once more".to_owned());
                engine.control(&run, Control::Retry { step, who, why }).await.map_err(|e| e.to_string())?;
            }
        }
        Err(format!("asked {PATIENCE} times in vain: {asked:?}"))
    };
    let (view, calls) = countdown.during(stage, work).await;
    let view = view?;
    if view.state() != RunState::Completed {
        return Err(format!("the run is {}: {:?}", view.state(), view.held()));
    }
    Ok((view, calls))
}

fn clock_date(stage: &Stage) -> jiff::civil::Date {
    use dr_core::time::Clock as _;
    stage.clock.wall().date()
}

fn on_runtime<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// A rule that hits no call, and counts them.
fn nothing() -> FaultRule {
    FaultRule::new(Fault::Refuse).after(u32::MAX)
}

/// What is different about the end of a disturbed drill.
fn compare(whole: &End, end: &End) -> Result<(), String> {
    for (n, name) in ["failover", "failback"].into_iter().enumerate() {
        let changed = whole.states[n].diff(&end.states[n]);
        if !changed.is_empty() {
            return Err(format!("after the {name}: {}", changed.join("; ")));
        }
    }
    if whole.effects != end.effects {
        return Err(format!("the effects were {:?}, not {:?}", end.effects, whole.effects));
    }
    Ok(())
}

#[test]
fn a_call_here_and_there_may_go_wrong_in_every_way() {
    // Coprime with the number of faults, so that all of them are met.
    sweep(250);
}

#[test]
#[ignore = "the stage `faults` runs it: cargo xtask test --only faults"]
fn every_call_may_go_wrong_in_every_way() {
    sweep(1);
}

/// Every `stride`th case of every call and every fault.
fn sweep(stride: usize) {
    let whole = on_runtime(drill(nothing())).unwrap();
    assert!(whole.asked.is_empty(), "{whole:?}");
    assert!(whole.effects.values().all(|count| *count > 0) && whole.effects.len() > 8, "{whole:?}");
    let calls = whole.calls[0] + whole.calls[1];
    let stride = env::var("DR_SWEEP_STRIDE").ok().and_then(|n| n.parse().ok()).unwrap_or(stride);
    let cases: Vec<_> = (0..calls)
        .flat_map(|n| faults().map(|(name, fault)| (n, name, fault)))
        .enumerate()
        .filter(|(at, _)| at % stride == 0)
        .map(|(_, case)| case)
        .collect();
    let (next, failures, asked) = (AtomicUsize::new(0), Mutex::new(Vec::new()), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some((n, name, fault)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let end = on_runtime(drill(FaultRule::new(*fault).after(*n).times(1)));
                    if let Ok(end) = &end {
                        asked.fetch_add(end.asked.len(), Ordering::Relaxed);
                    }
                    if let Err(why) = end.and_then(|end| compare(&whole, &end)) {
                        failures.lock().unwrap().push(format!("call {n}, {name}: {why}"));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    println!("{} calls in the failover, {} in the failback", whole.calls[0], whole.calls[1]);
    println!("somebody was asked {} times", asked.into_inner());
    println!("{} passed, {} failed", cases.len() - failures.len(), failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
