use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore, SupportedCipherSuite,
    client::{Resumption, WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::{CryptoProvider, hash::HashAlgorithm, ring},
    pki_types::{CertificateDer, pem::PemObject as _},
};

use super::{any::AnyCertificate, encrypt::invalid, remembering::Remembering};
use crate::error::{Error, ErrorKind, Result};

/// Whom to believe, and what to tell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Trust {
    /// Whether the certificate is checked at all. Route 53 does not ("HTTPS health checks don't validate SSL/TLS
    /// certificates").
    pub(in super::super) verified: bool,
    /// Whether the server is told the name that is asked for.
    pub(in super::super) sni: bool,
    /// Certificates in PEM to trust beside the public authorities'.
    pub(in super::super) roots: Vec<u8>,
}

impl Default for Trust {
    fn default() -> Self {
        Self { verified: true, sni: true, roots: Vec::new() }
    }
}

pub(super) fn config(trust: &Trust) -> Result<ClientConfig> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in CertificateDer::pem_slice_iter(&trust.roots) {
        let certificate =
            certificate.map_err(|error| invalid(format!("the trusted certificates are no PEM: {error}")))?;
        roots.add(certificate).map_err(|error| invalid(format!("a trusted certificate is unusable: {error}")))?;
    }
    let provider = Arc::new(quick_first(ring::default_provider()));
    let verifier: Arc<dyn ServerCertVerifier> = if trust.verified {
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build();
        let verifier = verifier.map_err(|error| Error::new(ErrorKind::Internal, format!("no TLS: {error}")))?;
        Arc::new(Remembering::new(verifier))
    } else {
        Arc::new(AnyCertificate(Arc::clone(&provider)))
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(ErrorKind::Internal, format!("no TLS: {error}")))?
        // What it is given checks all that the usual one checks, or was asked not to.
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
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
