use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use hickory_proto::{
    op::{Edns, Metadata, OpCode, ResponseCode},
    rr::{DNSClass, LowerName, Name, RData, Record, RecordType},
};
use hickory_server::{
    Server,
    net::runtime::Time,
    server::{Request, RequestHandler, ResponseHandler, ResponseInfo},
    zone_handler::MessageResponseBuilder,
};
use tokio_util::sync::CancellationToken;

use super::{Lookup, Zone};
use crate::wire::bind_dns;

/// The size of a UDP answer that crosses the Internet in one piece.
const EDNS_PAYLOAD: u16 = 1232;
/// How long an idle TCP connection is kept, in the machine's time.
const TCP_IDLE: Duration = Duration::from_secs(5);

/// The authoritative name server of one zone, over UDP and TCP.
#[derive(Debug)]
pub struct NameServer {
    addr: SocketAddr,
    cancel: CancellationToken,
}

impl NameServer {
    /// Serves `zone` on loopback; port 0 for any.
    ///
    /// # Errors
    ///
    /// What the operating system says when it cannot listen, or [`io::ErrorKind::InvalidInput`] when the zone's name is none.
    pub async fn start(zone: Arc<dyn Zone>, port: u16) -> io::Result<Self> {
        let authority = Authority::new(zone)?;
        let (udp, tcp) = bind_dns(port).await?;
        let addr = udp.local_addr()?;
        let mut server = Server::new(authority);
        server.register_socket(udp);
        server.register_listener(tcp, TCP_IDLE, 4096);
        let cancel = CancellationToken::new();
        let stop = cancel.clone();
        tokio::spawn(async move {
            stop.cancelled().await;
            // Nothing is left to be done about a server that does not end well.
            let _ = server.shutdown_gracefully().await;
        });
        Ok(Self { addr, cancel })
    }

    /// Where it listens, over UDP and TCP.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

struct Authority {
    zone: Arc<dyn Zone>,
    apex: LowerName,
    apex_text: String,
}

impl Authority {
    fn new(zone: Arc<dyn Zone>) -> io::Result<Self> {
        let apex_text = zone.apex();
        let apex =
            Name::from_ascii(format!("{apex_text}.")).map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
        Ok(Self { zone, apex: LowerName::new(&apex), apex_text })
    }

    fn resolve(&self, name: &LowerName, original: &Name, kind: RecordType) -> Reply {
        if !self.apex.zone_of(name) {
            return Reply::of(ResponseCode::Refused);
        }
        let text = name.to_string();
        match self.zone.lookup(text.trim_end_matches('.'), kind) {
            Lookup::Records { kind, ttl, values } => match records(original, kind, ttl, &values) {
                Some(answers) => Reply { answers, ..Reply::of(ResponseCode::NoError) },
                None => Reply::of(ResponseCode::ServFail),
            },
            Lookup::NoData => Reply { soa: self.soa(), ..Reply::of(ResponseCode::NoError) },
            Lookup::NxDomain => Reply { soa: self.soa(), ..Reply::of(ResponseCode::NXDomain) },
        }
    }

