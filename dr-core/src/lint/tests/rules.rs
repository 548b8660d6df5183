//! For each rule, a plan that breaks it and one that is nearly the same and does not.

use std::time::Duration;

use serde_json::json;

use super::super::fixtures::case::*;
use crate::{
    model::{Plane, StepId},
    plan::{CheckFact, Gate, GoalKind, Mode, Phase, PlanStep},
    spec::Waiver,
};

fn calls(calls: Vec<crate::plan::Call>) -> impl Fn(&mut PlanStep) {
    move |step| step.calls = calls.clone()
}

fn without(id: &'static str) -> impl Fn(&mut Vec<PlanStep>) {
    move |steps| {
        steps.retain(|step| step.id != *id);
        steps.iter_mut().for_each(|step| step.after.retain(|before| *before != *id));
    }
}

#[test]
fn the_good_plan_breaks_no_rule() {
    let report = Case::new().report();
    assert!(report.findings.is_empty(), "{report}");
    assert!(report.allows_run());
}

#[test]
fn e01_a_control_plane_in_the_failed_region() {
    let scale = |endpoint| Case::new().step("apps/scale", calls(vec![control("autoscaling:PutPolicy", endpoint)]));
    assert_eq!(scale(EAST).broken(), ["E01 apps/scale"]);
    assert_eq!(scale(WEST).broken(), [""; 0]);
    let either = |mut call: crate::plan::Call| {
        call.endpoints.push(region(WEST));
        call
    };
    let two = calls(vec![either(control("autoscaling:PutPolicy", EAST))]);
    assert_eq!(Case::new().step("apps/scale", two).broken(), [""; 0], "one endpoint that is left is enough");
}

#[test]
fn e01_knows_where_global_apis_live() {
    let policy = |operation: &'static str| Case::new().step("apps/scale", calls(vec![control(operation, WEST)]));
    assert_eq!(policy("iam:PutRolePolicy").broken(), ["E01 apps/scale", "E16 apps/scale"]);
    assert_eq!(policy("sts:AssumeRole").broken(), [""; 0]);
}

#[test]
fn e01_counts_a_cluster_s_api_server_as_a_control_plane() {
    let mut patch = control("k8s:patch deployments/scale", EAST);
    patch.plane = Plane::Kubernetes;
    assert_eq!(Case::new().step("apps/scale", calls(vec![patch])).broken(), ["E01 apps/scale"]);
}

#[test]
fn e02_route_53_when_its_api_is_what_failed() {
    let record = control("route53:ChangeResourceRecordSets", EAST);
    let shift = Case::new().step("dns/shift", calls(vec![record.clone()]));
    assert_eq!(shift.broken(), ["E02 dns/shift"]);
    let mut healthy = Case::new().step("dns/shift", calls(vec![record]));
    healthy.goal.mode = Mode::Graceful;
    healthy.goal.kind = GoalKind::Drill;
    assert_eq!(healthy.broken(), [""; 0], "with us-east-1 healthy the API is there");
}

#[test]
fn e02_is_a_warning_where_accelerated_recovery_is_fast_enough() {
    let call = |operation: &'static str, zone: bool, hours: u64| {
        let call = control(operation, EAST).arg("AcceleratedRecoveryStatus", "ENABLED").arg("PrivateZone", zone);
        let mut case = Case::new().step("dns/shift", calls(vec![call.arg("Disabled", true).arg("Inverted", true)]));
        case.objectives.rto = Duration::from_secs(hours * 3600);
        case.report().errors().count()
    };
    assert_eq!(call("route53:ChangeResourceRecordSets", false, 2), 0);
    assert_eq!(call("route53:ChangeResourceRecordSets", false, 1), 1, "an hour leaves nothing for the step");
    assert_eq!(call("route53:ChangeResourceRecordSets", true, 2), 1, "private zones are not covered");
    assert_eq!(call("route53:UpdateHealthCheck", false, 2), 1, "health checks are not covered");
}

