use std::{cell::RefCell, collections::BTreeSet, time::Duration};

use dr_core::{
    model::{Plane, RegionId},
    time::Monotonic,
};
use proptest::prelude::*;

use super::*;
use crate::arn::Arn;

/// A state, its clock, and the regions that are lost.
struct Lab {
    state: State,
    now: Monotonic,
    lost: RefCell<BTreeSet<(RegionId, Plane)>>,
}

fn region(name: &str) -> RegionId {
    RegionId::new(name).unwrap()
}

fn us() -> RegionId {
    region("us-east-1")
}

fn eu() -> RegionId {
    region("eu-west-1")
}

fn ap() -> RegionId {
    region("ap-south-1")
}

fn arn(region: &RegionId) -> String {
    format!("arn:aws:rds:{region}:111122223333:cluster:orders-{region}")
}

impl Lab {
    fn new(regions: &[RegionId]) -> Self {
        let mut state = State::new("111122223333", Timings::default());
        let mut setup = GlobalSetup::postgres("orders");
        for region in regions {
            setup = setup.member(region.clone(), format!("orders-{region}"));
        }
        state.set_up(&setup, Monotonic::ZERO).unwrap();
        Self { state, now: Monotonic::ZERO, lost: RefCell::default() }
    }

    fn two() -> Self {
        Self::new(&[us(), eu()])
    }

    fn lose(&mut self, region: &RegionId) {
        self.lost.borrow_mut().extend(Plane::ALL.map(|plane| (region.clone(), plane)));
        self.pass(0);
    }

    fn restore(&mut self, region: &RegionId) {
        self.lost.borrow_mut().retain(|(lost, _)| lost != region);
        self.pass(0);
    }

    fn pass(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
        let lost = self.lost.borrow();
        self.state.advance(self.now, &|region, plane| !lost.contains(&(region.clone(), plane)));
    }

    fn switchover(&mut self, at: &RegionId, to: &RegionId) -> Result<Arn, crate::testing::ApiFault> {
        let lost = self.lost.borrow();
        let health = |region: &RegionId, plane| !lost.contains(&(region.clone(), plane));
        self.state.switchover(at, "orders", &arn(to), self.now, &health)
    }

    fn failover(&mut self, at: &RegionId, to: &RegionId) -> Result<Arn, crate::testing::ApiFault> {
        let lost = self.lost.borrow();
        let health = |region: &RegionId, plane| !lost.contains(&(region.clone(), plane));
        self.state.failover(at, "orders", &arn(to), self.now, &health)
    }

    fn remove(&mut self, at: &RegionId, cluster: &RegionId) -> Result<Arn, crate::testing::ApiFault> {
        let lost = self.lost.borrow();
        let health = |region: &RegionId, plane| !lost.contains(&(region.clone(), plane));
        self.state.remove(at, "orders", &arn(cluster), self.now, &health)
    }

    fn global(&self) -> &Global {
        self.state.global("orders").unwrap()
    }

    fn writer(&self) -> RegionId {
        self.global().writer().unwrap().region.clone()
    }

    /// Those that can be written to by a client that reaches them.
    fn writable(&self) -> Vec<RegionId> {
        let lost = self.lost.borrow();
        let reachable = |region: &RegionId| !lost.contains(&(region.clone(), Plane::Data));
        let clusters = self.state.clusters.values();
        clusters
            .filter(|cluster| reachable(&cluster.region) && self.state.accepts_writes(&cluster.arn))
            .map(|cluster| cluster.region.clone())
            .collect()
    }

    fn numbers(&self, region: &RegionId) -> Vec<u16> {
        let here = self.state.events.iter().filter(|event| event.region == *region && event.number != 170);
        here.map(|event| event.number).collect()
    }
}

#[test]
fn a_switchover_stops_writes_drains_the_lag_and_exchanges_the_roles() {
    let mut lab = Lab::two();
    lab.state.global_mut("orders").unwrap().members[1].lag = Duration::from_secs(7);
    lab.switchover(&us(), &eu()).unwrap();
    assert_eq!(lab.global().status(), "pending");
    assert_eq!(lab.writable(), [us()]);
    lab.pass(1);
    assert_eq!(lab.global().status(), "switching-over");
    assert_eq!(lab.writable(), Vec::<RegionId>::new());
    lab.pass(35);
    assert_eq!((lab.global().status(), lab.writer()), ("switching-over", us()));
    lab.pass(1);
    assert_eq!((lab.global().status(), lab.writer()), ("available", eu()));
    assert_eq!(lab.writable(), [eu()]);
    let promotion = lab.global().promotions.last().unwrap();
    assert_eq!((promotion.epoch, promotion.kind), (1, PromotionKind::Switchover));
    assert!(!promotion.data_loss_allowed);
    assert!(lab.global().secondaries().all(|member| member.sync == Sync::Connected));
    assert_eq!(lab.numbers(&eu()), [181, 183, 182, 184, 185, 397]);
    assert_eq!(lab.numbers(&us()), lab.numbers(&eu()));
}

