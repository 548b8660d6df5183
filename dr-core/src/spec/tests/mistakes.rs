//! One test a kind of mistake.

use super::{GOOD, all, load, one, place};

/// The only finding of the good file with `from` replaced, as (place, path, message, remedy).
macro_rules! mistake {
    ($name:ident, $from:expr => $to:expr, at $needle:expr, $path:expr, $message:expr, $remedy:expr) => {
        #[test]
        fn $name() {
            let finding = one($from, $to);
            let text = GOOD.replace($from, $to);
            assert_eq!(finding.message, $message);
            assert_eq!(finding.remedy, $remedy);
            assert_eq!(finding.path, $path);
            assert_eq!((finding.line, finding.column), place(&text, $needle), "{finding}");
        }
    };
}

mistake!(a_key_that_is_not_known, "    path: /health" => "    pth: /health\n    path: /health", at "pth", "probes[0].pth",
    "`pth` is not known here",
    "`path`; known here: id, kind, body, endpoint, path, read_back, names, expires_in_at_least, trust, name, servers, \
     resolvers, targets, interval, timeout, threshold, expect, like, request, tls, family");
mistake!(a_run_that_cannot_watch_for_long_enough, "  rpo: 60s" => "  rpo: 60s\n  recovered: { stays: 5m, within: 4m }", at "4m }",
    "objectives.recovered.within", "health cannot stay green for 5m within 4m", "5m or more");
mistake!(a_journal_in_a_file_without_its_path, "store: sqlite, path: journal.sqlite" => "store:  sqlite", at "store:  sqlite", "journal.path",
    "a journal in sqlite needs a `path`, which is missing", "`path:` with the file, such as `journal.sqlite`");
mistake!(a_journal_in_s3_without_its_bucket, "store: sqlite, path: journal.sqlite" => "store: s3, prefix: dr", at "store: s3", "journal.bucket",
    "a journal in s3 needs a `bucket`, which is missing", "`bucket:` with the name of a bucket in the journal's region");
mistake!(a_journal_in_two_places, "store: sqlite, path: journal.sqlite" => "store: s3, bucket: shop-journal, path: journal.sqlite", at "path: journal.sqlite",
    "journal.path", "`path` belongs to `store: sqlite`, and this journal is in s3", "no `path`, or `store: sqlite`");
mistake!(a_bucket_that_s3_would_not_make, "store: sqlite, path: journal.sqlite" => "store: s3, bucket: Shop_Journal", at "Shop_Journal",
    "journal.bucket", "the text `Shop_Journal` does not have the form that is needed here", "a value such as shop-journal");
mistake!(an_approval_that_nobody_has_time_for, "runner:" => "approvals: { point_of_no_return: required, drills: automatic, failback: required, expires: 0s }\nrunner:",
    at "0s }", "approvals.expires", "this takes no time at all", "a duration such as 30m");
mistake!(a_key_that_is_missing, "    timeout: 4s\n" => "", at "id: front", "probes[0].timeout",
    "`timeout` is missing", "`timeout: 10s`, with your own value");
mistake!(a_block_that_is_missing, "runner: { region: eu-central-1 }\n" => "", at "application", "runner",
    "`runner` is missing", "`runner: { region: eu-central-1 }`, with your own value");
mistake!(a_number_for_text, "application: shop" => "application: 5", at "5", "application",
    "this should be text, and is `5`", "a value such as ecommerce");
mistake!(text_for_a_number, "quorum: 2" => "quorum: two", at "two", "detection.quorum",
    "this should be a whole number, and is the text `two`", "a value such as 2");
mistake!(nothing_for_a_list, "services:\n  - { id: cart, namespace: production, replicas: { standby: 1, full: 4 } }\n" => "services:\n",
    at "services", "services", "this should be a list, and is nothing", "a list");
mistake!(a_bare_number_for_a_duration, "interval: 10s" => "interval: 10", at "10\n", "probes[0].interval",
    "this should be text, and is `10`", "a value such as 10s, 5m, 1h30m, 250ms");
mistake!(a_duration_that_is_none, "dwell: 10s" => "dwell: ten seconds", at "ten", "detection.dwell",
    "the text `ten seconds` does not have the form that is needed here", "a value such as 10s, 5m, 1h30m, 250ms");