fn graceful(mut case: Case) -> Case {
    case.goal.kind = GoalKind::Drill;
    case.goal.mode = Mode::Graceful;
    case
}

fn check_update(disabled: bool, inverted: bool, observed: bool) -> Case {
    let mut call = control("route53:UpdateHealthCheck", EAST).arg("Disabled", disabled).arg("Inverted", inverted);
    if observed {
        call = call.arg("ObservedHealthy", true);
    }
    graceful(Case::new().step("dns/shift", calls(vec![call])))
}

#[test]
fn e03_disabling_a_check_makes_it_healthy() {
    assert_eq!(check_update(true, false, false).broken(), ["E03 dns/shift"]);
    assert_eq!(check_update(true, true, false).broken(), [""; 0]);
    let mut failback = check_update(true, false, false);
    failback.goal.kind = GoalKind::Failback;
    failback.find("dns/shift").gate = Some(Gate::new("go back?"));
    assert_eq!(failback.broken(), [""; 0], "a failback writes back what was there");
}

#[test]
fn e04_inverting_a_check_that_is_down_makes_it_healthy() {
    assert_eq!(check_update(false, true, false).broken(), ["E04 dns/shift"]);
    assert_eq!(check_update(false, true, true).broken(), [""; 0]);
}

#[test]
fn e05_traffic_before_data() {
    let early = Case::new().step("dns/shift", |step| step.after.retain(|before| *before != "db/promote"));
    assert_eq!(early.broken(), ["E05 dns/shift"]);
    // Through another step is as good as directly.
    let by_way = Case::new().change(|steps| {
        let promote = StepId::new("db/promote").unwrap();
        steps.iter_mut().find(|step| step.id == *"dns/shift").unwrap().after.retain(|before| *before != promote);
        steps.iter_mut().find(|step| step.id == *"apps/ready").unwrap().after.push(promote);
    });
    assert_eq!(by_way.broken(), [""; 0]);
}

#[test]
fn e05_a_store_that_nothing_promotes() {
    assert_eq!(Case::new().change(without("cache/promote")).broken(), ["E05 dns/shift", "E23 cache"]);
    let mut read_only = Case::new().change(without("cache/promote"));
    read_only.facts.stores[1].writable_required = false;
    assert_eq!(read_only.broken(), [""; 0], "a store that clients only read needs no writer");
    let mut there = Case::new().change(without("cache/promote"));
    there.facts.stores[1].members[1].writer = Some(true);
    assert_eq!(there.broken(), [""; 0], "its writer is there already");
}

#[test]
fn e05_sees_a_shift_that_claims_another_phase() {
    let hidden = Case::new().step("apps/scale", calls(vec![routing_control(5)]));
    assert_eq!(hidden.broken(), ["E05 apps/scale", "E05 apps/scale"]);
}

/// A routing control, called at this many of its cluster's endpoints.
fn routing_control(endpoints: usize) -> crate::plan::Call {
    let names = ["us-east-1", "us-west-2", "eu-west-1", "ap-northeast-1", "ap-southeast-2"];
    let mut call = data("route53-recovery-cluster:UpdateRoutingControlState", WEST);
    call.endpoints = names.iter().take(endpoints).map(|name| region(name)).collect();
    call
}

#[test]
fn e22_a_routing_control_has_five_endpoints_to_try() {
    let shift = |endpoints| Case::new().step("dns/shift", calls(vec![routing_control(endpoints)]));
    assert_eq!(shift(4).broken(), ["E22 dns/shift"]);
    assert_eq!(shift(5).broken(), [""; 0]);
}

#[test]
fn e06_dns_that_moves_by_itself() {
    let with = |check: CheckFact| {
        let mut case = Case::new();
        case.facts.traffic[0].primary_check = check;
        case
    };
    let endpoint = || CheckFact::Endpoint { fqdn: "api-us-east-1.example.com".to_owned() };
    assert_eq!(with(endpoint()).broken(), ["E06 dns"]);
    assert_eq!(with(CheckFact::RecoveryControl).broken(), [""; 0]);
    let mut stateless = with(endpoint());
    stateless.facts.stores.iter_mut().for_each(|store| store.writable_required = false);
    assert_eq!(stateless.broken(), [""; 0]);
}

