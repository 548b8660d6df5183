use std::{net::SocketAddr, sync::Arc};

use dr_core::{
    error::ErrorKind,
    probe::{CertificateProbe, Reading},
};
use rustls::{
    ServerConfig, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use super::{LONG, SHORT, look, look_at, office, subject};

pub(super) const ROOT: &[u8] = include_bytes!("../certificates/root.pem");
const GOOD: &[u8] = include_bytes!("../certificates/good.pem");
pub(super) const EXPIRED: &[u8] = include_bytes!("../certificates/expired.pem");
const SELF_SIGNED: &[u8] = include_bytes!("../certificates/self-signed.pem");
const CHAIN: &[u8] = include_bytes!("../certificates/chain.pem");
const CHAIN_ROOT: &[u8] = include_bytes!("../certificates/chain-root.pem");
const KEY: &[u8] = include_bytes!("../certificates/server.key.pem");

const BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

/// Shows one certificate to those who ask for a name, and another to those who ask for an address.
#[derive(Debug)]
struct ByName {
    named: Arc<CertifiedKey>,
    unnamed: Arc<CertifiedKey>,
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(if hello.server_name().is_some() { &self.named } else { &self.unnamed }))
    }
}

fn certified(pem: &[u8]) -> Arc<CertifiedKey> {
    let chain = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().unwrap();
    let key = ring::sign::any_ecdsa_type(&PrivateKeyDer::from_pem_slice(KEY).unwrap()).unwrap();
    Arc::new(CertifiedKey::new(chain, key))
}

pub(super) async fn serve(named: &[u8], unnamed: &[u8], versions: &[&'static SupportedProtocolVersion]) -> SocketAddr {
    let resolver = ByName { named: certified(named), unnamed: certified(unnamed) };
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let _ = stream.read_u8().await;
            });
        }
    });
    address
}

/// A probe of 127.0.0.1, which asks for `front.example` too.
fn probe(address: SocketAddr) -> CertificateProbe {
    let probe = CertificateProbe::new(subject(), office(), &address.to_string()).unwrap();
    probe.name("front.example").unwrap().trust_pem(ROOT).unwrap().with_timeout(LONG)
}

async fn shown(pem: &[u8], moment: &str) -> Reading {
    look_at(&probe(serve(pem, pem, &BOTH).await), moment).await
}

const NOW: &str = "2027-01-01T00:00:00Z";

#[tokio::test]
async fn a_good_certificate_says_what_it_is_and_how_long_it_lasts() {
    let reading = shown(GOOD, NOW).await;
    assert!(reading.is_healthy());
    assert_eq!(
        reading.reason,
        "covers 127.0.0.1 for 35793 d more (CN=dr test server by CN=dr test root, serial 1000, valid 2025-01-01 to \
         2124-12-31); covers front.example too; speaks TLS 1.3 and 1.2"
    );
    assert!(reading.latency.tls.is_some() && reading.latency.connect.is_some());
}

#[tokio::test]
async fn one_that_ends_soon_is_unhealthy_before_clients_notice() {
    let reading = shown(GOOD, "2124-12-10T00:00:00Z").await;
    assert!(!reading.is_healthy());
    assert!(
        reading.reason.starts_with("for 127.0.0.1: it ends on 2124-12-31T00:00:00.000Z, in 21 d, less than 30 d (CN="),
        "{}",
        reading.reason
    );
    let address = serve(GOOD, GOOD, &BOTH).await;
    let patient = probe(address).expires_in_at_least(std::time::Duration::from_secs(20 * 24 * 3_600));
    assert!(look_at(&patient, "2124-12-10T00:00:00Z").await.is_healthy());
}

#[tokio::test]
async fn one_that_nobody_should_trust_is_read_all_the_same() {
    let reading = shown(EXPIRED, NOW).await;
    assert_eq!(
        reading.reason,
        "for 127.0.0.1: it expired on 2020-02-01T00:00:00.000Z, 2526 d ago (CN=dr test server by CN=dr test root, serial \
         1001, valid 2020-01-01 to 2020-02-01), first seen 2027-01-01T00:00:00.000Z; for front.example: it expired on \
         2020-02-01T00:00:00.000Z, 2526 d ago (CN=dr test server by CN=dr test root, serial 1001, valid 2020-01-01 to \
         2020-02-01), first seen 2027-01-01T00:00:00.000Z; speaks TLS 1.3 and 1.2"
    );
    let reading = shown(SELF_SIGNED, NOW).await;
    assert!(!reading.is_healthy());
    assert!(reading.reason.contains("its issuer is not trusted"), "{}", reading.reason);
    let wrong = probe(serve(GOOD, GOOD, &BOTH).await).name("api.example.com").unwrap();
    let reading = look_at(&wrong, NOW).await;
    assert!(!reading.is_healthy(), "one name of three is enough");
    assert!(
        reading.reason.contains("for api.example.com: it is not for api.example.com but for front.example, 127.0.0.1"),
        "{}",
        reading.reason
    );
}