mistake!(a_role_that_is_none, "warm-standby" => "hot", at "hot", "regions[1].role",
    "the text `hot` is not possible here", "one of active, warm-standby, pilot-light, witness");
mistake!(a_name_that_breaks_the_rules, "application: shop" => "application: my shop", at "my shop", "application",
    "the text `my shop` does not have the form that is needed here", "a value such as ecommerce");
mistake!(a_threshold_of_zero, "trip: 3" => "trip: 0", at "0, clear", "probes[0].threshold.trip",
    "`0` is too small", "1 or more");
mistake!(a_key_written_twice, "    timeout: 4s" => "    timeout: 4s\n    timeout: 5s", at "timeout: 5s", "probes[0].timeout",
    "`timeout` is written twice: first on line 24, column 5", "`timeout` once");
mistake!(a_region_named_twice, "  - id: eu-central-1\n    role: witness" =>
    "  - id: eu-central-1\n    role: witness\n  - id:   us-east-1\n    role: pilot-light\n    endpoints: { application: https://x.example.com }",
    at "us-east-1\n    role: pilot-light", "regions[3].id", "the name `us-east-1` is taken: line 7, column 9",
    "another name, or this entry not at all");
mistake!(a_service_named_as_a_resource, "id: cart" => "id: db", at "db\n", "resources[0].id",
    "the name `db` is taken: line 28, column 11", "another name, or this entry not at all");
mistake!(an_observer_in_no_region, "{ id: b, region: eu-west-1 }" => "{ id: b, region: eu-wst-1 }", at "eu-wst-1",
    "observers[1].region", "there is no region `eu-wst-1`", "`eu-west-1`; declared: us-east-1, eu-west-1, eu-central-1");
mistake!(a_dependency_on_nothing, "[db]" => "[database]", at "database", "resources[1].depends_on[0]",
    "there is no resource `database`", "one of db, cache, dns");
mistake!(a_kind_without_a_driver, "kind: test.name" => "kind: test.nmae", at "test.nmae", "resources[2].kind",
    "no driver here handles the kind `test.nmae`", "`test.name`; known kinds: test.name, test.store");
mistake!(a_dependency_on_itself, "[cache]" => "[dns]", at "dns]", "resources[2].depends_on[0]",
    "resources wait for one another: dns -> dns", "`depends_on` without one of these, such as `dns` here");
mistake!(a_cycle, "    kind: test.store\n    spec:\n      members: { us-east-1: db-use1" =>
    "    kind: test.store\n    depends_on: [dns]\n    spec:\n      members: { us-east-1: db-use1",
    at "dns]", "resources[0].depends_on[0]", "resources wait for one another: db -> dns -> cache -> db",
    "`depends_on` without one of these, such as `dns` here");
mistake!(no_active_region, "role: active" => "role: pilot-light", at "regions", "regions",
    "no region is active", "`role: active` in the region that serves today");
mistake!(two_active_regions, "role: witness\n" => "role: witness\n  - id: ap-south-1\n    role:  active\n    endpoints: { application: https://aps1.example.com }\n",
    at "active\n    endpoints: { application: https://aps1", "regions[3].role",
    "a second region is active: the first is on line 8", "`warm-standby`, `pilot-light` or `witness`");
mistake!(fewer_replicas_at_full_size, "standby: 1, full: 4" => "standby: 5, full: 4", at "4 } }", "services[0].replicas.full",
    "full is 4, which is fewer than the 5 of standby", "5 or more");
mistake!(a_warm_standby_with_nothing_running, "standby: 1" => "standby: 0", at "0, full", "services[0].replicas.standby",
    "a warm standby runs every service, and this one would have to start from nothing",
    "1 or more, or make the region a `pilot-light`");
mistake!(a_quorum_that_is_no_majority, "quorum: 2" => "quorum: 1", at "1, dwell", "detection.quorum",
    "1 of 3 is no majority: two halves could decide two different things", "2 or more");
mistake!(a_quorum_beyond_the_observers, "quorum: 2" => "quorum: 4", at "4, dwell", "detection.quorum",
    "4 observers can never agree, because there are 3", "2 to 3");
mistake!(no_observer_in_the_witness_region, "{ id: c, region: eu-central-1 }" => "{ id: c, region: eu-west-1 }", at "observers",
    "observers", "no observer is in a witness region", "an observer with `region: eu-central-1`");
