use std::{
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
};

use rustls::{
    AlertDescription, ClientConfig, DigitallySignedStruct, ProtocolVersion, SignatureScheme, SupportedProtocolVersion,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::probe::net::miss::Miss;

/// A chain as it was shown, the leaf first.
pub(super) type Chain = Vec<CertificateDer<'static>>;

/// What came of a handshake.
#[derive(Debug)]
pub(super) struct Shown {
    /// Empty when the handshake broke before a certificate was shown.
    pub(super) chain: Chain,
    /// The version that was agreed upon, or why there was no agreement.
    pub(super) ended: Result<ProtocolVersion, Broken>,
}

/// Why a handshake broke.
#[derive(Debug)]
pub(super) enum Broken {
    /// The other side does not speak what was offered.
    Refused(String),
    /// Something else, in words.
    Otherwise(String),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Refused(why) | Self::Otherwise(why)) = self;
        f.write_str(why)
    }
}

/// Keeps what it is shown, and lets everything pass that the other side has the key of. Whether it is worth anything is
/// judged afterwards: a certificate that is refused in the handshake would tell nothing of itself.
#[derive(Debug)]
struct Recorder {
    chain: Mutex<Chain>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain = std::iter::once(end_entity).chain(intermediates).map(|shown| shown.clone().into_owned()).collect();
        *self.chain.lock().unwrap_or_else(PoisonError::into_inner) = chain;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Shakes hands over `stream` under `name`, in one of `versions`.
pub(super) async fn shake(
    provider: &Arc<CryptoProvider>,
    versions: &[&'static SupportedProtocolVersion],
    name: &ServerName<'static>,
    stream: TcpStream,
) -> Result<Shown, Miss> {
    let recorder = Arc::new(Recorder { chain: Mutex::default(), provider: Arc::clone(provider) });
    let mut config = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(versions)
        .map_err(|error| Miss::failed(format!("no TLS: {error}")))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&recorder) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    // A resumed session shows no certificate.
    config.resumption = Resumption::disabled();
    let ended = match TlsConnector::from(Arc::new(config)).connect(name.clone(), stream).await {
        Ok(stream) => Ok(stream.get_ref().1.protocol_version().unwrap_or(ProtocolVersion::Unknown(0))),
        Err(error) => Err(broken(error)?),
    };
    let chain = std::mem::take(&mut *recorder.chain.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Shown { chain, ended })
}

fn broken(error: io::Error) -> Result<Broken, Miss> {
    let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                Ok(Broken::Otherwise("closed the connection during the TLS handshake".to_owned()))
            }
            _ => match Miss::from_io("TLS handshake", error) {
                Miss::Failed(why) => Ok(Broken::Otherwise(why)),
                blind @ Miss::Blind(_) => Err(blind),
            },
        };
    };
    Ok(match tls {
        rustls::Error::AlertReceived(
            alert @ (AlertDescription::ProtocolVersion
            | AlertDescription::HandshakeFailure
            | AlertDescription::InsufficientSecurity),
        ) => Broken::Refused(format!("the TLS handshake was refused: {alert:?}")),
        rustls::Error::PeerIncompatible(why) => {
            Broken::Refused(format!("the TLS handshake was refused: nothing in common ({why:?})"))
        }
        rustls::Error::AlertReceived(alert) => Broken::Otherwise(format!("the TLS handshake was refused: {alert:?}")),
        rustls::Error::InvalidMessage(_) => Broken::Otherwise("answered something that is not TLS".to_owned()),
        other => Broken::Otherwise(format!("TLS failed: {other}")),
    })
}
