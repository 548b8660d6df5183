use std::time::Duration;

use schemars::json_schema;

use super::super::{ProbeTarget, SpecLoader};
use super::EXAMPLE;
use crate::{
    model::{RegionRole, ResourceKind},
    topology::Topology,
};

const KINDS: [&str; 4] = ["aws.aurora_global", "aws.elasticache_global", "aws.route53_failover", "k8s.deployments"];

pub(super) fn loader() -> SpecLoader {
    // The drivers' own schemas are not known here; the crate that has the drivers judges the blocks.
    KINDS.iter().fold(SpecLoader::new(), |loader, kind| {
        loader.driver_schema(ResourceKind::from_static(kind), json_schema!({ "type": "object" }))
    })
}

#[test]
fn the_example_describes_the_platform_whole() {
    let spec = loader().load_str("ecommerce.dr.yaml", EXAMPLE).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(spec.objectives.rto, Duration::from_secs(300));
    assert_eq!(spec.objectives.rpo, Duration::from_secs(60));
    assert_eq!(spec.services.len(), 6);
    assert!(spec.services.iter().all(|service| service.replicas.full > service.replicas.standby));
    assert_eq!(spec.probes[0].detect_max(), Duration::from_secs(42));

    let topology = Topology::new(&spec).unwrap();
    let role = |role| topology.with_role(role).map(|region| region.id.as_str()).collect::<Vec<_>>();
    assert_eq!(role(RegionRole::Active), ["us-east-1"]);
    assert_eq!(role(RegionRole::WarmStandby), ["eu-west-1"]);
    assert_eq!(role(RegionRole::Witness), ["eu-central-1"]);
    assert_eq!(topology.resources().last().map(|resource| resource.id.as_str()), Some("public-name"));
}

#[test]
fn the_lab_s_variables_replace_the_real_endpoints() {
    let spec = loader()
        .variable("DR_LAB_APPLICATION_US_EAST_1", "http://127.0.1.1:8080")
        .load_str("ecommerce.dr.yaml", EXAMPLE)
        .unwrap_or_else(|errors| panic!("{errors}"));
    let Some(ProbeTarget::Http { url, .. }) = spec.probes[0].target(&spec.regions[0]) else { panic!("an http probe") };
    assert_eq!(url, "http://127.0.1.1:8080/health");
    let Some(ProbeTarget::Http { url, .. }) = spec.probes[0].target(&spec.regions[1]) else { panic!("an http probe") };
    assert_eq!(url, "https://api-eu-west-1.ecommerce.com/health");
}

#[test]
fn what_has_no_driver_yet_is_refused_by_name_when_it_is_uncommented() {
    let from = EXAMPLE.find("  # - id: assets").unwrap();
    let to = EXAMPLE.find("  # # Every image").unwrap();
    let uncommented: String = EXAMPLE[from..to]
        .lines()
        .map(|line| line.replacen("# ", "", 1).trim_end_matches('#').to_owned() + "\n")
        .collect();
    let text = format!("{}{uncommented}{}", &EXAMPLE[..from], &EXAMPLE[to..]);
    let errors = loader().load_str("ecommerce.dr.yaml", &text).unwrap_err();
    let [finding] = errors.findings() else { panic!("{errors}") };
    assert_eq!(finding.message, "no driver here handles the kind `aws.s3_replication`");
    assert!(finding.remedy.contains(&KINDS.join(", ")), "{}", finding.remedy);
}

#[test]
fn a_spec_written_out_is_read_back_the_same() {
    let spec = loader().load_str("ecommerce.dr.yaml", EXAMPLE).unwrap();
    let json = serde_json::to_string_pretty(&spec).unwrap();
    // JSON is YAML.
    assert_eq!(loader().load_str("again", &json).unwrap_or_else(|errors| panic!("{errors}")), spec);
}
