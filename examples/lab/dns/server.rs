use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use hickory_proto::{
    op::{Edns, Metadata, OpCode, ResponseCode},
    rr::{DNSClass, LowerName, Name, RData, Record, RecordType, rdata},
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

/// Negative answers of a Route 53 zone are cached for as long as its default SOA says, 900 seconds.
const NEGATIVE_TTL: u32 = 900;
/// What a zone's NS records live for, 172,800 seconds by default.
const NS_TTL: u32 = 172_800;
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
    soa: Record,
    ns: Vec<Record>,
}

impl Authority {
    fn new(zone: Arc<dyn Zone>) -> io::Result<Self> {
        let name = |text: String| Name::from_ascii(text).map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e));
        let apex = name(format!("{}.", zone.apex()))?;
        let servers = ["ns-1.awsdns-00.com.", "ns-2.awsdns-00.net.", "ns-3.awsdns-00.org.", "ns-4.awsdns-00.co.uk."];
        let ns = servers
            .iter()
            .map(|server| {
                let ns = RData::NS(rdata::NS(name((*server).to_owned())?));
                Ok(Record::from_rdata(apex.clone(), NS_TTL, ns))
            })
            .collect::<io::Result<Vec<_>>>()?;
        let mname = name("ns-1.awsdns-00.com.".to_owned())?;
        let rname = name("awsdns-hostmaster.amazon.com.".to_owned())?;
        // The numbers of every new Route 53 zone: serial 1, refresh 7200, retry 900, expire 1209600, minimum 86400.
        // The record's own TTL of 900 is the smaller, and so the one that counts for negative answers (RFC 2308).
        let soa = rdata::SOA::new(mname, rname, 1, 7_200, 900, 1_209_600, 86_400);
        let soa = Record::from_rdata(apex.clone(), NEGATIVE_TTL, RData::SOA(soa));
        Ok(Self { zone, apex: LowerName::new(&apex), soa, ns })
    }

    fn resolve(&self, name: &LowerName, original: &Name, kind: RecordType) -> Reply {
        if !self.apex.zone_of(name) {
            return Reply::refused();
        }
        if *name == self.apex {
            match kind {
                RecordType::SOA => return Reply::of(vec![self.soa.clone()]),
                RecordType::NS => return Reply::of(self.ns.clone()),
                _ => {}
            }
        }
        let text = name.to_string();
        match self.zone.lookup(text.trim_end_matches('.'), kind) {
            Lookup::Records { ttl, values } => {
                let parsed: Result<Vec<_>, _> = values.iter().map(|v| RData::try_from_str(kind, v)).collect();
                match parsed {
                    Ok(data) => {
                        Reply::of(data.into_iter().map(|d| Record::from_rdata(original.clone(), ttl, d)).collect())
                    }
                    Err(_) => Reply { code: ResponseCode::ServFail, answers: Vec::new(), soa: None },
                }
            }
            Lookup::NoData => Reply { code: ResponseCode::NoError, answers: Vec::new(), soa: Some(self.soa.clone()) },
            // The apex exists, whatever the zone thinks of it.
            Lookup::NxDomain if *name == self.apex => {
                Reply { code: ResponseCode::NoError, answers: Vec::new(), soa: Some(self.soa.clone()) }
            }
            Lookup::NxDomain => {
                Reply { code: ResponseCode::NXDomain, answers: Vec::new(), soa: Some(self.soa.clone()) }
            }
        }
    }
}

struct Reply {
    code: ResponseCode,
    answers: Vec<Record>,
    soa: Option<Record>,
}

impl Reply {
    fn of(answers: Vec<Record>) -> Self {
        Self { code: ResponseCode::NoError, answers, soa: None }
    }

    fn refused() -> Self {
        Self { code: ResponseCode::Refused, answers: Vec::new(), soa: None }
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
            Ok(_) if request.metadata.op_code != OpCode::Query => {
                Reply { code: ResponseCode::NotImp, answers: Vec::new(), soa: None }
            }
            Ok(info) if info.query.query_class() != DNSClass::IN => Reply::refused(),
            Ok(info) => self.resolve(info.query.name(), info.query.original().name(), info.query.query_type()),
            Err(_) => Reply { code: ResponseCode::FormErr, answers: Vec::new(), soa: None },
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
                ("api.ecommerce.com", _) => Lookup::NoData,
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
        assert_eq!(resolver.query("ecommerce.com", RecordType::NS).await.unwrap().answers.len(), 4);
        assert_eq!(resolver.query("ecommerce.com", RecordType::SOA).await.unwrap().answers.len(), 1);
        let elsewhere = resolver.query("example.org", RecordType::A).await.unwrap();
        assert_eq!(elsewhere.metadata.response_code, ResponseCode::Refused);
    }
}