mistake!(a_remote_observer_without_a_key, "{ id: c, region: eu-central-1 }" => "{ id: c, region: eu-central-1, url: 'https://c.example.com' }",
    at "url", "observers[2].key", "anybody could answer at this `url`: a `key` is missing",
    "`key:` with the public key that the observer signs with");
mistake!(a_local_observer_with_a_key, "{ id: c, region: eu-central-1 }" => "{ id: c, region: eu-central-1, key: c.pub }",
    at "key: c.pub", "observers[2].key", "an observer without `url` runs in the process that decides, and signs nothing",
    "`url:` as well, or no `key`");
mistake!(two_observers_with_one_key,
    "{ id: b, region: eu-west-1 }\n  - { id: c, region: eu-central-1 }" =>
    "{ id: b, region: eu-west-1, url: 'https://b.example.com', key: 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= }\n  - { id: c, region: eu-central-1, url: 'https://c.example.com', key: d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a }",
    at "d75a", "observers[2].key", "this is another observer's: one could speak for the other (line 17)", "one of its own");
mistake!(a_zero_interval, "interval: 10s" => "interval: 0s", at "0s\n    timeout", "probes[0].interval",
    "this takes no time at all", "a duration such as 10s");
mistake!(a_timeout_longer_than_the_interval, "timeout: 4s" => "timeout: 11s", at "11s", "probes[0].timeout",
    "a probe that may take 11s cannot run every 10s", "10s or less");
mistake!(a_read_that_writes, "    timeout: 4s" => "    timeout: 4s\n    request: { method: PUT }", at "PUT", "probes[0].request.method",
    "an http probe only reads", "`kind: write`, or GET");
mistake!(a_method_that_is_none, "    timeout: 4s" => "    timeout: 4s\n    request: { method: get }", at "get }", "probes[0].request.method",
    "the text `get` is not possible here", "`GET`; possible here: GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE");
mistake!(a_host_among_the_headers, "    timeout: 4s" => "    timeout: 4s\n    request: { headers: { Host: a.example } }", at "Host",
    "probes[0].request.headers.Host", "the host has a key of its own", "`host:` beside `headers`");
mistake!(a_header_with_a_space, "    timeout: 4s" => "    timeout: 4s\n    request: { headers: { my header: a } }", at "my header",
    "probes[0].request.headers[\"my header\"]", "this is no name of a header", "a name such as content-type");
mistake!(a_part_longer_than_the_whole, "    timeout: 4s" => "    timeout: 4s\n    request: { connect_timeout: 5s }", at "5s }",
    "probes[0].request.connect_timeout", "the whole look may take 4s, and this part of it 5s", "4s or less, or a longer `timeout`");
mistake!(endless_redirects, "    timeout: 4s" => "    timeout: 4s\n    request: { redirects: { follow: 100 } }", at "100 }",
    "probes[0].request.redirects.follow", "`100` is too large", "10 or less");
mistake!(trust_in_a_file_name, "    timeout: 4s" => "    timeout: 4s\n    tls: { trust: root.pem }", at "root.pem", "probes[0].tls.trust",
    "this is no certificate in PEM", "the certificate itself, from -----BEGIN CERTIFICATE----- on");
mistake!(less_time_than_route_53_takes, "    timeout: 4s" => "    timeout: 4s\n    like: route53", at "4s\n", "probes[0].timeout",
    "Route 53's checkers wait up to 6s in all, which this cuts short", "6s or more");
mistake!(no_pause_after_a_failover, "hold_down: 10m" => "hold_down: 0s", at "0s }", "detection.hold_down",
    "without a pause after a failover, the next could start at once and the regions would flap", "10m or more");
mistake!(damping_that_never_begins, "hold_down: 10m" => "hold_down: 10m, damping: { reuse: 4000 }", at "4000", "detection.damping.reuse",
    "a verdict suspended from a penalty of 3000 would count again at 4000, which is no less",
    "less than 3000; the default is a third of it");
mistake!(damping_that_ends_before_it_begins, "hold_down: 10m" => "hold_down: 10m, damping: { max_suppress: 5m }", at "5m }",
    "detection.damping.max_suppress",
    "no verdict would ever be suspended: a penalty of 3000 takes 15m50s977ms to sink to 1000, and 5m is the most",
    "a longer `max_suppress` or a shorter `half_life`");
