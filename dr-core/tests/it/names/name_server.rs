//! A name server that says what a test wants, over UDP and TCP.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use hickory_proto::{
    op::{Message, MessageType, OpCode, ResponseCode},
    rr::{
        Name, RData, Record, RecordType,
        rdata::{A, AAAA, SOA},
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, UdpSocket},
};

/// What is sent for a question.
#[derive(Clone, Debug)]
pub(super) enum Sent {
    Bytes(Vec<u8>),
    /// From another address than the one that was asked.
    FromElsewhere(Vec<u8>),
    /// The same again and again.
    Flood(Vec<u8>, u32),
    Nothing,
}

impl From<Message> for Sent {
    fn from(message: Message) -> Self {
        Self::Bytes(message.to_vec().unwrap())
    }
}

/// A server on a port of its own, and how often it was asked.
pub(super) struct Scripted {
    pub(super) address: SocketAddr,
    pub(super) asked: Arc<AtomicU32>,
}

impl Scripted {
    /// Answers by `answer`, which is told whether the question came over TCP.
    pub(super) async fn start(answer: impl Fn(&Message, bool) -> Sent + Send + Sync + 'static) -> Self {
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
                break (udp, tcp);
            }
        };
        let address = udp.local_addr().unwrap();
        let (answer, asked) = (Arc::new(answer), Arc::new(AtomicU32::new(0)));
        let (over_tcp, count) = (Arc::clone(&answer), Arc::clone(&asked));
        tokio::spawn(async move {
            let elsewhere = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let mut buffer = [0; 4_096];
            while let Ok((n, from)) = udp.recv_from(&mut buffer).await {
                count.fetch_add(1, Ordering::SeqCst);
                let question = Message::from_vec(&buffer[..n]).unwrap();
                match answer(&question, false) {
                    Sent::Bytes(bytes) => drop(udp.send_to(&bytes, from).await),
                    Sent::FromElsewhere(bytes) => drop(elsewhere.send_to(&bytes, from).await),
                    Sent::Flood(bytes, times) => {
                        for _ in 0..times {
                            let _ = udp.send_to(&bytes, from).await;
                        }
                    }
                    Sent::Nothing => {}
                }
            }
        });
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = tcp.accept().await {
                let answer = Arc::clone(&over_tcp);
                tokio::spawn(async move {
                    let Ok(length) = stream.read_u16().await else { return };
                    let mut packet = vec![0; length.into()];
                    if stream.read_exact(&mut packet).await.is_err() {
                        return;
                    }
                    match answer(&Message::from_vec(&packet).unwrap(), true) {
                        Sent::Bytes(bytes) => {
                            let _ = stream.write_u16(u16::try_from(bytes.len()).unwrap()).await;
                            let _ = stream.write_all(&bytes).await;
                        }
                        _ => std::future::pending::<()>().await,
                    }
                });
            }
        });
        Self { address, asked }
    }

    pub(super) fn name(&self) -> String {
        self.address.to_string()
    }
}

/// An empty reply to `question`, from an authority.
pub(super) fn reply(question: &Message) -> Message {
    let mut message = Message::new(question.metadata.id, MessageType::Response, OpCode::Query);
    message.metadata.authoritative = !question.metadata.recursion_desired;
    message.metadata.recursion_desired = question.metadata.recursion_desired;
    message.add_queries(question.queries.clone());
    message
}

/// A reply that says no: the name is not there, or has nothing of this type.
pub(super) fn no(question: &Message, code: ResponseCode) -> Message {
    let mut message = reply(question);
    message.metadata.response_code = code;
    let zone = Name::from_ascii("example.com.").unwrap();
    let soa = SOA::new(zone.clone(), zone.clone(), 1, 7_200, 900, 1_209_600, 300);
    message.add_authority(Record::from_rdata(zone, 900, RData::SOA(soa)));
    message
}

/// A reply with these addresses, as far as they are of the type that is asked for.
pub(super) fn addresses(question: &Message, ttl: u32, addresses: &[&str]) -> Message {
    let query = &question.queries[0];
    let mut message = reply(question);
    for address in addresses {
        let data = match (address.parse().unwrap(), query.query_type) {
            (std::net::IpAddr::V4(v4), RecordType::A) => RData::A(A(v4)),
            (std::net::IpAddr::V6(v6), RecordType::AAAA) => RData::AAAA(AAAA(v6)),
            _ => continue,
        };
        message.add_answer(Record::from_rdata(query.name.clone(), ttl, data));
    }
    if message.answers.is_empty() { no(question, ResponseCode::NoError) } else { message }
}

/// The name that is asked for, without its final dot.
pub(super) fn asked_name(question: &Message) -> String {
    question.queries[0].name.to_ascii().trim_end_matches('.').to_owned()
}