#[test]
fn each_call_has_its_endpoint_and_a_wrong_one_is_told_why() {
    let mut lab = Lab::two();
    for (fault, why) in [
        (lab.switchover(&eu(), &eu()).unwrap_err(), "Region of the current primary"),
        (lab.failover(&us(), &eu()).unwrap_err(), "Region of the target"),
        (lab.remove(&us(), &eu()).unwrap_err(), "Region of the DB cluster to detach"),
    ] {
        assert_eq!(fault.code, "InvalidGlobalClusterStateFault");
        assert!(fault.message.contains(why), "{fault}");
        assert!(fault.message.contains("this is the endpoint of"), "{fault}");
    }
    assert!(lab.global().transfer.is_none());
}

#[test]
fn a_switchover_is_refused_while_the_primary_is_lost_and_a_failover_is_not() {
    let mut lab = Lab::two();
    lab.lose(&us());
    let fault = lab.switchover(&us(), &eu()).unwrap_err();
    assert_eq!(fault.code, "InvalidGlobalClusterStateFault");
    assert!(fault.message.contains("cannot be reached"), "{fault}");
    lab.failover(&eu(), &eu()).unwrap();
    lab.pass(1);
    assert_eq!(lab.global().status(), "failing-over");
    lab.pass(43);
    assert_eq!(lab.writer(), us());
    lab.pass(1);
    assert_eq!((lab.global().status(), lab.writer()), ("available", eu()));
    assert_eq!(lab.writable(), [eu()]);
    assert!(lab.global().promotions.last().unwrap().data_loss_allowed);
    // Nobody in us-east-1 hears of it, and the attempt to fence it timed out.
    assert_eq!(lab.numbers(&eu()), [238, 397]);
    assert_eq!(lab.numbers(&us()), [391]);
}

#[test]
fn a_failover_fences_an_old_primary_that_it_reaches() {
    let mut lab = Lab::two();
    lab.failover(&eu(), &eu()).unwrap();
    lab.pass(1);
    assert_eq!(lab.writable(), Vec::<RegionId>::new());
    assert_eq!(lab.numbers(&us()), [390]);
    lab.pass(44);
    assert_eq!(lab.writable(), [eu()]);
}

#[test]
fn the_old_primary_rejoins_when_its_region_is_back_and_leaves_a_snapshot() {
    let mut lab = Lab::two();
    lab.lose(&us());
    lab.failover(&eu(), &eu()).unwrap();
    lab.pass(3600);
    let sync = |lab: &Lab| lab.global().member(&arn(&us()).parse().unwrap()).unwrap().sync.as_str();
    assert_eq!(sync(&lab), "pending-resync");
    assert!(lab.state.snapshots.is_empty());
    lab.restore(&us());
    lab.pass(5);
    assert_eq!(lab.state.snapshots.len(), 1);
    assert!(lab.state.snapshots[0].id.starts_with("rds:unplanned-global-failover-orders-us-east-1-"));
    let fault = lab.switchover(&eu(), &us()).unwrap_err();
    assert!(fault.message.contains("pending-resync"), "{fault}");
    lab.pass(59);
    assert_eq!(sync(&lab), "pending-resync");
    lab.pass(1);
    assert_eq!(sync(&lab), "connected");
    assert_eq!(lab.global().member(&arn(&us()).parse().unwrap()).unwrap().rebuilt, 1);
    assert_eq!(lab.numbers(&us()), [391, 240, 241]);
    lab.switchover(&eu(), &us()).unwrap();
    lab.pass(60);
    assert_eq!((lab.writer(), lab.writable()), (us(), vec![us()]));
}

#[test]
fn a_region_that_goes_again_while_it_is_rebuilt_begins_anew() {
    let mut lab = Lab::two();
    lab.lose(&us());
    lab.failover(&eu(), &eu()).unwrap();
    lab.pass(60);
    lab.restore(&us());
    lab.pass(50);
    lab.lose(&us());
    lab.pass(600);
    lab.restore(&us());
    lab.pass(64);
    assert_eq!(lab.global().members[0].sync.as_str(), "pending-resync");
    lab.pass(1);
    assert_eq!(lab.global().members[0].sync, Sync::Connected);
    assert_eq!(lab.global().members[0].rebuilt, 2);
}