    /// What goes with an answer that says no, so that resolvers know how long to believe it (RFC 2308).
    fn soa(&self) -> Vec<Record> {
        match self.zone.lookup(&self.apex_text, RecordType::SOA) {
            Lookup::Records { kind, ttl, values } => {
                records(&Name::from(self.apex.clone()), kind, ttl, &values).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }
}

fn records(name: &Name, kind: RecordType, ttl: u32, values: &[String]) -> Option<Vec<Record>> {
    values
        .iter()
        .map(|value| Some(Record::from_rdata(name.clone(), ttl, RData::try_from_str(kind, value).ok()?)))
        .collect()
}

#[derive(Default)]
struct Reply {
    code: ResponseCode,
    answers: Vec<Record>,
    soa: Vec<Record>,
}

impl Reply {
    fn of(code: ResponseCode) -> Self {
        Self { code, ..Self::default() }
    }
}

#[async_trait]
impl RequestHandler for Authority {
    async fn handle_request<R: ResponseHandler, T: Time>(
        &self,
        request: &Request,
        mut response_handle: R,
    ) -> ResponseInfo {
        let reply = match request.request_info() {
            Ok(_) if request.metadata.op_code != OpCode::Query => Reply::of(ResponseCode::NotImp),
            Ok(info) if info.query.query_class() != DNSClass::IN => Reply::of(ResponseCode::Refused),
            Ok(info) => self.resolve(info.query.name(), info.query.original().name(), info.query.query_type()),
            Err(_) => Reply::of(ResponseCode::FormErr),
        };
        let mut metadata = Metadata::response_from_request(&request.metadata);
        metadata.authoritative = !matches!(reply.code, ResponseCode::Refused | ResponseCode::FormErr);
        metadata.recursion_available = false;
        metadata.response_code = reply.code;
        let mut edns = Edns::new();
        edns.set_max_payload(EDNS_PAYLOAD).set_version(0);
        let asked_with_edns = request.edns.as_ref().map(|_| &edns);
        let builder = MessageResponseBuilder::new(&request.queries, asked_with_edns);
        let response = builder.build(metadata, reply.answers.iter(), [], reply.soa.iter(), []);
        match response_handle.send_response(response).await {
            Ok(info) => info,
            // Whoever asked is gone; hickory wants to know what was meant to be sent.
            Err(_) => hickory_proto::op::Header { metadata, counts: Default::default() }.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use dr_core::time::SystemClock;

    use super::*;
    use crate::dns::{ResolveError, Resolver};

    #[derive(Debug)]
    struct Fixed;

    impl Zone for Fixed {
        fn apex(&self) -> String {
            "ecommerce.com".to_owned()
        }

        fn lookup(&self, name: &str, kind: RecordType) -> Lookup {
            match (name, kind) {
                ("api.ecommerce.com", RecordType::A) => Lookup::addresses(60, &[Ipv4Addr::new(127, 0, 1, 1)]),
                ("ecommerce.com", RecordType::SOA) => Lookup::Records {
                    kind,
                    ttl: 900,
                    values: vec!["ns-1.awsdns-01.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400".into()],
                },
                ("ecommerce.com", RecordType::NS) => Lookup::Records {
                    kind,
                    ttl: 172_800,
                    values: vec!["ns-1.awsdns-01.com.".into(), "ns-2.awsdns-02.net.".into()],
                },
                ("www.ecommerce.com", RecordType::A) => {
                    Lookup::Records { kind: RecordType::CNAME, ttl: 300, values: vec!["api.ecommerce.com.".into()] }
                }
                ("api.ecommerce.com" | "ecommerce.com", _) => Lookup::NoData,
                _ => Lookup::NxDomain,
            }
        }
    }

    async fn server() -> (NameServer, Resolver) {
        let server = NameServer::start(Arc::new(Fixed), 0).await.unwrap();
        let resolver = Resolver::new(Arc::new(SystemClock::new()), server.addr());
        (server, resolver)
    }

    #[tokio::test]
    async fn names_resolve_over_the_wire_whatever_their_case() {
        let (_server, resolver) = server().await;
        let answer = resolver.query("API.ecommerce.com", RecordType::A).await.unwrap();
        assert!(answer.metadata.authoritative);
        assert_eq!(answer.answers.len(), 1);
        assert_eq!(answer.answers[0].ttl, 60);
        assert_eq!(answer.answers[0].name.to_string(), "API.ecommerce.com.");
    }

    #[tokio::test]
    async fn absence_is_told_from_another_type_and_carries_the_soa() {
        let (_server, resolver) = server().await;
        let no_data = resolver.query("api.ecommerce.com", RecordType::AAAA).await.unwrap();
        assert_eq!(no_data.metadata.response_code, ResponseCode::NoError);
        assert!(no_data.answers.is_empty());
        assert_eq!(no_data.authorities[0].record_type(), RecordType::SOA);
        let no_name = resolver.query("nope.ecommerce.com", RecordType::A).await.unwrap();
        assert_eq!(no_name.metadata.response_code, ResponseCode::NXDomain);
        assert_eq!(no_name.authorities[0].ttl, 900);
        assert_eq!(resolver.resolve("nope.ecommerce.com").await, Err(ResolveError::NoSuchName));
    }

    #[tokio::test]
    async fn the_apex_has_its_soa_and_name_servers_and_other_zones_are_refused() {
        let (_server, resolver) = server().await;
        assert_eq!(resolver.query("ecommerce.com", RecordType::NS).await.unwrap().answers.len(), 2);
        assert_eq!(resolver.query("ecommerce.com", RecordType::SOA).await.unwrap().answers.len(), 1);
        let alias = resolver.query("www.ecommerce.com", RecordType::A).await.unwrap();
        assert_eq!(alias.answers[0].record_type(), RecordType::CNAME);
        let elsewhere = resolver.query("example.org", RecordType::A).await.unwrap();
        assert_eq!(elsewhere.metadata.response_code, ResponseCode::Refused);
    }
}
