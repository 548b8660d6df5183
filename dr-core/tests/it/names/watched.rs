//! What `dr.yaml` says of names and certificates, watched.

use std::{io::Write as _, sync::Arc};

use dr_core::{
    detect::{Verdict, Watch},
    event::{ChannelSink, EventKind},
    model::RegionId,
    spec::Spec,
    time::{SharedClock, SystemClock},
};
use hickory_proto::op::ResponseCode;
use rustls::version::{TLS12, TLS13};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{
    certificate::{EXPIRED, ROOT, serve},
    name_server::{Scripted, addresses, asked_name, no},
};

#[tokio::test]
async fn what_has_no_vote_is_announced_and_moves_no_verdict() {
    let front = serve(EXPIRED, EXPIRED, &[&TLS13, &TLS12]).await;
    let ns = Scripted::start(|question, _| match asked_name(question).as_str() {
        "front.example" => no(question, ResponseCode::NXDomain).into(),
        "us.example" => addresses(question, 60, &["10.0.1.1"]).into(),
        _ => addresses(question, 60, &["10.0.2.1"]).into(),
    })
    .await;
    let control = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut roots = tempfile::NamedTempFile::new().unwrap();
    roots.write_all(ROOT).unwrap();
    let observer =
        |region: &str| json!({ "id": region, "region": region, "control": control.local_addr().unwrap().to_string() });
    let endpoints = json!({ "application": format!("https://{front}") });
    let once = json!({ "trip": 1, "clear": 1 });
    let spec: Spec = serde_json::from_value(json!({
        "application": "shop",
        "endpoint": "https://front.example",
        "objectives": { "rto": "5m", "rpo": "1m" },
        "regions": [
            { "id": "us-east-1", "role": "active", "endpoints": endpoints },
            { "id": "eu-west-1", "role": "warm-standby", "endpoints": endpoints },
            { "id": "eu-central-1", "role": "witness" },
        ],
        "observers": [observer("us-east-1"), observer("eu-west-1"), observer("eu-central-1")],
        "probes": [
            { "id": "port", "kind": "tcp", "interval": "50ms", "timeout": "20s", "threshold": once,
              "targets": { "us-east-1": front.to_string(), "eu-west-1": front.to_string() } },
            { "id": "certificate", "kind": "certificate", "interval": "50ms", "timeout": "20s", "threshold": once,
              "trust": roots.path() },
            { "id": "public-name", "kind": "dns", "interval": "50ms", "timeout": "20s", "threshold": once,
              "servers": [ns.name()], "targets": { "us-east-1": "us.example", "eu-west-1": "eu.example" } },
        ],
        "detection": { "quorum": 2, "dwell": "50ms", "hold_down": "1h" },
        "resources": [],
        "runner": { "region": "eu-west-1" },
        "journal": { "store": "sqlite", "path": "journal.sqlite", "region": "eu-central-1" },
    }))
    .unwrap();
    let clock: SharedClock = Arc::new(SystemClock::new());
    let watch = Watch::of(&spec, &clock).unwrap();
    let (sender, mut standings) = watch.standings();
    let stop = CancellationToken::new();
    let (events, mut heard) = ChannelSink::new();
    let running = tokio::spawn(watch.run(Arc::new(events), sender, stop.clone()));
    for region in ["us-east-1", "eu-west-1"] {
        let region: RegionId = region.parse().unwrap();
        standings.wait_for(|all| all[&region].verdict == Verdict::Healthy).await.unwrap();
    }
    let mut wanted = vec![
        ("certificate", "for 127.0.0.1: it expired on 2020-02-01T00:00:00.000Z", "(eu-west-1, seen by "),
        ("certificate", "for 127.0.0.1: it expired on 2020-02-01T00:00:00.000Z", "(us-east-1, seen by "),
        ("public-name", "no authoritative server leads to a region; ", "(us-east-1, seen by "),
    ];
    while !wanted.is_empty() {
        match heard.recv().await.unwrap().kind {
            EventKind::Said { who, message } => wanted.retain(|(probe, begins, ends)| {
                who != *probe || !message.starts_with(begins) || !message.contains(ends)
            }),
            EventKind::Verdict { region, to, .. } => assert_ne!(to, "unhealthy", "{region} was judged by a notice"),
            _ => {}
        }
    }
    let held = standings.borrow();
    assert!(held.values().all(|standing| standing.verdict == Verdict::Healthy), "{held:#?}");
    drop(held);
    stop.cancel();
    running.await.unwrap().unwrap();
}