mistake!(a_penalty_that_halves_at_once, "hold_down: 10m" => "hold_down: 10m, damping: { half_life: 0s }", at "0s }",
    "detection.damping.half_life", "this takes no time at all", "a duration such as 10m");
mistake!(an_rto_that_detection_uses_up, "rto: 5m" => "rto: 52s", at "52s", "objectives.rto",
    "detection alone can take 52s: probe `front` up to 42s, then 10s of dwell",
    "more than 52s, or a shorter interval, timeout, threshold or dwell");
mistake!(a_call_that_waits_too_long, "runner:" => "timeouts: { call: 30s }\nrunner:", at "30s", "timeouts.call",
    "a lost region answers nothing, and each call to it would wait this long", "10s or less");
mistake!(a_step_longer_than_its_run, "runner:" => "timeouts: { step: 2h, run: 1h }\nrunner:", at "1h }", "timeouts.run",
    "timeouts.step is longer than timeouts.run, which holds it", "2h or more");
mistake!(an_http_probe_without_a_path, "    path: /health\n" => "", at "id: front", "probes[0].path",
    "`path` is missing, which an http probe needs", "`path: /health`");
mistake!(an_http_probe_with_targets,
    "    path: /health\n" => "    path: /health\n    targets: {}\n",
    at "targets",
    "probes[0].targets",
    "an http probe looks at an endpoint of the region",
    "`endpoint` and `path`"
);
mistake!(a_regional_endpoint_that_is_no_url, "https://euw1.example.com" => "euw1.example.com", at "euw1.example.com",
    "regions[1].endpoints.application", "`euw1.example.com` is not the base URL that a probe needs",
    "a URL such as https://api.example.com");
mistake!(a_tcp_probe_without_targets, "kind: http\n    path: /health" => "kind: tcp", at "id: front", "probes[0].targets",
    "`targets` is missing, which a tcp probe needs", "`targets:` with a `host:port` for each region that serves");
mistake!(a_tcp_target_that_is_no_address, "kind: http\n    path: /health" =>
    "kind: tcp\n    targets: { us-east-1: a:1, eu-west-1: b }", at "b }\n    interval", "probes[0].targets.eu-west-1",
    "`b` is not an address to connect to", "`host:port`, such as db.example.com:5432");
mistake!(a_region_without_a_tcp_target, "kind: http\n    path: /health" => "kind: tcp\n    targets: { us-east-1: a:1 }",
    at "targets", "probes[0].targets", "the region eu-west-1 serves and has no target", "`eu-west-1: host:port` among the targets");
mistake!(a_read_of_what_was_not_written, "kind: http\n    path: /health" =>
    "kind: write\n    path: /orders\n    body: '{\"id\":\"{{id}}\"}'\n    read_back: { path: /orders/last }", at "/orders/last",
    "probes[0].read_back.path", "the same is read whatever was written: the name of the write is missing",
    "`{{id}}` where its name goes: /orders/{{id}}");
mistake!(a_write_that_cannot_be_found_again, "kind: http\n    path: /health" =>
    "kind: write\n    path: /orders\n    read_back: { path: \"/orders/{{id}}\" }", at "read_back", "probes[0].read_back",
    "what is written has no name of its own to be read back by", "`{{id}}` in the body, as in `body: '{\"id\":\"{{id}}\"}'`");
mistake!(a_read_that_waits_longer_than_its_probe, "kind: http\n    path: /health" =>
    "kind: write\n    path: /orders/{{id}}\n    read_back: { path: \"/orders/{{id}}\", within: 5s }", at "5s }",
    "probes[0].read_back.within", "the whole probe may take 4s, and this is longer", "4s or less");
mistake!(a_key_of_another_kind_of_probe, "    path: /health" => "    path: /health\n    names: [api.example.com]", at "names",
    "probes[0].names", "only a certificate probe has this", "`kind: certificate`, or not this key");
mistake!(probes_without_a_vote, "kind: http\n    path: /health" => "kind: certificate", at "probes", "probes",
    "no probe here has a vote, so that a lost region would never be noticed",
    "a probe of the kind `http`, `write` or `tcp` beside these");
mistake!(a_day_that_never_comes, "runner:" =>
    "waivers: [{ rule: W32, who: Ada, why: measured, until: 2027-02-30 }]\nrunner:", at "2027-02-30", "waivers[0].until",
    "`2027-02-30` is not a day of any year", "a day such as 2027-03-31");
