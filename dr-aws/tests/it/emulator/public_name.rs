use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, HealthCheckConfig, HealthCheckType, ResourceRecord, ResourceRecordSet,
    ResourceRecordSetFailover, RrType,
};
use dr_aws::route53_failover::{
    CheckImage, HoldLatch, InvertCheck, InvertCheckParams, ReleaseSwitch, Route53Failover, SwitchParams, ThrowSwitch,
};
use dr_core::{
    driver::Driver as _,
    error::ErrorKind,
    step::{Observed, Step as _},
    topology::Topology,
    validation::CheckCx,
};
use serde_json::json;

use super::server::Moto;
use crate::{carry_out::carry_out, stage::west};

const BUCKET: &str = "switches";
const KEY: &str = "stop/primary";
const RECORD: &str = "api.example.com";

/// A name with its pair of records and the check that moves it, made through the API.
struct Name {
    moto: Moto,
    zone: String,
    check: String,
}

impl Name {
    async fn on(moto: Moto) -> Self {
        moto.with_bucket(BUCKET).await;
        let clients = moto.clients.for_writes(&"us-east-1".parse().unwrap());
        let client = clients.route53();
        let zone = client.create_hosted_zone().name("example.com").caller_reference("1").send().await.unwrap();
        let zone = zone.hosted_zone().unwrap().id().trim_start_matches("/hostedzone/").to_owned();
        let config = HealthCheckConfig::builder()
            .r#type(HealthCheckType::Https)
            .fully_qualified_domain_name(format!("{BUCKET}.s3.eu-west-1.amazonaws.com"))
            .resource_path(format!("/{KEY}"))
            .inverted(true);
        let check = client.create_health_check().caller_reference("c").health_check_config(config.build().unwrap());
        let check = check.send().await.unwrap().health_check.unwrap().id().to_owned();
        let pair = [
            (ResourceRecordSetFailover::Primary, "192.0.2.1", Some(check.clone())),
            (ResourceRecordSetFailover::Secondary, "192.0.2.2", None),
        ];
        let changes = pair.map(|(role, address, check)| {
            let record = ResourceRecordSet::builder()
                .name(RECORD)
                .r#type(RrType::A)
                .set_identifier(role.as_str().to_lowercase())
                .failover(role)
                .ttl(60)
                .resource_records(ResourceRecord::builder().value(address).build().unwrap())
                .set_health_check_id(check);
            let change = Change::builder().action(ChangeAction::Create).resource_record_set(record.build().unwrap());
            change.build().unwrap()
        });
        let batch = ChangeBatch::builder().set_changes(Some(changes.to_vec())).build().unwrap();
        client.change_resource_record_sets().hosted_zone_id(&zone).change_batch(batch).send().await.unwrap();
        Self { moto, zone, check }
    }

    fn topology(&self, primary: &str) -> Topology {
        serde_json::from_value(json!({
            "application": "shop",
            "objectives": { "rto": { "secs": 300, "nanos": 0 }, "rpo": { "secs": 60, "nanos": 0 } },
            "regions": [{ "id": "us-east-1", "role": "active" }, { "id": "eu-west-1", "role": "warm-standby" }],
            "resources": [{
                "id": "name",
                "kind": "aws.route53_failover",
                "spec": {
                    "hosted_zone_id": self.zone,
                    "record": RECORD,
                    "name_servers": ["127.0.0.1:53"],
                    "members": {
                        "us-east-1": {
                            "failover": "primary", "set_identifier": primary, "name": "api-us-east-1.example.com",
                        },
                        "eu-west-1": {
                            "failover": "secondary", "set_identifier": "secondary", "name": "api-eu-west-1.example.com",
                        },
                    },
                    "switch": {
                        "kind": "standby-takes-over", "region": "eu-west-1", "bucket": BUCKET, "key": KEY,
                        "health_check_id": self.check,
                    },
                },
            }],
            "services": [],
            "observers": [],
            "probes": [],
            "detection": { "quorum": 2, "dwell": "20s", "hold_down": "5m" },
        }))
        .unwrap()
    }

    /// What the validations find, when the primary record is thought to be called so.
    async fn findings(&self, primary: &str) -> Vec<String> {
        let topology = self.topology(primary);
        let resource = topology.resource(&"name".parse().unwrap()).unwrap();
        let driver = Route53Failover::new(self.moto.clients.clone()).unwrap();
        let mut findings = Vec::new();
        for validation in driver.validations(resource).unwrap() {
            let cx = CheckCx { topology: &topology, clock: self.moto.step_cx().clock };
            findings.extend(validation.check(&cx).await.unwrap().into_iter().map(|finding| finding.message));
        }
        findings
    }
}

fn switch() -> SwitchParams {
    SwitchParams { region: west(), bucket: BUCKET.to_owned(), key: KEY.to_owned(), record: RECORD.to_owned() }
}

#[tokio::test]
async fn a_switch_is_thrown_holds_and_is_released() {
    let Some(moto) = Moto::start() else { return };
    let name = Name::on(moto).await;
    assert_eq!(name.findings("primary").await, Vec::<String>::new());
    let missing = name.findings("first").await;
    assert!(missing.len() == 1 && missing[0].contains("has no record \"first\""), "{missing:?}");

    let (clients, cx) = (&name.moto.clients, name.moto.step_cx());
    let latch = HoldLatch::new(clients.clone());
    let gone = latch.execute(&cx, &switch()).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::PostconditionFailed, "{gone}");
    carry_out(&ThrowSwitch::new(clients.clone()), &cx, &switch()).await.unwrap();
    latch.execute(&cx, &switch()).await.unwrap();
    let thrown = name.findings("primary").await;
    assert!(thrown.len() == 1 && thrown[0].contains("traffic has been moved"), "{thrown:?}");

    carry_out(&ReleaseSwitch::new(clients.clone()), &cx, &switch()).await.unwrap();
    assert_eq!(name.findings("primary").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_throw_that_is_taken_back_leaves_what_stood_there() {
    let Some(moto) = Moto::start() else { return };
    moto.with_bucket(BUCKET).await;
    let (throw, cx) = (ThrowSwitch::new(moto.clients.clone()), moto.step_cx());
    let before = throw.before_image(&cx, &switch()).await.unwrap();
    throw.execute(&cx, &switch()).await.unwrap();
    throw.compensate(&cx.clone().with_before(before), &switch(), Some(&())).await.unwrap();
    assert!(matches!(throw.observe(&cx, &switch()).await.unwrap(), Observed::NotStarted));
}

#[tokio::test]
async fn a_check_is_inverted_and_set_as_it_was() {
    let Some(moto) = Moto::start() else { return };
    let name = Name::on(moto).await;
    let (invert, cx) = (InvertCheck::new(name.moto.clients.clone()).unwrap(), name.moto.step_cx());
    let to = |disabled, inverted| InvertCheckParams { health_check_id: name.check.clone(), disabled, inverted };
    let before = invert.before_image(&cx, &to(true, false)).await.unwrap();
    let image: CheckImage = serde_json::from_value(before.clone().unwrap()).unwrap();
    assert_eq!(image, CheckImage { disabled: false, inverted: true });
    // Both flags differ from what stands there.
    carry_out(&invert, &cx, &to(true, false)).await.unwrap();
    assert_eq!(invert.observe(&cx, &to(true, false)).await.unwrap(), Observed::Done { output: () });
    invert.compensate(&cx.with_before(before), &to(true, false), Some(&())).await.unwrap();
    assert_eq!(invert.observe(&name.moto.step_cx(), &to(false, true)).await.unwrap(), Observed::Done { output: () });
}
