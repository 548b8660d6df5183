use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use rustls::{
    ALL_VERSIONS, ProtocolVersion, RootCertStore, SupportedProtocolVersion,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    version::TLS12,
};

use super::{
    fields::Fields,
    handshake::{Broken, Chain, Shown, shake},
    judgement::{Days, Demand, Fault},
};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    model::VantageId,
    probe::{
        HealthProbe, Latency, ProbeCx, Reading, Spoken, Subject,
        net::{
            dial::Dial,
            miss::{Miss, reading},
        },
    },
    time::{Clock, Monotonic, Timestamp, timeout},
};

/// The certificate that an endpoint shows to those who ask for it by a name: whose it is, who answers for it, how long it
/// lasts, and whether Route 53's checkers could shake hands with it.
///
/// Neither Route 53 nor a load balancer's checks look at certificates ("HTTPS health checks don't validate SSL/TLS
/// certificates"), so a standby's wrong one is found out by its clients, after the shift. Each look shakes hands once for
/// each name, since the name decides which certificate is shown, and once more in TLS 1.2 alone, the newest that those
/// checkers speak. What is shown is read and judged even when nobody should trust it.
///
/// ```no_run
/// use std::{sync::Arc, time::Duration};
/// use dr_core::{probe::{CertificateProbe, HealthProbe, ProbeCx, Subject}, time::SystemClock};
///
/// # async fn look() -> Result<(), Box<dyn std::error::Error>> {
/// let subject = Subject::infrastructure("storefront/certificate".parse()?, "eu-west-1".parse()?);
/// let probe = CertificateProbe::new(subject, "eu-central-1".parse()?, "api-eu-west-1.example.com:443")?
///     .name("api.example.com")?
///     .expires_in_at_least(Duration::from_secs(30 * 24 * 60 * 60));
/// let reading = probe.probe(&ProbeCx::new(Arc::new(SystemClock::new()))).await?;
/// // for api.example.com: it ends on 2026-12-01T…, in 8 d, less than 30 d (CN=… by CN=…, serial …, valid … to …)
/// println!("{}", reading.reason);
/// # Ok(())
/// # }
/// ```
pub struct CertificateProbe {
    subject: Subject,
    vantage: VantageId,
    dial: Dial,
    names: Vec<ServerName<'static>>,
    demand: Demand,
    provider: Arc<CryptoProvider>,
    /// Each name's certificate in the latest look, and when it was first seen: since when what is wrong with it has been.
    since: Mutex<Vec<Sighting>>,
}

/// A certificate that is shown under a name.
#[derive(Debug)]
struct Sighting {
    name: ServerName<'static>,
    leaf: CertificateDer<'static>,
    first: Timestamp,
}

/// What one look found under one name.
struct Found {
    name: ServerName<'static>,
    chain: Chain,
    faults: Vec<Fault>,
    since: Timestamp,
}

impl fmt::Debug for CertificateProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateProbe")
            .field("subject", &self.subject)
            .field("dial", &self.dial)
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

impl CertificateProbe {
    /// A probe of `address`, a `host:port`, that waits up to 10 s in all. The host is the first name that is asked for;
    /// thirty days should be left.
    ///
    /// # Errors
    ///
    /// When `address` is not of that form, or no certificate can be for its host.
    pub fn new(subject: Subject, vantage: VantageId, address: &str) -> Result<Self> {
        let (host, port) = host_and_port(address).ok_or_else(|| {
            invalid(format!("{address:?} is no address to probe: write host:port, such as api.example.com:443"))
        })?;
        let name = server_name(host)?;
        let provider = Arc::new(ring::default_provider());
        Ok(Self {
            subject,
            vantage,
            dial: Dial::new(host, port, Duration::from_secs(10)),
            names: vec![name],
            demand: Demand {
                roots: RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
                algorithms: provider.signature_verification_algorithms,
                left: Duration::from_secs(30 * 24 * 60 * 60),
            },
            provider,
            since: Mutex::default(),
        })
    }

