//! The double of Route 53, called by the real SDK.

use std::time::Duration;

use aws_sdk_route53::{
    error::ProvideErrorMetadata as _,
    types::{
        Change, ChangeAction, ChangeBatch, ChangeStatus, HealthCheckConfig, HealthCheckType, ResourceRecord,
        ResourceRecordSet, ResourceRecordSetFailover, RrType,
    },
};
use dr_aws::{
    classify,
    testing::route53::{CheckConfig, CheckResult, FailoverRole, RecordSet, Resolution},
};
use dr_core::error::{Effect, ErrorKind, Retry};

use crate::stage::Stage;

fn failover(role: ResourceRecordSetFailover, address: &str, check: Option<&str>) -> ResourceRecordSet {
    ResourceRecordSet::builder()
        .name("api.example.com")
        .r#type(RrType::A)
        .set_identifier(role.as_str().to_lowercase())
        .failover(role)
        .ttl(60)
        .resource_records(ResourceRecord::builder().value(address).build().unwrap())
        .set_health_check_id(check.map(str::to_owned))
        .build()
        .unwrap()
}

fn batch(changes: impl IntoIterator<Item = (ChangeAction, ResourceRecordSet)>) -> ChangeBatch {
    let changes = changes
        .into_iter()
        .map(|(action, record)| Change::builder().action(action).resource_record_set(record).build().unwrap());
    ChangeBatch::builder().set_changes(Some(changes.collect())).build().unwrap()
}

