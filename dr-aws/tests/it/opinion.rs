//! What AWS thinks of a region, read by the real SDK from the doubles over loopback HTTP and in process.

use std::{sync::Arc, time::Duration};

use dr_aws::{
    opinion::{AlarmState, Checkers, StatusMetric},
    testing::{
        cloudwatch::AlarmValue,
        route53::{CheckConfig, CheckResult, CheckType},
    },
};
use dr_core::{
    error::Result,
    probe::{HealthProbe, ProbeCx, Reading, Subject},
    spec::Spec,
};
use serde_json::json;

use crate::stage::{Stage, east, west};

fn subject() -> Subject {
    Subject::infrastructure("opinion".parse().unwrap(), west())
}

async fn ask(stage: &Stage, probe: &dyn HealthProbe) -> Result<Reading> {
    probe.probe(&ProbeCx::new(Arc::new(stage.clock.clone()))).await
}

/// What so many checkers see, a moment ago.
fn seen(stage: &Stage, check: &str, passing: usize, failing: usize) {
    for checker in 0..passing {
        stage.world.route53().observe(
            check,
            &format!("eu-west-1/p{checker}"),
            CheckResult::success("HTTP Status Code 200, OK"),
        );
    }
    for checker in 0..failing {
        stage.world.route53().observe(
            check,
            &format!("us-west-2/f{checker}"),
            CheckResult::failure("Connection timed out."),
        );
    }
}

#[tokio::test]
async fn checkers_are_counted_as_route_53_counts_them() {
    for stage in Stage::each().await {
        for (passing, failing, healthy) in [(3, 13, true), (2, 14, false), (16, 0, true), (0, 16, false)] {
            let config = CheckConfig::http("127.0.1.1".parse().unwrap(), 80, "/");
            let check = stage.world.route53().add_check(config).unwrap();
            seen(&stage, &check, passing, failing);
            let probe = Checkers::new(subject(), "route53".parse().unwrap(), stage.clients.clone(), east(), check);
            let reading = ask(&stage, &probe).await.unwrap();
            assert_eq!(reading.is_healthy(), healthy, "{reading:?}");
            assert!(reading.reason.starts_with(&format!("{passing} of 16 checkers of Route 53 pass")), "{reading:?}");
            assert_eq!(reading.reason.contains("Connection timed out."), failing > 0, "{reading:?}");
        }
    }
}

#[tokio::test]
async fn checkers_that_say_nothing_have_no_opinion() {
    let stage = Stage::in_process();
    let route53 = stage.world.route53();
    let probe = |check: &str| {
        Checkers::new(subject(), "route53".parse().unwrap(), stage.clients.clone(), east(), check.to_owned())
    };
    let check = route53.add_check(CheckConfig::http("127.0.1.1".parse().unwrap(), 80, "/")).unwrap();
    let error = ask(&stage, &probe(&check)).await.unwrap_err();
    assert!(error.message().contains("has looked lately"), "{error}");
    // What was seen long ago says nothing either.
    seen(&stage, &check, 0, 16);
    stage.clock.advance(Duration::from_secs(121));
    assert!(ask(&stage, &probe(&check)).await.is_err());
    // A calculated check has no checkers; one that is not there has nothing.
    let calculated = CheckConfig {
        child_health_checks: vec![check.clone()],
        health_threshold: Some(1),
        ..CheckConfig::new(CheckType::Calculated)
    };
    let calculated = route53.add_check(calculated).unwrap();
    assert!(ask(&stage, &probe(&calculated)).await.is_err());
    assert!(ask(&stage, &probe("11111111-2222-3333-4444-555555555555")).await.is_err());
}

#[tokio::test]
async fn the_published_status_is_read_in_north_virginia_and_silence_is_no_opinion() {
    for stage in Stage::each().await {
        let route53 = stage.world.route53();
        let check = route53.add_check(CheckConfig::http("127.0.1.1".parse().unwrap(), 80, "/")).unwrap();
        let probe = |home| {
            StatusMetric::new(subject(), "cloudwatch".parse().unwrap(), stage.clients.clone(), home, check.clone())
        };
        assert!(ask(&stage, &probe(east())).await.unwrap().is_healthy(), "a new check is healthy");
        for _ in 0..3 {
            seen(&stage, &check, 0, 16);
        }
        stage.clock.advance(Duration::from_secs(60));
        let reading = ask(&stage, &probe(east())).await.unwrap();
        assert_eq!(
            (reading.is_healthy(), reading.reason.as_str()),
            (false, "Route 53 publishes the check as unhealthy")
        );
        let error = ask(&stage, &probe(west())).await.unwrap_err();
        assert!(error.message().contains("CloudWatch has no status"), "{error}");
    }
}

