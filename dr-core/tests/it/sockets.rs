//! HTTP and TCP probes against real sockets on the loopback, the hostile kinds included.
//!
//! Nothing here measures time: limits that have to pass are short, limits that must not pass are long.

use std::{
    future::Future,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use dr_core::{
    detect::{CheckPolicy, Detector as _, Observer, Quorum, QuorumPolicy, Standings, Verdict, Watch},
    error::ErrorKind,
    event::{ChannelSink, EventKind},
    model::RegionId,
    probe::{
        BodyMatch, CheckKind, HealthProbe, HttpProbe, HttpProbeBuilder, ProbeCx, Reading, Sampler, StatusSet, Subject,
        TcpProbe,
    },
    spec::Spec,
    time::{Clock as _, SharedClock, SystemClock},
};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::mpsc,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

pub(super) const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(150);
/// Passes, but not before a busy machine has come as far as the body.
const MEDIUM: Duration = Duration::from_secs(1);

pub(super) fn cx() -> ProbeCx {
    ProbeCx::new(Arc::new(SystemClock::new()))
}

pub(super) fn subject() -> Subject {
    Subject::infrastructure("front/health".parse().unwrap(), "us-east-1".parse().unwrap())
}

/// A GET of `/health` with limits that do not pass.
pub(super) fn get(address: SocketAddr) -> HttpProbeBuilder {
    HttpProbe::get(subject(), "office".parse().unwrap(), format!("http://{address}/health"))
        .connect_timeout(LONG)
        .response_timeout(LONG)
}

pub(super) async fn look(probe: HttpProbeBuilder) -> Reading {
    probe.build().unwrap().probe(&cx()).await.unwrap()
}

/// The reason without the time that it took, which is another each time.
pub(super) fn said(reading: &Reading) -> &str {
    reading.reason.split(" in ").next().unwrap()
}

/// A server that does `answer` to every connection.
pub(super) async fn serve<F, Fut>(answer: F) -> SocketAddr
where
    F: Fn(TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    address
}

/// Reads a request: head and body, as one text.
pub(super) async fn request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut text = Vec::new();
    loop {
        let mut bytes = [0; 1024];
        let n = stream.read(&mut bytes).await.unwrap_or(0);
        text.extend_from_slice(&bytes[..n]);
        let seen = String::from_utf8_lossy(&text).into_owned();
        if let Some((head, body)) = seen.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            if body.len() >= length {
                return seen;
            }
        }
        if n == 0 {
            return seen;
        }
    }
}

/// A server that reads a request and sends `bytes`, then closes.
pub(super) async fn replies(bytes: impl Into<Vec<u8>>) -> SocketAddr {
    let bytes: Arc<Vec<u8>> = Arc::new(bytes.into());
    serve(move |mut stream| {
        let bytes = Arc::clone(&bytes);
        async move {
            request(&mut stream).await;
            let _ = stream.write_all(&bytes).await;
        }
    })
    .await
}

pub(super) fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn a_good_answer_is_health_with_its_phases() {
    let reading = look(get(replies(answer("200 OK", "fine")).await)).await;
    assert!(reading.is_healthy());
    assert_eq!(said(&reading), "answered 200 OK");
    let latency = reading.latency;
    assert!(latency.connect.is_some() && latency.first_byte.is_some() && latency.tls.is_none(), "{latency:?}");
    assert!(latency.total >= latency.connect.unwrap() + latency.first_byte.unwrap());
}

