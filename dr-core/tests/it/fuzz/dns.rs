//! Replies of name servers.

use std::time::Duration;

use dr_core::probe::{DnsAnswer, DnsReply, DnsType};
use hickory_proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode},
    rr::{
        Name, RData, Record, RecordType,
        rdata::{A, AAAA, CNAME, NS, SOA},
    },
};

use super::harness::Target;

const NUMBER: u16 = 0x4452;
const NAME: &str = "api.example.com";

/// A reply: refused, or one whose addresses are of the type that was asked for, few, and believed for no longer than a
/// record can say; and the same when its name is written in other letters.
fn reply(input: &[u8]) -> String {
    let mut shapes = Vec::new();
    for kind in [DnsType::A, DnsType::Aaaa] {
        let read = DnsReply::read(input, NUMBER, NAME, kind);
        assert_eq!(read, DnsReply::read(input, NUMBER, "API.Example.COM.", kind));
        if let Ok(DnsReply { answer: DnsAnswer::Addresses { addresses, ttl }, .. }) = &read {
            assert!((1..=64).contains(&addresses.len()));
            assert!(addresses.iter().all(|address| address.is_ipv4() == (kind == DnsType::A)));
            assert!(*ttl <= Duration::from_secs(i32::MAX as u64));
        }
        shapes.push(match read {
            Ok(reply) => format!("{reply:?}"),
            Err(unfit) => unfit.to_string(),
        });
    }
    shapes.join(" / ")
}

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

/// One well-formed reply of each sort, to either question.
fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for kind in [RecordType::A, RecordType::AAAA] {
        let reply = |code: ResponseCode, answers: &[RData], authorities: &[RData]| {
            let mut message = Message::new(NUMBER, MessageType::Response, OpCode::Query);
            message.metadata.response_code = code;
            message.metadata.authoritative = true;
            message.add_query(Query::query(name("api.example.com."), kind));
            for data in answers {
                message.add_answer(Record::from_rdata(name("api.example.com."), 60, data.clone()));
            }
            for data in authorities {
                message.add_authority(Record::from_rdata(name("example.com."), 900, data.clone()));
            }
            message.to_vec().unwrap()
        };
        let soa = RData::SOA(SOA::new(name("ns-1.example.com."), name("host.example.com."), 1, 2, 3, 4, 300));
        let ns = RData::NS(NS(name("ns-1.example.com.")));
        let addresses = [RData::A(A::new(10, 0, 1, 1)), RData::AAAA(AAAA::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))];
        let alias = RData::CNAME(CNAME(name("lb.example.net.")));
        let mut chain = Message::from_vec(&reply(ResponseCode::NoError, std::slice::from_ref(&alias), &[])).unwrap();
        for data in &addresses {
            chain.add_answer(Record::from_rdata(name("lb.example.net."), 30, data.clone()));
        }
        let mut truncated = Message::from_vec(&reply(ResponseCode::NoError, &[], &[])).unwrap();
        truncated.metadata.truncation = true;
        seeds.extend([
            reply(ResponseCode::NoError, &addresses, &[]),
            reply(ResponseCode::NoError, &[alias], &[]),
            reply(ResponseCode::NoError, &[], std::slice::from_ref(&soa)),
            reply(ResponseCode::NXDomain, &[], &[soa]),
            reply(ResponseCode::NoError, &[], &[ns]),
            reply(ResponseCode::Refused, &[], &[]),
            chain.to_vec().unwrap(),
            truncated.to_vec().unwrap(),
        ]);
    }
    seeds
}

#[test]
fn no_reply_breaks_the_probe_of_names() {
    Target { name: "dns", seeds: seeds(), short: 10_000, read: reply }.run();
}