#[test]
fn e07_nothing_holds_traffic_where_it_was_sent() {
    let mut loose = Case::new().change(without("dns/latch"));
    loose.facts.traffic[0].primary_check = CheckFact::Other { kind: "CALCULATED".to_owned() };
    assert_eq!(loose.broken(), ["E07 dns/shift"]);
    let mut latched = Case::new();
    latched.facts.traffic[0].primary_check = CheckFact::Other { kind: "CALCULATED".to_owned() };
    assert_eq!(latched.broken(), [""; 0], "the latch step holds it");
    assert_eq!(Case::new().change(without("dns/latch")).broken(), [""; 0], "the object that stays is the latch");
    let mut unknown = Case::new().change(without("dns/latch"));
    unknown.facts.traffic.clear();
    assert_eq!(unknown.broken(), ["E07 dns/shift"], "what is unknown holds nothing");
}

#[test]
fn e08_a_promotion_without_a_fence() {
    assert_eq!(Case::new().change(without("db/fence")).broken(), ["E08 db/promote"]);
    let beside = Case::new().step("db/promote", |step| step.after.clear());
    assert_eq!(beside.broken(), ["E08 db/promote"], "a fence that is not waited for fences nothing");
    let switchover = control("rds:SwitchoverGlobalCluster", EAST).arg("TargetDbClusterIdentifier", NEW_ARN);
    let mut planned = graceful(Case::new().change(move |steps| {
        without("db/fence")(steps);
        let promote = steps.iter_mut().find(|step| step.id == *"db/promote").unwrap();
        promote.calls = vec![look("rds:DescribeGlobalClusters", WEST), switchover.clone()];
    }));
    planned.goal.kind = GoalKind::Switchover;
    assert_eq!(planned.broken(), [""; 0], "a switchover is a fence itself");
}

#[test]
fn e08_takes_a_silent_promotion_at_its_worst() {
    let silent = Case::new().change(|steps| {
        without("db/fence")(steps);
        steps.iter_mut().find(|step| step.id == *"db/promote").unwrap().calls.clear();
    });
    assert_eq!(silent.broken(), ["E08 db/promote"]);
}

fn promote(call: crate::plan::Call) -> Case {
    let service = call.operation.split(':').next().unwrap().to_owned();
    let id = if service == "rds" { "db/promote" } else { "cache/promote" };
    Case::new().step(id, move |step| step.calls = vec![look(&format!("{service}:DescribeAll"), WEST), call.clone()])
}

#[test]
fn e09_a_failover_goes_to_the_target_s_region() {
    let witness = |endpoint| {
        promote(
            control("rds:FailoverGlobalCluster", endpoint)
                .arg("TargetDbClusterIdentifier", NEW_ARN)
                .arg("AllowDataLoss", true),
        )
    };
    assert_eq!(witness(WITNESS).broken(), ["E09 db/promote"]);
    assert_eq!(witness(WEST).broken(), [""; 0]);
    let detach =
        |endpoint| promote(control("rds:RemoveFromGlobalCluster", endpoint).arg("DbClusterIdentifier", NEW_ARN));
    assert_eq!(detach(WITNESS).broken(), ["E09 db/promote", "E14 db/promote"]);
    assert_eq!(detach(WEST).broken(), ["E14 db/promote"]);
}

#[test]
fn e09_a_switchover_goes_to_the_writer_s_region() {
    let switchover = |endpoint| {
        graceful(promote(control("rds:SwitchoverGlobalCluster", endpoint).arg("TargetDbClusterIdentifier", NEW_ARN)))
    };
    assert_eq!(switchover(WEST).broken(), ["E09 db/promote"]);
    assert_eq!(switchover(EAST).broken(), [""; 0]);
    let mut moved = switchover(WITNESS);
    moved.facts.stores[0].members[0].region = region(WITNESS);
    assert_eq!(moved.broken(), [""; 0], "where the writer is, not where the plan thinks it is");
}

