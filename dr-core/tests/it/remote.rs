//! An observer elsewhere over a real socket: pulled, believed, refused, and without a vote when it is gone.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use dr_core::{
    detect::{Opinion, Standing, Standings, Verdict, Watch, observing},
    event::ChannelSink,
    journal::{Ed25519Signer, PublicKey},
    model::{RegionId, VantageId},
    probe::remote::{BootId, Question, ReadingLog},
    spec::Spec,
    time::{Clock as _, SharedClock, SystemClock},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::{mpsc, watch},
};
use tokio_util::sync::CancellationToken;

const NAMES: [&str; 3] = ["us-east-1", "eu-west-1", "eu-central-1"];

/// Answers everything as a region does that is well, or as one that is not.
async fn front(well: Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let status = if well.load(Ordering::SeqCst) { "200 OK" } else { "503 Service Unavailable" };
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 1024]).await;
                let _ = stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await;
            });
        }
    });
    address.to_string()
}

/// An observer's service, by hand: it answers what its log holds, signed, as long as it is not silenced.
async fn serve(
    log: Arc<Mutex<ReadingLog>>,
    signer: Arc<Ed25519Signer>,
    silenced: Arc<AtomicBool>,
    clock: SharedClock,
    listener: TcpListener,
) {
    while let Ok((mut stream, _)) = listener.accept().await {
        if silenced.load(Ordering::SeqCst) {
            continue;
        }
        let mut asked = vec![0; 4096];
        let length = stream.read(&mut asked).await.unwrap_or_default();
        let asked = String::from_utf8_lossy(&asked[..length]).into_owned();
        let target = asked.split(' ').nth(1).unwrap().to_owned();
        let query = target.strip_prefix("/base/v1/readings?").expect("the path is joined to the base");
        let value =
            |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")).map(str::to_owned));
        let after = value("boot").zip(value("after")).map(|(boot, seq)| dr_core::probe::remote::Cursor {
            boot: boot.parse().unwrap(),
            seq: seq.parse().unwrap(),
        });
        let question = Question { nonce: value("nonce").unwrap().parse().unwrap(), after };
        let statement = log.lock().unwrap().answer(&question, clock.monotonic());
        let body = serde_json::to_string(&statement.sign(&*signer).await.unwrap()).unwrap();
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
    }
}

async fn until(standings: &watch::Receiver<Standings>, what: &str, wanted: impl Fn(&Standing) -> bool) -> Standing {
    let region: RegionId = "us-east-1".parse().unwrap();
    let clock = SystemClock::new();
    let deadline = clock.monotonic() + Duration::from_secs(120);
    while clock.monotonic() < deadline {
        let now = standings.borrow()[&region].clone();
        if wanted(&now) {
            return now;
        }
        clock.sleep(Duration::from_millis(20)).await;
    }
    panic!("never {what}: {:#?}", standings.borrow()[&region]);
}

#[tokio::test(flavor = "multi_thread")]
async fn observers_elsewhere_judge_as_those_here_do_and_hold_when_they_are_gone() {
    let well = Arc::new(AtomicBool::new(true));
    let (east, west) = (front(Arc::clone(&well)).await, front(Arc::new(AtomicBool::new(true))).await);
    let control = front(Arc::new(AtomicBool::new(true))).await;
    let clock: SharedClock = Arc::new(SystemClock::new());
    let (mut entries, mut services) = (Vec::new(), Vec::new());
    for (seed, name) in (1_u8..).zip(NAMES) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let signer = Arc::new(Ed25519Signer::from_seed("", &[seed; 32]).unwrap());
        let public = PublicKey::from_bytes(signer.public_key()).unwrap();
        let signer = Arc::new(Ed25519Signer::from_seed(public.fingerprint(), &[seed; 32]).unwrap());
        entries.push(json!({
            "id": format!("observer-{name}"), "region": name, "control": control,
            "url": format!("http://{}/base/", listener.local_addr().unwrap()), "key": public.to_string(),
        }));
        services.push((name, listener, signer, Arc::new(AtomicBool::new(false))));
    }
    let spec: Spec = serde_json::from_value(json!({
        "application": "shop",
        "endpoint": "http://shop.example",
        "objectives": { "rto": "5m", "rpo": "1m" },
        "regions": [
            { "id": "us-east-1", "role": "active", "endpoints": { "application": format!("http://{east}") } },
            { "id": "eu-west-1", "role": "warm-standby", "endpoints": { "application": format!("http://{west}") } },
            { "id": "eu-central-1", "role": "witness" },
        ],
        "observers": entries,
        "probes": [
            { "id": "reads", "kind": "http", "path": "/health", "interval": "100ms", "timeout": "20s",
              "threshold": { "trip": 2, "clear": 2 } },
        ],
        "detection": { "quorum": 2, "dwell": "50ms", "hold_down": "1h" },
        "resources": [],
        "runner": { "region": "eu-west-1" },
        "journal": { "store": "sqlite", "path": "journal.sqlite", "region": "eu-central-1" },
    }))
    .unwrap();
    let stop = CancellationToken::new();
    let mut silence = Vec::new();
    for (name, listener, signer, silenced) in services {
        // What the observer's own process does: it looks, and keeps what it saw.
        let vantage: VantageId = format!("observer-{name}").parse().unwrap();
        let sampler = observing(&spec, &vantage, &clock).unwrap();
        let log = Arc::new(Mutex::new(ReadingLog::new(vantage, BootId::random().unwrap(), 1_000)));
        let (out, mut seen) = mpsc::channel(64);
        tokio::spawn(sampler.run(out, stop.clone()));
        let keeping = Arc::clone(&log);
        tokio::spawn(async move {
            while let Some(observation) = seen.recv().await {
                keeping.lock().unwrap().push(observation);
            }
        });
        silence.push(Arc::clone(&silenced));
        // It began at another time than we did.
        let clock: SharedClock = Arc::clone(&clock);
        tokio::spawn(serve(log, signer, silenced, clock, listener));
    }
    let watch = Watch::of(&spec, &clock).unwrap();
    let (sender, standings) = watch.standings();
    let (events, _heard) = ChannelSink::new();
    let running = tokio::spawn(watch.run(Arc::new(events), sender, stop.clone()));
    until(&standings, "well", |s| s.verdict == Verdict::Healthy).await;
    well.store(false, Ordering::SeqCst);
    let lost = until(&standings, "lost", |s| s.verdict == Verdict::Unhealthy).await;
    assert!(lost.because.evidence.iter().any(|e| e.last.contains("503")), "{lost:#?}");
    well.store(true, Ordering::SeqCst);
    until(&standings, "well again", |s| s.verdict == Verdict::Healthy).await;
    silence[0].store(true, Ordering::SeqCst);
    silence[1].store(true, Ordering::SeqCst);
    let held = until(&standings, "unknown for a reason that is shown", |s| {
        s.verdict == Verdict::Unknown && s.why.contains("cannot be reached")
    })
    .await;
    assert_eq!(held.because.holding(|opinion| opinion == Opinion::Unknown).count(), 2, "{held:#?}");
    stop.cancel();
    running.await.unwrap().unwrap();
}
