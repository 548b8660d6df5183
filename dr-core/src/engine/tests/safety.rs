//! Safety rules: what they refuse, that they say so, and who may overrule them.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;

use super::world::{Bench, TurnOn, builder, params, run_id, step_id, watch};
use crate::{
    engine::{Control, Engine, NewRun, OnPause, RunState, RunView, TrafficSource},
    error::{Error, ErrorKind, Result},
    journal::{Entry, Journal as _, Record, Seq},
    model::{RegionId, SafetyRuleId},
    plan::{Phase, Plan, PlanBuilder, SafetyKind, SafetyRule, Selection},
};

/// A router whose regions a test sets; none is "cannot be found out".
#[derive(Debug, Default)]
struct Router {
    regions: Mutex<Option<BTreeSet<RegionId>>>,
    looks: Mutex<u32>,
}

impl Router {
    fn set(&self, regions: &[&str]) {
        *self.regions.lock().unwrap() = Some(regions.iter().map(|region| RegionId::new(*region).unwrap()).collect());
    }
}

#[async_trait]
impl TrafficSource for Router {
    async fn holding(&self, _: &Plan) -> Result<BTreeSet<RegionId>> {
        *self.looks.lock().unwrap() += 1;
        let regions = self.regions.lock().unwrap().clone();
        regions.ok_or_else(|| Error::new(ErrorKind::Timeout, "no answer"))
    }
}

fn rule(id: &str, kind: SafetyKind) -> SafetyRule {
    SafetyRule { id: SafetyRuleId::new(id).unwrap(), name: id.to_owned(), kind }
}

/// `promote`, and a shift that the plan forgot to put behind it; the rule did not.
fn gated(bench: &Bench) -> PlanBuilder {
    let act = TurnOn(bench.world.clone());
    let mut plan = builder();
    plan.safety_rule(SafetyRule::no_traffic_before_promoted());
    plan.step("promote", &act, &params("promote", 30_000)).phase(Phase::Promote);
    plan.step("shift", &act, &params("shift", 0)).phase(Phase::Shift);
    plan
}

/// Traffic leaves us-east-1 while another region must hold some.
fn leaving(bench: &Bench) -> PlanBuilder {
    let act = TurnOn(bench.world.clone());
    let mut plan = builder();
    let leaving = Some(RegionId::new("us-east-1").unwrap());
    let steps = Selection::steps([step_id("drain")]);
    plan.safety_rule(rule("never-dark", SafetyKind::Assertion { at_least: 1, leaving, steps }));
    plan.step("warm", &act, &params("warm", 0));
    plan.step("drain", &act, &params("drain", 0)).after("warm");
    plan
}

async fn engine(bench: &Bench, plan: PlanBuilder, router: Option<&Arc<Router>>) -> Engine {
    let builder = bench.builder("engine-1").on_pause(OnPause::Return);
    let engine = match router {
        Some(router) => builder.traffic(router.clone()).build(),
        None => builder.build(),
    };
    engine.create(NewRun::new(run_id(), plan.build().unwrap())).await.unwrap();
    engine
}

async fn run(bench: &Bench, engine: &Engine) -> RunView {
    bench.drive(engine.run(&run_id())).await.unwrap()
}

async fn records(bench: &Bench) -> Vec<Record> {
    use futures::TryStreamExt as _;
    bench.journal.read(&run_id(), Seq(0)).try_collect().await.unwrap()
}

fn who() -> (String, String) {
    ("Ada".to_owned(), "seen".to_owned())
}

fn overrule(id: &str) -> Control {
    let (who, why) = who();
    Control::Override { rule: SafetyRuleId::new(id).unwrap(), who, why }
}

#[tokio::test]
async fn traffic_waits_for_the_promotion_although_no_edge_says_so() {
    let bench = Bench::new();
    let engine = engine(&bench, gated(&bench), None).await;
    let view = run(&bench, &engine).await;
    assert_eq!(view.state(), RunState::Completed);
    assert_eq!(bench.world.effects(), ["on promote", "on shift"]);
    assert!(!records(&bench).await.iter().any(|record| matches!(record.entry, Entry::RuleRefused { .. })));
}

