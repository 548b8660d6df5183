use std::time::Duration;

use super::*;
use crate::model::SafetyRuleId;

#[test]
fn every_problem_is_told_at_once() {
    let mut b = builder();
    b.step("a", &SOFT, &1.into()).after("missing");
    b.step("a", &SOFT, &1.into()).timeout(Duration::ZERO);
    b.step("bad name", &SOFT, &1.into());
    b.step("x", &SOFT, &1.into()).after("y");
    b.step("y", &SOFT, &1.into()).after("x");
    let InvalidPlan(problems) = b.build().unwrap_err();
    let text = InvalidPlan(problems.clone()).to_string();
    assert_eq!(problems.len(), 5, "{text}");
    assert!(text.contains("bad name") && text.contains("missing") && text.contains("x -> y -> x"), "{text}");
}

#[test]
fn an_output_used_as_an_argument_is_an_edge() {
    let mut b = builder();
    let first = b.step("later-in-text", &SOFT, &7.into()).output();
    b.step("a", &SOFT, &Arg::From(first)).phase(Phase::Confirm);
    let plan = b.build().unwrap();
    assert_eq!(plan.step("a").unwrap().after, [StepId::new("later-in-text").unwrap()]);
    let seven = serde_json::json!(7);
    let params = resolve(&plan.step("a").unwrap().params, &|_| Some(&seven)).unwrap();
    assert_eq!(params, seven);
    assert!(resolve(&plan.step("a").unwrap().params, &|_| None).is_err());
}

#[test]
fn a_plan_survives_storage_with_its_digest_and_no_other() {
    let mut b = builder();
    b.step("a", &SOFT, &1.into()).phase(Phase::Scale);
    b.step("b", &HARD, &2.into()).phase(Phase::Promote).after("a");
    let plan = b.build().unwrap();
    let text = serde_json::to_string(&plan).unwrap();
    let read: Plan = serde_json::from_str(&text).unwrap();
    assert_eq!(read, plan);
    assert_eq!(read.digest(), plan.digest());
    let changed: Plan = serde_json::from_str(&text.replace("eu-west-1", "eu-west-2")).unwrap();
    assert_ne!(changed.digest(), plan.digest());
}

#[test]
fn the_point_of_no_return_is_where_the_first_irreversible_steps_stand() {
    let mut b = builder();
    b.step("fence", &SOFT, &1.into()).phase(Phase::Fence);
    b.step("promote-db", &HARD, &1.into()).phase(Phase::Promote).after("fence");
    b.step("promote-cache", &HARD, &1.into()).phase(Phase::Promote).after("fence");
    b.step("drop-old", &HARD, &1.into()).phase(Phase::Latch).after("promote-db");
    let plan = b.build().unwrap();
    assert_eq!(ids(&plan.point_of_no_return()), ["promote-db", "promote-cache"]);
}

#[test]
fn a_plan_is_as_long_as_its_critical_path() {
    let mut b = builder();
    b.step("scale", &SOFT, &1.into()).phase(Phase::Scale).estimate(Estimate::secs(40, 90));
    b.step("promote", &HARD, &1.into()).phase(Phase::Promote).estimate(Estimate::secs(60, 100));
    b.step("shift", &SOFT, &1.into())
        .phase(Phase::Shift)
        .after("scale")
        .after("promote")
        .estimate(Estimate::secs(5, 9));
    let timeline = b.build().unwrap().expected_timeline();
    assert_eq!((timeline.p50, timeline.p95), (Duration::from_secs(65), Duration::from_secs(109)));
    let critical: Vec<_> = timeline.steps.iter().filter(|s| s.critical).map(|s| s.step.as_str()).collect();
    assert_eq!(critical, ["promote", "shift"]);
}

#[test]
fn the_digest_of_a_plan_stays_the_same_from_version_to_version() {
    let mut b = builder();
    b.runner(Some(RegionId::new("eu-central-1").unwrap()));
    b.step("scale", &SOFT, &1.into())
        .phase(Phase::Scale)
        .title("more \"replicas\" of \u{fc}ber")
        .estimate(Estimate::secs(40, 90));
    let output = b.step("promote", &HARD, &2.into()).phase(Phase::Promote).gate("no way back").output();
    b.step("shift", &SOFT, &Arg::From(output)).phase(Phase::Shift).after("scale");
    let plan = b.build().unwrap();
    // Journals and approvals name plans by it: a change here makes every stored plan another one.
    assert_eq!(plan.digest().as_str(), "16c99b38abf356f08ef71567316bb6a2de3fbd9ccca909272017a5c8fc3c2f49");
}