fn chosen(stage: &Stage) -> String {
    match stage.world.route53().answer("api.example.com", "A") {
        Resolution::Answer(answer) => answer.set_identifier.unwrap(),
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn a_failover_pair_lives_from_creation_to_deletion() {
    for stage in Stage::each().await {
        let east = stage.east();
        let client = east.route53();
        let zone = client.create_hosted_zone().name("Example.com").caller_reference("1").send().await.unwrap();
        assert!(zone.location().contains("/hostedzone/"));
        let zone = zone.hosted_zone().unwrap().id().to_owned();
        assert!(zone.starts_with("/hostedzone/"));

        let config = HealthCheckConfig::builder()
            .r#type(HealthCheckType::Http)
            .ip_address("127.0.1.1")
            .port(8080)
            .resource_path("/health?deep=1&x=<y>")
            .request_interval(10)
            .build()
            .unwrap();
        let create = || client.create_health_check().caller_reference("check").health_check_config(config.clone());
        let check = create().send().await.unwrap().health_check.unwrap();
        assert_eq!(check.health_check_version(), 1);
        assert_eq!(check.health_check_config().unwrap().resource_path(), Some("/health?deep=1&x=<y>"));
        // The same call again finds the same check.
        assert_eq!(create().send().await.unwrap().health_check.unwrap().id(), check.id());

        let pair = [
            failover(ResourceRecordSetFailover::Primary, "127.0.1.1", Some(check.id())),
            failover(ResourceRecordSetFailover::Secondary, "127.0.2.1", None),
        ];
        let changes = batch(pair.clone().map(|record| (ChangeAction::Create, record)));
        let send = client.change_resource_record_sets().hosted_zone_id(&zone).change_batch(changes);
        let change = send.send().await.unwrap().change_info.unwrap();
        assert_eq!(change.status(), &ChangeStatus::Pending);
        assert!(chosen(&stage).contains("NoZone"), "nothing is visible before it is in sync");
        stage.clock.advance(Duration::from_secs(29));
        let status = client.get_change().id(change.id()).send().await.unwrap().change_info.unwrap();
        assert_eq!(status.status(), &ChangeStatus::Pending);
        stage.clock.advance(Duration::from_secs(1));
        let status = client.get_change().id(change.id()).send().await.unwrap().change_info.unwrap();
        assert_eq!(status.status(), &ChangeStatus::Insync);
        assert_eq!(chosen(&stage), "primary");

        let listed = client.list_resource_record_sets().hosted_zone_id(&zone).send().await.unwrap();
        let listed: Vec<_> = listed.resource_record_sets().iter().filter(|it| it.failover().is_some()).collect();
        assert_eq!(listed.len(), 2);
        assert_eq!(listed[0].set_identifier(), Some("primary"));
        assert_eq!(listed[0].health_check_id(), Some(check.id()));
        assert_eq!(client.list_hosted_zones().send().await.unwrap().hosted_zones().len(), 1);
        let by_name = client.list_hosted_zones_by_name().dns_name("example.com").send().await.unwrap();
        assert_eq!(by_name.hosted_zones()[0].resource_record_set_count(), Some(4));
        assert_eq!(
            client.get_hosted_zone().id(&zone).send().await.unwrap().hosted_zone().unwrap().name(),
            "example.com."
        );
        assert_eq!(client.list_health_checks().send().await.unwrap().health_checks().len(), 1);

        let error = client.delete_hosted_zone().id(&zone).send().await.unwrap_err();
        assert!(error.as_service_error().unwrap().is_hosted_zone_not_empty());
        // The name as the server keeps it, or the values would not match.
        let pair = pair.map(|mut record| {
            record.name = "API.example.com.".to_owned();
            (ChangeAction::Delete, record)
        });
        client.change_resource_record_sets().hosted_zone_id(&zone).change_batch(batch(pair)).send().await.unwrap();
        client.delete_health_check().health_check_id(check.id()).send().await.unwrap();
        client.delete_hosted_zone().id(&zone).send().await.unwrap();
        let error = create().send().await.unwrap_err();
        assert!(error.as_service_error().unwrap().is_health_check_already_exists(), "a reference stays spent");
        assert_eq!(stage.world.effects().count("route53:CreateHealthCheck", check.id()), 1);
    }
}

#[tokio::test]
async fn a_bad_batch_changes_nothing_and_says_all_that_is_wrong() {
    let stage = Stage::in_process();
    let zone = stage.world.route53().add_zone("example.com");
    let east = stage.east();
    let client = east.route53();
    let mut both = failover(ResourceRecordSetFailover::Primary, "127.0.1.2", None);
    both.set_identifier = Some("second".to_owned());
    let changes = batch([
        (ChangeAction::Create, failover(ResourceRecordSetFailover::Primary, "127.0.1.1", None)),
        (ChangeAction::Create, both),
        (ChangeAction::Create, failover(ResourceRecordSetFailover::Secondary, "127.0.2.1", Some("no-such-check"))),
        (ChangeAction::Delete, failover(ResourceRecordSetFailover::Secondary, "127.0.2.1", None)),
    ]);
    let error =
        client.change_resource_record_sets().hosted_zone_id(&zone).change_batch(changes).send().await.unwrap_err();
    let error = error.into_service_error();
    assert!(error.is_invalid_change_batch());
    let message = error.message().unwrap();
    for part in ["Only one PRIMARY", "no-such-check", "not found"] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(stage.world.route53().zones()[0].records().count(), 2, "only SOA and NS");
    assert!(stage.world.effects().all().is_empty());
    // What the caller makes of it.
    let missing = batch([(ChangeAction::Delete, failover(ResourceRecordSetFailover::Primary, "127.0.1.1", None))]);
    let send = client.change_resource_record_sets().hosted_zone_id(&zone).change_batch(missing);
    let error = classify("route53:ChangeResourceRecordSets", send.send().await.unwrap_err());
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::NotApplied));
}