#[test]
fn e09_a_cache_s_new_primary_is_the_target() {
    let cache = |endpoint, primary: &'static str| {
        promote(control("elasticache:FailoverGlobalReplicationGroup", endpoint).arg("PrimaryRegion", primary))
    };
    assert_eq!(cache(WEST, EAST).broken(), ["E09 cache/promote"]);
    assert_eq!(cache(WITNESS, WEST).broken(), ["E09 cache/promote"]);
    assert_eq!(cache(WEST, WEST).broken(), [""; 0]);
}

#[test]
fn e10_a_switchover_in_a_disaster() {
    let switchover = control("rds:SwitchoverGlobalCluster", EAST).arg("TargetDbClusterIdentifier", NEW_ARN);
    let broken = promote(switchover.clone()).broken();
    assert_eq!(broken, ["E01 db/promote", "E10 db/promote"]);
    assert_eq!(graceful(promote(switchover)).broken(), [""; 0]);
    let shy = control("rds:FailoverGlobalCluster", WEST).arg("TargetDbClusterIdentifier", NEW_ARN);
    assert_eq!(promote(shy.clone()).broken(), ["E10 db/promote"]);
    assert_eq!(promote(shy.arg("AllowDataLoss", true)).broken(), [""; 0]);
}

#[test]
fn e11_a_target_is_an_arn_in_the_target_region() {
    let target = |target: serde_json::Value| {
        promote(
            control("rds:FailoverGlobalCluster", WEST)
                .arg("TargetDbClusterIdentifier", target)
                .arg("AllowDataLoss", true),
        )
    };
    assert_eq!(target(json!("orders")).broken(), ["E11 db/promote"]);
    assert_eq!(target(json!(OLD_ARN)).broken(), ["E09 db/promote", "E11 db/promote"]);
    assert_eq!(target(json!("arn:aws:rds:eu-west-1:1:db:orders")).broken(), ["E11 db/promote"], "an instance");
    assert_eq!(target(json!(NEW_ARN)).broken(), [""; 0]);
    assert_eq!(target(json!("arn:aws-cn:rds:eu-west-1:1:cluster:orders")).broken(), [""; 0]);
    assert_eq!(target(json!({ "$output": "db/fence" })).broken(), [""; 0], "known only during the run");
}

#[test]
fn e18_the_executor_is_not_in_the_failed_region() {
    let mut runner = Case::new();
    runner.runner = EAST;
    assert_eq!(runner.broken(), ["E18 runner"]);
    let mut journal = Case::new();
    journal.journal = EAST;
    assert_eq!(journal.broken(), ["E18 journal"]);
    let mut standby = Case::new();
    (standby.runner, standby.journal) = (WEST, WEST);
    assert_eq!(standby.broken(), [""; 0]);
}

#[test]
fn w32_the_plan_meets_its_rto_on_paper() {
    // 52 s to detect, 5 + 60 + 5 + 45 + 5 s of critical path, 60 s of TTL.
    let within = |seconds| {
        let mut case = Case::new();
        case.objectives.rto = Duration::from_secs(seconds);
        case
    };
    assert_eq!(within(232).broken(), [""; 0]);
    assert_eq!(within(231).broken(), ["W32 plan"]);
    let report = within(231).report();
    let finding = &report.findings[0];
    assert_eq!(
        finding.message,
        "3m52s at worst, against an RTO of 3m51s: 52s to detect, 2m for the critical path up to dns/confirm, 1m of TTL"
    );
    assert_eq!(finding.evidence["total_s"], 232.0);
    assert_eq!(graceful(within(231)).broken(), [""; 0], "nothing has to be detected in a graceful plan");
}