mistake!(a_driver_s_key_that_is_not_known, "      record: api" => "      recrod: x\n      record: api", at "recrod",
    "resources[2].spec.recrod", "`recrod` is not known here", "`record`; known here: record, switch");
mistake!(a_driver_s_key_that_is_missing, "      record: api.example.com\n" => "", at "spec:\n      switch",
    "resources[2].spec.record", "`record` is missing", "the key `record` with its value");
mistake!(a_number_where_a_driver_wants_text, "members: { us-east-1: db-use1, eu-west-1: db-euw1 }" =>
    "members: {}\n      version: 15.4", at "15.4", "resources[0].spec.version",
    "this should be nothing or text, and is `15.4`", "the value in quotes: \"15.4\"");

#[test]
fn an_http_probe_that_names_a_missing_endpoint_names_every_region() {
    let findings = all("    path: /health\n", "    path: /health\n    endpoint: admin\n");
    let messages: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "the region eu-west-1 has no endpoint `admin` for this probe",
            "the region us-east-1 has no endpoint `admin` for this probe",
        ]
    );
}

#[test]
fn too_few_observers_are_told_with_the_majority_that_they_miss() {
    let findings = all("  - { id: b, region: eu-west-1 }\n  - { id: c, region: eu-central-1 }\n", "");
    let messages: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "1 observer cannot tell a lost region from a lost observer",
            "no observer is in a witness region",
            "2 observers can never agree, because there are 1",
        ]
    );
}

#[test]
fn without_a_standby_and_without_a_witness() {
    let findings = all("role: warm-standby", "role: witness");
    assert_eq!(findings[0].message, "no region can take over");
    let text = GOOD.replace("  - id: eu-central-1\n    role: witness\n", "").replace("eu-central-1", "eu-west-1");
    let errors = load(&text).unwrap_err();
    assert!(errors.findings()[0].message.starts_with("no region is a witness"), "{errors}");
}

#[test]
fn two_cycles_are_two_findings() {
    let text = GOOD.replace("[db]", "[db, cache]").replace("[cache]", "[cache, dns]");
    let errors = load(&text).unwrap_err();
    let messages: Vec<&str> = errors.findings().iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(
        messages,
        ["resources wait for one another: cache -> cache", "resources wait for one another: dns -> dns"]
    );
}

#[test]
fn text_that_is_not_yaml_has_a_place() {
    for (text, line, column, message, remedy) in [
        ("a: [1, 2\nb: 3\n", 2, 0, "this is not YAML", "valid YAML"),
        ("a:\n\t- b\n", 2, 0, "this is not YAML", "spaces instead of the tab"),
        ("a: 'b\n", 1, 4, "this is not YAML", "valid YAML"),
        ("a: b\n---\nc: d\n", 2, 1, "a second document begins here", "one document"),
        ("a: *b\n", 1, 4, "no anchor `&b` stands before this alias", "`&b` before"),
        ("a: &b [*b]\n", 1, 8, "this alias stands inside the value that it names", "the value itself"),
        ("a: !secret b\n", 1, 0, "the tag `!secret` means nothing here", "the value without the tag"),
        ("<<: { a: b }\n", 1, 1, "merge keys", "the keys themselves"),
        ("? [a]\n: b\n", 1, 3, "a key has to be text", "a word"),
        ("", 1, 1, "the file is empty", "`application"),
        ("# nothing\n", 1, 1, "the file is empty", "`application"),
        ("just text\n", 1, 1, "this should be a mapping of keys, and is the text `just text`", "a mapping of keys"),
    ] {
        let errors = load(text).unwrap_err();
        let finding = errors.findings().iter().find(|f| f.message.starts_with(message));
        let Some(finding) = finding else { panic!("{text:?}: {errors}") };
        assert_eq!(finding.line, line, "{text:?}: {finding}");
        assert!(column == 0 || finding.column == column, "{text:?}: {finding}");
        assert!(finding.remedy.starts_with(remedy), "{text:?}: {finding}");
    }
}

