use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use dr_core::time::{Monotonic, SharedClock, timeout};
use hickory_proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode},
    rr::{Name, RData, RecordType},
};
use serde::{Deserialize, Serialize};
use tokio::net::UdpSocket;

/// How long one packet's answer is waited for, and how often it is sent.
const ATTEMPT: Duration = Duration::from_secs(1);
const ATTEMPTS: usize = 2;
/// The largest answer that a datagram brings.
const LARGEST: usize = 4096;

/// Why a name did not resolve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResolveError {
    /// There is no such name, or it has no address.
    NoSuchName,
    /// The server could not be reached, or did not answer.
    NoAnswer,
    /// The server would not answer, or what it sent makes no sense.
    Failed,
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSuchName => "no such name",
            Self::NoAnswer => "the name server did not answer",
            Self::Failed => "the name server would not answer",
        })
    }
}

impl std::error::Error for ResolveError {}

/// A resolver that asks one server over UDP and honours time to live, in the lab's time.
#[derive(Debug)]
pub struct Resolver {
    clock: SharedClock,
    server: SocketAddr,
    cache: Mutex<BTreeMap<String, Cached>>,
}

#[derive(Clone, Debug)]
struct Cached {
    addresses: Result<Vec<Ipv4Addr>, ResolveError>,
    until: Monotonic,
}

impl Resolver {
    /// With an empty cache.
    #[must_use]
    pub fn new(clock: SharedClock, server: SocketAddr) -> Self {
        Self { clock, server, cache: Mutex::default() }
    }

    fn cache(&self) -> MutexGuard<'_, BTreeMap<String, Cached>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The addresses of a name, from the cache while they live.
    ///
    /// # Errors
    ///
    /// [`ResolveError`]; the absence of a name is cached as RFC 2308 says, a failure to ask is not.
    pub async fn resolve(&self, name: &str) -> Result<Vec<Ipv4Addr>, ResolveError> {
        let now = self.clock.monotonic();
        if let Some(cached) = self.cache().get(name).filter(|cached| now < cached.until) {
            return cached.addresses.clone();
        }
        let answer = self.query(name, RecordType::A).await?;
        let (addresses, ttl) = read(&answer)?;
        let until = self.clock.monotonic() + Duration::from_secs(u64::from(ttl));
        self.cache().insert(name.to_owned(), Cached { addresses: addresses.clone(), until });
        addresses
    }

    /// Asks the server, past the cache.
    ///
    /// # Errors
    ///
    /// [`ResolveError::NoAnswer`] after two packets without an answer, [`ResolveError::Failed`] when the name is malformed.
    pub async fn query(&self, name: &str, kind: RecordType) -> Result<Message, ResolveError> {
        let mut name = Name::from_ascii(name).map_err(|_| ResolveError::Failed)?;
        name.set_fqdn(true);
        for _ in 0..ATTEMPTS {
            let asked = timeout(self.clock.as_ref(), ATTEMPT, self.ask(&name, kind)).await;
            if let Ok(Some(answer)) = asked {
                return Ok(answer);
            }
        }
        Err(ResolveError::NoAnswer)
    }

    /// One packet there, and the first that answers it back.
    async fn ask(&self, name: &Name, kind: RecordType) -> Option<Message> {
        let socket = UdpSocket::bind((IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0)).await.ok()?;
        socket.connect(self.server).await.ok()?;
        let id = rand::random();
        let mut question = Message::new(id, MessageType::Query, OpCode::Query);
        // To an authoritative server, and so without asking for recursion.
        question.metadata.recursion_desired = false;
        question.add_query(Query::query(name.clone(), kind));
        socket.send(&question.to_vec().ok()?).await.ok()?;
        let mut buffer = vec![0; LARGEST];
        loop {
            let length = socket.recv(&mut buffer).await.ok()?;
            let answer = buffer.get(..length).and_then(|packet| Message::from_vec(packet).ok());
            if let Some(answer) = answer.filter(|answer| answer.metadata.id == id) {
                return Some(answer);
            }
        }
    }
}

/// The addresses of an answer, or their absence, and how long either may be believed.
fn read(answer: &Message) -> Result<(Result<Vec<Ipv4Addr>, ResolveError>, u32), ResolveError> {
    if !matches!(answer.metadata.response_code, ResponseCode::NoError | ResponseCode::NXDomain) {
        return Err(ResolveError::Failed);
    }
    let found = answer.answers.iter().filter_map(|record| match record.data {
        RData::A(a) => Some((a.0, record.ttl)),
        _ => None,
    });
    let (addresses, ttls): (Vec<_>, Vec<_>) = found.unzip();
    if let Some(ttl) = ttls.into_iter().min() {
        return Ok((Ok(addresses), ttl));
    }
    // RFC 2308: the smaller of the SOA's own TTL and its MINIMUM.
    let ttl = answer.authorities.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(record.ttl.min(soa.minimum)),
        _ => None,
    });
    Ok((Err(ResolveError::NoSuchName), ttl.unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    };

    use dr_core::time::ManualClock;

    use super::*;
    use crate::dns::{Lookup, NameServer, Zone};

    #[derive(Debug, Default)]
    struct Moving(AtomicU8);

    impl Zone for Moving {
        fn apex(&self) -> String {
            "ecommerce.com".to_owned()
        }

        fn lookup(&self, _name: &str, _kind: RecordType) -> Lookup {
            Lookup::addresses(60, &[Ipv4Addr::new(127, 0, self.0.load(Ordering::Relaxed), 1)])
        }
    }

    #[tokio::test]
    async fn an_address_is_believed_for_its_time_to_live_and_no_longer() {
        let clock = ManualClock::new();
        let zone = Arc::new(Moving::default());
        let server = NameServer::start(zone.clone(), 0).await.unwrap();
        let resolver = Resolver::new(Arc::new(clock.clone()), server.addr());
        let third = async || resolver.resolve("api.ecommerce.com").await.unwrap()[0].octets()[2];
        assert_eq!(third().await, 0);
        zone.0.store(1, Ordering::Relaxed);
        clock.advance(Duration::from_secs(59));
        assert_eq!(third().await, 0);
        clock.advance(Duration::from_secs(1));
        assert_eq!(third().await, 1);
    }
}
