//! Each fault on the one call that matters: the run ends well, and nothing is done twice.

use std::time::Duration;

use dr_core::{
    engine::RunState,
    plan::{GoalKind, Mode},
    planner::BeforeImages,
    testing::{Fault, FaultRule},
};

use super::world::{BOUNDS, SCALE, World, west};

async fn fails_over_despite(fault: Fault) {
    for operation in [BOUNDS, SCALE] {
        let w = World::new();
        w.faults.add(FaultRule::new(fault).at(west()).on(operation).times(1));
        let view = w.run(GoalKind::Failover, Mode::Ungraceful, &BeforeImages::default()).await;
        assert_eq!(view.state(), RunState::Completed, "{fault:?} on {operation}");
        w.clock.advance(Duration::from_secs(120));
        assert_eq!(w.standby(), [4, 3, 2], "{fault:?} on {operation}");
        let counts = [(BOUNDS, "cart"), (BOUNDS, "ledger"), (SCALE, "orders"), (SCALE, "ledger")];
        for (operation, name) in counts {
            assert_eq!(w.count(operation, name), 1, "{fault:?}: {operation} {name}");
        }
    }
}

#[tokio::test]
async fn a_refused_connection() {
    fails_over_despite(Fault::Refuse).await;
}

#[tokio::test]
async fn a_call_that_is_never_answered() {
    fails_over_despite(Fault::BlackHole).await;
}

#[tokio::test]
async fn a_slow_answer() {
    fails_over_despite(Fault::slow(Duration::from_secs(5))).await;
}

#[tokio::test]
async fn an_answer_slower_than_the_deadline() {
    // The call is given up and may or may not have been made: here it was not, its caller being gone.
    fails_over_despite(Fault::slow(Duration::from_secs(30))).await;
}

#[tokio::test]
async fn too_many_requests() {
    fails_over_despite(Fault::Throttle).await;
}

#[tokio::test]
async fn a_server_error() {
    fails_over_despite(Fault::ServerError).await;
}

#[tokio::test]
async fn a_lost_reply() {
    fails_over_despite(Fault::ReplyLost).await;
}

#[tokio::test]
async fn a_call_that_arrives_late() {
    // The engine has long made the change again when the first call arrives, whose expectation no longer holds.
    fails_over_despite(Fault::late_apply(Duration::from_secs(45))).await;
}

#[tokio::test]
async fn reads_of_the_past() {
    let w = World::new();
    // After the first change, every look at the standby shows it as it was a quarter of a minute ago.
    w.faults.add(FaultRule::new(Fault::stale_read(Duration::from_secs(15))).at(west()).on("k8s:get deployments"));
    w.faults.add(
        FaultRule::new(Fault::stale_read(Duration::from_secs(15))).at(west()).on("k8s:list horizontalpodautoscalers"),
    );
    w.clock.advance(Duration::from_secs(60));
    let view = w.run(GoalKind::Failover, Mode::Ungraceful, &BeforeImages::default()).await;
    // Whether the run got through its attempts depends on how patient it is; that nothing was done twice does not.
    let counts = [(BOUNDS, "cart"), (BOUNDS, "ledger"), (SCALE, "orders"), (SCALE, "ledger")];
    for (operation, name) in counts {
        assert!(w.count(operation, name) <= 1, "{operation} {name}: {:?}", view.state());
    }
    assert_eq!(w.count(BOUNDS, "cart"), 1);
}

#[tokio::test]
async fn every_call_throttled_now_and_then() {
    let w = World::new();
    for n in 0..10 {
        w.faults.add(FaultRule::new(Fault::Throttle).at(west()).after(n * 7).times(1));
    }
    let view = w.run(GoalKind::Failover, Mode::Ungraceful, &BeforeImages::default()).await;
    assert_eq!((view.state(), w.standby()), (RunState::Completed, [4, 3, 2]));
}
