//! Deciders over a journal: restarts, two at once, people who answer, and the standby that is warmed.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::pin,
    sync::{Arc, Mutex},
    task::Poll,
};

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::fixture::{region, s, standing};
use crate::{
    decision::{
        Blocker, Choice, Decider, Decision, DecisionLog, LogEntry, Mode, Plans, Policy, Prewarm, PrewarmPolicy,
    },
    detect::{Opinion, Standings, Verdict},
    engine::{Engine, NewRun, OnPause, RunState},
    error::{Effect, Error, ErrorKind, Result},
    event::{EventSink, NullSink},
    journal::{Journal, MemoryJournal, audit},
    model::{Objectives, RunId},
    plan::{Call, Goal, GoalKind, Phase, Plan, PlanBuilder},
    step::{Observed, Reversibility, Step, StepCx, StepRegistry, erase},
    time::{Clock, ManualClock, SharedClock},
};

/// Replicas of services, and who is promoted.
#[derive(Clone, Debug, Default)]
pub(super) struct World(Arc<Mutex<BTreeMap<String, u64>>>, Arc<Mutex<Vec<String>>>);

impl World {
    /// What was changed, each change once, in order.
    pub(super) fn changes(&self) -> Vec<String> {
        self.1.lock().unwrap().clone()
    }

    pub(super) fn get(&self, key: &str) -> u64 {
        self.0.lock().unwrap().get(key).copied().unwrap_or(1)
    }

    fn set(&self, key: &str, value: u64) {
        self.1.lock().unwrap().push(format!("{key}={value}"));
        self.0.lock().unwrap().insert(key.to_owned(), value);
    }
}

macro_rules! step {
    ($name:ident, $kind:literal, $reversibility:ident) => {
        #[derive(Debug)]
        struct $name(World);

        #[async_trait]
        impl Step for $name {
            const KIND: &'static str = $kind;
            type Params = (String, u64);
            type Output = ();

            fn reversibility(&self) -> Reversibility {
                Reversibility::$reversibility
            }

            fn calls(&self, _: &Self::Params) -> Vec<Call> {
                Vec::new()
            }

            fn keeps_before_image(&self) -> Option<bool> {
                Some(true)
            }

            async fn before_image(&self, _: &StepCx, (key, _): &Self::Params) -> Result<Option<Value>> {
                Ok(Some(self.0.get(key).into()))
            }

            async fn observe(&self, _: &StepCx, (key, wanted): &Self::Params) -> Result<Observed<()>> {
                Ok(if self.0.get(key) == *wanted { Observed::Done { output: () } } else { Observed::NotStarted })
            }

            async fn execute(&self, _: &StepCx, (key, wanted): &Self::Params) -> Result<()> {
                self.0.set(key, *wanted);
                Ok(())
            }

            async fn compensate(&self, cx: &StepCx, (key, _): &Self::Params, _: Option<&()>) -> Result<()> {
                self.0.set(key, cx.before().and_then(Value::as_u64).unwrap());
                Ok(())
            }
        }
    };
}

step!(Scale, "test.scale", Reversible);
step!(Promote, "test.promote", Irreversible);

/// Plans a failover; refuses as long as it is told to.
#[derive(Clone, Debug)]
struct Planned(World, Arc<Mutex<Option<String>>>, bool);

#[async_trait]
impl Plans for Planned {
    async fn run_for(&self, run: RunId, goal: &Goal) -> Result<NewRun> {
        if let Some(why) = self.1.lock().unwrap().clone() {
            return Err(Error::new(ErrorKind::PreconditionFailed, why).with_effect(Effect::NotApplied));
        }
        Ok(NewRun::new(run, plan(&self.0, goal, self.2)))
    }
}

