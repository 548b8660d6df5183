//! The Aurora driver against the double, through the real SDK.

use std::{sync::Arc, time::Duration};

use dr_aws::aurora_global::{AssessFence, AuroraGlobal, AwaitRejoin, Detach, FenceRung, Promote, Route, Switchover};
use dr_core::{
    driver::{Driver as _, SurveyCx},
    error::ErrorKind,
    model::Plane,
    plan::{GoalKind, Inventory, Mode, Phase},
    planner::{BeforeImages, PlanDraft},
    probe::{ProbeCx, Reading},
    step::{Observed, Reversibility, Step as _},
    testing::{Fault, FaultRule},
    validation::{CheckCx, Severity},
};

use crate::{
    carry_out::{contributed, plan_builder, topology},
    two_regions::{EU_ARN, TwoRegions, US_ARN, eu, us},
};

const FAILOVER: &str = "rds:FailoverGlobalCluster";
const SWITCHOVER: &str = "rds:SwitchoverGlobalCluster";
const REMOVE: &str = "rds:RemoveFromGlobalCluster";

fn away() -> Route {
    Route {
        global_cluster: "orders".to_owned(),
        from_region: us(),
        from: US_ARN.parse().unwrap(),
        to_region: eu(),
        to: EU_ARN.parse().unwrap(),
    }
}

fn writer(two: &TwoRegions) -> String {
    two.world.rds().writer("orders").unwrap().1.to_string()
}

/// Everything that can happen to one call of a step, without a change of what the step has to achieve.
fn mishaps(operation: &str) -> Vec<FaultRule> {
    vec![
        FaultRule::new(Fault::ReplyLost).on(operation).times(1),
        FaultRule::new(Fault::late_apply(Duration::from_secs(2))).on(operation).times(1),
        FaultRule::new(Fault::late_apply(Duration::from_secs(90))).on(operation).times(1),
        FaultRule::new(Fault::Refuse).on(operation).times(2),
        FaultRule::new(Fault::BlackHole).on(operation).times(1),
        FaultRule::new(Fault::Throttle).on(operation).times(2),
        FaultRule::new(Fault::ServerError).on(operation).times(2),
        FaultRule::new(Fault::slow(Duration::from_secs(3))).on("rds:*"),
        FaultRule::new(Fault::stale_read(Duration::from_secs(20))).on("rds:Describe*"),
        FaultRule::new(Fault::Throttle).on("rds:Describe*").after(2).times(7),
        FaultRule::new(Fault::ServerError).on("rds:Describe*").after(2).times(7),
    ]
}

#[tokio::test]
async fn a_promotion_is_asked_for_once_whatever_happens_to_its_calls() {
    for mishap in mishaps(FAILOVER) {
        let two = TwoRegions::new();
        two.clock.advance(Duration::from_secs(60));
        two.lose_us();
        two.world.faults().add(mishap.clone().at(eu()));
        let promoted = two.carry_out(&Promote::new(two.clients.clone()), &away()).await.unwrap();
        assert_eq!(promoted.writer.as_str(), EU_ARN, "{mishap:?}");
        assert_eq!(writer(&two), EU_ARN, "{mishap:?}");
        // A call that is applied late must find nothing left to do.
        two.clock.advance(Duration::from_secs(600));
        two.settle().await;
        assert_eq!(two.world.effects().count(FAILOVER, EU_ARN), 1, "{mishap:?}");
        assert_eq!(two.world.rds().roles("orders").unwrap().epoch, 1, "{mishap:?}");
    }
}

#[tokio::test]
async fn a_switchover_is_asked_for_once_whatever_happens_to_its_calls() {
    for mishap in mishaps(SWITCHOVER) {
        let two = TwoRegions::new();
        two.clock.advance(Duration::from_secs(60));
        two.world.faults().add(mishap.clone());
        let handed = two.carry_out(&Switchover::new(two.clients.clone()), &away()).await.unwrap();
        assert_eq!((handed.writer.as_str(), handed.rpo), (EU_ARN, None), "{mishap:?}");
        two.clock.advance(Duration::from_secs(600));
        two.settle().await;
        assert_eq!(two.world.effects().count(SWITCHOVER, EU_ARN), 1, "{mishap:?}");
        assert_eq!(two.world.effects().all().len(), 1, "{mishap:?}");
    }
}