#[tokio::test]
async fn health_checks_are_versioned_and_disabling_one_makes_it_healthy() {
    let stage = Stage::in_process();
    let route53 = stage.world.route53();
    let id = route53.add_check(CheckConfig::http("127.0.1.1".parse().unwrap(), 80, "/")).unwrap();
    let east = stage.east();
    let client = east.route53();
    for checker in ["us-east-1/15.177.0.1", "eu-west-1/15.177.0.2"] {
        for _ in 0..3 {
            route53.observe(&id, checker, CheckResult::failure("Connection timed out."));
        }
    }
    assert_eq!(route53.health(&id), Some(false));
    let status = client.get_health_check_status().health_check_id(&id).send().await.unwrap();
    assert_eq!(status.health_check_observations().len(), 2);
    let report = status.health_check_observations()[0].status_report().unwrap();
    assert_eq!(report.status(), Some("Failure: Connection timed out."));
    let why = client.get_health_check_last_failure_reason().health_check_id(&id).send().await.unwrap();
    assert_eq!(why.health_check_observations().len(), 2);

    let update = || client.update_health_check().health_check_id(&id);
    // What many a runbook's drill does: meant to fail the primary, it makes it healthy.
    update().health_check_version(1).disabled(true).send().await.unwrap();
    assert_eq!(route53.health(&id), Some(true));
    let error = update().health_check_version(1).inverted(true).send().await.unwrap_err();
    let error = classify("route53:UpdateHealthCheck", error);
    assert_eq!(
        (error.kind(), error.retry(), error.effect()),
        (ErrorKind::Conflict, Retry::Backoff, Effect::NotApplied)
    );
    let check = update().health_check_version(2).inverted(true).send().await.unwrap().health_check.unwrap();
    assert_eq!(check.health_check_version(), 3);
    assert_eq!(route53.health(&id), Some(false), "disabled and inverted is unhealthy");
    // Inverted alone, of a check that is truly unhealthy, is healthy.
    update().disabled(false).send().await.unwrap();
    assert_eq!(route53.health(&id), Some(true));
    assert_eq!(stage.world.effects().count("route53:UpdateHealthCheck", &id), 3);
    let error = update().failure_threshold(11).send().await.unwrap_err();
    assert!(error.as_service_error().unwrap().is_invalid_input());
    let error = client.get_health_check().health_check_id("nope").send().await.unwrap_err();
    assert!(error.as_service_error().unwrap().is_no_such_health_check());
}

#[tokio::test]
async fn answers_follow_health_after_a_delay_and_calculated_checks_follow_their_children() {
    let stage = Stage::in_process();
    let route53 = stage.world.route53();
    let zone = route53.add_zone("example.com");
    let child = route53.add_check(CheckConfig::http("127.0.1.1".parse().unwrap(), 80, "/")).unwrap();
    let calculated = CheckConfig {
        child_health_checks: vec![child.clone()],
        health_threshold: Some(1),
        ..CheckConfig::new(dr_aws::testing::route53::CheckType::Calculated)
    };
    let parent = route53.add_check(calculated).unwrap();
    let record = |address: &str| RecordSet::new("api.example.com", "A", 60, [address]);
    route53
        .add_record(&zone, record("127.0.1.1").failover(FailoverRole::Primary, "primary").checked_by(&parent))
        .unwrap();
    route53.add_record(&zone, record("127.0.2.1").failover(FailoverRole::Secondary, "secondary")).unwrap();
    assert_eq!(chosen(&stage), "primary");
    for _ in 0..3 {
        route53.observe(&child, "us-east-1/15.177.0.1", CheckResult::failure("refused"));
    }
    assert_eq!((route53.health(&child), route53.health(&parent)), (Some(false), Some(false)));
    assert_eq!(chosen(&stage), "primary", "the name servers have not heard yet");
    stage.clock.advance(Duration::from_secs(5));
    assert_eq!(chosen(&stage), "secondary");
    for _ in 0..3 {
        route53.observe(&child, "us-east-1/15.177.0.1", CheckResult::success("HTTP Status Code 200, OK"));
    }
    stage.clock.advance(Duration::from_secs(5));
    assert_eq!(chosen(&stage), "primary", "nothing latches a failover");
}

#[tokio::test]
async fn six_calls_at_once_are_one_too_many() {
    let stage = Stage::in_process();
    stage.world.route53().set_throttle(true);
    let east = stage.east();
    for _ in 0..5 {
        east.route53().list_hosted_zones().send().await.unwrap();
    }
    let error = east.route53().list_hosted_zones().send().await.unwrap_err();
    assert_eq!(error.code(), Some("Throttling"));
    assert_eq!(classify("route53:ListHostedZones", error).kind(), ErrorKind::Throttled);
    stage.clock.advance(Duration::from_secs(1));
    east.route53().list_hosted_zones().send().await.unwrap();
}

#[tokio::test]
async fn what_is_not_there_is_refused_by_name() {
    for stage in Stage::each().await {
        let east = stage.east();
        let error = east.route53().list_traffic_policies().send().await.unwrap_err();
        assert_eq!(error.code(), Some("NotImplemented"));
        assert_eq!(error.message(), Some("NotImplemented: the double has no route53:ListTrafficPolicies"));
        assert_eq!(classify("route53:ListTrafficPolicies", error).kind(), ErrorKind::Unsupported);
    }
}
