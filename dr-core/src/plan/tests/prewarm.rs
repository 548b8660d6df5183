//! What may be done on suspicion alone.

use super::*;
use crate::model::Plane;

/// A step that may be made on suspicion, and the goal of its plan.
fn warming() -> (PlanStep, Goal) {
    let mut b = builder();
    b.step("apps/scale", &SOFT, &1.into()).phase(Phase::Scale);
    let plan = b.build().unwrap();
    let mut step = plan.step("apps/scale").unwrap().clone();
    step.region = Some(plan.goal().to.clone());
    (step, plan.goal().clone())
}

fn may(change: impl FnOnce(&mut PlanStep)) -> bool {
    let (mut step, goal) = warming();
    change(&mut step);
    step.may_prewarm(&goal)
}

fn call_at(regions: &[&str]) -> Call {
    Call {
        operation: "k8s:patch deployments/scale".into(),
        plane: Plane::Kubernetes,
        endpoints: regions.iter().map(|region| RegionId::new(*region).unwrap()).collect(),
        mutates: true,
        args: Default::default(),
        manual: String::new(),
    }
}

#[test]
fn a_step_is_made_on_suspicion_only_when_nothing_at_all_speaks_against_it() {
    assert!(may(|_| {}));
    assert!(may(|step| step.before_image = Some(true)));
    assert!(may(|step| step.calls = vec![call_at(&["eu-west-1"]), call_at(&["eu-central-1"])]));

    assert!(!may(|step| step.reversibility = Reversibility::Irreversible), "there is a way back");
    assert!(!may(|step| step.reversibility = Reversibility::ReadOnly), "a look warms nothing");
    assert!(!may(|step| step.before_image = Some(false)), "what stood before is kept");
    assert!(!may(|step| step.gate = Some(Gate::new("now?"))), "nobody is asked");
    assert!(!may(|step| step.region = Some(RegionId::new("us-east-1").unwrap())), "not in the region that may be lost");
    assert!(!may(|step| step.region = None), "and nowhere in between");
    assert!(!may(|step| step.calls = vec![call_at(&["eu-west-1"]), call_at(&["us-east-1"])]), "nor through it");
}

#[test]
fn room_is_made_on_suspicion_and_so_is_what_says_that_it_may_be() {
    assert!(!may(|step| step.phase = Phase::Fence));
    assert!(!may(|step| step.phase = Phase::Shift));
    assert!(may(|step| (step.phase, step.prewarm) = (Phase::Ready, true)));
    assert!(may(|step| step.prewarm = true));
}

/// A plan that makes room in two steps, the second of which needs a step that may not be made.
fn whole() -> Plan {
    let mut b = builder();
    b.step("fence", &SOFT, &1.into()).phase(Phase::Fence);
    b.step("room", &SOFT, &1.into()).phase(Phase::Scale);
    b.step("more", &SOFT, &1.into()).phase(Phase::Scale).after("room");
    b.step("behind", &SOFT, &1.into()).phase(Phase::Scale).after("fence");
    let mut stored = serde_json::to_value(b.build().unwrap()).unwrap();
    for step in stored["steps"].as_array_mut().unwrap() {
        step["region"] = "eu-west-1".into();
    }
    serde_json::from_value(stored).unwrap()
}

#[test]
fn the_part_that_warms_ends_in_a_question_that_expires_before_the_run_does() {
    let keep = Duration::from_secs(900);
    let warm = whole().prewarming("keep.warm", keep).unwrap().unwrap();
    assert_eq!(ids(&warm.steps().iter().collect::<Vec<_>>()), ["room", "more", "prewarm/keep"]);
    assert_eq!(warm.goal(), &Goal { kind: GoalKind::Prewarm, ..whole().goal().clone() });
    let last = warm.step("prewarm/keep").unwrap();
    assert_eq!((last.kind.as_str(), last.reversibility), ("keep.warm", Reversibility::ReadOnly));
    assert_eq!(last.after, ["more", "room"].map(|id| StepId::new(id).unwrap()));
    assert_eq!(last.gate.as_ref().unwrap().expires, Some(keep));
    assert_eq!(warm.deadline(), 2 * keep);
    let short = whole().prewarming("keep.warm", Duration::from_secs(60)).unwrap().unwrap();
    assert_eq!(short.deadline(), Duration::from_secs(600));
}

#[test]
fn a_plan_of_which_nothing_may_be_made_warms_nothing() {
    let mut b = builder();
    b.step("promote", &HARD, &1.into()).phase(Phase::Promote);
    assert_eq!(b.build().unwrap().prewarming("keep.warm", Duration::from_secs(60)).unwrap(), None);
}
