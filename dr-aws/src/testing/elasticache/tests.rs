use std::time::Duration;

use dr_core::{
    model::{Plane, RegionId},
    time::Monotonic,
};
use proptest::prelude::*;

use super::*;

fn region(name: &str) -> RegionId {
    RegionId::new(name).unwrap()
}

fn us() -> RegionId {
    region("us-east-1")
}

fn eu() -> RegionId {
    region("eu-west-1")
}

fn well(_: &RegionId, _: Plane) -> bool {
    true
}

fn without_us(region: &RegionId, _: Plane) -> bool {
    *region != us()
}

fn at(seconds: u64) -> Monotonic {
    Monotonic::new(Duration::from_secs(seconds))
}

fn carts() -> State {
    let mut state = State::new("111122223333", Timings::default());
    state.set_up(&DatastoreSetup::new("ldgnf-carts").member(us(), "carts-use1").member(eu(), "carts-euw1")).unwrap();
    state
}

fn primary(state: &State) -> RegionId {
    state.datastore("ldgnf-carts").unwrap().primary().unwrap().region.clone()
}

fn status(state: &State) -> &'static str {
    state.datastore("ldgnf-carts").unwrap().status()
}

#[test]
fn a_failover_exchanges_the_roles_and_takes_no_writes_meanwhile() {
    let mut state = carts();
    state.failover(&eu(), "ldgnf-carts", "eu-west-1", "carts-euw1", at(0), &without_us).unwrap();
    assert_eq!(status(&state), "modifying");
    assert!(!state.accepts_writes(&us(), "carts-use1") && !state.accepts_writes(&eu(), "carts-euw1"));
    state.advance(at(29), &without_us);
    assert_eq!(primary(&state), us());
    state.advance(at(30), &without_us);
    assert_eq!((status(&state), primary(&state)), ("available", eu()));
    assert!(state.accepts_writes(&eu(), "carts-euw1") && !state.accepts_writes(&us(), "carts-use1"));
    let datastore = state.datastore("ldgnf-carts").unwrap();
    assert_eq!(datastore.member_status(&datastore.members[0]), "associating");
    let back = state.failover(&us(), "ldgnf-carts", "us-east-1", "carts-use1", at(31), &well).unwrap_err();
    assert_eq!(back.code, "InvalidGlobalReplicationGroupState");
    state.advance(at(100), &well);
    state.advance(at(130), &well);
    let datastore = state.datastore("ldgnf-carts").unwrap();
    assert_eq!(datastore.member_status(&datastore.members[0]), "associated");
    assert_eq!(datastore.members[0].wiped, 1);
    state.failover(&us(), "ldgnf-carts", "us-east-1", "carts-use1", at(131), &well).unwrap();
}

#[test]
fn the_new_primary_is_named_in_full_and_called_in_its_own_region() {
    let mut state = carts();
    for (endpoint, id, region, group, code) in [
        (us(), "ldgnf-carts", "eu-west-1", "carts-euw1", "InvalidParameterValue"),
        (eu(), "ldgnf-carts", "us-east-1", "carts-euw1", "InvalidParameterValue"),
        (us(), "ldgnf-carts", "us-east-1", "carts-use1", "InvalidParameterValue"),
        (eu(), "carts", "eu-west-1", "carts-euw1", "GlobalReplicationGroupNotFoundFault"),
    ] {
        let fault = state.failover(&endpoint, id, region, group, at(0), &well).unwrap_err();
        assert_eq!(fault.code, code, "{fault}");
    }
    assert_eq!(status(&state), "available");
}

#[test]
fn nothing_else_runs_while_a_change_runs_or_when_only_the_primary_is_left() {
    let mut state = carts();
    state.disassociate(&eu(), "ldgnf-carts", "eu-west-1", "carts-euw1", at(0)).unwrap();
    let fault = state.failover(&eu(), "ldgnf-carts", "eu-west-1", "carts-euw1", at(1), &well).unwrap_err();
    assert_eq!(fault.code, "InvalidGlobalReplicationGroupState");
    state.advance(at(20), &well);
    assert_eq!(status(&state), "primary-only");
    // Both write now: a disassociated cluster is one of its own.
    assert!(state.accepts_writes(&us(), "carts-use1") && state.accepts_writes(&eu(), "carts-euw1"));
    let fault = state.disassociate(&us(), "ldgnf-carts", "us-east-1", "carts-use1", at(21)).unwrap_err();
    assert_eq!(fault.code, "InvalidGlobalReplicationGroupState");
}

#[test]
fn lag_vanishes_with_the_primary() {
    let state = carts();
    assert_eq!(state.lag_in(&eu(), &well), [("carts-euw1".to_owned(), Duration::from_millis(400))]);
    assert_eq!(state.lag_in(&us(), &well), []);
    assert_eq!(state.lag_in(&eu(), &without_us), []);
}

proptest! {
    /// However often it is failed over, one member is primary and at most one takes writes.
    #[test]
    fn one_primary_whatever_is_called(calls in prop::collection::vec((any::<bool>(), 0_u64..80, any::<bool>()), 0..40)) {
        let mut state = carts();
        let mut now = 0;
        for (to_eu, pause, us_is_lost) in calls {
            now += pause;
            let health: crate::testing::Health<'_> = if us_is_lost { &without_us } else { &well };
            state.advance(at(now), health);
            let (endpoint, group) = if to_eu { (eu(), "carts-euw1") } else { (us(), "carts-use1") };
            let _ = state.failover(&endpoint, "ldgnf-carts", endpoint.as_str(), group, at(now), health);
            let members = &state.datastore("ldgnf-carts").unwrap().members;
            prop_assert_eq!(members.iter().filter(|member| member.is_primary).count(), 1);
            let writable = members.iter().filter(|member| state.accepts_writes(&member.region, &member.group)).count();
            prop_assert!(writable <= 1);
        }
    }
}