    /// The same, asking for `name` as well: the public name, which every region must be able to show a certificate for.
    ///
    /// # Errors
    ///
    /// When no certificate can be for it.
    pub fn name(mut self, name: &str) -> Result<Self> {
        let name = server_name(name)?;
        if !self.names.contains(&name) {
            self.names.push(name);
        }
        Ok(self)
    }

    /// The same, connecting here, whatever the host resolves to.
    #[must_use]
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.dial.address = Some(address);
        self
    }

    /// The same, calling a certificate unhealthy that ends sooner.
    #[must_use]
    pub fn expires_in_at_least(mut self, left: Duration) -> Self {
        self.demand.left = left;
        self
    }

    /// The same, trusting these certificates (PEM) beside the public authorities'.
    ///
    /// # Errors
    ///
    /// When they are no certificates.
    pub fn trust_pem(mut self, certificates: &[u8]) -> Result<Self> {
        for certificate in CertificateDer::pem_slice_iter(certificates) {
            let certificate =
                certificate.map_err(|error| invalid(format!("the trusted certificates are no PEM: {error}")))?;
            let added = self.demand.roots.add(certificate);
            added.map_err(|error| invalid(format!("a trusted certificate is unusable: {error}")))?;
        }
        Ok(self)
    }

    /// The same, waiting up to `limit` for all handshakes together.
    #[must_use]
    pub fn with_timeout(mut self, limit: Duration) -> Self {
        self.dial.limit = limit;
        self
    }

    /// One connection and one handshake, before `deadline`.
    async fn shake(
        &self,
        clock: &dyn Clock,
        deadline: Monotonic,
        versions: &[&'static SupportedProtocolVersion],
        name: &ServerName<'static>,
        latency: &mut Latency,
    ) -> Result<Shown, Miss> {
        let dial = Dial { limit: deadline.since(clock.monotonic()), ..self.dial.clone() };
        let stream = dial.connect(clock, latency).await?;
        let connected = clock.monotonic();
        let left = deadline.since(connected);
        let shown = timeout(clock, left, shake(&self.provider, versions, name, stream))
            .await
            .map_err(|_| Miss::failed(format!("no TLS handshake within {}", Spoken(left))))??;
        latency.tls = Some(clock.monotonic().since(connected));
        Ok(shown)
    }

    /// Looks; gives what was shown in words, or what is wrong.
    async fn look(&self, clock: &dyn Clock, latency: &mut Latency) -> Result<String, Miss> {
        let deadline = clock.monotonic() + self.dial.limit;
        let mut found = Vec::new();
        let mut version = ProtocolVersion::TLSv1_2;
        for (n, name) in self.names.iter().enumerate() {
            // The first handshake is the one that is measured.
            let mut unmeasured = Latency::default();
            let latency = if n == 0 { &mut *latency } else { &mut unmeasured };
            let shown = self.shake(clock, deadline, ALL_VERSIONS, name, latency).await?;
            if let Err(why) = &shown.ended
                && shown.chain.is_empty()
            {
                return Err(Miss::failed(format!("under {}: {why}", name.to_str())));
            }
            match &shown.ended {
                Ok(agreed) if n == 0 => version = *agreed,
                _ => {}
            }
            let now = clock.wall();
            let mut faults = self.demand.judge(&shown.chain, name, now);
            if let Err(why) = shown.ended {
                faults.push(Fault::Untrusted(why.to_string()));
            }
            found.push(Found {
                since: self.first_seen(name, &shown.chain, now),
                name: name.clone(),
                chain: shown.chain,
                faults,
            });
        }
        let remark = match (version, self.names.first()) {
            (ProtocolVersion::TLSv1_3, Some(name)) => self.older(clock, deadline, name).await?,
            _ => "speaks TLS 1.2".to_owned(),
        };
        describe(&found, &remark, clock.wall())
    }

    /// Whether TLS 1.2 is spoken beside 1.3.
    async fn older(&self, clock: &dyn Clock, deadline: Monotonic, name: &ServerName<'static>) -> Result<String, Miss> {
        let shown = self.shake(clock, deadline, &[&TLS12], name, &mut Latency::default()).await;
        Ok(match shown {
            Ok(Shown { ended: Ok(_), .. }) => "speaks TLS 1.3 and 1.2".to_owned(),
            Ok(Shown { ended: Err(Broken::Refused(_)), .. }) => {
                "speaks TLS 1.3 alone, and Route 53's checkers speak 1.0 to 1.2: an HTTPS check would call it unhealthy"
                    .to_owned()
            }
            Ok(Shown { ended: Err(Broken::Otherwise(why)), .. }) | Err(Miss::Failed(why)) => {
                format!("speaks TLS 1.3; whether 1.2 is spoken is not known: {why}")
            }
            Err(blind @ Miss::Blind(_)) => return Err(blind),
        })
    }

    /// When the certificate was first seen that is shown under `name` now.
    fn first_seen(&self, name: &ServerName<'static>, chain: &[CertificateDer<'static>], now: Timestamp) -> Timestamp {
        let Some(leaf) = chain.first() else { return now };
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        match since.iter_mut().find(|sighting| sighting.name == *name) {
            Some(sighting) if sighting.leaf == *leaf => sighting.first,
            Some(sighting) => {
                (sighting.leaf, sighting.first) = (leaf.clone(), now);
                now
            }
            None => {
                since.push(Sighting { name: name.clone(), leaf: leaf.clone(), first: now });
                now
            }
        }
    }
}