#[test]
fn anchors_of_whole_values_work_and_cannot_multiply_without_end() {
    let text = GOOD.replace(
        "replicas: { standby: 1, full: 4 } }",
        "replicas: &size { standby: 1, full: 4 } }\n  - { id: users, namespace: production, replicas: *size }",
    );
    assert_eq!(load(&text).unwrap().services[1].replicas.full, 4);

    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..12 {
        let previous = format!("*a{}", i - 1);
        bomb.push_str(&format!("a{i}: &a{i} [{}]\n", [previous.as_str(); 10].join(", ")));
    }
    let errors = load(&bomb).unwrap_err();
    assert!(errors.findings()[0].message.starts_with("this holds more than"), "{errors}");

    let mut deep = "a0: &a0 [x]\n".to_owned();
    for i in 1..2_000 {
        deep.push_str(&format!("a{i}: &a{i} [[[[[[*a{}]]]]]]\n", i - 1));
    }
    assert!(load(&deep).is_err());
}

#[test]
fn bytes_that_are_not_text_have_a_place() {
    let errors = super::loader().load_bytes("x", b"a: b\nc: \xff\n").unwrap_err();
    assert_eq!((errors.findings()[0].line, errors.findings()[0].column), (2, 4), "{errors}");
    assert!(super::loader().load_bytes("x", GOOD.as_bytes()).is_ok());
}

#[test]
fn windows_line_ends_change_no_place() {
    let text = GOOD.replace("role: witness", "role: wittness").replace('\n', "\r\n");
    let errors = load(&text).unwrap_err();
    let finding = &errors.findings()[0];
    assert_eq!((finding.line, finding.column), (14, 11), "{errors}");
    assert!(finding.to_string().contains("14 |     role: wittness\n"), "{finding}");
}

/// The good file with another probe beside the first.
fn with_probe(probe: &str) -> (&'static str, String) {
    const BEFORE: &str = "detection: {";
    let probe = format!("{probe}    interval: 1h\n    timeout: 10s\n    threshold: {{ trip: 1, clear: 1 }}\n{BEFORE}");
    (BEFORE, probe)
}

#[test]
fn a_certificate_and_a_name_can_be_watched_and_their_time_is_not_detection_s() {
    let probes = "  - id: certificate\n    kind: certificate\n    names: [api.example.com]\n    expires_in_at_least: 21d\n\
                  \x20   interval: 1h\n    timeout: 10s\n    threshold: { trip: 1, clear: 1 }\n  - id: name\n    kind: dns\n\
                  \x20   servers: [ns-1.example.com, \"192.0.2.53:5353\"]\n    resolvers: [9.9.9.9]\n\
                  \x20   targets: { us-east-1: use1.example.com, eu-west-1: euw1.example.com }\n";
    let (before, probes) = with_probe(probes);
    let spec = load(&GOOD.replace(before, &probes)).unwrap();
    assert_eq!(spec.probes[1].expires_in_at_least, Some(std::time::Duration::from_secs(21 * 24 * 3_600)));
    assert_eq!(spec.probes[2].servers, ["ns-1.example.com", "192.0.2.53:5353"]);
    let again: crate::spec::Spec = serde_json::from_value(serde_json::to_value(&spec).unwrap()).unwrap();
    assert_eq!(again, spec);
}

#[test]
fn a_dns_probe_names_its_servers_and_each_region_s_own_name() {
    let (before, probes) = with_probe("  - id: name\n    kind: dns\n    path: /x\n");
    let found = all(before, &probes);
    let messages: Vec<&str> = found.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "`servers` is missing, which a dns probe needs: a resolver's cache proves nothing",
            "`targets` is missing, with which a dns probe compares what it hears",
            "a dns probe asks name servers",
        ]
    );
    let targets = "  - id: name\n    kind: dns\n    servers: [ns-1.example.com]\n    targets: { us-east-1: a b }\n";
    let (before, probes) = with_probe(targets);
    let found = all(before, &probes);
    let messages: Vec<&str> = found.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(messages, ["the region eu-west-1 serves and has no name here", "`a b` is no name to ask for"]);
}

#[test]
fn a_certificate_is_asked_for_where_there_is_one() {
    let (before, probes) = with_probe("  - id: certificate\n    kind: certificate\n    names: [\"two words\"]\n");
    let text = GOOD.replace(before, &probes).replace("https://euw1", "http://euw1");
    let found = load(&text).unwrap_err();
    let messages: Vec<&str> = found.findings().iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "`http://euw1.example.com` shows no certificate, and a probe here asks for one",
            "no certificate can be for `two words`",
        ]
    );
}

const RUNNER: &str = "runner: { region: eu-central-1 }";