#[test]
fn a_selection_holds_its_phases_and_its_steps_and_no_others() {
    let mut b = builder();
    b.step("a", &SOFT, &1.into()).phase(Phase::Scale);
    b.step("b", &SOFT, &1.into()).phase(Phase::Shift);
    let plan = b.build().unwrap();
    let held = |selection: &Selection| {
        plan.steps().iter().filter(|step| selection.holds(step)).map(|step| step.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(held(&Selection::steps([StepId::new("b").unwrap()])), ["b"]);
    assert_eq!(held(&Selection::phase(Phase::Scale)), ["a"]);
    assert!(held(&Selection::default()).is_empty());
}

#[test]
fn traffic_shifts_after_the_promotion_and_the_readiness_and_a_promotion_after_the_fence() {
    let before = |phase: Phase| {
        let (mut seen, mut open) = (Vec::new(), phase.predecessors().to_vec());
        while let Some(phase) = open.pop() {
            open.extend(phase.predecessors());
            seen.push(phase);
        }
        seen.sort();
        seen
    };
    assert_eq!(before(Phase::Freeze), []);
    assert_eq!(before(Phase::Promote), [Phase::Freeze, Phase::Fence]);
    assert_eq!(before(Phase::Ready), [Phase::Scale]);
    assert_eq!(before(Phase::Shift), Phase::ALL[..5]);
    assert_eq!(before(Phase::Restore), Phase::ALL[..8]);
}

#[test]
fn a_safety_rule_names_steps_that_the_plan_has() {
    let told = |guarded: &str, until: &str| {
        let mut b = builder();
        b.step("promote", &SOFT, &1.into());
        b.step("shift", &SOFT, &1.into()).after("promote");
        let of = |step: &str| Selection::steps([StepId::new(step).unwrap()]);
        let kind = SafetyKind::Gating { steps: of(guarded), until: of(until) };
        let id = SafetyRuleId::new("promoted-first").unwrap();
        b.safety_rule(SafetyRule { id, name: "first the store".to_owned(), kind });
        match b.build() {
            Ok(plan) => plan.safety_rules().iter().map(|rule| rule.name.clone()).collect(),
            Err(problems) => problems.to_string(),
        }
    };
    assert_eq!(told("shift", "promote"), "first the store");
    assert!(told("shift", "ghost").contains("the plan has no step ghost"));
    assert!(told("ghost", "promote").contains("the plan has no step ghost"));
    assert!(told("promote", "shift").contains("shift is to be done before a step that it waits for"));
}

#[test]
fn a_plan_keeps_when_its_application_counts_as_recovered_and_which_applications_it_moves() {
    let mut b = builder();
    b.step("a", &SOFT, &1.into());
    let child = b.build().unwrap();
    assert!(child.recovery().is_none());
    let goal = RecoveryGoal { stays: Duration::from_secs(30), within: Duration::from_secs(300) };
    let mut company =
        PlanBuilder::new(ApplicationId::new("company").unwrap(), child.goal().clone(), *child.objectives());
    company.child("shop", &child);
    company.recovery(goal);
    let plan = company.build().unwrap();
    assert_eq!(plan.recovery(), Some(&goal));
    let own = child.application();
    assert_eq!(plan.applications(), [own, &ApplicationId::new("company").unwrap()].into());
}

#[test]
fn a_planner_completes_the_steps_so_far() {
    let mut b = builder();
    b.step("first", &SOFT, &1.into());
    b.step("second", &SOFT, &1.into());
    for step in b.steps_mut().iter_mut().skip(1) {
        step.after.push(StepId::new("first").unwrap());
    }
    assert_eq!(b.build().unwrap().step("second").unwrap().after, ["first"].map(|id| StepId::new(id).unwrap()));
}