#[tokio::test]
async fn the_request_says_what_it_was_told_to() {
    let (requests, mut seen) = mpsc::unbounded_channel();
    let address = serve(move |mut stream| {
        let requests = requests.clone();
        async move {
            requests.send(request(&mut stream).await).unwrap();
            stream.write_all(answer("201 Created", "").as_bytes()).await.unwrap();
        }
    })
    .await;
    let url = format!("http://{address}/orders?from=probe");
    let probe = HttpProbe::post(subject(), "office".parse().unwrap(), url, r#"{"id":"{{nonce}}"}"#)
        .host("api.example.com")
        .header("Content-Type", "application/json")
        .header("Authorization", "Bearer s3cret")
        .expect_status(201)
        .build()
        .unwrap();
    assert!(!format!("{probe:?}").contains("s3cret"), "{probe:?}");
    for _ in 0..2 {
        assert!(probe.probe(&cx()).await.unwrap().is_healthy());
    }
    let (first, second) = (seen.recv().await.unwrap(), seen.recv().await.unwrap());
    let head = first.split("\r\n\r\n").next().unwrap();
    let mut lines: Vec<&str> = head.lines().collect();
    assert_eq!(lines.remove(0), "POST /orders?from=probe HTTP/1.1");
    for line in
        ["host: api.example.com", "content-type: application/json", "authorization: Bearer s3cret", "connection: close"]
    {
        assert!(lines.contains(&line), "{line} is missing in {lines:?}");
    }
    let body = |request: &str| request.split("\r\n\r\n").nth(1).unwrap().to_owned();
    assert!(body(&first).starts_with(r#"{"id":"office-"#), "{first}");
    assert_ne!(body(&first), body(&second), "two writes are two orders");
}

#[tokio::test]
async fn a_redirect_is_not_health_unless_said_so() {
    let moved = "HTTP/1.1 302 Found\r\nlocation: https://login.example.com/?token=abc\r\ncontent-length: 0\r\n\r\n";
    let address = replies(moved).await;
    let reading = look(get(address)).await;
    assert_eq!(reading.reason, "answered 302 Found to login.example.com, expected 200-299");
    assert!(look(get(address).expect_status(StatusSet::route53())).await.is_healthy());
}

#[tokio::test]
async fn a_wrong_status_is_named_beside_the_right_one() {
    let address = replies(answer("503 Nobody Home", "")).await;
    let reading = look(get(address).expect_status(StatusSet::from_iter([200, 204]))).await;
    assert_eq!(reading.reason, "answered 503 Service Unavailable, expected 200 or 204");
}

#[tokio::test]
async fn the_body_is_matched_by_route_53_s_rule() {
    let token = r#""writer":true"#;
    let rule = || BodyMatch::route53(token);
    let pad = |n: usize| answer("200 OK", &format!("{}{token}{}", " ".repeat(n), " ".repeat(9_000)));
    let just_inside = replies(pad(5_120 - token.len())).await;
    assert!(look(get(just_inside).expect_body(rule())).await.is_healthy());
    let just_outside = replies(pad(5_121 - token.len())).await;
    let reading = look(get(just_outside).expect_body(rule())).await;
    assert_eq!(reading.reason, r#"the body does not have "\"writer\":true" in the first 5120 bytes"#);
    let elsewhere = replies(answer("200 OK", r#"{"writer":false}"#)).await;
    assert!(!look(get(elsewhere).expect_body(rule())).await.is_healthy());
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\n\"write\r\n7\r\nr\":true\r\n0\r\n\r\n";
    assert!(look(get(replies(chunked).await).expect_body(rule())).await.is_healthy(), "cut across chunks");
}

#[tokio::test]
async fn a_refused_connection_is_seen() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let reading = look(get(address)).await;
    assert_eq!(reading.reason, "connection refused");
    assert_eq!(reading.latency.connect, None);
    let tcp = TcpProbe::new(subject(), "office".parse().unwrap(), &address.to_string()).unwrap();
    assert_eq!(tcp.probe(&cx()).await.unwrap().reason, "connection refused");
}

/// A listener whose queue is full: the kernel drops what wants to connect, as a region does that is gone.
async fn black_hole() -> (SocketAddr, Vec<tokio::task::JoinHandle<std::io::Result<TcpStream>>>, TcpListener) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let waiting: Vec<_> = (0..8).map(|_| tokio::spawn(TcpStream::connect(address))).collect();
    // The queue is full once somebody is left waiting while everybody else has had their turn.
    SystemClock::new().sleep(SHORT).await;
    (address, waiting, listener)
}

#[tokio::test]
async fn a_black_hole_costs_the_connect_timeout() {
    let (address, _waiting, _listener) = black_hole().await;
    let reading = look(get(address).connect_timeout(SHORT)).await;
    assert_eq!(reading.reason, "connect timed out after 150 ms");
    assert_eq!((reading.latency.connect, reading.latency.first_byte), (None, None));
    assert!(reading.latency.total >= SHORT);
    let tcp = TcpProbe::new(subject(), "office".parse().unwrap(), &address.to_string()).unwrap().with_timeout(SHORT);
    assert_eq!(tcp.probe(&cx()).await.unwrap().reason, "connect timed out after 150 ms");
}

#[tokio::test]
async fn a_server_that_says_nothing_costs_the_response_timeout() {
    let address = serve(|mut stream| async move {
        request(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let reading = look(get(address).response_timeout(SHORT)).await;
    assert_eq!(reading.reason, "no answer within 150 ms");
    assert!(reading.latency.connect.is_some());
}

#[tokio::test]
async fn a_limit_on_the_whole_look_cuts_every_phase_short() {
    let (address, _waiting, _listener) = black_hole().await;
    assert_eq!(look(get(address).total_timeout(SHORT)).await.reason, "connect timed out after 150 ms");
    let silent = serve(|mut stream| async move {
        request(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let reason = look(get(silent).total_timeout(SHORT)).await.reason;
    assert!(reason.starts_with("no answer within "), "{reason}");
    let dripping = drips("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n", "drip").await;
    let reason = look(get(dripping).total_timeout(MEDIUM).expect_body(BodyMatch::route53("token"))).await.reason;
    assert!(reason.starts_with("answered 200 OK, and not"), "{reason}");
    let probe = get(address).total_timeout(SHORT).build().unwrap();
    assert_eq!(probe.longest(), SHORT);
    assert_eq!(get(address).expect_body(BodyMatch::route53("x")).build().unwrap().longest(), LONG * 3);
}

/// A server that sends one byte of `text` each few milliseconds, over and over.
async fn drips(head: &'static str, text: &'static str) -> SocketAddr {
    serve(move |mut stream| async move {
        request(&mut stream).await;
        let _ = stream.write_all(head.as_bytes()).await;
        let clock = SystemClock::new();
        for byte in text.bytes().cycle() {
            if stream.write_all(&[byte]).await.is_err() {
                return;
            }
            clock.sleep(Duration::from_millis(5)).await;
        }
    })
    .await
}

#[tokio::test]
async fn a_drip_costs_its_timeout_in_the_head_and_in_the_body() {
    let reading = look(get(drips("HTTP/1.1 200 OK\r\nx: ", "drip").await).response_timeout(SHORT)).await;
    assert!(
        reading.reason.starts_with("only ") && reading.reason.ends_with(" bytes of an answer's head within 150 ms"),
        "{}",
        reading.reason
    );
    let address = drips("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n", "drip").await;
    let reading = look(get(address).response_timeout(MEDIUM).expect_body(BodyMatch::route53("token"))).await;
    assert_eq!(reading.reason, r#"answered 200 OK, and not "token" in the first 5120 bytes within 1 s"#);
    assert!(look(get(address)).await.is_healthy(), "a body that nobody asked about is not waited for");
}

/// A server that sends `text` as fast as it can, for ever.
async fn floods(head: &'static str, text: &'static str) -> SocketAddr {
    serve(move |mut stream| async move {
        request(&mut stream).await;
        let _ = stream.write_all(head.as_bytes()).await;
        let block = text.repeat(1024);
        while stream.write_all(block.as_bytes()).await.is_ok() {}
    })
    .await
}

#[tokio::test]
async fn a_flood_is_cut_short() {
    let reading = look(get(floods("HTTP/1.1 200 OK\r\n", "x-more: of the same\r\n").await)).await;
    assert_eq!(reading.reason, "answered with a head of more than 16 KiB");
    let address = floods("HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n", "spam ").await;
    let reading = look(get(address).expect_body(BodyMatch::route53("token"))).await;
    assert_eq!(reading.reason, r#"the body does not have "token" in the first 5120 bytes"#);
}

#[tokio::test]
async fn nonsense_and_early_closes_are_told_apart() {
    for (bytes, reason) in [
        ("SSH-2.0-OpenSSH_9.9\r\n", "answered something that is not HTTP/1.1: it speaks SSH"),
        ("HTTP/1.1 abc OK\r\n\r\n", "answered something that is not HTTP/1.1"),
        ("\0\u{1}\u{2}\u{3}\r\n\r\n", "answered something that is not HTTP/1.1"),
        ("", "closed the connection without an answer"),
        ("HTTP/1.1 200 OK\r\ncontent-le", "closed the connection within the head of its answer"),
    ] {
        let reading = look(get(replies(bytes).await)).await;
        assert!(!reading.is_healthy());
        assert_eq!(reading.reason, reason, "{bytes:?}");
    }
    let short = replies("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await;
    let reading = look(get(short).expect_body(BodyMatch::route53("token"))).await;
    assert_eq!(reading.reason, r#"the body broke off before "token" in the first 5120 bytes"#);
}

pub(super) const ROOT: &[u8] = include_bytes!("certificates/root.pem");
pub(super) const GOOD: &[u8] = include_bytes!("certificates/good.pem");
pub(super) const EXPIRED: &[u8] = include_bytes!("certificates/expired.pem");
pub(super) const SELF_SIGNED: &[u8] = include_bytes!("certificates/self-signed.pem");
pub(super) const KEY: &[u8] = include_bytes!("certificates/server.key.pem");

pub(super) async fn serve_tls(certificate: &[u8]) -> SocketAddr {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(certificate).collect::<Result<_, _>>().unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates, PrivateKeyDer::from_pem_slice(KEY).unwrap())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            request(&mut stream).await;
            let _ = stream.write_all(answer("200 OK", "fine").as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    })
    .await
}

pub(super) fn get_tls(address: SocketAddr) -> HttpProbeBuilder {
    HttpProbe::get(subject(), "office".parse().unwrap(), format!("https://{address}/health"))
        .connect_timeout(LONG)
        .response_timeout(LONG)
}

#[tokio::test]
async fn a_certificate_is_verified_by_default() {
    let good = serve_tls(GOOD).await;
    let reading = look(get_tls(good)).await;
    assert_eq!(reading.reason, "the certificate's issuer is not trusted");
    let reading = look(get_tls(good).trust_pem(ROOT)).await;
    assert_eq!(said(&reading), "answered 200 OK");
    assert!(reading.latency.tls.is_some());
    let named = look(get_tls(good).trust_pem(ROOT).host("front.example")).await;
    assert!(named.is_healthy(), "{}", named.reason);
    let reading = look(get_tls(good).trust_pem(ROOT).host("elsewhere.example:8443")).await;
    assert_eq!(reading.reason, "the certificate is not for elsewhere.example");
    let reading = look(get_tls(serve_tls(EXPIRED).await).trust_pem(ROOT)).await;
    assert_eq!(reading.reason, "the certificate has expired");
    let reading = look(get_tls(serve_tls(SELF_SIGNED).await).trust_pem(ROOT)).await;
    assert_eq!(reading.reason, "the certificate's issuer is not trusted");
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_seen() {
    let address = serve(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    })
    .await;
    assert_eq!(look(get_tls(address)).await.reason, "answered something that is not TLS");
    let silent = serve(|stream| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let reading = look(get_tls(silent).connect_timeout(MEDIUM)).await;
    assert!(reading.reason.starts_with("no TLS handshake within "), "{}", reading.reason);
    let closing = serve(|stream| async move { drop(stream) }).await;
    assert!(!look(get_tls(closing)).await.is_healthy());
}

#[tokio::test]
async fn a_port_that_takes_connections_is_well() {
    let address = replies("").await;
    let probe = TcpProbe::new(subject(), "office".parse().unwrap(), &address.to_string()).unwrap();
    let reading = probe.probe(&cx()).await.unwrap();
    assert_eq!(said(&reading), "connected");
    let by_name = format!("localhost:{}", address.port());
    let probe = TcpProbe::new(subject(), "office".parse().unwrap(), &by_name).unwrap();
    assert!(probe.probe(&cx()).await.unwrap().is_healthy());
    assert_eq!(look(get(address).address("127.0.0.1:1".parse().unwrap())).await.reason, "connection refused");
}

#[tokio::test]
async fn a_fault_of_this_machine_is_an_error_and_not_a_reading() {
    let address = replies(answer("200 OK", "")).await;
    // No interface has this address (TEST-NET-1), so nothing can be sent from it.
    let probe = get(address).from_address("192.0.2.1".parse().unwrap()).build().unwrap();
    let error = probe.probe(&cx()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    let probe = get(address).from_address("127.0.7.7".parse().unwrap()).build().unwrap();
    assert!(probe.probe(&cx()).await.unwrap().is_healthy(), "another address of this machine will do");
}

#[test]
fn what_cannot_be_probed_is_refused_with_every_reason() {
    let build = |url: &str| HttpProbe::get(subject(), "office".parse().unwrap(), url);
    for url in ["ftp://example.com/", "example.com", "http://", "not a url"] {
        assert_eq!(build(url).build().unwrap_err().kind(), ErrorKind::Invalid, "{url}");
    }
    let error = build("https://user:s3cret@example.com/").build().unwrap_err();
    assert!(!error.to_string().contains("s3cret"), "{error}");
    let error = build("https://example.com/")
        .header("bad header", "x")
        .host("two words")
        .trust_pem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        .build()
        .unwrap_err();
    for part in ["bad header", "two words", "certificate"] {
        assert!(error.message().contains(part), "{part} is missing: {error}");
    }
    for address in ["example.com", "example.com:0", ":80", "example.com:http", "::1:80"] {
        assert!(TcpProbe::new(subject(), "office".parse().unwrap(), address).is_err(), "{address}");
    }
    assert!(TcpProbe::new(subject(), "office".parse().unwrap(), "[::1]:80").is_ok());
}

#[tokio::test]
async fn a_gray_failure_is_caught_by_the_synthetic_write() {
    // Reads are fine and writes fail, in us-east-1; the control target is fine.
    let address = serve(|mut stream| async move {
        let reply = match request(&mut stream).await.starts_with("POST") {
            true => answer("503 Service Unavailable", ""),
            false => answer("200 OK", "fine"),
        };
        let _ = stream.write_all(reply.as_bytes()).await;
    })
    .await;
    let every = Duration::from_millis(30);
    let places = ["us-east-1", "eu-west-1", "eu-central-1"];
    let mut sampler = Sampler::new(Arc::new(SystemClock::new()));
    for place in places {
        let at = || place.parse().unwrap();
        let write = Subject::transaction("front/write".parse().unwrap(), "us-east-1".parse().unwrap());
        let control = Subject::infrastructure("control".parse().unwrap(), "eu-central-1".parse().unwrap());
        let patient = |probe: HttpProbeBuilder| probe.connect_timeout(LONG).response_timeout(LONG).build().unwrap();
        sampler = sampler
            .control(Arc::new(patient(HttpProbe::get(control, at(), format!("http://{address}/")))), every)
            .probe(Arc::new(patient(HttpProbe::get(subject(), at(), format!("http://{address}/health")))), every)
            .probe(
                Arc::new(patient(
                    HttpProbe::post(write, at(), format!("http://{address}/orders"), "{}").expect_status(201),
                )),
                every,
            );
    }
    let check =
        |probe: &str, kind| CheckPolicy { probe: probe.parse().unwrap(), kind, trip: 3, clear: 2, stale_after: LONG };
    let mut quorum = Quorum::new(QuorumPolicy {
        region: "us-east-1".parse().unwrap(),
        pair: vec!["us-east-1".parse().unwrap(), "eu-west-1".parse().unwrap()],
        observers: places
            .iter()
            .map(|place| Observer { vantage: place.parse().unwrap(), region: Some(place.parse().unwrap()) })
            .collect(),
        quorum: 2,
        checks: vec![check("front/health", CheckKind::Infrastructure), check("front/write", CheckKind::Transaction)],
        dwell: Duration::ZERO,
        hold_down: LONG,
        gray_dwell: Some(Duration::from_millis(50)),
        checks_fail_dwell: None,
        damping: None,
        suspicion: None,
    })
    .unwrap();
    let (out, mut seen) = mpsc::channel(64);
    let stop = CancellationToken::new();
    let running = tokio::spawn(sampler.run(out, stop.clone()));
    while quorum.verdict() != Verdict::Unhealthy {
        quorum.observe(seen.recv().await.unwrap());
    }
    assert_eq!(quorum.why().gray, Some(dr_core::detect::GrayFailure::WritesFail));
    let sentence = quorum.sentence();
    assert!(sentence.starts_with("us-east-1 unhealthy (gray): transactions fail"), "{sentence}");
    assert!(sentence.contains("last: answered 503 Service Unavailable, expected 201"), "{sentence}");
    stop.cancel();
    running.await.unwrap().unwrap();
}

/// The front of a region: `/health` is fine, and orders are taken while `writes` says so.
async fn front(writes: Arc<AtomicBool>) -> SocketAddr {
    serve(move |mut stream| {
        let writes = Arc::clone(&writes);
        async move {
            let reply = match request(&mut stream).await.starts_with("POST") {
                false => answer("200 OK", r#"{"status":"ok"}"#),
                true if writes.load(Ordering::SeqCst) => answer("201 Created", ""),
                true => answer("503 Service Unavailable", ""),
            };
            let _ = stream.write_all(reply.as_bytes()).await;
        }
    })
    .await
}

#[tokio::test]
async fn what_dr_yaml_says_is_watched() {
    let (east, west) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
    let (front_east, front_west) = (front(Arc::clone(&east)).await, front(Arc::clone(&west)).await);
    let control = serve(|stream| async move { drop(stream) }).await;
    let observer = |region: &str| json!({ "id": region, "region": region, "control": control.to_string() });
    let threshold = json!({ "trip": 3, "clear": 2 });
    let spec: Spec = serde_json::from_value(json!({
        "application": "shop",
        "endpoint": "http://shop.example",
        "objectives": { "rto": "5m", "rpo": "1m" },
        "regions": [
            { "id": "us-east-1", "role": "active", "endpoints": { "application": format!("http://{front_east}") } },
            { "id": "eu-west-1", "role": "warm-standby", "endpoints": { "application": format!("http://{front_west}") } },
            { "id": "eu-central-1", "role": "witness" },
        ],
        "observers": [observer("us-east-1"), observer("eu-west-1"), observer("eu-central-1")],
        "probes": [
            { "id": "reads", "kind": "http", "path": "/health", "interval": "40ms", "timeout": "20s",
              "threshold": threshold, "expect": { "status": [200], "body": "\"status\":\"ok\"" } },
            { "id": "writes", "kind": "write", "path": "/orders", "body": "{}", "interval": "40ms", "timeout": "20s",
              "threshold": threshold, "expect": { "status": [201] } },
        ],
        "detection": { "quorum": 2, "dwell": "50ms", "hold_down": "1h", "gray_dwell": "100ms" },
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
    let is = |region: &str, verdict: Verdict| {
        let region: RegionId = region.parse().unwrap();
        move |all: &Standings| all[&region].verdict == verdict
    };
    standings.wait_for(is("us-east-1", Verdict::Healthy)).await.unwrap();
    standings.wait_for(is("eu-west-1", Verdict::Healthy)).await.unwrap();
    east.store(false, Ordering::SeqCst);
    let lost = standings.wait_for(is("us-east-1", Verdict::Unhealthy)).await.unwrap().clone();
    let why = &lost[&"us-east-1".parse::<RegionId>().unwrap()].why;
    assert!(why.starts_with("us-east-1 unhealthy (gray): transactions fail"), "{why}");
    assert!(is("eu-west-1", Verdict::Healthy)(&lost), "{lost:#?}");
    west.store(true, Ordering::SeqCst);
    standings.wait_for(is("us-east-1", Verdict::Healthy)).await.unwrap();
    stop.cancel();
    running.await.unwrap().unwrap();
    let mut told = Vec::new();
    while let Ok(event) = heard.try_recv() {
        if let EventKind::Verdict { region, to, .. } = event.kind {
            told.push(format!("{region} {to}"));
        }
    }
    let last = told.iter().rev().find(|told| told.starts_with("us-east-1")).unwrap();
    assert_eq!(last, "us-east-1 healthy", "{told:?}");
    assert!(told.contains(&"us-east-1 unhealthy".to_owned()), "{told:?}");
}
