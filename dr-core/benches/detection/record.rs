//! Records a trace on loopback.

use std::{
    fmt::Write as _,
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use dr_core::{
    model::VantageId,
    probe::{CheckKind, Health, HttpProbe, Outcome, Sampler, Subject, TcpProbe},
    time::{SharedClock, SystemClock},
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_util::sync::CancellationToken;

use crate::{
    recorded::{BEFORE, FAULTS, LASTS, QUIET, SCALE},
    trace::{INTERVAL, OBSERVERS},
};

const WELL: usize = 0;
const CLOSES: usize = 1;
const SILENT: usize = 2;
const WRITES_SILENT: usize = 3;
/// How long a look may take: what a detector's own timeout may be at most.
const LIMIT: Duration = Duration::from_millis(90);

/// Records into `file`, for as long as the recording lasts.
pub(crate) fn record(file: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let text = runtime.expect("a runtime").block_on(recording());
    fs::write(file, text).expect("the recording can be written");
}

async fn recording() -> String {
    let clock: SharedClock = Arc::new(SystemClock::new());
    let mode = Arc::new(AtomicUsize::new(WELL));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let control = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let control_address = control.local_addr().expect("an address").to_string();
    tokio::spawn(serve(listener, clock.clone(), mode.clone()));
    tokio::spawn(async move {
        loop {
            drop(control.accept().await);
        }
    });
    let interval = Duration::from_secs_f64(INTERVAL / SCALE);
    let mut text = String::new();
    for segment in 0..=FAULTS {
        let mut sampler = Sampler::new(clock.clone());
        for observer in 0..OBSERVERS {
            let vantage: VantageId = format!("observer-{observer}").parse().expect("a name");
            let subject = |probe: &str, kind| Subject {
                probe: probe.parse().expect("a name"),
                region: "us-east-1".parse().expect("a name"),
                kind,
            };
            let aside = subject(&format!("control-{observer}"), CheckKind::Infrastructure);
            let aside =
                TcpProbe::new(aside, vantage.clone(), &control_address).expect("an address").with_timeout(LIMIT);
            sampler = sampler.control(Arc::new(aside), interval);
            let limited = |builder: dr_core::probe::HttpProbeBuilder| {
                Arc::new(
                    builder
                        .connect_timeout(LIMIT)
                        .response_timeout(LIMIT)
                        .total_timeout(LIMIT)
                        .build()
                        .expect("a probe"),
                )
            };
            let url = format!("http://{address}");
            let reads =
                HttpProbe::get(subject("health", CheckKind::Infrastructure), vantage.clone(), format!("{url}/health"));
            let writes =
                HttpProbe::post(subject("write", CheckKind::Transaction), vantage, format!("{url}/orders"), "{}");
            sampler = sampler.probe(limited(reads), interval).probe(limited(writes), interval);
        }
        let (out, mut seen) = mpsc::channel(256);
        let stop = CancellationToken::new();
        let began = clock.monotonic();
        let running = tokio::spawn(sampler.run(out, stop.clone()));
        let (conductor, ends) = (stop.clone(), clock.clone());
        let mode = Arc::clone(&mode);
        tokio::spawn(async move {
            if segment == 0 {
                ends.sleep(Duration::from_secs_f64(QUIET)).await;
            } else {
                ends.sleep(Duration::from_secs_f64(BEFORE)).await;
                mode.store(1 + (segment - 1) % 3, Ordering::SeqCst);
                ends.sleep(Duration::from_secs_f64(LASTS)).await;
                mode.store(WELL, Ordering::SeqCst);
            }
            conductor.cancel();
        });
        while let Some(o) = seen.recv().await {
            let ended = o.at.since(began);
            let (took, came) = match &o.outcome {
                Outcome::Looked(reading) if reading.health == Health::Healthy => (reading.latency.total, "a"),
                Outcome::Looked(reading) if reading.latency.total < LIMIT => (reading.latency.total, "r"),
                Outcome::Looked(_) => (LIMIT, "s"),
                _ => (Duration::ZERO, "i"),
            };
            let observer = o.vantage.as_str().trim_start_matches("observer-");
            let kind = usize::from(o.subject.kind == CheckKind::Transaction);
            let begin = ended.saturating_sub(took).as_micros();
            let _ = writeln!(text, "{segment},{observer},{kind},{begin},{},{came}", took.as_micros());
        }
        running.await.expect("the sampler ends").expect("the sampler runs");
    }
    text
}

async fn serve(listener: TcpListener, clock: SharedClock, mode: Arc<AtomicUsize>) {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        // One request in a hundred waits, and now and then so do all that come within a moment.
        let stall = match random.random_range(0..2_000_u32) {
            0..20 => random.random_range(5..60),
            20 => {
                clock.sleep(Duration::from_millis(random.random_range(50..300))).await;
                0
            }
            _ => 0,
        };
        tokio::spawn(reply(stream, clock.clone(), mode.load(Ordering::SeqCst), Duration::from_millis(stall)));
    }
}

async fn reply(mut stream: TcpStream, clock: SharedClock, mode: usize, stall: Duration) {
    let mut request = [0; 1024];
    let Ok(n) = stream.read(&mut request).await else { return };
    let is_write = request[..n].starts_with(b"POST");
    if mode == CLOSES {
        return;
    }
    if mode == SILENT || (mode == WRITES_SILENT && is_write) {
        clock.sleep(Duration::from_secs(1)).await;
        return;
    }
    clock.sleep(stall).await;
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").await;
}