fn plan(world: &World, goal: &Goal, gated: bool) -> Plan {
    let objectives = Objectives { rto: s(300), rpo: s(60) };
    let mut plan = PlanBuilder::new("shop".parse().unwrap(), goal.clone(), objectives);
    let there = &goal.to;
    plan.step("scale-cart", &Scale(world.clone()), &("cart".to_owned(), 5)).phase(Phase::Scale).region(there);
    plan.step("fence", &Scale(world.clone()), &("fence".to_owned(), 2)).phase(Phase::Fence).region(&goal.from);
    plan.step("scale-old", &Scale(world.clone()), &("old".to_owned(), 0)).phase(Phase::Scale).region(&goal.from);
    let promote = plan.step("promote", &Promote(world.clone()), &("promoted".to_owned(), 2));
    let promote = if gated { promote.gate("no way back from here") } else { promote };
    promote.phase(Phase::Promote).region(there).after("fence");
    plan.step("scale-late", &Scale(world.clone()), &("late".to_owned(), 5))
        .phase(Phase::Scale)
        .region(there)
        .after("promote");
    plan.step("warm-pool", &Scale(world.clone()), &("pool".to_owned(), 9)).phase(Phase::Ready).region(there).prewarm();
    plan.build().unwrap()
}

pub(super) struct Bench {
    pub(super) clock: ManualClock,
    pub(super) journal: MemoryJournal,
    pub(super) world: World,
    refuse: Arc<Mutex<Option<String>>>,
    pub(super) policy: Policy,
    /// Whether plans ask for an approval before the step without a way back.
    pub(super) gated: bool,
    pub(super) on_pause: OnPause,
    pub(super) events: Arc<dyn EventSink>,
}

impl Bench {
    pub(super) fn new(mode: Mode) -> Self {
        let clock = ManualClock::new();
        clock.advance(s(86_400));
        let mut policy = Policy::manual("shop".parse().unwrap(), region("a"), vec![region("a"), region("b")]);
        policy.mode = mode;
        policy.prewarm = Some(PrewarmPolicy { per_hour: 2, keep: s(900) });
        let journal = MemoryJournal::new(Arc::new(clock.clone()));
        let (world, refuse, events) = (World::default(), Arc::default(), Arc::new(NullSink));
        Self { clock, journal, world, refuse, policy, gated: false, on_pause: OnPause::Return, events }
    }

    pub(super) fn shared_clock(&self) -> SharedClock {
        Arc::new(self.clock.clone())
    }

    pub(super) fn decider(&self, name: &str) -> Decider {
        let mut steps = StepRegistry::new();
        steps.register(erase(Scale(self.world.clone()))).unwrap();
        steps.register(erase(Promote(self.world.clone()))).unwrap();
        let journal: Arc<dyn Journal> = Arc::new(self.journal.clone());
        let engine = Engine::builder(journal, steps.clone(), self.shared_clock())
            .owner(format!("{name}/engine").parse().unwrap())
            .on_pause(self.on_pause)
            .build();
        let plans = Arc::new(Planned(self.world.clone(), Arc::clone(&self.refuse), self.gated));
        let owner = name.parse().unwrap();
        let (clock, events) = (self.shared_clock(), Arc::clone(&self.events));
        Decider::new(self.policy.clone(), engine, &steps, plans, owner, clock, events).unwrap()
    }

    pub(super) fn log(&self) -> DecisionLog {
        let journal = Arc::new(self.journal.clone());
        DecisionLog::new(journal, &"shop".parse().unwrap(), "ada".parse().unwrap(), self.shared_clock()).unwrap()
    }

    pub(super) async fn changes(&self) -> Vec<Decision> {
        let entries = self.log().entries().await.unwrap();
        let decision = |entry| match entry {
            LogEntry::Changed { decision, .. } => Some(decision),
            _ => None,
        };
        entries.into_iter().filter_map(|(_, entry)| decision(entry)).collect()
    }

    pub(super) async fn runs(&self, kind: GoalKind) -> Vec<RunState> {
        let engine = Engine::builder(Arc::new(self.journal.clone()), StepRegistry::new(), self.shared_clock()).build();
        let runs = engine.runs().await.unwrap().into_iter().map(|(_, run)| run.unwrap());
        runs.filter(|run| run.goal.kind == kind).map(|run| run.state).collect()
    }

    pub(super) async fn drive<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        loop {
            for _ in 0..64 {
                if let Poll::Ready(output) = futures::poll!(&mut future) {
                    return output;
                }
                tokio::task::yield_now().await;
            }
            assert!(self.clock.advance_to_next(), "nothing can happen any more");
        }
    }
}

fn seen(a: Verdict, opinions: [Opinion; 3]) -> Standings {
    let b = standing(Verdict::Healthy, 0, [Opinion::Healthy; 3]);
    [(region("a"), standing(a, 0, opinions)), (region("b"), b)].into()
}