#[tokio::test]
async fn a_status_that_is_old_is_silence() {
    let stage = Stage::in_process();
    let metric =
        dr_aws::testing::cloudwatch::MetricId::new("AWS/Route53", "HealthCheckStatus", [("HealthCheckId", "gone")]);
    let now = dr_core::time::Clock::wall(&stage.clock);
    stage.world.cloudwatch().put_metric(&east(), metric, now, 0.0);
    let probe =
        StatusMetric::new(subject(), "cloudwatch".parse().unwrap(), stage.clients.clone(), east(), "gone".to_owned());
    stage.clock.advance(Duration::from_secs(60));
    assert!(!ask(&stage, &probe).await.unwrap().is_healthy());
    stage.clock.advance(Duration::from_secs(180));
    let error = ask(&stage, &probe).await.unwrap_err();
    assert!(error.message().contains("s old"), "{error}");
}

#[tokio::test]
async fn an_alarm_says_what_it_says_and_too_little_data_is_no_opinion() {
    for stage in Stage::each().await {
        let alarms = stage.world.cloudwatch();
        for (name, composite) in [("balancer-5xx", false), ("balancer", true)] {
            let probe =
                AlarmState::new(subject(), "balancer".parse().unwrap(), stage.clients.clone(), west(), name.to_owned());
            let error = ask(&stage, &probe).await.unwrap_err();
            assert!(error.message().contains("does not exist"), "{error}");
            alarms.set_alarm(&west(), name, composite, AlarmValue::Ok);
            assert!(ask(&stage, &probe).await.unwrap().is_healthy());
            alarms.set_alarm(&west(), name, composite, AlarmValue::Alarm);
            let reading = ask(&stage, &probe).await.unwrap();
            assert_eq!(
                (reading.is_healthy(), reading.reason),
                (false, format!("the alarm {name} in eu-west-1 is ALARM"))
            );
            alarms.set_alarm(&west(), name, composite, AlarmValue::InsufficientData);
            let error = ask(&stage, &probe).await.unwrap_err();
            assert!(error.message().contains("has too little data"), "{error}");
        }
    }
}

/// As AWS's documentation of DescribeAlarms has it: composite alarms come only to those who ask for their type.
#[tokio::test]
async fn alarms_are_listed_by_name_prefix_state_and_type() {
    let stage = Stage::in_process();
    let alarms = stage.world.cloudwatch();
    alarms.set_alarm(&west(), "a-one", false, AlarmValue::Ok);
    alarms.set_alarm(&west(), "a-two", false, AlarmValue::Alarm);
    alarms.set_alarm(&west(), "a-all", true, AlarmValue::Alarm);
    let clients = stage.west();
    let describe = || clients.cloudwatch().describe_alarms();
    let reply = describe().send().await.unwrap();
    assert_eq!((reply.metric_alarms().len(), reply.composite_alarms().len()), (2, 0));
    let alarmed = aws_sdk_cloudwatch::types::StateValue::Alarm;
    let reply = describe().alarm_name_prefix("a-").state_value(alarmed).send().await.unwrap();
    assert_eq!(reply.metric_alarms()[0].alarm_name(), Some("a-two"));
    let error = describe().alarm_names("a-one").alarm_name_prefix("a-").send().await;
    assert!(error.is_err());
    assert!(stage.east().cloudwatch().describe_alarms().send().await.unwrap().metric_alarms().is_empty());
}

#[tokio::test]
async fn dr_yaml_says_whom_to_ask() {
    let stage = Stage::in_process();
    let opinion = |kind: &str| json!({ "id": "route53", "kind": kind, "targets": { "us-east-1": "one", "eu-west-1": "two" }, "interval": "1m" });
    let spec = |opinions: Vec<serde_json::Value>| -> Spec {
        serde_json::from_value(json!({
            "application": "shop",
            "endpoint": "https://shop.example",
            "objectives": { "rto": "5m", "rpo": "1m" },
            "regions": [{ "id": "us-east-1", "role": "active" }, { "id": "eu-west-1", "role": "warm-standby" }],
            "observers": [],
            "opinions": opinions,
            "probes": [],
            "detection": { "quorum": 2, "dwell": "10s", "hold_down": "1h" },
            "resources": [],
            "runner": { "region": "eu-west-1" },
            "journal": { "store": "sqlite", "path": "journal.sqlite", "region": "eu-west-1" },
        }))
        .unwrap()
    };
    let kinds = ["aws.route53_checkers", "aws.route53_metric", "aws.cloudwatch_alarm"];
    let asked = dr_aws::opinion::opinions(&spec(kinds.map(opinion).to_vec()), &stage.clients).unwrap();
    assert_eq!(asked.len(), 6);
    assert!(asked.iter().all(|opinion| opinion.every == Duration::from_secs(60)));
    assert_eq!(asked[0].probe.vantage().as_str(), "route53");
    assert_eq!(asked[0].probe.subject().probe.as_str(), "aws.route53_checkers");
    let error = dr_aws::opinion::opinions(&spec(vec![opinion("aws.horoscope")]), &stage.clients).unwrap_err();
    assert!(error.message().contains("aws.horoscope"), "{error}");
}
