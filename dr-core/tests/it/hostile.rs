//! Targets that do what they should not, and everything that an HTTP probe can be told about them.
//!
//! Where a wait matters it is on a manual clock, so that a timeout is an equation; where an amount matters, it is counted.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use dr_core::{
    detect::{Verdict, Watch},
    event::ChannelSink,
    model::RegionId,
    probe::{
        AddressFamily, BodyMatch, HealthProbe as _, HttpProbe, HttpProbeBuilder, ProbeCx, Reading, Redirects,
        StatusSet, TcpProbe,
    },
    spec::Spec,
    time::{ManualClock, SharedClock, SystemClock},
};
use flate2::{Compression, write::GzEncoder};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::yield_now,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::sockets::{
    EXPIRED, GOOD, KEY, LONG, ROOT, SELF_SIGNED, answer, cx, get, get_tls, look, replies, request, said, serve,
    serve_tls, subject,
};

/// What the kernel buffers of a connection on its own account, and more.
const KERNEL: usize = 32 << 20;

/// A server that answers each path in its own way, and tells what it was asked.
async fn routes(to: fn(&str) -> String) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let (asked, seen) = mpsc::unbounded_channel();
    let address = serve(move |mut stream| {
        let asked = asked.clone();
        async move {
            let text = request(&mut stream).await;
            let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
            let _ = asked.send(text);
            let _ = stream.write_all(to(&path).as_bytes()).await;
        }
    })
    .await;
    (address, seen)
}

fn to(status: &str, location: &str) -> String {
    format!("HTTP/1.1 {status}\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n")
}

fn all(seen: &mut mpsc::UnboundedReceiver<String>) -> Vec<String> {
    std::iter::from_fn(|| seen.try_recv().ok()).collect()
}

#[tokio::test]
async fn a_redirect_is_followed_by_choice_and_each_hop_is_named() {
    let (address, mut seen) = routes(|path| match path {
        "/health" => to("302 Found", "ready?token=s3cret"),
        "/ready?token=s3cret" => to("308 Permanent Redirect", "/done"),
        _ => answer("200 OK", "fine"),
    })
    .await;
    let probe = || get(address).header("authorization", "Bearer x").redirects(Redirects::SameHost(2));
    let reading = look(probe()).await;
    assert_eq!(said(&reading), "302 to /ready, then 308 to /done, then answered 200 OK");
    assert!(reading.is_healthy());
    let asked = all(&mut seen);
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|text| text.contains("authorization: Bearer x")), "{asked:#?}");
    let reading = look(get(address).redirects(Redirects::SameHost(1))).await;
    assert_eq!(reading.reason, "302 to /ready, then answered 308 Permanent Redirect: more than 1 redirects");
    assert_eq!(look(get(address)).await.reason, "answered 302 Found to /ready, expected 200-299");
    let body = look(probe().expect_body(BodyMatch::route53("well"))).await;
    assert!(
        body.reason.starts_with("302 to /ready, then 308 to /done, then the body does not have"),
        "{}",
        body.reason
    );
    assert!(look(get(address).expect_status(302).redirects(Redirects::SameHost(1))).await.is_healthy(), "as expected");
}

#[tokio::test]
async fn circles_and_endless_redirects_end_with_a_reading() {
    let (address, mut seen) = routes(|path| match path {
        "/health" => to("301 Moved Permanently", "/a"),
        "/a" => to("302 Found", "/b"),
        _ => to("302 Found", "/a"),
    })
    .await;
    let reading = look(get(address).redirects(Redirects::AnyHost(10))).await;
    assert_eq!(
        reading.reason,
        "301 to /a, then 302 to /b, then answered 302 Found to /a, where it has been: the redirects go in a circle"
    );
    assert_eq!(all(&mut seen).len(), 3, "nothing is asked twice");
    let (address, mut seen) = routes(|path| {
        let n: u32 = path.trim_start_matches("/").parse().unwrap_or(0);
        to("302 Found", &format!("/{}", n + 1))
    })
    .await;
    let reading = look(get(address).redirects(Redirects::SameHost(10))).await;
    assert!(
        reading.reason.ends_with("302 to /10, then answered 302 Found: more than 10 redirects"),
        "{}",
        reading.reason
    );
    assert_eq!(all(&mut seen).len(), 11);
    for bad in [Redirects::SameHost(0), Redirects::AnyHost(100)] {
        assert!(get(address).redirects(bad).build().is_err(), "{bad:?}");
    }
}