macro_rules! bad_policy {
    ($name:ident, $policy:expr, at $needle:expr, $path:expr, $message:expr, $remedy:expr) => {
        mistake!($name, RUNNER => concat!("decision:\n", $policy, "\nrunner: { region: eu-central-1 }"), at $needle, $path,
            $message, $remedy);
    };
}

bad_policy!(a_mode_that_is_none, "  mode: auto", at "auto", "decision.mode",
    "the text `auto` is not possible here", "one of manual, ask, automatic");
bad_policy!(a_policy_that_acts_and_a_run_that_asks, "  mode: automatic", at "automatic", "decision.mode",
    "a run that starts by itself would wait for somebody before its first step without a way back",
    "`approvals.point_of_no_return: automatic`, or `mode: ask`, which asks before it starts");
bad_policy!(a_condition_on_nothing, "  conditions: [{ id: c, kind: replication-lag }]", at "{ id: c, kind",
    "decision.conditions[0].resource", "`resource` is missing, which a replication-lag condition needs", "`resource: ...`");
bad_policy!(a_condition_on_what_is_not_there, "  conditions: [{ id: c, kind: replication-lag, resource: bd }]", at "bd }",
    "decision.conditions[0].resource", "there is no resource `bd`", "`db`; declared: db, cache, dns");
bad_policy!(a_condition_that_says_too_much, "  conditions: [{ id: c, kind: standby-healthy, gray: only }]", at "gray: only",
    "decision.conditions[0].gray", "`gray` says nothing in a standby-healthy condition", "the condition without it");
bad_policy!(two_conditions_of_a_name,
    "  conditions: [{ id: c, kind: standby-healthy }, { id:   c, kind: region-lost }]", at "c, kind: region-lost",
    "decision.conditions[1].id", "there are two conditions `c`", "a name of its own for each");
bad_policy!(a_word_that_is_never_fresh, "  conditions: [{ id: c, kind: signal, signal: x, fresh: 0s }]", at "0s }",
    "decision.conditions[0].fresh", "no word is ever that fresh", "2m or so");
bad_policy!(an_opinion_on_another_region,
    "  conditions: [{ id: c, kind: signal, signal: r53 }]\nopinions: [{ id: r53, kind: aws.route53_checkers, targets: { eu-west-1: abc } }]",
    at "r53 }]\nopinions", "decision.conditions[0].signal", "the opinion `r53` says nothing of us-east-1, so this never holds",
    "a target for us-east-1 in that opinion");
bad_policy!(a_window_without_a_day, "  windows: [{ at: \"02:00\", lasts: 2h }]", at "{ at: \"02", "decision.windows[0]",
    "nobody knows on which day this window opens", "`weekly: sunday`, or `on: 2026-12-24`");
bad_policy!(a_window_on_two_days, "  windows: [{ weekly: sunday, on: 2026-12-24, at: \"02:00\", lasts: 2h }]", at "on: 2026",
    "decision.windows[0].on", "a window opens weekly or once", "`weekly` or `on`, not both");
bad_policy!(a_window_on_no_day, "  windows: [{ on: 2026-02-30, at: \"02:00\", lasts: 2h }]", at "2026-02-30",
    "decision.windows[0].on", "`2026-02-30` is not a day of any year", "a day such as 2026-12-24");
bad_policy!(a_window_that_never_closes, "  windows: [{ weekly: sunday, at: \"02:00\", lasts: 7d }]", at "7d",
    "decision.windows[0].lasts", "this window never closes", "less than 7d");
bad_policy!(warming_by_hand, "  prewarm: {}", at "prewarm", "decision.prewarm",
    "nothing is started on suspicion while somebody starts everything by hand",
    "`mode: ask` or `mode: automatic`, or no `prewarm`");
bad_policy!(warming_for_no_time, "  mode: ask\n  prewarm: { keep: 0s }", at "0s }", "decision.prewarm.keep",
    "what is warmed would be taken back at once", "15m or so");

#[test]
fn eleven_conditions_are_too_many() {
    let one = |n| format!("{{ id: c{n}, kind: standby-healthy }}");
    let conditions: Vec<String> = (0..11).map(one).collect();
    let policy = format!("decision: {{ conditions: [{}] }}\n{RUNNER}", conditions.join(", "));
    let findings = all(RUNNER, &policy);
    assert!(findings.iter().any(|finding| finding.path.starts_with("decision.conditions")), "{findings:?}");
}