#[tokio::test]
async fn the_name_that_is_asked_for_decides_what_is_shown_and_judged() {
    let address = serve(EXPIRED, GOOD, &BOTH).await;
    let probe = probe(address);
    let reading = look_at(&probe, NOW).await;
    assert!(!reading.is_healthy());
    assert!(reading.reason.starts_with("covers 127.0.0.1 for 35793 d more"), "{}", reading.reason);
    assert!(reading.reason.contains("for front.example: it expired on 2020-02-01"), "{}", reading.reason);
    let later = look_at(&probe, "2027-02-01T00:00:00Z").await;
    assert!(later.reason.contains("first seen 2027-01-01T00:00:00.000Z"), "{}", later.reason);
}

#[tokio::test]
async fn an_intermediate_that_ends_soon_is_seen_although_the_leaf_lasts() {
    let address = serve(CHAIN, CHAIN, &BOTH).await;
    let probe = probe(address).trust_pem(CHAIN_ROOT).unwrap();
    assert!(look_at(&probe, "2034-12-01T00:00:00Z").await.is_healthy());
    let reading = look_at(&probe, "2034-12-15T00:00:00Z").await;
    assert!(!reading.is_healthy());
    assert!(
        reading.reason.contains("an issuer's certificate in its chain ends in less than 30 d"),
        "{}",
        reading.reason
    );
    let reading = look_at(&probe, "2035-06-01T00:00:00Z").await;
    assert!(reading.reason.contains("an issuer's certificate in its chain has expired"), "{}", reading.reason);
}

#[tokio::test]
async fn an_endpoint_that_route_53_s_checkers_cannot_speak_to_is_pointed_out() {
    let only = async |version| look_at(&probe(serve(GOOD, GOOD, &[version]).await), NOW).await;
    let reading = only(&TLS13).await;
    assert!(reading.is_healthy(), "clients can connect");
    assert!(
        reading.reason.ends_with(
            "speaks TLS 1.3 alone, and Route 53's checkers speak 1.0 to 1.2: an HTTPS check would call it unhealthy"
        ),
        "{}",
        reading.reason
    );
    let reading = only(&TLS12).await;
    assert!(reading.is_healthy() && reading.reason.ends_with("; speaks TLS 1.2"), "{}", reading.reason);
}

/// A server that sends `bytes` to whoever connects, and then keeps the connection, or not.
async fn says(bytes: &'static [u8], stays: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut hello = [0; 64];
                let _ = stream.read(&mut hello).await;
                let _ = stream.write_all(bytes).await;
                if stays {
                    std::future::pending::<()>().await;
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn a_server_without_tls_costs_its_timeout_and_is_named() {
    let reading = look(&probe(says(b"HTTP/1.1 400 Bad Request\r\n\r\n", true).await)).await;
    assert_eq!(reading.reason, "under 127.0.0.1: answered something that is not TLS");
    let reading = look(&probe(says(b"", true).await).with_timeout(SHORT)).await;
    assert!(reading.reason.starts_with("no TLS handshake within "), "{}", reading.reason);
    let reading = look(&probe(says(b"", false).await)).await;
    assert!(!reading.is_healthy());
    // A record that promises more than ever comes.
    let reading = look(&probe(says(b"\x16\x03\x03\x40\x00\x02", true).await).with_timeout(SHORT)).await;
    assert!(reading.reason.starts_with("no TLS handshake within "), "{}", reading.reason);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    assert_eq!(look(&probe(nobody)).await.reason, "connection refused");
}

#[test]
fn what_cannot_be_probed_is_refused() {
    let new = |address: &str| CertificateProbe::new(subject(), office(), address);
    for address in ["front.example", "front.example:0", ":443", "two words:443", "::1:443"] {
        assert_eq!(new(address).unwrap_err().kind(), ErrorKind::Invalid, "{address}");
    }
    assert!(new("[::1]:443").is_ok());
    assert!(new("front.example:443").unwrap().name("two words").is_err());
    assert!(new("front.example:443").unwrap().trust_pem(b"-----BEGIN CERTIFICATE-----\nAA\n").is_err());
}