/// Everything that was found, in a sentence for each certificate; a failure when anything is wrong with one.
fn describe(found: &[Found], remark: &str, now: Timestamp) -> Result<String, Miss> {
    let mut parts: Vec<String> = Vec::new();
    let mut faulty = false;
    let mut told: Vec<&CertificateDer<'_>> = Vec::new();
    for Found { name, chain, faults, since } in found {
        faulty |= !faults.is_empty();
        let leaf = chain.first();
        let fields = leaf.and_then(|leaf| Fields::read(leaf));
        let who = fields.as_ref().map(|fields| format!(" ({fields})")).unwrap_or_default();
        let name = name.to_str();
        if faults.is_empty() {
            let left = fields.map(|fields| fields.not_after.since(now)).unwrap_or_default();
            match leaf {
                Some(leaf) if told.contains(&leaf) => parts.push(format!("covers {name} too")),
                _ => parts.push(format!("covers {name} for {} more{who}", Days(left))),
            }
            told.extend(leaf);
        } else {
            let faults: Vec<String> = faults.iter().map(Fault::to_string).collect();
            parts.push(format!("for {name}: {}{who}, first seen {since}", faults.join("; ")));
        }
    }
    parts.push(remark.to_owned());
    let said = parts.join("; ");
    if faulty { Err(Miss::Failed(said)) } else { Ok(said) }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::Invalid, message).with_effect(Effect::NotApplied)
}

fn host_and_port(address: &str) -> Option<(&str, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let port: u16 = port.parse().ok().filter(|port| *port > 0)?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    (!bare.is_empty() && (bare != host || !host.contains(':'))).then_some((bare, port))
}

fn server_name(name: &str) -> Result<ServerName<'static>> {
    ServerName::try_from(name.to_owned())
        .map_err(|_| invalid(format!("no certificate can be for {name:?}: give a DNS name or an IP address")))
}

#[async_trait]
impl HealthProbe for CertificateProbe {
    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn vantage(&self) -> &VantageId {
        &self.vantage
    }

    async fn probe(&self, cx: &ProbeCx) -> Result<Reading> {
        let clock = cx.clock().as_ref();
        let started = clock.monotonic();
        let mut latency = Latency::default();
        let seen = self.look(clock, &mut latency).await;
        latency.total = clock.monotonic().since(started);
        reading(seen, latency)
    }
}
