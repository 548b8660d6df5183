use super::load;

/// Ten mistakes of ten kinds, and the line of each.
const BROKEN: &str = "\
application: shop
endpoint: https://api.example.com
objectives:
  rto: 5 minutes
  rpo: 60s
  rpo: 30s
regions:
  - id: us-east-1
    role: active
    endpoints: { application: https://use1.example.com }
  - id: eu-west-1
    role: warm-standbye
    endpoints: { application: https://euw1.example.com }
  - id: eu-central-1
    role: witness
observers:
  - { id: a, region: us-east-1 }
  - { id: b, region: eu-west-2 }
  - { id: c, region: eu-central-1 }
probes:
  - id: front
    kind: http
    path: /health
    intervall: 10s
    interval: 10s
    timeout: 40s
    threshold: { trip: three, clear: 5 }
detection: { quorum: 1, dwell: 10s, hold_down: 10m }
resources:
  - id: db
    kind: test.stroe
    spec: {}
  - id: cache
    kind: test.store
    depends_on: [dns]
    spec:
      members: { us-east-1: cache-use1 }
  - id: dns
    kind: test.name
    depends_on: [cache]
    spec:
      record: api.example.com
      switch: { kind: object, bucket: switch-euw1 }
runner: { region: eu-central-1 }
journal: { store: sqlite, path: journal.sqlite, region: eu-central-1 }
";

#[test]
fn ten_mistakes_are_ten_findings_each_with_its_place() {
    let errors = load(BROKEN).unwrap_err();
    let places: Vec<(usize, usize, &str)> =
        errors.findings().iter().map(|finding| (finding.line, finding.column, finding.path.as_str())).collect();
    assert_eq!(
        places,
        [
            (4, 8, "objectives.rto"),
            (6, 3, "objectives.rpo"),
            (12, 11, "regions[1].role"),
            (18, 22, "observers[1].region"),
            (24, 5, "probes[0].intervall"),
            (26, 14, "probes[0].timeout"),
            (27, 24, "probes[0].threshold.trip"),
            (28, 22, "detection.quorum"),
            (31, 11, "resources[0].kind"),
            (35, 18, "resources[1].depends_on[0]"),
        ],
        "{errors}"
    );
    insta::assert_snapshot!(errors);
}

#[test]
fn findings_are_json_for_tools() {
    let errors = load(BROKEN).unwrap_err();
    let json = errors.to_json();
    assert_eq!(json.as_array().map(Vec::len), Some(10));
    insta::assert_snapshot!(serde_json::to_string_pretty(&json[1]).unwrap());
}
