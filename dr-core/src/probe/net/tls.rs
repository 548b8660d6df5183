use std::{
    collections::BTreeMap,
    fmt, io,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme, SupportedCipherSuite,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, hash::HashAlgorithm, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    alarm::{Alarm, Late},
    miss::Miss,
};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    probe::Spoken,
    time::Monotonic,
};

/// Whom to believe, and what to tell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Trust {
    /// Whether the certificate is checked at all. Route 53 does not ("HTTPS health checks don't validate SSL/TLS
    /// certificates").
    pub(super) verified: bool,
    /// Whether the server is told the name that is asked for.
    pub(super) sni: bool,
    /// Certificates in PEM to trust beside the public authorities'.
    pub(super) roots: Vec<u8>,
}

impl Default for Trust {
    fn default() -> Self {
        Self { verified: true, sni: true, roots: Vec::new() }
    }
}

/// How to encrypt, and whom to believe.
#[derive(Clone)]
pub(super) struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The settings in use, each once: a hundred roots are 20 kB, and thousands of probes share them.
static SHARED: Mutex<BTreeMap<Trust, Weak<ClientConfig>>> = Mutex::new(BTreeMap::new());

impl Tls {
    /// TLS that expects a certificate for `name`, as far as `trust` says.
    pub(super) fn new(name: &str, trust: Trust) -> Result<Self> {
        let name = server_name(name)?;
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = shared.get(&trust).and_then(Weak::upgrade) {
            return Ok(Self { config, name });
        }
        shared.retain(|_, config| config.strong_count() > 0);
        let config = Arc::new(config(&trust)?);
        shared.insert(trust, Arc::downgrade(&config));
        Ok(Self { config, name })
    }

    /// The same trust, for another name: that of a redirect's target.
    pub(super) fn renamed(&self, name: &str) -> Result<Self> {
        Ok(Self { config: Arc::clone(&self.config), name: server_name(name)? })
    }

    /// Encrypts `stream`.
    pub(super) async fn wrap(
        &self,
        deadline: Monotonic,
        alarm: &mut Alarm<'_>,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Miss> {
        // The handshake is several small writes, none of which should wait for the other's acknowledgement.
        stream.set_nodelay(true).map_err(|error| Miss::from_io("connect", error))?;
        let limit = deadline.since(alarm.now());
        let connecting = TlsConnector::from(Arc::clone(&self.config)).connect(self.name.clone(), stream);
        alarm
            .before(deadline, connecting)
            .await
            .map_err(|Late| Miss::failed(format!("no TLS handshake within {}", Spoken(limit))))?
            .map_err(|error| self.explain(error))
    }

    fn explain(&self, error: io::Error) -> Miss {
        let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
            return match error.kind() {
                io::ErrorKind::UnexpectedEof => Miss::failed("closed the connection during the TLS handshake"),
                _ => Miss::from_io("TLS handshake", error),
            };
        };
        Miss::Failed(match tls {
            rustls::Error::InvalidCertificate(bad) => match bad {
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    "the certificate has expired".to_owned()
                }
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    "the certificate is not valid yet".to_owned()
                }
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    format!("the certificate is not for {}", self.name.to_str())
                }
                CertificateError::UnknownIssuer => "the certificate's issuer is not trusted".to_owned(),
                CertificateError::Revoked => "the certificate was revoked".to_owned(),
                other => format!("the certificate is not valid: {other}"),
            },
            rustls::Error::AlertReceived(alert) => format!("the TLS handshake was refused: {alert:?}"),
            rustls::Error::InvalidMessage(_) => "answered something that is not TLS".to_owned(),
            other => format!("TLS failed: {other}"),
        })
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::Invalid, message).with_effect(Effect::NotApplied)
}

fn server_name(name: &str) -> Result<ServerName<'static>> {
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    ServerName::try_from(bare.to_owned())
        .map_err(|_| invalid(format!("no certificate can be for {bare:?}: give a DNS name or an IP address")))
}

fn config(trust: &Trust) -> Result<ClientConfig> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in CertificateDer::pem_slice_iter(&trust.roots) {
        let certificate =
            certificate.map_err(|error| invalid(format!("the trusted certificates are no PEM: {error}")))?;
        roots.add(certificate).map_err(|error| invalid(format!("a trusted certificate is unusable: {error}")))?;
    }
    let provider = Arc::new(quick_first(ring::default_provider()));
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(ErrorKind::Internal, format!("no TLS: {error}")))?;
    let mut config = if trust.verified {
        builder.with_root_certificates(roots).with_no_client_auth()
    } else {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider))).with_no_client_auth()
    };
    // A resumed session shows no certificate, and an expired one would go unnoticed.
    config.resumption = Resumption::disabled();
    config.enable_sni = trust.sni;
    Ok(config)
}

/// Offers the suites that hash with SHA-256 before those with SHA-384, as Go does: processors hash the one in hardware, and
/// a handshake is mostly what a look costs. What is offered stays the same.
fn quick_first(mut provider: CryptoProvider) -> CryptoProvider {
    provider.cipher_suites.sort_by_key(|suite| {
        let common = match suite {
            SupportedCipherSuite::Tls12(suite) => &suite.common,
            SupportedCipherSuite::Tls13(suite) => &suite.common,
        };
        common.hash_provider.algorithm() != HashAlgorithm::SHA256
    });
    provider
}

/// Takes any certificate, whoever signed it, whatever it is for and however old it is. The server still proves that it
/// holds the certificate's key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
