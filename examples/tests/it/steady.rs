//! The lab while nothing is wrong, and how others find it.

use std::time::Duration;

use dr_core::{model::Plane, testing::Fault, time::Clock as _};
use dr_lab::{
    FaultPreset, FaultRequest, Lab, LabClient, LabControl as _,
    clients::{FailureKind, Window},
    dns::Resolver,
};
use hickory_proto::{op::ResponseCode, rr::RecordType};
use http::Method;

use crate::by_hand::{EAST, east, http, leads_to, pass, until, west};

#[tokio::test(flavor = "multi_thread")]
async fn names_lead_to_the_active_region_and_clients_are_served() {
    let lab = Lab::builder().seed(3).clients(4).build().await.unwrap();
    let resolver = Resolver::new(lab.clock(), lab.endpoints().dns);

    let answer = resolver.query("api.ecommerce.com", RecordType::A).await.unwrap();
    assert!(answer.metadata.authoritative);
    assert_eq!(answer.answers[0].ttl, 60);
    assert_eq!(answer.answers[0].data.ip_addr(), Some(EAST.into()));
    let nothing = resolver.query("api.ecommerce.com", RecordType::AAAA).await.unwrap();
    assert_eq!((nothing.metadata.response_code, nothing.answers.len()), (ResponseCode::NoError, 0));
    assert_eq!(nothing.authorities[0].record_type(), RecordType::SOA);
    let nobody = resolver.query("nobody.ecommerce.com", RecordType::A).await.unwrap();
    assert_eq!(nobody.metadata.response_code, ResponseCode::NXDomain);

    until(&lab, "forty orders", async || lab.ledger().acknowledged() >= 40).await;
    let report = lab.client_report(Window::ALL);
    assert_eq!(report.clients, 4);
    assert!(report.flips.is_empty(), "{:?}", report.flips);
    let (status, health) =
        http(Method::GET, &format!("http://{EAST}:{}/health", lab.endpoints().application_port), None, "").await;
    assert_eq!(status, 200);
    assert!(health.contains(r#""status":"ok","region":"us-east-1","writer":true"#), "{health}");
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_writes_through_the_writers_region_and_sheds_load() {
    let lab = Lab::builder().clients(2).build().await.unwrap();
    let west_url = lab.endpoints().region(&west()).unwrap().application.clone().unwrap();
    let (status, text) = http(Method::POST, &format!("{west_url}/orders"), None, "{}").await;
    assert_eq!(status, 201, "{text}");
    assert!(text.contains(r#""region":"us-east-1""#), "the writer's endpoint leads across: {text}");
    // One replica carries less than a request a second.
    pass(&lab, Duration::from_secs(5)).await;
    lab.faults().switch(&east(), Plane::Data, Some(Fault::ServerError));
    let (status, text) = http(Method::POST, &format!("{west_url}/orders"), None, "{}").await;
    assert_eq!(status, 500, "without the writer's data there is nowhere to write: {text}");
    lab.faults().clear();
    let mut shed = 0;
    for _ in 0..200 {
        let (status, text) = http(Method::GET, &format!("{west_url}/orders/none"), None, "").await;
        shed += usize::from(status == 503 && text.contains("overloaded"));
    }
    assert!(shed > 0, "two hundred requests at once are too many for one replica");
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_finds_the_lab_by_its_env_file_and_steers_it() {
    let lab = Lab::builder().clients(3).build().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lab.env");
    lab.endpoints().write_env(&path).unwrap();
    let env = std::fs::read_to_string(&path).unwrap();
    let description = include_str!("../../ecommerce.dr.yaml");
    for name in description.split("${DR_LAB_").skip(1).filter_map(|rest| rest.split([':', '}']).next()) {
        assert!(env.contains(&format!("\nDR_LAB_{name}=")), "the platform's description reads DR_LAB_{name}: {env}");
    }
    let remote = LabClient::from_env_file(&path).await.unwrap();
    let (here, there) = (lab.clock().monotonic(), remote.clock().monotonic());
    assert!(there.since(here) < Duration::from_secs(60), "both live by one clock");

    let before = remote.state().await.unwrap();
    assert_eq!(before.writer.as_deref(), Some("ecommerce-production"));
    assert_eq!(before.cache["ecommerce-cache-use1"], "primary");
    assert_eq!(before.workloads["eu-west-1"]["catalog"].min, Some(2));
    assert_eq!(before.workloads["us-east-1"]["catalog"].ready, 6);
    assert_eq!(before, lab.control().state().await.unwrap());

    let mark = remote.inject(&FaultPreset::Gray.into()).await.unwrap();
    until(&lab, "an order that fails", async || {
        let felt = remote.clients(Window::since(mark.at_s)).await.unwrap();
        felt.failures.contains_key(&FailureKind::ServerError)
    })
    .await;
    assert_eq!(before.diff(&remote.state().await.unwrap()).len(), 1, "only the fault differs");
    let elsewhere = FaultRequest { region: Some("mars-1".parse().unwrap()), ..FaultPreset::Refuse.into() };
    assert!(remote.inject(&elsewhere).await.unwrap_err().to_string().contains("mars-1"));
    remote.heal().await.unwrap();
    assert!(before.diff(&remote.state().await.unwrap()).is_empty());
    remote.mark("over").await.unwrap();
    let labels: Vec<_> = remote.marks().await.unwrap().into_iter().map(|mark| mark.label).collect();
    assert_eq!(labels, ["fault", "heal", "over"]);
    assert!(remote.effects().await.unwrap().is_empty(), "nobody has asked the doubles for anything");
    lab.shutdown().await;
    assert!(remote.marks().await.is_err(), "it does not stand any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn checkers_see_a_black_hole_and_its_end() {
    let lab = Lab::builder().clients(1).build().await.unwrap();
    let route53 = lab.world().route53();
    let name = Some("api-us-east-1.ecommerce.com".to_owned());
    let checks = route53.checks();
    let check = &checks.iter().find(|check| check.config.fully_qualified_domain_name == name).unwrap().id;
    pass(&lab, Duration::from_secs(30)).await;
    assert_eq!(route53.health(check), Some(true));

    let struck = lab.clock().monotonic();
    lab.faults().switch(&east(), Plane::Application, Some(Fault::BlackHole));
    until(&lab, "the check to fail", async || route53.health(check) == Some(false)).await;
    // Three failures in a row of one checker take two whole intervals, whatever the phases.
    assert!(lab.clock().monotonic().since(struck) >= Duration::from_secs(20));
    // The endpoint's check moves no traffic: only the switch does.
    assert_eq!(leads_to(&lab).await, [EAST]);

    lab.faults().clear();
    until(&lab, "the check to pass", async || route53.health(check) == Some(true)).await;
    lab.shutdown().await;
}
