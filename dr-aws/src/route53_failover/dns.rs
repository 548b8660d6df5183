use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    probe::{DnsAnswer, DnsQuestion, DnsType},
    time::Clock,
};

use super::RecordType;

/// What one authoritative server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The addresses; empty when the name exists without any.
    pub addresses: BTreeSet<IpAddr>,
    /// How long resolvers may believe it: the least of all records on the way.
    pub ttl: Duration,
    /// Whether the server says that it is the authority.
    pub authoritative: bool,
}

/// A question to one server, without recursion: what the authority itself says.
///
/// ```no_run
/// # async fn example() -> dr_core::error::Result<()> {
/// use dr_aws::route53_failover::{DnsQuery, RecordType};
/// use dr_core::time::SystemClock;
///
/// let query = DnsQuery { server: "192.0.2.53:53".into(), name: "api.example.com".into(), record_type: RecordType::A };
/// println!("{:?}", query.ask(&SystemClock::new()).await?.addresses);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsQuery {
    /// The server, as `host:port`.
    pub server: String,
    /// The name.
    pub name: String,
    /// The type.
    pub record_type: RecordType,
}

impl DnsQuery {
    /// Asks, three times for 2 s each, over UDP, and over TCP when the answer is too long for that.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when the name does not exist, [`Unavailable`](ErrorKind::Unavailable) when the
    /// server cannot answer or no try is answered. Asking changes nothing.
    pub async fn ask(&self, clock: &dyn Clock) -> Result<Answer> {
        let kind = match self.record_type {
            RecordType::A => DnsType::A,
            RecordType::Aaaa => DnsType::Aaaa,
        };
        let reply = DnsQuestion::to_authority(&self.server, &self.name, kind).ask(clock).await?;
        let authoritative = reply.authoritative;
        let none = |ttl| Ok(Answer { addresses: BTreeSet::new(), ttl, authoritative });
        match reply.answer {
            DnsAnswer::Addresses { addresses, ttl } => Ok(Answer { addresses, ttl, authoritative }),
            DnsAnswer::Alias { ttl, .. } => none(ttl),
            DnsAnswer::NoData { negative } => none(negative.unwrap_or_default()),
            DnsAnswer::NoName { .. } => Err(self.failed(ErrorKind::NotFound, "the name does not exist")),
            DnsAnswer::Referral => {
                Err(self
                    .failed(ErrorKind::Unavailable, "the server is no authority for the name, and refers to others"))
            }
            DnsAnswer::Failed { code } => {
                Err(self.failed(ErrorKind::Unavailable, &format!("the server answered {code}")))
            }
        }
    }

    fn failed(&self, kind: ErrorKind, message: &str) -> Error {
        Error::new(kind, format!("{} {} at {}: {message}", self.name, self.record_type.as_str(), self.server))
            .during("dns:query")
            .with_effect(Effect::NotApplied)
    }
}
