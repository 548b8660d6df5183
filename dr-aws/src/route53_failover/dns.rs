use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    time::{Clock, timeout},
};
use hickory_proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode},
    rr::{Name, RData, RecordType as WireType},
    serialize::binary::{BinDecodable as _, BinEncodable as _},
};
use rand::random;
use tokio::net::UdpSocket;

use super::RecordType;

/// What one authoritative server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The addresses; empty when the name exists without any.
    pub addresses: BTreeSet<IpAddr>,
    /// The smallest time to live of the records.
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

/// Datagrams get lost: ask so often, waiting this long each time.
const TRIES: u32 = 3;
const WAIT: Duration = Duration::from_secs(2);

impl DnsQuery {
    /// Asks.
    ///
    /// # Errors
    ///
    /// [`Timeout`](ErrorKind::Timeout) when no try is answered, [`NotFound`](ErrorKind::NotFound) when the name does not
    /// exist, [`Unavailable`](ErrorKind::Unavailable) when the server cannot answer. Asking changes nothing.
    pub async fn ask(&self, clock: &dyn Clock) -> Result<Answer> {
        let mut last = self.failed(ErrorKind::Timeout, format!("no answer in {TRIES} tries of {WAIT:?}"));
        for _ in 0..TRIES {
            match timeout(clock, WAIT, self.once()).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) if error.kind() == ErrorKind::Unavailable => last = error,
                Ok(Err(error)) => return Err(error),
                Err(_) => {}
            }
        }
        Err(last)
    }

    fn failed(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::new(kind, format!("{} {} at {}: {}", self.name, self.record_type.as_str(), self.server, message.into()))
            .during("dns:query")
            .with_effect(Effect::NotApplied)
    }

    async fn once(&self) -> Result<Answer> {
        let io = |e: std::io::Error| self.failed(ErrorKind::Unavailable, e.to_string());
        let name = Name::from_ascii(&self.name).map_err(|e| self.failed(ErrorKind::Invalid, e.to_string()))?;
        let wire_type = match self.record_type {
            RecordType::A => WireType::A,
            RecordType::Aaaa => WireType::AAAA,
        };
        let id: u16 = random();
        let mut question = Message::new(id, MessageType::Query, OpCode::Query);
        question.add_query(Query::query(name, wire_type));
        let bytes = question.to_bytes().map_err(|e| self.failed(ErrorKind::Invalid, e.to_string()))?;
        let target = tokio::net::lookup_host(&self.server)
            .await
            .map_err(io)?
            .next()
            .ok_or_else(|| self.failed(ErrorKind::Unavailable, "the server's name has no address"))?;
        let socket = UdpSocket::bind(if target.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }).await.map_err(io)?;
        socket.connect(target).await.map_err(io)?;
        socket.send(&bytes).await.map_err(io)?;
        let mut buffer = vec![0_u8; 4096];
        loop {
            let length = socket.recv(&mut buffer).await.map_err(io)?;
            let reply = Message::from_bytes(buffer.get(..length).unwrap_or_default());
            // Anything that is not the reply to this question is somebody else's datagram.
            if let Ok(reply) = reply
                && reply.metadata.id == id
                && reply.metadata.message_type == MessageType::Response
            {
                return self.read(&reply);
            }
        }
    }

    fn read(&self, reply: &Message) -> Result<Answer> {
        match reply.metadata.response_code {
            ResponseCode::NoError => {}
            ResponseCode::NXDomain => return Err(self.failed(ErrorKind::NotFound, "the name does not exist")),
            code => return Err(self.failed(ErrorKind::Unavailable, format!("the server answered {code}"))),
        }
        let mut answer =
            Answer { addresses: BTreeSet::new(), ttl: Duration::MAX, authoritative: reply.metadata.authoritative };
        for record in &reply.answers {
            match &record.data {
                RData::A(address) => answer.addresses.insert(IpAddr::V4(address.0)),
                RData::AAAA(address) => answer.addresses.insert(IpAddr::V6(address.0)),
                _ => false,
            };
            answer.ttl = answer.ttl.min(Duration::from_secs(record.ttl.into()));
        }
        Ok(answer)
    }
}