#[test]
fn a_detached_cluster_writes_and_so_does_the_old_primary() {
    let mut lab = Lab::two();
    lab.lose(&us());
    lab.remove(&eu(), &eu()).unwrap();
    assert_eq!(lab.writable(), Vec::<RegionId>::new());
    lab.pass(30);
    assert_eq!(lab.writable(), [eu()]);
    assert_eq!(lab.writer(), us());
    lab.restore(&us());
    assert_eq!(lab.writable(), [eu(), us()]);
    assert_eq!(lab.global().promotions[0].kind, PromotionKind::Detach);
}

#[test]
fn a_primary_cannot_leave_before_its_secondaries() {
    let mut lab = Lab::two();
    assert_eq!(lab.remove(&us(), &us()).unwrap_err().code, "InvalidGlobalClusterStateFault");
    lab.remove(&eu(), &eu()).unwrap();
    lab.remove(&us(), &us()).unwrap();
    assert!(lab.global().members.is_empty());
    assert_eq!(lab.global().promotions.len(), 1);
}

#[test]
fn broken_fencing_leaves_two_writers_until_the_old_one_is_rebuilt() {
    let mut lab = Lab::two();
    lab.state.global_mut("orders").unwrap().fencing_works = false;
    lab.failover(&eu(), &eu()).unwrap();
    lab.pass(45);
    assert_eq!(lab.writable(), [eu(), us()]);
    lab.pass(5);
    assert_eq!(lab.writable(), [eu()]);
}

#[test]
fn versions_must_agree_but_for_the_patch() {
    let mut lab = Lab::two();
    let set = |lab: &mut Lab, version: &str| {
        let cluster = lab.state.clusters.values_mut().find(|cluster| cluster.region == eu()).unwrap();
        version.clone_into(&mut cluster.engine_version);
    };
    set(&mut lab, "16.6");
    for fault in [lab.switchover(&us(), &eu()).unwrap_err(), lab.failover(&eu(), &eu()).unwrap_err()] {
        assert_eq!(fault.code, "InvalidGlobalClusterStateFault");
        assert!(fault.message.contains("16.4") && fault.message.contains("16.6"), "{fault}");
    }
    set(&mut lab, "16.4.3");
    lab.switchover(&us(), &eu()).unwrap();
}

#[test]
fn mysql_versions_are_compared_after_their_prefix() {
    assert_eq!(model::major_minor("8.0.mysql_aurora.3.04.2"), "8.0.mysql_aurora.3.04");
    assert_eq!(model::major_minor("8.0.mysql_aurora.3.05"), "8.0.mysql_aurora.3.05");
    assert_eq!(model::major_minor("16.4"), "16.4");
    assert_eq!(model::major_minor("16.4.1"), "16.4");
}

#[test]
fn a_headless_target_is_refused() {
    let mut lab = Lab::two();
    lab.state.instances.retain(|(region, _), _| *region != eu());
    for fault in [lab.switchover(&us(), &eu()).unwrap_err(), lab.failover(&eu(), &eu()).unwrap_err()] {
        assert_eq!(fault.code, "InvalidDBClusterStateFault");
        assert!(fault.message.contains("headless"), "{fault}");
    }
}

#[test]
fn a_second_transfer_is_refused_while_one_runs() {
    let mut lab = Lab::new(&[us(), eu(), ap()]);
    lab.failover(&eu(), &eu()).unwrap();
    assert_eq!(lab.failover(&ap(), &ap()).unwrap_err().code, "InvalidGlobalClusterStateFault");
    assert_eq!(lab.remove(&ap(), &ap()).unwrap_err().code, "InvalidGlobalClusterStateFault");
    lab.pass(45);
    // The third region followed the old primary, so it is rebuilt as well.
    assert_eq!(lab.failover(&ap(), &ap()).unwrap_err().code, "InvalidGlobalClusterStateFault");
    lab.pass(65);
    lab.failover(&ap(), &ap()).unwrap();
}

