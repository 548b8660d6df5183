//! Every fault, as the real SDK sees it, in process and over a socket.

use std::{sync::Arc, time::Duration};

use aws_credential_types::Credentials;
use aws_sdk_route53::error::ProvideErrorMetadata as _;
use dr_aws::{
    Clients, classify,
    testing::{route53::CheckConfig, s3::PublicAccess},
};
use dr_core::{
    error::{Effect, Error, ErrorKind, Retry},
    model::Plane,
    testing::{Fault, FaultRule},
    time::{Clock as _, ManualClock},
};

use crate::stage::{Stage, east, west};

/// A stage with a health check, and the calls that the faults hit.
struct Hit {
    stage: Stage,
    check: String,
}

impl Hit {
    async fn each() -> [Self; 2] {
        Stage::each().await.map(|stage| {
            let config = CheckConfig::http("127.0.1.1".parse().unwrap(), 80, "/");
            let check = stage.world.route53().add_check(config).unwrap();
            Self { stage, check }
        })
    }

    /// Inverts the check: a call that the effect log counts.
    async fn write(&self) -> Result<(), Error> {
        let clients = self.stage.east();
        let call = clients.route53().update_health_check().health_check_id(&self.check).inverted(true);
        call.send().await.map(drop).map_err(|error| classify("route53:UpdateHealthCheck", error))
    }

    async fn is_inverted(&self) -> bool {
        let clients = self.stage.east();
        let call = clients.route53().get_health_check().health_check_id(&self.check);
        let check = call.send().await.unwrap().health_check.unwrap();
        check.health_check_config().unwrap().inverted().unwrap()
    }

    fn applied(&self) -> usize {
        self.stage.world.effects().count("route53:UpdateHealthCheck", &self.check)
    }

    fn once(&self, fault: Fault) {
        self.stage.world.faults().add(FaultRule::new(fault).on("route53:UpdateHealthCheck").times(1));
    }

    /// Lets a spawned part of the double run on, for a while of real time at most.
    async fn until(&self, done: impl Fn() -> bool) {
        for _ in 0..100_000 {
            if done() {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("it never came to pass");
    }
}

#[tokio::test]
async fn refused_calls_do_nothing() {
    for hit in Hit::each().await {
        hit.once(Fault::Refuse);
        let error = hit.write().await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff));
        assert_eq!(hit.applied(), 0);
        hit.write().await.unwrap();
    }
}

#[tokio::test]
async fn throttled_calls_say_so_in_each_protocol() {
    for hit in Hit::each().await {
        hit.stage.world.faults().add(FaultRule::new(Fault::Throttle));
        let error = hit.write().await.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Throttled, Effect::NotApplied));
        let clients = hit.stage.west();
        let error = clients.rds().describe_global_clusters().send().await.unwrap_err();
        assert_eq!((error.code(), error.message()), (Some("Throttling"), Some("Rate exceeded")));
        let error = clients.elasticache().describe_global_replication_groups().send().await.unwrap_err();
        assert_eq!(error.code(), Some("Throttling"));
        let error = clients.s3().list_buckets().send().await.unwrap_err();
        assert_eq!(error.code(), Some("SlowDown"));
        assert_eq!(classify("s3:ListBuckets", error).kind(), ErrorKind::Throttled);
        let error = clients.cloudwatch().list_metrics().send().await.unwrap_err();
        assert_eq!(classify("cloudwatch:ListMetrics", error).kind(), ErrorKind::Throttled);
        assert_eq!(hit.applied(), 0);
    }
}

#[tokio::test]
async fn a_server_error_leaves_the_caller_in_doubt() {
    for hit in Hit::each().await {
        hit.stage.world.faults().add(FaultRule::new(Fault::ServerError));
        let error = hit.write().await.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Unavailable, Effect::Indefinite));
        let clients = hit.stage.west();
        for status in [
            clients.rds().describe_global_clusters().send().await.unwrap_err().raw_response().unwrap().status(),
            clients.s3().list_buckets().send().await.unwrap_err().raw_response().unwrap().status(),
            clients.cloudwatch().list_metrics().send().await.unwrap_err().raw_response().unwrap().status(),
        ] {
            assert_eq!(status.as_u16(), 500);
        }
    }
}

#[tokio::test]
async fn a_lost_reply_is_of_a_call_that_was_applied() {
    for hit in Hit::each().await {
        hit.once(Fault::ReplyLost);
        let error = hit.write().await.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Unavailable, Effect::Indefinite));
        assert_eq!(hit.applied(), 1);
        assert!(hit.is_inverted().await);
    }
}

#[tokio::test]
async fn a_late_call_is_applied_when_its_time_has_come() {
    for hit in Hit::each().await {
        hit.once(Fault::late_apply(Duration::from_secs(30)));
        let error = hit.write().await.unwrap_err();
        assert_eq!(error.effect(), Effect::Indefinite);
        assert!(!hit.is_inverted().await);
        hit.stage.clock.advance(Duration::from_secs(29));
        assert_eq!(hit.applied(), 0);
        hit.stage.clock.advance(Duration::from_secs(1));
        hit.until(|| hit.applied() == 1).await;
        assert!(hit.is_inverted().await);
    }
}