#[tokio::test]
async fn a_detach_is_asked_for_once_whatever_happens_to_its_calls() {
    for mishap in mishaps(REMOVE) {
        let two = TwoRegions::new();
        two.clock.advance(Duration::from_secs(60));
        two.lose_us();
        two.world.faults().add(mishap.clone().at(eu()));
        let detached = two.carry_out(&Detach::new(two.clients.clone()), &away()).await.unwrap();
        assert_eq!((detached.writer.as_str(), detached.old_primary.as_str()), (EU_ARN, US_ARN), "{mishap:?}");
        two.clock.advance(Duration::from_secs(600));
        two.settle().await;
        assert_eq!(two.world.effects().count(REMOVE, EU_ARN), 1, "{mishap:?}");
        assert!(two.world.rds().is_writable(&eu(), EU_ARN), "{mishap:?}");
    }
}

#[tokio::test]
async fn a_promotion_that_another_process_began_is_waited_for() {
    let two = TwoRegions::new();
    two.lose_us();
    let step = Promote::new(two.clients.clone());
    let cx = two.step_cx();
    {
        // The process is killed some seconds after it asked.
        let route = away();
        let attempt = step.execute(&cx, &route);
        let killed = two.world.clock().sleep(Duration::from_secs(7));
        two.passing(futures::future::select(attempt, killed)).await;
    }
    let observed = two.passing(step.observe(&cx, &away())).await.unwrap();
    assert_eq!(observed, Observed::InFlight);
    two.carry_out(&step, &away()).await.unwrap();
    assert_eq!(two.world.effects().count(FAILOVER, EU_ARN), 1);
}

#[tokio::test]
async fn the_lag_at_promotion_is_told_or_unknown_and_never_zero() {
    let two = TwoRegions::new();
    two.lose_us();
    let promoted = two.carry_out(&Promote::new(two.clients.clone()), &away()).await.unwrap();
    let rpo = promoted.rpo.unwrap();
    // Nobody had read the metric before it vanished, so that there is no sample of it.
    assert_eq!((rpo.last_sample, rpo.estimate), (None, None));

    let two = TwoRegions::new();
    two.clock.advance(Duration::from_secs(120));
    two.world.rds().set_lag("orders", &eu(), Duration::from_millis(900)).unwrap();
    assert!(lag_reading(&two, "orders-db/lag").await.is_healthy());
    two.lose_us();
    two.clock.advance(Duration::from_secs(40));
    let promoted = two.carry_out(&Promote::new(two.clients.clone()), &away()).await.unwrap();
    let rpo = promoted.rpo.unwrap();
    assert_eq!(rpo.last_sample.map(|sample| sample.lag), Some(Duration::from_millis(900)));
    assert_eq!(rpo.estimate, Some(Duration::from_millis(40_900)));
}

async fn lag_reading(two: &TwoRegions, probe: &str) -> Reading {
    let driver = AuroraGlobal::new(two.clients.clone());
    let topology = topology();
    let resource = topology.resource(&"orders-db".parse().unwrap()).unwrap();
    let probes = driver.probes(resource).unwrap();
    let probe = probes.iter().find(|p| p.subject().region == eu() && p.subject().probe == *probe).unwrap();
    two.passing(probe.probe(&ProbeCx::new(Arc::new(two.clock.clone())))).await.unwrap()
}

#[tokio::test]
async fn the_lag_probe_tells_too_much_lag_from_none_told() {
    let two = TwoRegions::new();
    two.world.rds().set_lag("orders", &eu(), Duration::from_secs(31)).unwrap();
    let reading = lag_reading(&two, "orders-db/lag").await;
    assert!(!reading.is_healthy() && reading.reason.contains("31s behind"), "{reading:?}");
    let two = TwoRegions::new();
    two.lose_us();
    let reading = lag_reading(&two, "orders-db/lag").await;
    assert!(!reading.is_healthy() && reading.reason.contains("has no lag"), "{reading:?}");
}

