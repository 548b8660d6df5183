use std::{net::IpAddr, time::Duration};

use async_trait::async_trait;

use super::{dial::Dial, miss::reading};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    model::VantageId,
    probe::{AddressFamily, HealthProbe, Latency, ProbeCx, Reading, Spoken, Subject},
};

/// Whether a port takes connections.
///
/// Nothing is sent, and the connection ends with a reset, so that neither side keeps anything of it.
///
/// ```no_run
/// use std::{sync::Arc, time::Duration};
/// use dr_core::{probe::{HealthProbe, ProbeCx, Subject, TcpProbe}, time::SystemClock};
///
/// # async fn look() -> Result<(), Box<dyn std::error::Error>> {
/// let subject = Subject::infrastructure("orders-db/port".parse()?, "us-east-1".parse()?);
/// let probe = TcpProbe::new(subject, "eu-central-1".parse()?, "db.us-east-1.example.com:5432")?
///     .with_timeout(Duration::from_secs(4));
/// let reading = probe.probe(&ProbeCx::new(Arc::new(SystemClock::new()))).await?;
/// println!("{}", reading.reason); // connected in 81 ms
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TcpProbe {
    subject: Subject,
    vantage: VantageId,
    dial: Dial,
}

impl TcpProbe {
    /// A probe of `address`, a `host:port` (`[::1]:5432` for an IPv6 literal), that waits up to 4 s.
    ///
    /// # Errors
    ///
    /// When `address` is not of that form.
    pub fn new(subject: Subject, vantage: VantageId, address: &str) -> Result<Self> {
        let invalid = || {
            let message = format!("{address:?} is no address to probe: write host:port, such as db.example.com:5432");
            Error::new(ErrorKind::Invalid, message).with_effect(Effect::NotApplied)
        };
        let (host, port) = address.rsplit_once(':').ok_or_else(invalid)?;
        let port: u16 = port.parse().map_err(|_| invalid())?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if bare.is_empty() || port == 0 || (bare == host && host.contains(':')) {
            return Err(invalid());
        }
        Ok(Self { subject, vantage, dial: Dial::new(bare, port, Duration::from_secs(4)) })
    }

    /// The same, waiting up to `limit` for the name and the connection together.
    #[must_use]
    pub fn with_timeout(mut self, limit: Duration) -> Self {
        self.dial.limit = limit;
        self
    }

    /// The same, trying only addresses of `family` of a name.
    #[must_use]
    pub fn with_family(mut self, family: AddressFamily) -> Self {
        self.dial.family = family;
        self
    }

    /// The same, connecting from `address` of this machine.
    #[must_use]
    pub fn from_address(mut self, address: IpAddr) -> Self {
        self.dial.from = Some(address);
        self
    }
}

#[async_trait]
impl HealthProbe for TcpProbe {
    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn vantage(&self) -> &VantageId {
        &self.vantage
    }

    async fn probe(&self, cx: &ProbeCx) -> Result<Reading> {
        let started = cx.clock().monotonic();
        let mut latency = Latency::default();
        let connected = self.dial.connect(cx.clock().as_ref(), &mut latency).await;
        latency.total = cx.clock().monotonic().since(started);
        reading(connected.map(|_stream| format!("connected in {}", Spoken(latency.total))), latency)
    }
}
