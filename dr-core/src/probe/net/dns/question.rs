use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use hickory_proto::{
    op::{Edns, Message, MessageType, OpCode, Query},
    rr::Name,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket, lookup_host},
};

use super::reply::{DnsReply, DnsType, NotAReply};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    probe::{Spoken, net::miss::Miss},
    time::{Clock, timeout},
};

/// The largest datagram that is asked for: it crosses the Internet in one piece.
const PAYLOAD: u16 = 1_232;

/// The largest datagram that is read, for servers that do not care what was asked for.
const LARGEST: usize = 4_096;

/// The most datagrams of a try that may be somebody else's, before the try is given up.
const STRAYS: u32 = 64;

/// A question to one name server for the addresses of a name.
///
/// ```no_run
/// use dr_core::{probe::{DnsType, DnsQuestion}, time::SystemClock};
///
/// # async fn ask() -> dr_core::error::Result<()> {
/// // The authority itself: a resolver's cache proves nothing.
/// let question = DnsQuestion::to_authority("ns-1.example.com", "api.example.com", DnsType::A);
/// println!("{:?}", question.ask(&SystemClock::new()).await?.answer);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsQuestion {
    server: String,
    name: String,
    family: DnsType,
    recursion: bool,
    tries: u32,
    wait: Duration,
}

impl DnsQuestion {
    /// A question to an authoritative server, a `host` or `host:port`, without recursion: three tries of 2 s each.
    #[must_use]
    pub fn to_authority(server: impl Into<String>, name: impl Into<String>, family: DnsType) -> Self {
        let wait = Duration::from_secs(2);
        Self { server: server.into(), name: name.into(), family, recursion: false, tries: 3, wait }
    }

    /// The same question to a resolver, which asks on.
    #[must_use]
    pub fn to_resolver(server: impl Into<String>, name: impl Into<String>, family: DnsType) -> Self {
        Self { recursion: true, ..Self::to_authority(server, name, family) }
    }

    /// The same, sent so often, waiting so long for each reply. Datagrams get lost.
    #[must_use]
    pub fn with_patience(mut self, tries: u32, wait: Duration) -> Self {
        (self.tries, self.wait) = (tries.max(1), wait);
        self
    }

    /// Asks, over UDP, and over TCP when the answer is too long for that. Asking changes nothing.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) when the name is none, [`Unavailable`](ErrorKind::Unavailable) when no try is
    /// answered, [`Internal`](ErrorKind::Internal) when this machine could not ask.
    pub async fn ask(&self, clock: &dyn Clock) -> Result<DnsReply> {
        self.reply(clock).await.map_err(|miss| match miss {
            Miss::Failed(why) => {
                let message = format!("{} {} at {}: {why}", self.name, self.family, self.server);
                Error::new(ErrorKind::Unavailable, message).during("dns:query").with_effect(Effect::NotApplied)
            }
            Miss::Blind(error) => error.during("dns:query"),
        })
    }

    pub(super) async fn reply(&self, clock: &dyn Clock) -> Result<DnsReply, Miss> {
        let name = read_name(&self.name).map_err(Miss::Blind)?;
        let server = timeout(clock, self.wait, resolve(&self.server))
            .await
            .map_err(|_| Miss::failed("the server's own name was not resolved in time"))??;
        let mut strays = Strays::default();
        let mut last = None;
        for _ in 0..self.tries {
            match timeout(clock, self.wait, self.once(server, &name, &mut strays)).await {
                Ok(Err(Miss::Failed(why))) => last = Some(why),
                Ok(answered) => return answered,
                Err(_) => {}
            }
        }
        let silence = || format!("no answer in {} tries of {}", self.tries, Spoken(self.wait));
        Err(Miss::Failed(format!("{}{strays}", last.unwrap_or_else(silence))))
    }

    async fn once(&self, server: SocketAddr, name: &Name, strays: &mut Strays) -> Result<DnsReply, Miss> {
        let id: u16 = rand::random();
        let mut question = Message::new(id, MessageType::Query, OpCode::Query);
        question.metadata.recursion_desired = self.recursion;
        question.add_query(Query::query(name.clone(), self.family.record_type()));
        let mut edns = Edns::new();
        edns.set_max_payload(PAYLOAD);
        question.set_edns(edns);
        let bytes = question.to_vec().map_err(|error| Miss::failed(format!("the question cannot be sent: {error}")))?;
        let read = |packet: &[u8]| DnsReply::read_for(packet, id, name, self.family);
        let reply = over_udp(server, &bytes, &read, strays).await?;
        if reply.truncated { over_tcp(server, &bytes, &read).await } else { Ok(reply) }
    }
}