#[tokio::test]
async fn a_skipped_promotion_stops_traffic_until_somebody_overrules_the_rule() {
    let bench = Bench::new();
    let (sink, mut heard) = watch();
    let engine = bench.builder("engine-1").on_pause(OnPause::Return).events(sink).build();
    engine.create(NewRun::new(run_id(), gated(&bench).build().unwrap())).await.unwrap();
    let (name, why) = who();
    engine.control(&run_id(), Control::Skip { step: step_id("promote"), who: name, why }).await.unwrap();
    for _ in 0..2 {
        // It survives a restart, and is written down once.
        let view = run(&bench, &engine).await;
        assert_eq!(view.state(), RunState::PausedByFailure);
        assert_eq!(view.refusal("shift").unwrap().rule, *"no-traffic-before-promoted");
        assert!(bench.world.effects().is_empty());
    }
    let refused = records(&bench).await.iter().filter(|r| matches!(r.entry, Entry::RuleRefused { .. })).count();
    assert_eq!(refused, 1);
    assert!(heard().contains(
        &"run-paused the safety rule no-traffic-before-promoted refuses shift: promote is to be done before, and is skipped"
            .to_owned()
    ));
    let (name, why) = who();
    let error = engine.control(&run_id(), Control::Resume { who: name, why }).await.unwrap_err();
    assert!(error.message().contains("no-traffic-before-promoted refuses shift"), "{error}");
    assert_eq!(engine.control(&run_id(), overrule("nonsense")).await.unwrap_err().kind(), ErrorKind::NotFound);
    engine.control(&run_id(), overrule("no-traffic-before-promoted")).await.unwrap();
    engine.control(&run_id(), overrule("no-traffic-before-promoted")).await.unwrap();
    let view = run(&bench, &engine).await;
    assert_eq!(view.state(), RunState::CompletedWithExceptions);
    assert_eq!(view.overridden(&SafetyRuleId::new("no-traffic-before-promoted").unwrap()).unwrap().who, "Ada");
    assert_eq!(bench.world.effects(), ["on shift"]);
    let overridden = records(&bench).await.iter().filter(|r| matches!(r.entry, Entry::RuleOverridden { .. })).count();
    assert_eq!(overridden, 1);
}

/// A parent whose own traffic needs no promotion, with a child that has one and a rule about it, two levels down.
fn with_a_child(bench: &Bench) -> PlanBuilder {
    let act = TurnOn(bench.world.clone());
    let mut middle = builder();
    middle.child("orders", &gated(bench).build().unwrap());
    let mut plan = builder();
    plan.step("page", &act, &params("page", 0)).phase(Phase::Shift);
    plan.child("shop", &middle.build().unwrap());
    plan
}

#[tokio::test]
async fn a_rule_of_a_child_guards_the_child_and_is_overruled_by_its_whole_name() {
    let bench = Bench::new();
    let engine = engine(&bench, with_a_child(&bench), None).await;
    let (name, why) = who();
    let skip = Control::Skip { step: step_id("shop/orders/promote"), who: name, why };
    engine.control(&run_id(), skip).await.unwrap();
    let view = run(&bench, &engine).await;
    assert_eq!(view.state(), RunState::PausedByFailure);
    assert_eq!(view.refusal("shop/orders/shift").unwrap().rule, *"shop/orders/no-traffic-before-promoted");
    assert_eq!(bench.world.effects(), ["on page"], "the parent's traffic is not the child's to guard");
    let unknown = engine.control(&run_id(), overrule("no-traffic-before-promoted")).await.unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::NotFound);
    engine.control(&run_id(), overrule("shop/orders/no-traffic-before-promoted")).await.unwrap();
    let view = run(&bench, &engine).await;
    assert_eq!(view.state(), RunState::CompletedWithExceptions);
    assert_eq!(bench.world.effects(), ["on page", "on shift"]);
}

#[tokio::test]
async fn an_assertion_of_a_child_is_looked_up_for_the_child() {
    let bench = Bench::new();
    let router = Arc::new(Router::default());
    router.set(&["us-east-1"]);
    let mut plan = builder();
    plan.child("shop", &leaving(&bench).build().unwrap());
    let engine = engine(&bench, plan, Some(&router)).await;
    let view = run(&bench, &engine).await;
    assert_eq!(view.state(), RunState::PausedByFailure);
    let refusal = view.refusal("shop/drain").unwrap();
    assert_eq!((refusal.rule.as_str(), bench.world.effects()), ("shop/never-dark", vec!["on warm".to_owned()]));
}