#[tokio::test]
async fn another_host_is_asked_only_by_choice_and_told_no_secret() {
    let listener = TcpListener::bind("127.0.0.2:0").await.unwrap();
    let other = listener.local_addr().unwrap();
    let (asked, mut seen) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            asked.send(request(&mut stream).await).unwrap();
            stream.write_all(answer("200 OK", "fine").as_bytes()).await.unwrap();
        }
    });
    let address = replies(to("302 Found", &format!("http://{other}/x?token=s3cret"))).await;
    let probe = || get(address).header("authorization", "Bearer x");
    let reading = look(probe().redirects(Redirects::SameHost(3))).await;
    assert_eq!(reading.reason, format!("answered 302 Found to {other}/x, another host, where it is not followed"));
    assert!(all(&mut seen).is_empty());
    let reading = look(probe().redirects(Redirects::AnyHost(3))).await;
    assert_eq!(said(&reading), format!("302 to {other}/x, then answered 200 OK"));
    let asked = all(&mut seen);
    assert!(asked[0].starts_with("GET /x?token=s3cret") && !asked[0].contains("Bearer"), "{asked:?}");
    for (location, reason) in [
        ("ftp://127.0.0.2/", "answered 302 Found to something that is no URL to follow"),
        ("http://127.0.0.1:1/", "302 to 127.0.0.1:1, then connection refused"),
    ] {
        let address = replies(to("302 Found", location)).await;
        let reading = look(get(address).redirects(Redirects::AnyHost(3))).await;
        assert!(reading.reason.starts_with(reason) || location.contains(":1/"), "{}", reading.reason);
        assert!(!reading.is_healthy());
    }
    let nowhere = replies("HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n").await;
    let reading = look(get(nowhere).redirects(Redirects::AnyHost(3))).await;
    assert_eq!(reading.reason, "answered 302 Found without saying where to");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn encoded(name: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: {name}\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn a_compressed_body_is_looked_into_and_a_bomb_is_not_set_off() {
    let rule = || BodyMatch::route53("\"writer\":true");
    let text = [vec![b' '; 4_000], b"\"writer\":true".to_vec()].concat();
    let reading = look(get(replies(encoded("gzip", &gzip(&text))).await).expect_body(rule())).await;
    assert!(reading.is_healthy(), "{}", reading.reason);
    let bomb = gzip(&vec![b' '; 24 << 20]);
    let reading = look(get(replies(encoded("gzip", &bomb)).await).expect_body(rule())).await;
    assert_eq!(reading.reason, r#"the body does not have "\"writer\":true" in the first 5120 bytes"#);
    let reading = look(get(replies(encoded("br", b"anything")).await).expect_body(rule())).await;
    assert!(
        reading.reason.starts_with("the body is encoded with br, and only gzip and deflate can be looked into"),
        "{}",
        reading.reason
    );
    assert!(look(get(replies(encoded("br", b"anything")).await)).await.is_healthy(), "nobody asked about its body");
    let reading = look(get(replies(encoded("gzip", b"no gzip, but plain text")).await).expect_body(rule())).await;
    assert!(reading.reason.starts_with("the body is not compressed as its head says"), "{}", reading.reason);
}

/// A server that sends `head`, then `block` for ever, and counts what it got rid of.
async fn pours(head: &'static str, block: Vec<u8>) -> (SocketAddr, Arc<AtomicUsize>) {
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let address = serve(move |mut stream| {
        let (counted, block) = (Arc::clone(&counted), block.clone());
        async move {
            request(&mut stream).await;
            let _ = stream.write_all(head.as_bytes()).await;
            while stream.write_all(&block).await.is_ok() {
                counted.fetch_add(block.len(), Ordering::SeqCst);
            }
        }
    })
    .await;
    (address, sent)
}

#[tokio::test]
async fn what_never_ends_is_left_after_a_counted_number_of_bytes() {
    let rule = || BodyMatch::route53("token");
    let (address, sent) = pours("HTTP/1.1 200 OK\r\n", b"x-more: of the same\r\n".repeat(512)).await;
    assert_eq!(look(get(address)).await.reason, "answered with a head of more than 16 KiB");
    assert!(sent.load(Ordering::SeqCst) < KERNEL);
    let (address, sent) = pours("HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n", vec![b'x'; 16 << 10]).await;
    let reading = look(get(address).expect_body(rule())).await;
    assert_eq!(reading.reason, r#"the body does not have "token" in the first 5120 bytes"#);
    assert!(sent.load(Ordering::SeqCst) < KERNEL, "of 1 GB");
    let chunks = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;";
    let (address, sent) = pours(chunks, vec![b'x'; 16 << 10]).await;
    let reading = look(get(address).expect_body(rule())).await;
    assert_eq!(reading.reason, r#"too much came before "token" in the first 5120 bytes"#);
    assert!(sent.load(Ordering::SeqCst) < KERNEL);
    let (address, sent) = pours("HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n", vec![b'x'; 16 << 10]).await;
    assert!(look(get(address).keep_alive()).await.is_healthy(), "it answered; its connection is not kept");
    assert!(sent.load(Ordering::SeqCst) < KERNEL);
}

/// What a probe says on a manual clock that goes on by 100 ms whenever everybody has had their turn.
async fn on_manual_time(probe: HttpProbeBuilder) -> Reading {
    let clock = ManualClock::new();
    let cx = ProbeCx::new(Arc::new(clock.clone()));
    let probe = probe.build().unwrap();
    let longest = probe.longest();
    let mut looking = tokio::spawn(async move { probe.probe(&cx).await.unwrap() });
    // Once the connection is there, which real time decides, the rest happens on manual time.
    for _ in 0..10_000 {
        if looking.is_finished() {
            break;
        }
        if clock.next_deadline().is_some() {
            for _ in 0..200 {
                yield_now().await;
            }
            clock.advance(Duration::from_millis(100));
        }
        yield_now().await;
    }
    let reading = (&mut looking).await.unwrap();
    assert!(reading.latency.total <= longest, "{reading:?} after {longest:?}");
    reading
}

fn patient(address: SocketAddr) -> HttpProbeBuilder {
    get(address).connect_timeout(Duration::from_secs(600)).response_timeout(Duration::from_secs(60))
}

#[tokio::test]
async fn silence_and_drips_cost_their_timeout_to_the_tick() {
    let silent = serve(|stream| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let reading = on_manual_time(patient(silent)).await;
    assert_eq!(reading.reason, "no answer within 60 s");
    assert!(reading.latency.total >= Duration::from_secs(60) && reading.latency.first_byte.is_none());
    let reading = on_manual_time(patient(silent).total_timeout(Duration::from_secs(9))).await;
    assert_eq!(reading.latency.total, Duration::from_secs(9));
    let drips = |head: &'static str| {
        serve(move |mut stream| async move {
            let _ = stream.write_all(head.as_bytes()).await;
            while stream.write_all(b"x").await.is_ok() {
                for _ in 0..50 {
                    yield_now().await;
                }
            }
        })
    };
    let reading = on_manual_time(patient(drips("HTTP/1.1 200 OK\r\nx: ").await).response_timeout(LONG)).await;
    assert!(
        reading.reason.starts_with("only ") && reading.reason.ends_with("bytes of an answer's head within 60 s")
            || reading.reason == "answered with a head of more than 16 KiB",
        "{}",
        reading.reason
    );
    let rule = BodyMatch::within("token", 1 << 20);
    let dripping = drips("HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n").await;
    let reading = on_manual_time(patient(dripping).expect_body(rule)).await;
    assert_eq!(reading.reason, r#"answered 200 OK, and not "token" in the first 1048576 bytes within 60 s"#);
    assert!(reading.latency.first_byte.is_some());
}

#[tokio::test]
async fn a_reset_in_the_body_is_named() {
    let address = serve(|mut stream| async move {
        request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await;
        stream.set_zero_linger().unwrap();
    })
    .await;
    let reading = look(get(address).expect_body(BodyMatch::route53("token"))).await;
    assert!(reading.reason.contains("connection reset"), "{}", reading.reason);
    assert!(!reading.is_healthy());
}

#[tokio::test]
async fn a_server_of_another_kind_is_guessed() {
    let tls = serve_tls(GOOD).await;
    let reading = look(get(tls)).await;
    assert_eq!(reading.reason, "answered something that is not HTTP/1.1: it wants TLS, so ask with https://");
}

#[tokio::test]
async fn a_connection_is_kept_by_choice_and_opened_anew_when_it_is_gone() {
    let (opened, counted) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (connections, requests) = (Arc::clone(&opened), Arc::clone(&counted));
    let address = serve(move |mut stream: TcpStream| {
        connections.fetch_add(1, Ordering::SeqCst);
        let requests = Arc::clone(&requests);
        async move {
            // Three answers, then the connection ends without a word.
            for _ in 0..3 {
                let text = request(&mut stream).await;
                assert!(!text.contains("connection: close"), "{text}");
                requests.fetch_add(1, Ordering::SeqCst);
                stream.write_all(answer("200 OK", "fine").as_bytes()).await.unwrap();
            }
        }
    })
    .await;
    let probe = get(address).keep_alive().build().unwrap();
    let mut said_so = Vec::new();
    for _ in 0..7 {
        let reading = probe.probe(&cx()).await.unwrap();
        assert!(reading.is_healthy(), "{}", reading.reason);
        assert_eq!(reading.latency.connect.is_none(), reading.reason.contains("kept connection"));
        said_so.push(reading.reason.contains("kept connection"));
    }
    assert_eq!(said_so, [false, true, true, false, true, true, false]);
    assert_eq!((opened.load(Ordering::SeqCst), counted.load(Ordering::SeqCst)), (3, 7));
    let fresh = get(replies(answer("200 OK", "fine")).await).build().unwrap();
    for _ in 0..2 {
        assert!(fresh.probe(&cx()).await.unwrap().latency.connect.is_some(), "a new one each time unless said");
    }
}

#[tokio::test]
async fn route_53_s_way_of_looking_is_a_preset() {
    for certificate in [EXPIRED, SELF_SIGNED] {
        let reading = look(get_tls(serve_tls(certificate).await).as_route53()).await;
        assert_eq!(said(&reading), "answered 200 OK (certificate not verified)");
        assert!(reading.is_healthy(), "Route 53 checks no certificate");
    }
    let moved = replies(to("302 Found", "https://login.example.com/")).await;
    assert!(look(get(moved).as_route53()).await.is_healthy(), "a redirect is health there");
    let strict = get(moved).as_route53().expect_status(StatusSet::default());
    assert!(!look(strict).await.is_healthy(), "what is said afterwards counts");
    let probe = get(moved).as_route53().build().unwrap();
    assert_eq!(probe.longest(), Duration::from_secs(6), "4 s to connect, 2 s to answer");
    let probe = get(moved).as_route53().expect_body(BodyMatch::route53("x")).build().unwrap();
    assert_eq!(probe.longest(), Duration::from_secs(8), "and 2 s for the body");
    let reading = look(get_tls(serve_tls(EXPIRED).await).dangerously_accept_any_certificate()).await;
    assert_eq!(said(&reading), "answered 200 OK (certificate not verified)");
}

/// Gives one certificate to everybody, and remembers the names that were asked for.
#[derive(Debug)]
struct Remembers {
    key: Arc<CertifiedKey>,
    names: Mutex<Vec<Option<String>>>,
}

impl ResolvesServerCert for Remembers {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.names.lock().unwrap().push(hello.server_name().map(str::to_owned));
        Some(Arc::clone(&self.key))
    }
}

#[tokio::test]
async fn the_name_in_the_handshake_is_as_it_was_told() {
    let provider = rustls::crypto::ring::default_provider();
    let chain: Vec<_> = CertificateDer::pem_slice_iter(GOOD).collect::<Result<_, _>>().unwrap();
    let key = CertifiedKey::from_der(chain, PrivateKeyDer::from_pem_slice(KEY).unwrap(), &provider).unwrap();
    let resolver = Arc::new(Remembers { key: Arc::new(key), names: Mutex::default() });
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&resolver) as _);
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let address = serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let text = request(&mut stream).await;
            let _ = stream.write_all(answer("200 OK", &text).as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    })
    .await;
    let get = || get_tls(address).trust_pem(ROOT);
    assert!(look(get().host("front.example")).await.is_healthy());
    let named =
        get().host("other.example").server_name("front.example").expect_body(BodyMatch::route53("host: other."));
    let reading = look(named).await;
    assert!(reading.is_healthy(), "{}", reading.reason);
    assert!(look(get().host("front.example").without_server_name_indication()).await.is_healthy());
    let wrong = get().host("other.example").without_server_name_indication();
    assert_eq!(look(wrong).await.reason, "the certificate is not for other.example", "told no name, and still checked");
    let front = Some("front.example".to_owned());
    assert_eq!(*resolver.names.lock().unwrap(), [front.clone(), front, None, None]);
}

#[tokio::test]
async fn an_address_family_is_kept_to() {
    let address = replies(answer("200 OK", "fine")).await;
    let by_name = |family| {
        HttpProbe::get(subject(), "office".parse().unwrap(), format!("http://localhost:{}/", address.port()))
            .connect_timeout(LONG)
            .family(family)
    };
    let reading = look(by_name(AddressFamily::Ipv4)).await;
    assert!(reading.is_healthy() && reading.latency.resolve.is_some(), "{reading:?}");
    let reading = look(by_name(AddressFamily::Ipv6)).await;
    assert!(!reading.is_healthy(), "it listens on IPv4 alone: {}", reading.reason);
    let error = get(address).family(AddressFamily::Ipv6).build().unwrap_err();
    assert!(error.message().contains("127.0.0.1 is no IPv6 address"), "{error}");
    let tcp = TcpProbe::new(subject(), "office".parse().unwrap(), &format!("localhost:{}", address.port())).unwrap();
    assert!(tcp.with_family(AddressFamily::Ipv4).probe(&cx()).await.unwrap().is_healthy());
}

#[tokio::test]
async fn what_dr_yaml_says_of_asking_is_what_is_asked() {
    // It answers only who asks as the file says, behind a certificate that nobody signed.
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(SELF_SIGNED).collect::<Result<_, _>>().unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates, PrivateKeyDer::from_pem_slice(KEY).unwrap())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let front = serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let text = request(&mut stream).await;
            let asked = ["x-key: k1\r\n", "host: api.example.com\r\n"].iter().all(|line| text.contains(line));
            let reply = match text.split(' ').take(2).collect::<Vec<_>>()[..] {
                _ if !asked => answer("403 Forbidden", ""),
                ["OPTIONS", "/health"] => to("307 Temporary Redirect", "/ready"),
                ["OPTIONS", "/ready"] => answer("200 OK", "fine"),
                ["PUT", "/orders"] => answer("202 Accepted", ""),
                _ => answer("404 Not Found", ""),
            };
            let _ = stream.write_all(reply.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    })
    .await;
    let control = serve(|stream| async move { drop(stream) }).await;
    let observer = |region: &str| json!({ "id": region, "region": region, "control": control.to_string() });
    let request = |method: &str| {
        json!({ "method": method, "headers": { "x-key": "k1" }, "host": "api.example.com", "connect_timeout": "10s",
            "response_timeout": "10s", "redirects": { "follow": 1 } })
    };
    let probe = |id: &str, kind: &str, path: &str, method: &str, status: &[u16]| {
        json!({ "id": id, "kind": kind, "path": path, "interval": "40ms", "timeout": "20s", "family": "ipv4",
            "threshold": { "trip": 3, "clear": 2 }, "expect": { "status": status }, "request": request(method),
            "tls": { "dangerously_accept_any_certificate": true, "server_name": "front.example" } })
    };
    let mut like = probe("like", "http", "/health", "OPTIONS", &[]);
    like["like"] = json!("route53");
    like["expect"] = json!({ "body": "" });
    like["tls"] = json!({ "sni": false });
    let endpoints = json!({ "application": format!("https://{front}") });
    let spec: Spec = serde_json::from_value(json!({
        "application": "shop",
        "endpoint": "http://shop.example",
        "objectives": { "rto": "5m", "rpo": "1m" },
        "regions": [
            { "id": "us-east-1", "role": "active", "endpoints": endpoints },
            { "id": "eu-west-1", "role": "warm-standby", "endpoints": endpoints },
            { "id": "eu-central-1", "role": "witness" },
        ],
        "observers": [observer("us-east-1"), observer("eu-west-1"), observer("eu-central-1")],
        "probes": [
            probe("reads", "http", "/health", "OPTIONS", &[200]),
            probe("writes", "write", "/orders", "PUT", &[202]),
            like,
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
    let (events, _heard) = ChannelSink::new();
    let running = tokio::spawn(watch.run(Arc::new(events), sender, stop.clone()));
    let region: RegionId = "us-east-1".parse().unwrap();
    let known = standings.wait_for(|all| all[&region].verdict != Verdict::Unknown).await.unwrap().clone();
    assert_eq!(known[&region].verdict, Verdict::Healthy, "{:?}", known[&region]);
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_write_that_is_answered_before_it_was_read_still_gives_a_reading() {
    let early = serve(|mut stream| async move {
        let mut some = [0; 64];
        let _ = stream.read(&mut some).await;
        let _ = stream.write_all(answer("413 Content Too Large", "").as_bytes()).await;
    })
    .await;
    let url = format!("http://{early}/orders");
    let probe = HttpProbe::post(subject(), "office".parse().unwrap(), url, "x".repeat(8 << 20)).connect_timeout(LONG);
    let reading = look(probe.response_timeout(LONG)).await;
    assert!(!reading.is_healthy());
    assert!(
        ["answered 413", "connection reset", "closed the connection"]
            .iter()
            .any(|seen| reading.reason.starts_with(seen)),
        "{}",
        reading.reason
    );
}