pub(super) fn lost() -> Standings {
    seen(Verdict::Unhealthy, [Opinion::Down; 3])
}

pub(super) fn well() -> Standings {
    seen(Verdict::Healthy, [Opinion::Healthy; 3])
}

pub(super) fn suspect() -> Standings {
    seen(Verdict::Suspect, [Opinion::Down, Opinion::Healthy, Opinion::Healthy])
}

#[tokio::test]
async fn each_change_is_written_once_and_before_anything_comes_of_it() {
    let bench = Bench::new(Mode::Automatic);
    let mut decider = bench.decider("one");
    assert!(bench.drive(decider.consider(&well())).await.unwrap().changed);
    bench.clock.advance(s(60));
    assert!(!bench.drive(decider.consider(&well())).await.unwrap().changed, "the same, a minute later");
    let considered = bench.drive(decider.consider(&lost())).await.unwrap();
    let run = considered.run.clone().unwrap();
    assert!(considered.changed && bench.runs(GoalKind::Failover).await.is_empty(), "written down, and not begun");
    // The same again, before the run is there: the same run.
    let again = bench.drive(decider.consider(&lost())).await.unwrap();
    assert_eq!((again.run.as_ref(), again.changed), (Some(&run), false));
    let view = bench.drive(decider.carry_out(&run, &again.decision)).await.unwrap();
    assert_eq!(view.state(), RunState::Completed);
    let words: Vec<&str> = bench.changes().await.iter().map(Decision::word).collect();
    assert_eq!(words, ["hold", "act"]);
    // The log is a run like any other to those who check, and none to those who list runs.
    let name = DecisionLog::name(&"shop".parse().unwrap()).unwrap();
    assert_eq!(audit(&bench.journal, &name).await.unwrap().records, 3);
    assert_eq!(bench.runs(GoalKind::Failover).await, [RunState::Completed]);
}

#[tokio::test]
async fn a_restarted_decider_starts_no_second_run() {
    let bench = Bench::new(Mode::Automatic);
    let first = bench.drive(bench.decider("one").consider(&lost())).await.unwrap();
    // It died before it could plan. The next one finds the decision, and the name of its run.
    let mut second = bench.decider("two");
    let found = bench.drive(second.consider(&lost())).await.unwrap();
    assert_eq!(found.run, first.run);
    let run = found.run.unwrap();
    bench.drive(second.carry_out(&run, &found.decision)).await.unwrap();
    // It died after the run: the third takes nothing up and holds, since the application has moved.
    let mut third = bench.decider("three");
    assert!(bench.drive(third.take_up()).await.unwrap().is_none());
    let after = bench.drive(third.consider(&well())).await.unwrap();
    assert_eq!(after.decision.from, region("b"), "the writer is where the run has moved it");
    assert_eq!(bench.runs(GoalKind::Failover).await.len(), 1);
}

#[tokio::test]
async fn a_decision_that_was_never_begun_is_taken_back_when_things_have_changed() {
    let bench = Bench::new(Mode::Automatic);
    let first = bench.drive(bench.decider("one").consider(&lost())).await.unwrap();
    assert!(first.run.is_some());
    let second = bench.drive(bench.decider("two").consider(&well())).await.unwrap();
    assert!(second.run.is_none() && second.changed);
    // Lost again later: that is another decision, and another run.
    let third = bench.drive(bench.decider("three").consider(&lost())).await.unwrap();
    assert!(third.run.is_some() && third.run != first.run);
}

#[tokio::test]
async fn two_deciders_name_one_run() {
    let bench = Bench::new(Mode::Automatic);
    let (mut one, mut two) = (bench.decider("one"), bench.decider("two"));
    let lost = lost();
    let (a, b) = bench.drive(async { futures::join!(one.consider(&lost), two.consider(&lost)) }).await;
    let (a, b) = (a.unwrap(), b.unwrap());
    assert_eq!(a.run, b.run);
    assert_eq!(usize::from(a.changed) + usize::from(b.changed), 1);
    let run = a.run.unwrap();
    let both = async { futures::join!(one.carry_out(&run, &a.decision), two.carry_out(&run, &b.decision)) };
    let (a, b) = bench.drive(both).await;
    assert!(a.is_ok() || b.is_ok());
    assert_eq!(bench.runs(GoalKind::Failover).await, [RunState::Completed]);
}