#[tokio::test]
async fn a_lag_beyond_the_objective_is_found_and_an_unknown_one_is_a_warning() {
    let topology = topology();
    let resource = topology.resource(&"orders-db".parse().unwrap()).unwrap();
    let found = async |two: &TwoRegions| {
        let driver = AuroraGlobal::new(two.clients.clone());
        let validations = driver.validations(resource).unwrap();
        let lag = validations.iter().find(|validation| validation.id() == "aws.aurora_global/lag").unwrap();
        let cx = CheckCx { topology: &topology, clock: Arc::new(two.clock.clone()) };
        let found = two.passing(lag.check(&cx)).await.unwrap();
        found.into_iter().map(|finding| finding.severity).collect::<Vec<_>>()
    };
    let two = TwoRegions::new();
    assert_eq!(found(&two).await, []);
    let two = TwoRegions::new();
    two.world.rds().set_lag("orders", &eu(), Duration::from_secs(61)).unwrap();
    assert_eq!(found(&two).await, [Severity::Error]);
    let two = TwoRegions::new();
    two.world.faults().switch(&us(), Plane::Data, Some(Fault::Refuse));
    assert_eq!(found(&two).await, [Severity::Warning]);
}

#[tokio::test]
async fn a_headless_target_is_refused_with_the_reason() {
    let two = TwoRegions::new();
    two.world.rds().remove_instances(&eu(), "orders-euw1").unwrap();
    let error = two.carry_out(&Promote::new(two.clients.clone()), &away()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PreconditionFailed);
    assert!(error.message().contains("headless"), "{error}");
    assert!(two.world.effects().all().is_empty());
}

#[tokio::test]
async fn a_target_that_was_not_rebuilt_yet_is_blocked() {
    let two = TwoRegions::new();
    two.lose_us();
    two.carry_out(&Promote::new(two.clients.clone()), &away()).await.unwrap();
    let back = away().reversed();
    let observed = two.passing(Promote::new(two.clients.clone()).observe(&two.step_cx(), &back)).await;
    // us-east-1 does not even answer; when it does, its cluster is not in sync.
    assert!(observed.is_err());
    two.restore_us();
    // The breaker looks again after its cooldown.
    two.clock.advance(std::time::Duration::from_secs(5));
    let observed = two.passing(Promote::new(two.clients.clone()).observe(&two.step_cx(), &back)).await.unwrap();
    assert!(matches!(observed, Observed::Blocked { reason } if reason.contains("pending-resync")));
}

#[tokio::test]
async fn a_failback_waits_for_the_rejoin_and_hands_back_without_loss() {
    let two = TwoRegions::new();
    two.lose_us();
    two.carry_out(&Promote::new(two.clients.clone()), &away()).await.unwrap();
    two.restore_us();
    let back = away().reversed();
    let rejoined = two.carry_out(&AwaitRejoin::new(two.clients.clone()), &back).await.unwrap();
    // Its events, readable now, say that it had not been fenced.
    assert_eq!(rejoined.was_fenced, Some(false));
    two.carry_out(&Switchover::new(two.clients.clone()), &back).await.unwrap();
    assert_eq!(writer(&two), US_ARN);
    let promotions = two.world.rds().promotions("orders");
    assert_eq!(promotions.iter().map(|promotion| promotion.data_loss_allowed).collect::<Vec<_>>(), [true, false]);
}

#[tokio::test]
async fn a_switchover_is_taken_back_by_another() {
    let two = TwoRegions::new();
    let step = Switchover::new(two.clients.clone());
    let cx = two.step_cx();
    let before = two.passing(step.before_image(&cx, &away())).await.unwrap();
    let cx = cx.with_before(before);
    // Taking back what was never made changes nothing.
    two.passing(step.compensate(&cx, &away(), None)).await.unwrap();
    assert!(two.world.effects().all().is_empty());
    let output = two.passing(step.execute(&cx, &away())).await.unwrap();
    two.passing(step.compensate(&cx, &away(), Some(&output))).await.unwrap();
    assert_eq!(writer(&two), US_ARN);
    assert_eq!(two.world.effects().count(SWITCHOVER, US_ARN), 1);
}