#[test]
fn w32_takes_the_timeout_of_a_step_that_nobody_estimated() {
    let mut case = Case::new().step("apps/ready", |step| step.estimate = Default::default());
    case.objectives.rto = Duration::from_secs(400);
    assert_eq!(case.broken(), ["W32 plan"]);
}

#[test]
fn w36_no_attempt_waits_long_for_a_dead_region() {
    let fence = |seconds| {
        Case::new().step("db/fence", move |step| {
            step.calls = vec![data("app:FreezeWrites", EAST)];
            step.timeout = Duration::from_secs(seconds);
        })
    };
    assert_eq!(fence(11).broken(), ["W36 db/fence"]);
    assert_eq!(fence(10).broken(), [""; 0]);
    assert_eq!(graceful(fence(11)).broken(), [""; 0], "in a graceful plan nobody is dead");
}

#[test]
fn w36_a_promotion_is_not_repeated_blindly() {
    let blind = |attempts| {
        Case::new().step("db/promote", move |step| {
            step.calls.retain(|call| call.mutates);
            step.retry.attempts = attempts;
        })
    };
    assert_eq!(blind(2).broken(), ["W36 db/promote"]);
    assert_eq!(blind(1).broken(), [""; 0]);
}

#[test]
fn w36_a_step_fits_into_its_run() {
    let long = |seconds| Case::new().step("apps/ready", move |step| step.timeout = Duration::from_secs(seconds));
    assert_eq!(long(3601).broken(), ["W36 apps/ready"]);
    assert_eq!(long(3600).broken(), [""; 0]);
}

#[test]
fn w37_observers_can_be_believed_without_the_failed_region() {
    let observers = |regions: &[&str], quorum: u32| {
        let mut case = Case::new();
        let list: Vec<_> =
            regions.iter().enumerate().map(|(i, region)| json!({ "id": format!("o{i}"), "region": region })).collect();
        case.spec["observers"] = json!(list);
        case.spec["detection"]["quorum"] = json!(quorum);
        case.report().findings.iter().map(|finding| finding.message.clone()).collect::<Vec<_>>()
    };
    assert_eq!(observers(&[EAST, WEST, WITNESS], 2), [""; 0]);
    assert_eq!(observers(&[WEST, WITNESS], 2), ["2 observer(s) cannot tell a lost region from a lost observer"]);
    assert_eq!(observers(&[WEST, WEST, WEST], 2), ["every observer is in eu-west-1, and shares its fate"]);
    assert_eq!(
        observers(&[EAST, EAST, WITNESS], 2),
        ["a quorum of 2 cannot be met by the 1 observers outside us-east-1"]
    );
    assert_eq!(observers(&[EAST, EAST, WEST, WITNESS, WITNESS], 3), [""; 0]);
}

#[test]
fn the_three_plans_of_the_issue_are_refused_with_rule_reason_and_remedy() {
    let early = Case::new().step("dns/shift", |step| step.after.retain(|before| *before != "db/promote"));
    let unfenced = Case::new().change(without("db/fence"));
    let through_api = Case::new().step("dns/shift", calls(vec![control("route53:ChangeResourceRecordSets", EAST)]));
    let text: Vec<String> = [early, unfenced, through_api].iter().map(|case| case.report().to_string()).collect();
    insta::assert_snapshot!(text.join("\n\n"));
}

#[test]
fn restoring_is_not_shifting() {
    // A drill's clean-up touches the switch without waiting for any store.
    let restore = Case::new().change(|steps| {
        let mut step = steps.last().unwrap().clone();
        step.id = StepId::new("dns/restore").unwrap();
        (step.phase, step.after) = (Phase::Restore, Vec::new());
        step.calls = vec![data("s3:DeleteObject", WEST)];
        steps.push(step);
    });
    assert_eq!(restore.broken(), [""; 0]);
}

pub(super) fn waiver(rule: &str) -> Waiver {
    Waiver {
        rule: rule.to_owned(),
        step: None,
        who: "Ada".to_owned(),
        why: "measured in the last drill".to_owned(),
        until: "2027-03-31".parse().unwrap(),
    }
}