#[tokio::test]
async fn the_kill_switch_of_another_process_holds_and_says_who() {
    let bench = Bench::new(Mode::Automatic);
    let mut log = bench.log();
    let stop = |on| LogEntry::KillSwitch { on, who: "ada".to_owned(), why: "change freeze".to_owned() };
    bench.drive(log.write(stop(true))).await.unwrap();
    let mut decider = bench.decider("one");
    let held = bench.drive(decider.consider(&lost())).await.unwrap();
    assert_eq!(held.decision.sentence(), "hold: the kill switch is on (journal), by ada: change freeze");
    bench.drive(log.write(stop(false))).await.unwrap();
    assert!(bench.drive(decider.consider(&lost())).await.unwrap().run.is_some());
}

#[tokio::test]
async fn a_kill_switch_that_cannot_be_read_is_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Bench::new(Mode::Automatic);
    bench.policy.kill_switch = Some(folder.path().join("stop"));
    let mut decider = bench.decider("one");
    assert!(bench.drive(decider.consider(&lost())).await.unwrap().run.is_some());
    std::fs::write(folder.path().join("stop"), "the pool is drained\nmore").unwrap();
    let held = bench.drive(decider.consider(&lost())).await.unwrap().decision;
    assert!(held.sentence().ends_with("stop: the pool is drained"), "{}", held.sentence());
    std::fs::remove_file(folder.path().join("stop")).unwrap();
    std::fs::create_dir(folder.path().join("stop")).unwrap();
    let held = bench.drive(decider.consider(&lost())).await.unwrap().decision;
    assert!(matches!(&held.blockers[..], [Blocker::KillSwitch { why, .. }] if why.contains("cannot be read")));
}

#[tokio::test]
async fn it_asks_and_does_what_it_is_told() {
    let bench = Bench::new(Mode::Ask);
    let answer = |yes| LogEntry::Answered { yes, who: "ada".to_owned(), why: "seen it".to_owned() };
    // An answer to a question that nobody asked is none.
    bench.drive(bench.log().write(answer(true))).await.unwrap();
    let mut decider = bench.decider("one");
    let asked = bench.drive(decider.consider(&lost())).await.unwrap();
    assert_eq!((asked.decision.word(), asked.run), ("ask", None));
    bench.drive(bench.log().write(answer(false))).await.unwrap();
    let refused = bench.drive(decider.consider(&lost())).await.unwrap();
    assert_eq!(refused.decision.sentence(), "hold: ada was asked and said no: seen it");
    // A no lasts as long as the loss. The next loss is another question.
    bench.drive(decider.consider(&lost())).await.unwrap();
    bench.drive(decider.consider(&well())).await.unwrap();
    assert_eq!(bench.drive(decider.consider(&lost())).await.unwrap().decision.word(), "ask");
    bench.drive(bench.log().write(answer(true))).await.unwrap();
    let told = bench.drive(decider.consider(&lost())).await.unwrap();
    assert!(matches!(&told.decision.choice, Choice::Act { by: Some(by), .. } if by.who == "ada"));
    // Whoever restarts in between does it in the same name.
    let mut second = bench.decider("two");
    let found = bench.drive(second.consider(&lost())).await.unwrap();
    assert_eq!((&found.run, &found.decision.choice), (&told.run, &told.decision.choice));
    let view = bench.drive(second.carry_out(&found.run.unwrap(), &found.decision)).await.unwrap();
    assert_eq!(view.state(), RunState::Completed);
}

#[tokio::test]
async fn a_yes_does_not_outlive_a_reason_against() {
    let bench = Bench::new(Mode::Ask);
    let mut decider = bench.decider("one");
    bench.drive(decider.consider(&lost())).await.unwrap();
    let mut log = bench.log();
    bench.drive(log.write(LogEntry::Answered { yes: true, who: "ada".to_owned(), why: String::new() })).await.unwrap();
    bench.drive(log.write(LogEntry::KillSwitch { on: true, who: "bob".to_owned(), why: String::new() })).await.unwrap();
    assert_eq!(bench.drive(decider.consider(&lost())).await.unwrap().decision.word(), "hold");
    bench
        .drive(log.write(LogEntry::KillSwitch { on: false, who: "bob".to_owned(), why: String::new() }))
        .await
        .unwrap();
    assert_eq!(bench.drive(decider.consider(&lost())).await.unwrap().decision.word(), "ask", "asked anew");
}