#[tokio::test]
async fn a_promotion_cannot_be_taken_back() {
    let two = TwoRegions::new();
    let error = Promote::new(two.clients.clone()).compensate(&two.step_cx(), &away(), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn a_switchover_that_is_cancelled_is_told_and_the_writer_stays() {
    let two = TwoRegions::new();
    let step = Switchover::new(two.clients.clone());
    let cx = two.step_cx();
    let (clock, faults) = (two.world.clock().clone(), two.world.faults().clone());
    let storage = async move {
        clock.sleep(Duration::from_secs(10)).await;
        faults.switch(&eu(), Plane::Data, Some(Fault::BlackHole));
    };
    let (ended, ()) = two.passing(futures::future::join(step.execute(&cx, &away()), storage)).await;
    let error = ended.unwrap_err();
    assert!(error.message().contains("ended without a promotion"), "{error}");
    assert_eq!(writer(&two), US_ARN);
}

#[tokio::test]
async fn it_is_told_on_which_rung_of_fencing_a_promotion_stands() {
    let two = TwoRegions::new();
    two.lose_us();
    let fence = AssessFence::new(two.clients.clone());
    let report = two.carry_out(&fence, &away()).await.unwrap();
    assert_eq!((report.rung, report.confirmed), (FenceRung::AuroraStorage, false));
    two.carry_out(&Promote::new(two.clients.clone()), &away()).await.unwrap();
    let report = two.carry_out(&fence, &away()).await.unwrap();
    assert_eq!((report.rung, report.confirmed), (FenceRung::AlreadyDemoted, true));
}

#[tokio::test]
async fn each_goal_has_its_call_at_its_endpoint() {
    let two = TwoRegions::new();
    let driver = AuroraGlobal::new(two.clients.clone());
    let steps = |kind, mode| contributed(&driver, "orders-db", kind, mode, &Inventory::default()).unwrap();
    let call = |operation: &str, region: &str| Some((operation.to_owned(), region.to_owned()));
    assert_eq!(
        steps(GoalKind::Failover, Mode::Ungraceful),
        [("orders-db/assess-fence".to_owned(), None), ("orders-db/promote".to_owned(), call(FAILOVER, "eu-west-1")),]
    );
    assert_eq!(
        steps(GoalKind::Switchover, Mode::Graceful),
        [("orders-db/switchover".to_owned(), call(SWITCHOVER, "us-east-1"))]
    );
    assert_eq!(
        steps(GoalKind::Failback, Mode::Graceful),
        [
            ("orders-db/await-rejoin".to_owned(), None),
            ("orders-db/switchover".to_owned(), call(SWITCHOVER, "eu-west-1")),
        ]
    );
    assert_eq!(steps(GoalKind::Rehearsal, Mode::Graceful), []);
}

#[tokio::test]
async fn the_plan_follows_what_was_surveyed() {
    let two = TwoRegions::new();
    let driver = AuroraGlobal::new(two.clients.clone());
    let topology = topology();
    let resource = topology.resource(&"orders-db".parse().unwrap()).unwrap();
    let cx = SurveyCx { topology: &topology, clock: Arc::new(two.clock.clone()) };
    two.world.rds().set_engine_version(&eu(), "orders-euw1", "16.6").unwrap();
    let seen = two.passing(driver.survey(resource, &cx)).await.unwrap();
    let steps = contributed(&driver, "orders-db", GoalKind::Failover, Mode::Ungraceful, &seen).unwrap();
    assert_eq!(steps[1].0, "orders-db/detach");
    assert_eq!(steps[1].1, Some((REMOVE.to_owned(), "eu-west-1".to_owned())));
    let refused = contributed(&driver, "orders-db", GoalKind::Switchover, Mode::Graceful, &seen).unwrap_err();
    assert!(refused.message().contains("16.4") && refused.message().contains("16.6"), "{refused}");

    two.world.rds().set_engine_version(&eu(), "orders-euw1", "16.4").unwrap();
    two.world.rds().remove_instances(&eu(), "orders-euw1").unwrap();
    let seen = two.passing(driver.survey(resource, &cx)).await.unwrap();
    let refused = contributed(&driver, "orders-db", GoalKind::Failover, Mode::Ungraceful, &seen).unwrap_err();
    assert!(refused.message().contains("no available instance"), "{refused}");
}

#[tokio::test]
async fn a_survey_of_a_dark_region_says_what_it_could_not_see() {
    let two = TwoRegions::new();
    two.lose_us();
    let driver = AuroraGlobal::new(two.clients.clone());
    let topology = topology();
    let resource = topology.resource(&"orders-db".parse().unwrap()).unwrap();
    let cx = SurveyCx { topology: &topology, clock: Arc::new(two.clock.clone()) };
    let seen = two.passing(driver.survey(resource, &cx)).await.unwrap();
    let [store] = seen.stores.as_slice() else { panic!("{seen:?}") };
    let (us, eu) = (store.member(&us()).unwrap(), store.member(&eu()).unwrap());
    assert_eq!((us.writer, us.available_instances, us.engine_version.as_deref()), (Some(true), None, None));
    assert_eq!((eu.writer, eu.available_instances, eu.synchronised), (Some(false), Some(2), Some(true)));
    assert!(seen.unknown.iter().any(|line| line.contains(US_ARN)), "{:?}", seen.unknown);
}

#[tokio::test]
async fn validations_find_what_would_stop_a_failover() {
    let two = TwoRegions::new();
    let driver = AuroraGlobal::new(two.clients.clone());
    let topology = topology();
    let resource = topology.resource(&"orders-db".parse().unwrap()).unwrap();
    let check = async || {
        let cx = CheckCx { topology: &topology, clock: Arc::new(two.clock.clone()) };
        let mut found = Vec::new();
        for validation in driver.validations(resource).unwrap() {
            // Lag is looked at where CloudWatch is.
            if validation.id() != "aws.aurora_global/lag" {
                found.extend(two.passing(validation.check(&cx)).await.unwrap());
            }
        }
        found.into_iter().map(|finding| (finding.check, finding.severity)).collect::<Vec<_>>()
    };
    assert_eq!(check().await, []);
    two.world.rds().set_engine_version(&eu(), "orders-euw1", "15.9").unwrap();
    two.world.rds().remove_instances(&eu(), "orders-euw1").unwrap();
    assert_eq!(
        check().await,
        [
            ("aws.aurora_global/headless-target".to_owned(), Severity::Error),
            ("aws.aurora_global/version-skew".to_owned(), Severity::Error),
        ]
    );
    let two = TwoRegions::new();
    two.lose_us();
    two.carry_out(&Promote::new(two.clients.clone()), &away()).await.unwrap();
    two.restore_us();
    let driver = AuroraGlobal::new(two.clients.clone());
    let cx = CheckCx { topology: &topology, clock: Arc::new(two.clock.clone()) };
    let mut found = Vec::new();
    for validation in driver.validations(resource).unwrap() {
        if validation.id() == "aws.aurora_global/synchronized" {
            found.extend(two.passing(validation.check(&cx)).await.unwrap());
        }
    }
    assert!(found[0].message.contains("pending-resync"), "{found:?}");
}

#[tokio::test]
async fn the_status_probe_sees_a_cluster_and_never_blames_a_silent_api() {
    let two = TwoRegions::new();
    let driver = AuroraGlobal::new(two.clients.clone());
    let topology = topology();
    let resource = topology.resource(&"orders-db".parse().unwrap()).unwrap();
    let probes = driver.probes(resource).unwrap();
    let probe = probes.iter().find(|p| p.subject().region == us() && p.subject().probe == *"orders-db/status").unwrap();
    let cx = ProbeCx::new(Arc::new(two.clock.clone()));
    assert!(two.passing(probe.probe(&cx)).await.unwrap().is_healthy());
    two.lose_us();
    assert!(two.passing(probe.probe(&cx)).await.is_err());
    two.restore_us();
    // The breaker looks again after its cooldown.
    two.clock.advance(std::time::Duration::from_secs(5));
    two.world.rds().remove_instances(&us(), "orders-use1").unwrap();
    assert!(!two.passing(probe.probe(&cx)).await.unwrap().is_healthy());
}

#[tokio::test]
async fn nothing_in_the_plan_passes_for_a_fence_that_is_none() {
    let two = TwoRegions::new();
    let topology = topology();
    let resource = topology.resource(&"orders-db".parse().unwrap()).unwrap();
    let mut builder = plan_builder(GoalKind::Failover, Mode::Ungraceful);
    let (inventory, before) = (Inventory::default(), BeforeImages::default());
    let mut draft = PlanDraft::new(&mut builder, &topology, &inventory, &before, resource);
    AuroraGlobal::new(two.clients.clone()).contribute(resource, &mut draft).unwrap();
    let fences = builder.steps().iter().filter(|step| step.phase == Phase::Fence);
    assert!(fences.into_iter().all(|step| step.reversibility != Reversibility::ReadOnly));
}
