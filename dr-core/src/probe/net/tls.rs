use std::{fmt, io, sync::Arc, time::Duration};

use rustls::{
    CertificateError, ClientConfig, RootCertStore,
    client::Resumption,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::miss::Miss;
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    probe::Spoken,
    time::{Clock, timeout},
};

/// How to encrypt, and whom to believe. The chain, the dates and the name are always checked, which Route 53 does not
/// do ("HTTPS health checks don't validate SSL/TLS certificates").
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

impl Tls {
    /// TLS that expects a certificate for `name`, signed by a public authority or by one in `extra_roots` (PEM).
    pub(super) fn new(name: &str, extra_roots: &[u8]) -> Result<Self> {
        let invalid = |message: String| Error::new(ErrorKind::Invalid, message).with_effect(Effect::NotApplied);
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|_| invalid(format!("no certificate can be for {bare:?}: give a DNS name or an IP address")))?;
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for certificate in CertificateDer::pem_slice_iter(extra_roots) {
            let certificate =
                certificate.map_err(|error| invalid(format!("the trusted certificates are no PEM: {error}")))?;
            roots.add(certificate).map_err(|error| invalid(format!("a trusted certificate is unusable: {error}")))?;
        }
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::new(ErrorKind::Internal, format!("no TLS: {error}")))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        // A resumed session shows no certificate, and an expired one would go unnoticed.
        config.resumption = Resumption::disabled();
        Ok(Self { config: Arc::new(config), name })
    }

    /// Encrypts `stream`.
    pub(super) async fn wrap(
        &self,
        clock: &dyn Clock,
        limit: Duration,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Miss> {
        let connecting = TlsConnector::from(Arc::clone(&self.config)).connect(self.name.clone(), stream);
        timeout(clock, limit, connecting)
            .await
            .map_err(|_| Miss::failed(format!("no TLS handshake within {}", Spoken(limit))))?
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