#[test]
fn a_target_that_is_not_named_by_its_arn_is_not_found() {
    let mut lab = Lab::two();
    let well = |_: &RegionId, _| true;
    let fault = lab.state.failover(&eu(), "orders", "orders-eu-west-1", lab.now, &well).unwrap_err();
    assert_eq!(fault.code, "DBClusterNotFoundFault");
    assert!(fault.message.contains("Amazon Resource Name"), "{fault}");
    let fault = lab.state.failover(&eu(), "shop", &arn(&eu()), lab.now, &well).unwrap_err();
    assert_eq!(fault.code, "GlobalClusterNotFoundFault");
}

#[test]
fn a_switchover_is_cancelled_when_a_region_is_lost_and_everything_is_as_before() {
    let mut lab = Lab::two();
    lab.switchover(&us(), &eu()).unwrap();
    lab.pass(10);
    lab.lose(&eu());
    assert_eq!(lab.global().status(), "cancelling");
    lab.pass(5);
    assert_eq!((lab.global().status(), lab.writer()), ("available", us()));
    assert_eq!(lab.writable(), [us()]);
    assert!(lab.global().promotions.is_empty());
}

#[test]
fn a_failover_fails_when_the_target_is_lost() {
    let mut lab = Lab::two();
    lab.failover(&eu(), &eu()).unwrap();
    lab.pass(10);
    lab.lose(&eu());
    assert_eq!((lab.global().status(), lab.writer()), ("available", us()));
    assert!(lab.numbers(&eu()).contains(&239));
    assert_eq!(lab.writable(), [us()]);
}

#[test]
fn lag_is_published_by_the_secondary_and_vanishes_with_the_primary() {
    let mut lab = Lab::two();
    let lag = |lab: &Lab, region: &RegionId| {
        let lost = lab.lost.borrow();
        lab.state.lag_in(region, &|region, plane| !lost.contains(&(region.clone(), plane)))
    };
    assert_eq!(lag(&lab, &eu()), [("orders-eu-west-1".to_owned(), Duration::from_millis(120))]);
    assert_eq!(lag(&lab, &us()), []);
    lab.lose(&us());
    assert_eq!(lag(&lab, &eu()), []);
    lab.failover(&eu(), &eu()).unwrap();
    lab.pass(60);
    lab.restore(&us());
    assert_eq!(lag(&lab, &us()), [], "a cluster that is being rebuilt has no lag to tell");
    lab.pass(70);
    assert_eq!(lag(&lab, &us()).len(), 1);
}

#[derive(Clone, Debug)]
enum Act {
    Pass(u64),
    Lose(usize),
    Restore(usize),
    Switchover(usize, usize),
    Failover(usize, usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0_u64..90).prop_map(Act::Pass),
        1 => (0_usize..3).prop_map(Act::Lose),
        2 => (0_usize..3).prop_map(Act::Restore),
        2 => (0_usize..3, 0_usize..3).prop_map(|(at, to)| Act::Switchover(at, to)),
        2 => (0_usize..3, 0_usize..3).prop_map(|(at, to)| Act::Failover(at, to)),
    ]
}

proptest! {
    /// Whatever is called and whatever is lost, managed operations never make two writers, keep exactly one primary by
    /// role, count epochs without a gap, and come to rest.
    #[test]
    fn managed_operations_never_make_two_writers(acts in prop::collection::vec(act(), 0..60)) {
        let regions = [us(), eu(), ap()];
        let mut lab = Lab::new(&regions);
        for act in acts {
            match act {
                Act::Pass(seconds) => lab.pass(seconds),
                Act::Lose(region) => lab.lose(&regions[region]),
                Act::Restore(region) => lab.restore(&regions[region]),
                Act::Switchover(at, to) => {
                    let right = regions[at] == lab.writer();
                    let taken = lab.switchover(&regions[at], &regions[to]);
                    prop_assert!(right || taken.is_err());
                }
                Act::Failover(at, to) => {
                    let taken = lab.failover(&regions[at], &regions[to]);
                    prop_assert!(at == to || taken.is_err());
                }
            }
            prop_assert!(lab.writable().len() <= 1, "{:?}", lab.writable());
            prop_assert_eq!(lab.global().members.iter().filter(|member| member.is_writer).count(), 1);
            for (index, promotion) in lab.global().promotions.iter().enumerate() {
                prop_assert_eq!(promotion.epoch, index as u64 + 1);
            }
        }
        for region in &regions {
            lab.restore(region);
        }
        for _ in 0..10 {
            lab.pass(100);
        }
        prop_assert!(lab.global().transfer.is_none());
        prop_assert_eq!(lab.writable().len(), 1);
        prop_assert!(lab.global().members.iter().all(|member| member.sync == Sync::Connected));
        prop_assert_eq!(lab.state.next_deadline(), None);
    }
}
