//! A region that swallows packets costs the first call its time, and those after it nothing.

use std::time::Duration;

use dr_aws::{
    aurora_global::{Route, Switchover},
    classify,
};
use dr_core::{
    error::{Effect, Error, ErrorKind, Result, Retry},
    model::{Plane, RegionId},
    step::Step as _,
    testing::{Fault, FaultRule},
    time::Clock as _,
};

use crate::two_regions::{EU_ARN, TwoRegions, US_ARN, eu, us};

async fn describe(two: &TwoRegions, at: &RegionId) -> Result<()> {
    let call = two.clients.for_reads(at).rds().describe_global_clusters();
    two.passing(call.send()).await.map(drop).map_err(|error| classify("rds:DescribeGlobalClusters", error))
}

fn route() -> Route {
    serde_json::from_value(serde_json::json!({
        "global_cluster": "orders", "from": US_ARN, "to": EU_ARN, "from_region": us(), "to_region": eu(),
    }))
    .unwrap()
}

impl TwoRegions {
    async fn timed<T>(&self, work: impl Future<Output = T>) -> (T, Duration) {
        let before = self.clock.monotonic();
        let value = work.await;
        (value, self.clock.monotonic().since(before))
    }
}

#[tokio::test]
async fn ten_steps_that_need_a_black_holed_region_cost_one_timeout_together() {
    let two = TwoRegions::new();
    two.lose_us();
    let step = Switchover::new(two.clients.clone());
    let mut spent = Vec::new();
    for _ in 0..10 {
        // The current primary's region is asked first: it is the lost one.
        let look = async { two.passing(step.observe(&two.step_cx(), &route())).await };
        let (seen, took) = two.timed(look).await;
        let error = seen.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Unavailable), "{error}");
        spent.push(took);
        let (well, took) = two.timed(describe(&two, &eu())).await;
        well.unwrap();
        assert_eq!(took, Duration::ZERO, "the other region is called as ever");
    }
    let limit = dr_aws::Timeouts::default().operation;
    assert!(spent[0] > Duration::ZERO && spent[0] <= limit, "{spent:?}");
    assert_eq!(spent[1..].iter().sum::<Duration>(), Duration::ZERO, "{spent:?}");
    assert_eq!(two.clients.breakers().open(), [(us(), Plane::Control)]);
}

#[tokio::test]
async fn a_refused_call_says_when_to_come_back_and_that_nothing_was_sent() {
    let two = TwoRegions::new();
    two.lose_us();
    describe(&two, &us()).await.unwrap_err();
    let refused = describe(&two, &us()).await.unwrap_err();
    assert_eq!((refused.kind(), refused.effect()), (ErrorKind::Unavailable, Effect::NotApplied));
    let Retry::After(wait) = refused.retry() else { panic!("{refused:?}") };
    assert!(!wait.is_zero() && wait <= Duration::from_secs(5), "{wait:?}");
    assert!(refused.to_string().contains("us-east-1 (control) did not answer the last calls"), "{refused}");
    // It is back before anybody looks again: the next look finds it, and all calls pass.
    two.restore_us();
    two.clock.advance(wait);
    for _ in 0..3 {
        describe(&two, &us()).await.unwrap();
    }
    assert_eq!(two.clients.breakers().open(), []);
}

#[tokio::test]
async fn an_endpoint_that_answers_is_never_cut_off() {
    let two = TwoRegions::new();
    for fault in [Fault::Throttle, Fault::ServerError, Fault::slow(Duration::from_secs(3))] {
        let rule = two.world.faults().add(FaultRule::new(fault).at(eu()));
        for _ in 0..5 {
            let _: Result<(), Error> = describe(&two, &eu()).await;
            assert_eq!(two.clients.breakers().open(), [], "{fault:?}");
        }
        two.world.faults().remove(rule);
    }
    // One timeout, with an answer after it, is an accident.
    for _ in 0..5 {
        two.world.faults().add(FaultRule::new(Fault::BlackHole).at(eu()).times(1));
        describe(&two, &eu()).await.unwrap();
        assert_eq!(two.clients.breakers().open(), []);
    }
}

#[tokio::test]
async fn a_call_that_its_caller_gives_up_says_nothing_of_the_region() {
    let two = TwoRegions::new();
    two.lose_us();
    for _ in 0..10 {
        let call = two.clients.for_reads(&us()).rds().describe_global_clusters().send();
        let given_up = two.passing(dr_core::time::timeout(&two.clock, Duration::from_secs(1), call)).await;
        assert!(given_up.is_err());
    }
    assert_eq!(two.clients.breakers().open(), []);
}