#[tokio::test]
async fn a_second_loss_holds_until_somebody_acknowledges_the_first() {
    let mut bench = Bench::new(Mode::Automatic);
    bench.policy.candidates.push(region("c"));
    bench.policy.spacing = s(60);
    let mut decider = bench.decider("one");
    let c = || (region("c"), standing(Verdict::Healthy, 0, [Opinion::Healthy; 3]));
    let first = bench.drive(decider.consider(&lost().into_iter().chain([c()]).collect())).await.unwrap();
    let run = first.run.unwrap();
    bench.drive(decider.carry_out(&run, &first.decision)).await.unwrap();
    let second: Standings = [
        (region("a"), standing(Verdict::Healthy, 0, [Opinion::Healthy; 3])),
        (region("b"), standing(Verdict::Unhealthy, 0, [Opinion::Down; 3])),
        c(),
    ]
    .into();
    bench.clock.advance(s(120));
    let held = bench.drive(decider.consider(&second)).await.unwrap().decision;
    assert!(matches!(&held.blockers[..], [Blocker::BlockPeriod { run: by, .. }] if *by == run), "{held}");
    assert_eq!(held.to, Some(region("c")), "never back to the region that was left");
    // Another process, and another wall, see the same.
    let held = bench.drive(bench.decider("two").consider(&second)).await.unwrap().decision;
    assert!(matches!(&held.blockers[..], [Blocker::BlockPeriod { .. }]));
    let entry = LogEntry::Acknowledged { run, who: "ada".to_owned(), why: "understood".to_owned() };
    bench.drive(bench.log().write(entry)).await.unwrap();
    let acts = bench.drive(decider.consider(&second)).await.unwrap();
    assert_eq!(acts.decision.goal().unwrap().to, region("c"));
}

#[tokio::test]
async fn a_start_that_fails_is_written_down_and_tried_again_later() {
    let bench = Bench::new(Mode::Automatic);
    *bench.refuse.lock().unwrap() = Some("lint says no".to_owned());
    let mut decider = bench.decider("one");
    let first = bench.drive(decider.consider(&lost())).await.unwrap();
    let run = first.run.clone().unwrap();
    bench.drive(decider.carry_out(&run, &first.decision)).await.unwrap_err();
    let held = bench.drive(decider.consider(&lost())).await.unwrap().decision;
    assert!(matches!(&held.blockers[..], [Blocker::StartFailed { why, .. }] if why.contains("lint says no")), "{held}");
    bench.clock.advance(s(60));
    *bench.refuse.lock().unwrap() = None;
    let again = bench.drive(decider.consider(&lost())).await.unwrap();
    assert!(again.run.is_some() && again.run.as_ref() != Some(&run));
}

#[tokio::test]
async fn on_suspicion_only_what_can_be_taken_back_is_done_and_is() {
    let bench = Bench::new(Mode::Automatic);
    let mut decider = bench.decider("one");
    let Prewarm::Start { goal, why } = bench.drive(decider.consider(&suspect())).await.unwrap().prewarm else {
        panic!()
    };
    let (run, work) = bench.drive(decider.warm(&goal, &why)).await.unwrap().unwrap();
    let view = bench.drive(work).await.unwrap();
    assert_eq!(view.state(), RunState::WaitingForApproval);
    let ids: Vec<&str> = view.plan().steps().iter().map(|step| step.id.as_str()).collect();
    assert_eq!(
        ids,
        ["scale-cart", "warm-pool", "prewarm/keep"],
        "none that is irreversible, late, or in the other region"
    );
    let warm = |cart, pool| (bench.world.get("cart"), bench.world.get("pool")) == (cart, pool);
    assert!(warm(5, 9) && bench.world.get("old") == 1 && bench.world.get("promoted") == 1);
    assert_eq!(bench.drive(decider.consider(&suspect())).await.unwrap().prewarm, Prewarm::Wait { run: run.clone() });
    // Another decider sees the same.
    let mut two = bench.decider("two");
    assert_eq!(bench.drive(two.consider(&suspect())).await.unwrap().prewarm, Prewarm::Wait { run: run.clone() });
    let Prewarm::TakeBack { why, .. } = bench.drive(two.consider(&well())).await.unwrap().prewarm else { panic!() };
    let view = bench.drive(two.settle_warm(&run, false, &why)).await.unwrap().unwrap();
    assert_eq!(view.state(), RunState::Cancelled);
    assert!(warm(1, 1), "as it was");
    assert!(matches!(bench.drive(two.consider(&well())).await.unwrap().prewarm, Prewarm::Nothing { .. }));
}

