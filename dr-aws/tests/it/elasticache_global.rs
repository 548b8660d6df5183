//! The ElastiCache driver against the double, through the real SDK.

use std::{sync::Arc, time::Duration};

use dr_aws::elasticache_global::{AwaitAssociated, CacheRoute, ElastiCacheGlobal, PromoteCache};
use dr_core::{
    driver::{Driver as _, SurveyCx},
    error::ErrorKind,
    plan::{GoalKind, Inventory, Mode},
    probe::ProbeCx,
    testing::{Fault, FaultRule},
    validation::CheckCx,
};

use crate::{
    carry_out::{contributed, topology},
    two_regions::{TwoRegions, eu, us},
};

const FAILOVER: &str = "elasticache:FailoverGlobalReplicationGroup";

fn away() -> CacheRoute {
    CacheRoute {
        datastore: "ldgnf-carts".to_owned(),
        from_region: us(),
        from: "carts-use1".to_owned(),
        to_region: eu(),
        to: "carts-euw1".to_owned(),
    }
}

fn back() -> CacheRoute {
    let CacheRoute { datastore, from_region, from, to_region, to } = away();
    CacheRoute { datastore, from_region: to_region, from: to, to_region: from_region, to: from }
}

#[tokio::test]
async fn a_promotion_is_asked_for_once_whatever_happens_to_its_calls() {
    for mishap in [
        FaultRule::new(Fault::ReplyLost).on(FAILOVER).times(1),
        FaultRule::new(Fault::late_apply(Duration::from_secs(2))).on(FAILOVER).times(1),
        FaultRule::new(Fault::late_apply(Duration::from_secs(90))).on(FAILOVER).times(1),
        FaultRule::new(Fault::Refuse).on(FAILOVER).times(2),
        FaultRule::new(Fault::BlackHole).on(FAILOVER).times(1),
        FaultRule::new(Fault::Throttle).on(FAILOVER).times(2),
        FaultRule::new(Fault::ServerError).on(FAILOVER).times(2),
        FaultRule::new(Fault::slow(Duration::from_secs(3))).on("elasticache:*"),
        FaultRule::new(Fault::stale_read(Duration::from_secs(20))).on("elasticache:Describe*"),
        FaultRule::new(Fault::ServerError).on("elasticache:Describe*").after(2).times(7),
    ] {
        let two = TwoRegions::new();
        two.clock.advance(Duration::from_secs(60));
        two.lose_us();
        two.world.faults().add(mishap.clone().at(eu()));
        let promoted = two.carry_out(&PromoteCache::new(two.clients.clone()), &away()).await.unwrap();
        assert_eq!(promoted.primary, "carts-euw1", "{mishap:?}");
        two.clock.advance(Duration::from_secs(600));
        two.settle().await;
        assert_eq!(two.world.effects().count(FAILOVER, "eu-west-1/carts-euw1"), 1, "{mishap:?}");
        assert_eq!(two.world.elasticache().primary("ldgnf-carts").unwrap().0, eu(), "{mishap:?}");
    }
}

#[tokio::test]
async fn a_failback_waits_until_the_old_primary_is_filled_anew() {
    let two = TwoRegions::new();
    two.lose_us();
    two.carry_out(&PromoteCache::new(two.clients.clone()), &away()).await.unwrap();
    two.restore_us();
    let early = two.carry_out(&PromoteCache::new(two.clients.clone()), &back()).await.unwrap_err();
    assert_eq!(early.kind(), ErrorKind::PreconditionFailed);
    assert!(early.message().contains("associating"), "{early}");
    two.carry_out(&AwaitAssociated::new(two.clients.clone()), &back()).await.unwrap();
    two.carry_out(&PromoteCache::new(two.clients.clone()), &back()).await.unwrap();
    assert_eq!(two.world.elasticache().primary("ldgnf-carts").unwrap().0, us());
}

#[tokio::test]
async fn each_goal_has_its_call_in_the_new_primarys_region() {
    let two = TwoRegions::new();
    let driver = ElastiCacheGlobal::new(two.clients.clone());
    let steps = |kind, mode| contributed(&driver, "carts", kind, mode, &Inventory::default()).unwrap();
    let call = |region: &str| Some((FAILOVER.to_owned(), region.to_owned()));
    assert_eq!(steps(GoalKind::Failover, Mode::Ungraceful), [("carts/promote".to_owned(), call("eu-west-1"))]);
    assert_eq!(
        steps(GoalKind::Failback, Mode::Graceful),
        [("carts/await-associated".to_owned(), None), ("carts/promote".to_owned(), call("us-east-1"))]
    );
    assert_eq!(steps(GoalKind::Rehearsal, Mode::Graceful), []);
}

#[tokio::test]
async fn a_survey_sees_the_members_and_says_what_it_could_not_see() {
    let two = TwoRegions::new();
    two.lose_us();
    let driver = ElastiCacheGlobal::new(two.clients.clone());
    let topology = topology();
    let resource = topology.resource(&"carts".parse().unwrap()).unwrap();
    let cx = SurveyCx { topology: &topology, clock: Arc::new(two.clock.clone()) };
    let seen = two.passing(driver.survey(resource, &cx)).await.unwrap();
    let store = &seen.stores[0];
    assert_eq!(store.member(&us()).unwrap().writer, Some(true));
    assert_eq!(store.member(&us()).unwrap().available_instances, None);
    assert_eq!(store.member(&eu()).unwrap().available_instances, Some(2));
    assert!(!seen.unknown.is_empty());
}

#[tokio::test]
async fn validations_find_what_would_stop_a_failover() {
    let two = TwoRegions::new();
    let driver = ElastiCacheGlobal::new(two.clients.clone());
    let topology = topology();
    let resource = topology.resource(&"carts".parse().unwrap()).unwrap();
    let cx = CheckCx { topology: &topology, clock: Arc::new(two.clock.clone()) };
    let associated = &driver.validations(resource).unwrap()[0];
    assert_eq!(two.passing(associated.check(&cx)).await.unwrap(), []);
    let calls = two.clients.for_writes(&eu());
    let call = calls.elasticache().disassociate_global_replication_group().global_replication_group_id("ldgnf-carts");
    call.replication_group_id("carts-euw1").replication_group_region("eu-west-1").send().await.unwrap();
    two.clock.advance(Duration::from_secs(60));
    let found = two.passing(associated.check(&cx)).await.unwrap();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].message.contains("primary-only"), "{found:?}");
}

#[tokio::test]
async fn the_lag_of_a_group_is_found_by_whatever_dimension_names_it() {
    let two = TwoRegions::new();
    two.clock.advance(Duration::from_secs(120));
    let driver = ElastiCacheGlobal::new(two.clients.clone());
    let topology = topology();
    let resource = topology.resource(&"carts".parse().unwrap()).unwrap();
    let probes = driver.probes(resource).unwrap();
    let probe = probes.iter().find(|probe| probe.subject().region == eu()).unwrap();
    let cx = ProbeCx::new(Arc::new(two.clock.clone()));
    assert!(two.passing(probe.probe(&cx)).await.unwrap().is_healthy());
    two.lose_us();
    two.clock.advance(Duration::from_secs(30));
    let promoted = two.carry_out(&PromoteCache::new(two.clients.clone()), &away()).await.unwrap();
    assert_eq!(promoted.rpo.last_sample.map(|sample| sample.lag), Some(Duration::from_millis(400)));
    assert_eq!(promoted.rpo.estimate, Some(Duration::from_millis(30_400)));
}