#[tokio::test]
async fn a_region_that_would_go_dark_stops_the_step_and_a_retry_looks_again() {
    let bench = Bench::new();
    let router = Arc::new(Router::default());
    router.set(&["us-east-1"]);
    let engine = engine(&bench, leaving(&bench), Some(&router)).await;
    let view = run(&bench, &engine).await;
    assert_eq!(view.state(), RunState::PausedByFailure);
    assert_eq!(view.refusal("drain").unwrap().why, "1 region(s) besides us-east-1 must hold traffic; none does");
    assert_eq!(view.step("drain").unwrap().attempts, 0, "no attempt was made");
    assert_eq!(bench.world.effects(), ["on warm"]);
    router.set(&["eu-west-1", "us-east-1"]);
    let (who, why) = who();
    engine.control(&run_id(), Control::Retry { step: step_id("drain"), who, why }).await.unwrap();
    let view = run(&bench, &engine).await;
    assert_eq!(view.state(), RunState::Completed);
    assert_eq!(bench.world.effects(), ["on warm", "on drain"]);
    assert_eq!(*router.looks.lock().unwrap(), 2, "looked at for the step that the rule guards, and no other");
}

#[tokio::test]
async fn what_cannot_be_found_out_is_refused() {
    for router in [None, Some(Arc::new(Router::default()))] {
        let bench = Bench::new();
        let engine = engine(&bench, leaving(&bench), router.as_ref()).await;
        let view = run(&bench, &engine).await;
        assert_eq!(view.state(), RunState::PausedByFailure);
        assert!(view.refusal("drain").unwrap().why.contains("is unknown"), "{:?}", view.refusal("drain"));
        assert_eq!(bench.world.effects(), ["on warm"]);
        engine.control(&run_id(), overrule("never-dark")).await.unwrap();
        assert_eq!(run(&bench, &engine).await.state(), RunState::Completed);
    }
}

#[tokio::test]
async fn a_look_that_never_ends_is_refused_in_time() {
    #[derive(Debug)]
    struct Silent;
    #[async_trait]
    impl TrafficSource for Silent {
        async fn holding(&self, _: &Plan) -> Result<BTreeSet<RegionId>> {
            std::future::pending().await
        }
    }
    use crate::time::Clock as _;
    let bench = Bench::new();
    let engine = bench.builder("engine-1").on_pause(OnPause::Return).traffic(Arc::new(Silent)).build();
    engine.create(NewRun::new(run_id(), leaving(&bench).build().unwrap())).await.unwrap();
    let view = run(&bench, &engine).await;
    assert_eq!(view.state(), RunState::PausedByFailure);
    assert_eq!(bench.world.clock.monotonic().since_origin(), Duration::from_secs(10));
}

#[tokio::test]
async fn a_guarded_step_costs_two_syncs_like_every_other() {
    let bench = Bench::new();
    let router = Arc::new(Router::default());
    router.set(&["eu-west-1"]);
    let engine = engine(&bench, leaving(&bench), Some(&router)).await;
    run(&bench, &engine).await;
    // Created, started, ended, and an intent and an outcome for each of two steps.
    assert_eq!(records(&bench).await.len(), 7);
}

#[test]
fn a_rule_that_cannot_work_in_its_plan_is_told_when_the_plan_is_built() {
    let bench = Bench::new();
    let problems = |kind: SafetyKind| {
        let act = TurnOn(bench.world.clone());
        let mut plan = builder();
        plan.step("shift", &act, &params("a", 0)).phase(Phase::Shift);
        plan.step("promote", &act, &params("b", 0)).phase(Phase::Promote).after("shift");
        plan.safety_rule(rule("r", kind));
        plan.build().unwrap_err().to_string()
    };
    let gating = SafetyRule::no_traffic_before_promoted().kind;
    assert!(
        problems(gating).contains("promote is to be done before a step that it waits for"),
        "a rule against the edges"
    );
    let nobody = Selection::steps([step_id("nobody")]);
    let missing = SafetyKind::Assertion { at_least: 1, leaving: None, steps: nobody };
    assert!(problems(missing).contains("the plan has no step nobody"));
    let none = SafetyKind::Assertion { at_least: 0, leaving: None, steps: Selection::phase(Phase::Shift) };
    assert!(problems(none).contains("no region at all"));
}