#[tokio::test]
async fn a_slow_call_is_answered_after_its_delay() {
    for hit in Hit::each().await {
        hit.once(Fault::slow(Duration::from_secs(8)));
        let clock = hit.stage.clock.clone();
        let before = clock.monotonic();
        let drive = async {
            while clock.next_deadline().is_none() {
                tokio::task::yield_now().await;
            }
            assert_eq!(hit.applied(), 0);
            clock.advance_to_next();
        };
        let (answer, ()) = tokio::join!(hit.write(), drive);
        answer.unwrap();
        assert_eq!(clock.monotonic().since(before), Duration::from_secs(8));
        assert_eq!(hit.applied(), 1);
    }
}

#[tokio::test]
async fn a_stale_read_answers_from_the_past_and_a_write_does_not() {
    for hit in Hit::each().await {
        hit.stage.clock.advance(Duration::from_secs(60));
        hit.stage.world.faults().add(FaultRule::new(Fault::stale_read(Duration::from_secs(20))));
        hit.write().await.unwrap();
        assert!(!hit.is_inverted().await);
        hit.stage.clock.advance(Duration::from_secs(19));
        assert!(!hit.is_inverted().await);
        hit.stage.clock.advance(Duration::from_secs(1));
        assert!(hit.is_inverted().await);
    }
}

#[tokio::test]
async fn a_call_may_be_applied_and_never_answered() {
    for hit in Hit::each().await {
        hit.once(Fault::NoReply);
        let write = hit.write();
        tokio::pin!(write);
        let mut polls_after = 0;
        for _ in 0..100_000 {
            assert!(futures::poll!(write.as_mut()).is_pending(), "an answer came");
            polls_after += usize::from(hit.applied() == 1);
            if polls_after > 100 {
                break;
            }
            tokio::task::yield_now().await;
        }
        assert_eq!(hit.applied(), 1);
        assert!(hit.is_inverted().await);
    }
}

#[tokio::test]
async fn a_black_hole_holds_a_call_until_the_region_is_back() {
    for hit in Hit::each().await {
        let faults = hit.stage.world.faults();
        faults.switch(&east(), Plane::Control, Some(Fault::BlackHole));
        let write = hit.write();
        tokio::pin!(write);
        let mut polls = 0;
        let held = futures::future::poll_fn(|cx| {
            polls += 1;
            match write.as_mut().poll(cx) {
                std::task::Poll::Ready(_) => std::task::Poll::Ready(false),
                std::task::Poll::Pending if polls > 100 => std::task::Poll::Ready(true),
                std::task::Poll::Pending => {
                    cx.waker().wake_by_ref();
                    std::task::Poll::Pending
                }
            }
        });
        assert!(held.await, "the black hole answered");
        // Another region's switch does not let it go; its own does, with a broken connection.
        faults.switch(&west(), Plane::Control, Some(Fault::Refuse));
        faults.switch(&east(), Plane::Control, None);
        let error = write.await.unwrap_err();
        assert_eq!(error.effect(), Effect::Indefinite);
        assert_eq!(hit.applied(), 0, "nothing that fell in was applied");
    }
}

#[tokio::test]
async fn the_planes_of_a_region_fail_one_by_one() {
    let stage = Stage::in_process();
    stage.world.s3().add_bucket(&east(), "objects", PublicAccess::Blocked);
    stage.world.s3().put("objects", "k", "v");
    let (clients, faults) = (stage.east(), stage.world.faults());
    let get = || async { clients.s3().get_object().bucket("objects").key("k").send().await.is_ok() };
    let list = || async { stage.west().route53().list_hosted_zones().send().await.is_ok() };
    faults.switch(&east(), Plane::Control, Some(Fault::Refuse));
    assert!(get().await, "objects are the data plane's");
    assert!(!list().await, "Route 53's API is us-east-1's, from wherever it is called");
    faults.switch(&east(), Plane::Control, None);
    faults.switch(&east(), Plane::Data, Some(Fault::Refuse));
    assert!(!get().await);
    assert!(list().await);
}

#[tokio::test]
async fn clients_give_up_on_their_own_clock() {
    let stage = Stage::in_process();
    stage.world.faults().switch(&east(), Plane::Control, Some(Fault::BlackHole));
    let clock = ManualClock::new();
    let clients = Clients::builder(Arc::new(clock.clone()))
        .credentials(Credentials::new("AKIDEXAMPLE", "a-secret", None, None, "tests"))
        .http_client(&east(), stage.world.http_client(&east()))
        .build();
    let east = clients.for_writes(&east());
    let call = east.route53().list_hosted_zones().send();
    tokio::pin!(call);
    let error = loop {
        tokio::select! {
            biased;
            answer = &mut call => break answer.unwrap_err(),
            () = tokio::task::yield_now() => {}
        }
        clock.advance_to_next();
    };
    let error = classify("route53:ListHostedZones", error);
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Timeout, Effect::Indefinite), "{error}");
    assert_eq!(clock.monotonic().since_origin(), Duration::from_secs(4), "one attempt, and no more for a write");
}

#[tokio::test]
async fn a_closed_port_certainly_applied_nothing() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let clients = Clients::builder(Arc::new(ManualClock::new()))
        .credentials(Credentials::new("AKIDEXAMPLE", "a-secret", None, None, "tests"))
        .endpoint(&east(), url)
        .build();
    let error = clients.for_writes(&east()).rds().describe_global_clusters().send().await.unwrap_err();
    let error = classify("rds:DescribeGlobalClusters", error);
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Unavailable, Effect::NotApplied), "{error}");
}
