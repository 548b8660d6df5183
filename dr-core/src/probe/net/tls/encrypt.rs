use std::{
    collections::BTreeMap,
    fmt, io,
    io::Write as _,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use rustls::{CertificateError, ClientConfig, pki_types::ServerName};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    super::{
        alarm::{Alarm, Late},
        miss::Miss,
    },
    trust::{Trust, config},
};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    probe::Spoken,
    time::Monotonic,
};

/// How to encrypt, and whom to believe.
#[derive(Clone)]
pub(in super::super) struct Tls {
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
    pub(in super::super) fn new(name: &str, trust: Trust) -> Result<Self> {
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
    pub(in super::super) fn renamed(&self, name: &str) -> Result<Self> {
        Ok(Self { config: Arc::clone(&self.config), name: server_name(name)? })
    }

    /// Encrypts `stream`, and sends the beginning of `first` with the last word of the handshake, once the far side has
    /// shown who it is: how much of it, comes with the stream.
    pub(in super::super) async fn wrap(
        &self,
        deadline: Monotonic,
        alarm: &mut Alarm<'_>,
        stream: TcpStream,
        first: &[u8],
    ) -> Result<(TlsStream<TcpStream>, usize), Miss> {
        // The handshake is several small writes, none of which should wait for the other's acknowledgement.
        stream.set_nodelay(true).map_err(|error| Miss::from_io("connect", error))?;
        let limit = deadline.since(alarm.now());
        let mut taken = 0;
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let connecting = connector.connect_with(self.name.clone(), stream, |connection| {
            // It is held until it can be encrypted. What there is no room for is sent as usual.
            taken = connection.writer().write(first).unwrap_or(0);
        });
        let stream = alarm
            .before(deadline, connecting)
            .await
            .map_err(|Late| Miss::failed(format!("no TLS handshake within {}", Spoken(limit))))?
            .map_err(|error| self.explain(error))?;
        Ok((stream, taken))
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

pub(super) fn invalid(message: String) -> Error {
    Error::new(ErrorKind::Invalid, message).with_effect(Effect::NotApplied)
}

fn server_name(name: &str) -> Result<ServerName<'static>> {
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    ServerName::try_from(bare.to_owned())
        .map_err(|_| invalid(format!("no certificate can be for {bare:?}: give a DNS name or an IP address")))
}
