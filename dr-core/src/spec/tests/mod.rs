mod alternatives;
mod broken;
mod example;
mod fuzz;
mod mistakes;
mod schema;
mod variables;

use std::collections::BTreeMap;

use schemars::{JsonSchema, schema_for};
use serde::Deserialize;

use super::{Spec, SpecErrors, SpecFinding, SpecLoader};
use crate::model::{RegionId, ResourceKind};

pub(super) const EXAMPLE: &str = include_str!("../../../../examples/ecommerce.dr.yaml");

/// A small file with nothing wrong, which the tests break.
pub(super) const GOOD: &str = "\
application: shop
endpoint: https://api.example.com
objectives:
  rto: 5m
  rpo: 60s
regions:
  - id: us-east-1
    role: active
    endpoints: { application: https://use1.example.com }
  - id: eu-west-1
    role: warm-standby
    endpoints: { application: https://euw1.example.com }
  - id: eu-central-1
    role: witness
observers:
  - { id: a, region: us-east-1 }
  - { id: b, region: eu-west-1 }
  - { id: c, region: eu-central-1 }
probes:
  - id: front
    kind: http
    path: /health
    interval: 10s
    timeout: 4s
    threshold: { trip: 3, clear: 5 }
detection: { quorum: 2, dwell: 10s, hold_down: 10m }
services:
  - { id: cart, namespace: production, replicas: { standby: 1, full: 4 } }
resources:
  - id: db
    kind: test.store
    spec:
      members: { us-east-1: db-use1, eu-west-1: db-euw1 }
  - id: cache
    kind: test.store
    depends_on: [db]
    spec:
      members: { us-east-1: cache-use1, eu-west-1: cache-euw1 }
  - id: dns
    kind: test.name
    depends_on: [cache]
    spec:
      record: api.example.com
      switch: { kind: object, bucket: switch-euw1 }
runner: { region: eu-central-1 }
journal: { store: sqlite, path: journal.sqlite, region: eu-central-1 }
";

/// A store, as a driver might describe it.
#[derive(JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct Store {
    /// The members by region.
    members: BTreeMap<RegionId, String>,
    /// The engine's version.
    #[serde(default)]
    version: Option<String>,
    /// A password, which must never be repeated.
    #[serde(default)]
    password: Option<String>,
}

/// A name, as a driver might describe it.
#[derive(JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct Name {
    record: String,
    switch: Switch,
}

/// What moves it.
#[derive(JsonSchema, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
enum Switch {
    /// An object.
    Object { bucket: String },
    /// A check.
    CheckInversion { check: String },
}

pub(super) fn loader() -> SpecLoader {
    SpecLoader::new()
        .driver_schema(ResourceKind::from_static("test.store"), schema_for!(Store))
        .driver_schema(ResourceKind::from_static("test.name"), schema_for!(Name))
}

pub(super) fn load(text: &str) -> Result<Spec, SpecErrors> {
    loader().load_str("shop.dr.yaml", text)
}

/// The only finding of the good file with one change.
pub(super) fn one(from: &str, to: &str) -> SpecFinding {
    let findings = all(from, to);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    findings[0].clone()
}

/// Every finding of the good file with one change.
pub(super) fn all(from: &str, to: &str) -> Vec<SpecFinding> {
    assert_eq!(GOOD.matches(from).count(), 1, "{from:?} has to occur once");
    let errors = load(&GOOD.replace(from, to)).unwrap_err();
    errors.findings().to_vec()
}

/// Where `needle` stands in `text`, from 1.
pub(super) fn place(text: &str, needle: &str) -> (usize, usize) {
    let offset = text.find(needle).unwrap();
    let before = &text[..offset];
    (before.matches('\n').count() + 1, before.rsplit('\n').next().unwrap().chars().count() + 1)
}

#[test]
fn the_good_file_is_good() {
    let spec = load(GOOD).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(spec.resources.len(), 3);
    assert_eq!(spec.approvals, super::ApprovalsSpec::default());
    loader().check_schemas().unwrap();
}