/// A name to ask for; a trailing dot makes no difference.
pub(super) fn read_name(name: &str) -> Result<Name> {
    let mut wire = Name::from_ascii(name).map_err(|error| {
        Error::new(ErrorKind::Invalid, format!("{name:?} is no name to ask for: {error}"))
            .with_effect(Effect::NotApplied)
    })?;
    wire.set_fqdn(true);
    Ok(wire)
}

/// The address of a server, which answers on port 53 unless another is written.
async fn resolve(server: &str) -> Result<SocketAddr, Miss> {
    if let Ok(address) = server.parse::<SocketAddr>() {
        return Ok(address);
    }
    if let Ok(address) = server.parse::<IpAddr>() {
        return Ok(SocketAddr::new(address, 53));
    }
    let (host, port) = match server.rsplit_once(':').map(|(host, port)| (host, port.parse())) {
        Some((host, Ok(port))) => (host, port),
        _ => (server, 53),
    };
    let mut found = lookup_host((host, port))
        .await
        .map_err(|error| Miss::failed(format!("the server's own name does not resolve: {error}")))?;
    found.next().ok_or_else(|| Miss::failed("the server's own name has no address"))
}

/// What arrived and was not the answer. Who sends it cannot make us believe it, but may be why the answer is missing.
#[derive(Debug, Default)]
struct Strays {
    elsewhere: Option<SocketAddr>,
    unfit: BTreeMap<NotAReply, u32>,
    /// In the present try.
    count: u32,
}

impl fmt::Display for Strays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, times) in &self.unfit {
            write!(f, "; it sent {what}")?;
            if *times > 1 {
                write!(f, ", {times} times")?;
            }
        }
        match self.elsewhere {
            Some(address) => write!(f, "; {address} answered, which was not asked"),
            None => Ok(()),
        }
    }
}

type Read<'a> = dyn Fn(&[u8]) -> Result<DnsReply, NotAReply> + Sync + 'a;

async fn over_udp(server: SocketAddr, question: &[u8], read: &Read<'_>, strays: &mut Strays) -> Result<DnsReply, Miss> {
    strays.count = 0;
    let any = if server.is_ipv4() { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
    let socket = UdpSocket::bind((any, 0)).await.map_err(|error| Miss::from_io("opening a socket", error))?;
    socket.send_to(question, server).await.map_err(|error| Miss::from_io("asking", error))?;
    let mut buffer = vec![0_u8; LARGEST];
    while strays.count < STRAYS {
        let (length, from) =
            socket.recv_from(&mut buffer).await.map_err(|error| Miss::from_io("waiting for the answer", error))?;
        if from.ip() != server.ip() || from.port() != server.port() {
            (strays.elsewhere, strays.count) = (Some(from), strays.count + 1);
            continue;
        }
        match read(buffer.get(..length).unwrap_or_default()) {
            Ok(reply) => return Ok(reply),
            Err(unfit) => {
                strays.count += 1;
                *strays.unfit.entry(unfit).or_default() += 1;
            }
        }
    }
    Err(Miss::failed("nothing but strays arrived"))
}

async fn over_tcp(server: SocketAddr, question: &[u8], read: &Read<'_>) -> Result<DnsReply, Miss> {
    let failed = |error| match Miss::from_io("asking over TCP", error) {
        Miss::Failed(why) => Miss::Failed(format!("too long for a datagram, and over TCP: {why}")),
        blind @ Miss::Blind(_) => blind,
    };
    let mut stream = TcpStream::connect(server).await.map_err(failed)?;
    let length = u16::try_from(question.len()).map_err(|_| Miss::failed("the question is too long"))?;
    let framed = [&length.to_be_bytes()[..], question].concat();
    stream.write_all(&framed).await.map_err(failed)?;
    let length = stream.read_u16().await.map_err(failed)?;
    // Sixty-four kilobytes at the most: it is the protocol's own limit.
    let mut packet = vec![0; length.into()];
    stream.read_exact(&mut packet).await.map_err(failed)?;
    read(&packet).map_err(|unfit| Miss::failed(format!("too long for a datagram, and over TCP it sent {unfit}")))
}