#[tokio::test]
async fn the_failover_finds_done_what_was_warmed_and_a_failback_restores_what_was_before() {
    let bench = Bench::new(Mode::Automatic);
    let mut decider = bench.decider("one");
    let goal = super::fixture::goal();
    let (warm, work) = bench.drive(decider.warm(&goal, "suspect")).await.unwrap().unwrap();
    bench.drive(work).await.unwrap();
    let kept = bench.drive(decider.settle_warm(&warm, true, "the verdict has fallen")).await.unwrap().unwrap();
    assert_eq!(kept.state(), RunState::Completed);
    let considered = bench.drive(decider.consider(&lost())).await.unwrap();
    let view = bench.drive(decider.carry_out(&considered.run.unwrap(), &considered.decision)).await.unwrap();
    assert_eq!(view.state(), RunState::Completed);
    let image = |images: &crate::planner::BeforeImages| {
        images.0.iter().find(|image| image.step == *"scale-cart").map(|image| image.before.clone())
    };
    assert_eq!(image(&view.before_images()), None, "the failover found it done");
    let images = bench.drive(decider.before_images(&view)).await.unwrap();
    assert_eq!(image(&images), Some(1.into()), "what stood before anybody warmed it");
}

#[tokio::test]
async fn the_standby_is_not_warmed_more_often_than_allowed() {
    let bench = Bench::new(Mode::Automatic);
    let mut decider = bench.decider("one");
    for _ in 0..2 {
        let Prewarm::Start { goal, why } = bench.drive(decider.consider(&suspect())).await.unwrap().prewarm else {
            panic!()
        };
        let (run, work) = bench.drive(decider.warm(&goal, &why)).await.unwrap().unwrap();
        bench.drive(work).await.unwrap();
        bench.drive(decider.settle_warm(&run, false, "cleared")).await.unwrap();
        bench.clock.advance(s(60));
    }
    let Prewarm::Nothing { why } = bench.drive(decider.consider(&suspect())).await.unwrap().prewarm else { panic!() };
    assert_eq!(why, "the standby was warmed 2 times within the hour");
    bench.clock.advance(s(3600));
    assert!(matches!(bench.drive(decider.consider(&suspect())).await.unwrap().prewarm, Prewarm::Start { .. }));
}

#[tokio::test]
async fn left_alone_it_warms_fails_over_and_stops_when_told() {
    let bench = Bench::new(Mode::Automatic);
    let decider = bench.decider("one");
    let mut writer = decider.writer();
    let (tell, standings) = watch::channel(well());
    let stop = CancellationToken::new();
    let watched = async {
        let clock: &ManualClock = &bench.clock;
        clock.sleep(s(3)).await;
        tell.send_replace(suspect());
        clock.sleep(s(3)).await;
        assert_eq!(bench.world.get("cart"), 5, "warm before the verdict");
        tell.send_replace(lost());
        writer.changed().await.unwrap();
        assert_eq!(*writer.borrow(), region("b"));
        stop.cancel();
    };
    let (ended, ()) = bench.drive(async { futures::join!(decider.run(standings, stop.clone()), watched) }).await;
    ended.unwrap();
    assert_eq!(bench.runs(GoalKind::Prewarm).await, [RunState::Completed]);
    assert_eq!(bench.runs(GoalKind::Failover).await, [RunState::Completed]);
    let words: Vec<&str> = bench.changes().await.iter().map(Decision::word).collect();
    assert_eq!(words, ["hold", "hold", "act", "hold"]);
}

#[tokio::test]
async fn a_dry_decider_writes_nothing() {
    let bench = Bench::new(Mode::Automatic);
    let mut decider = bench.decider("one").dry();
    let considered = bench.drive(decider.consider(&lost())).await.unwrap();
    assert_eq!((considered.decision.word(), considered.run), ("act", None));
    assert!(bench.log().entries().await.unwrap().is_empty());
}
