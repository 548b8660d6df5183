use std::{collections::BTreeSet, fmt, net::IpAddr, time::Duration};

use hickory_proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode},
    rr::{DNSClass, Name, RData, Record, RecordType},
};

/// The most addresses of one answer that are kept. A name with thousands of them costs no more.
const ADDRESSES: usize = 64;

/// The longest chain of aliases within one answer that is followed.
const ALIASES: usize = 8;

/// The type of the records that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DnsType {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
}

impl DnsType {
    /// Its number, as the wire has it.
    pub(super) const fn record_type(self) -> RecordType {
        match self {
            Self::A => RecordType::A,
            Self::Aaaa => RecordType::AAAA,
        }
    }
}

impl fmt::Display for DnsType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
        })
    }
}

/// What a name server says of a name's addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsAnswer {
    /// These; the first 64 of them, when there are more.
    Addresses {
        /// The addresses.
        addresses: BTreeSet<IpAddr>,
        /// How long this may be believed: the least of all records on the way.
        ttl: Duration,
    },
    /// The name stands for another one, of which this server says nothing.
    Alias {
        /// The other name, in lower case and without the final dot.
        to: String,
        /// How long this may be believed.
        ttl: Duration,
    },
    /// The name exists, and has no address of this family (NODATA).
    NoData {
        /// How long resolvers may believe it: the lesser of the SOA's own time to live and its MINIMUM (RFC 2308). None
        /// without an SOA: then it is not to be cached.
        negative: Option<Duration>,
    },
    /// There is no such name (NXDOMAIN).
    NoName {
        /// As above.
        negative: Option<Duration>,
    },
    /// The server points to others: it is not an authority for the name.
    Referral,
    /// The server would not or could not answer: `Query Refused`, `Server Failure`, ….
    Failed {
        /// In DNS's words.
        code: String,
    },
}

/// A name server's answer to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsReply {
    /// What it says.
    pub answer: DnsAnswer,
    /// Whether the server says that it is the authority.
    pub authoritative: bool,
    /// Whether it says that there is more than fits a datagram.
    pub truncated: bool,
}

/// Why bytes are no reply to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum NotAReply {
    /// They are no DNS message.
    #[error("something that is not DNS")]
    Garbage,
    /// They carry the number of another question.
    #[error("a reply with another number")]
    OtherNumber,
    /// They are a question themselves, or another sort of message.
    #[error("a message that is no reply")]
    NoReply,
    /// They answer something that was not asked.
    #[error("the reply to another question")]
    OtherQuestion,
}

impl DnsReply {
    /// Reads a datagram, or what came over TCP without its length, as the reply to question number `id` for the addresses
    /// of `name`.
    ///
    /// # Errors
    ///
    /// When it is something else: then it is not that server's answer, whoever sent it.
    pub fn read(packet: &[u8], id: u16, name: &str, family: DnsType) -> Result<Self, NotAReply> {
        let name = Name::from_ascii(name).map_err(|_| NotAReply::OtherQuestion)?;
        Self::read_for(packet, id, &name, family)
    }

    pub(super) fn read_for(packet: &[u8], id: u16, name: &Name, family: DnsType) -> Result<Self, NotAReply> {
        // Whoever does not know the number is not worth the work of reading on.
        let number = packet.first_chunk::<2>().ok_or(NotAReply::Garbage)?;
        if u16::from_be_bytes(*number) != id {
            return Err(NotAReply::OtherNumber);
        }
        let message = Message::from_vec(packet).map_err(|_| NotAReply::Garbage)?;
        let metadata = &message.metadata;
        if metadata.message_type != MessageType::Response || metadata.op_code != OpCode::Query {
            return Err(NotAReply::NoReply);
        }
        let ours = |query: &Query| {
            query.name.eq_ignore_root(name)
                && query.query_type == family.record_type()
                && query.query_class == DNSClass::IN
        };
        match message.queries.as_slice() {
            [query] if ours(query) => {}
            // A server that could not even read the question cannot repeat it.
            [] if metadata.response_code != ResponseCode::NoError => {}
            _ => return Err(NotAReply::OtherQuestion),
        }
        Ok(Self {
            answer: answer(&message, name, family),
            authoritative: metadata.authoritative,
            truncated: metadata.truncation,
        })
    }
}

fn answer(message: &Message, name: &Name, family: DnsType) -> DnsAnswer {
    let code = message.metadata.response_code;
    if !matches!(code, ResponseCode::NoError | ResponseCode::NXDomain) {
        return DnsAnswer::Failed { code: code.to_string() };
    }
    let (mut owner, mut least) = (name, Duration::MAX);
    let mut followed = 0;
    loop {
        let of_owner = || message.answers.iter().filter(|record| record.name.eq_ignore_root(owner));
        let found = of_owner().filter_map(|record| Some((address(record, family)?, ttl(record))));
        let (addresses, ttls): (BTreeSet<IpAddr>, Vec<Duration>) = found.take(ADDRESSES).unzip();
        if !addresses.is_empty() {
            let ttl = ttls.into_iter().fold(least, Duration::min);
            return DnsAnswer::Addresses { addresses, ttl };
        }
        let alias = of_owner().find_map(|record| match &record.data {
            RData::CNAME(to) => Some((&to.0, ttl(record))),
            _ => None,
        });
        let Some((to, ttl)) = alias else { break };
        if followed == ALIASES {
            return DnsAnswer::Failed { code: format!("more than {ALIASES} aliases in a row, or a circle of them") };
        }
        (owner, least, followed) = (to, least.min(ttl), followed + 1);
    }
    let negative = message.authorities.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(ttl(record).min(seconds(soa.minimum))),
        _ => None,
    });
    if code == ResponseCode::NXDomain {
        return DnsAnswer::NoName { negative };
    }
    // An authority that knows the other name's zone says with an SOA that it has no address; another one just stops here.
    if followed > 0 && negative.is_none() {
        let to = owner.to_ascii().trim_end_matches('.').to_ascii_lowercase();
        return DnsAnswer::Alias { to, ttl: least };
    }
    let refers = message.authorities.iter().any(|record| matches!(record.data, RData::NS(_)));
    if refers && negative.is_none() && !message.metadata.authoritative {
        return DnsAnswer::Referral;
    }
    DnsAnswer::NoData { negative }
}

fn address(record: &Record, family: DnsType) -> Option<IpAddr> {
    match (&record.data, family) {
        (RData::A(address), DnsType::A) => Some(IpAddr::V4(address.0)),
        (RData::AAAA(address), DnsType::Aaaa) => Some(IpAddr::V6(address.0)),
        _ => None,
    }
}

fn ttl(record: &Record) -> Duration {
    seconds(record.ttl)
}

/// A number of seconds with the highest bit set counts as none (RFC 2181, section 8).
fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(if i32::try_from(seconds).is_ok() { seconds.into() } else { 0 })
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::rdata::{A, AAAA, CNAME, NS, SOA};

    use super::*;

    const API: &str = "api.example.com";

    fn name(text: &str) -> Name {
        Name::from_ascii(format!("{text}.")).unwrap()
    }

    /// A reply to question 7 for the IPv4 addresses of `api.example.com`.
    fn reply(code: ResponseCode) -> Message {
        let mut message = Message::new(7, MessageType::Response, OpCode::Query);
        message.metadata.response_code = code;
        message.metadata.authoritative = true;
        message.add_query(Query::query(name(API), RecordType::A));
        message
    }

    fn soa(ttl: u32, minimum: u32) -> Record {
        let soa = SOA::new(name("ns-1.example.com"), name("hostmaster.example.com"), 1, 7_200, 900, 1_209_600, minimum);
        Record::from_rdata(name("example.com"), ttl, RData::SOA(soa))
    }

    fn read(message: &Message) -> Result<DnsReply, NotAReply> {
        DnsReply::read(&message.to_vec().unwrap(), 7, API, DnsType::A)
    }

    fn answer(message: &Message) -> DnsAnswer {
        read(message).unwrap().answer
    }

    fn a(owner: &str, ttl: u32, last: u8) -> Record {
        Record::from_rdata(name(owner), ttl, RData::A(A::new(192, 0, 2, last)))
    }

    #[test]
    fn addresses_come_with_the_least_time_to_live_on_the_way() {
        let mut message = reply(ResponseCode::NoError);
        let alias = CNAME(name("LB.example.com"));
        message.add_answer(Record::from_rdata(name("API.example.com"), 300, RData::CNAME(alias)));
        message.add_answer(a("lb.example.com", 60, 1));
        message.add_answer(a("lb.example.com", 40, 2));
        message.add_answer(a("stray.example.com", 1, 9));
        message.add_answer(Record::from_rdata(
            name("lb.example.com"),
            1,
            RData::AAAA(AAAA::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
        ));
        let addresses = ["192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap()].into();
        assert_eq!(answer(&message), DnsAnswer::Addresses { addresses, ttl: Duration::from_secs(40) });
    }

    #[test]
    fn no_such_name_no_address_and_a_referral_are_told_apart() {
        let seconds = Duration::from_secs;
        for (own, minimum, negative) in [(900, 86_400, 900), (900, 60, 60), (0, 900, 0), (u32::MAX, 900, 0)] {
            let mut message = reply(ResponseCode::NoError);
            message.add_authority(soa(own, minimum));
            assert_eq!(answer(&message), DnsAnswer::NoData { negative: Some(seconds(negative)) });
            message.metadata.response_code = ResponseCode::NXDomain;
            assert_eq!(answer(&message), DnsAnswer::NoName { negative: Some(seconds(negative)) });
        }
        let mut message = reply(ResponseCode::NoError);
        assert_eq!(answer(&message), DnsAnswer::NoData { negative: None });
        message.add_authority(Record::from_rdata(name("example.com"), 60, RData::NS(NS(name("ns-1.example.com")))));
        assert_eq!(answer(&message), DnsAnswer::NoData { negative: None }, "the authority's own NS record");
        message.metadata.authoritative = false;
        assert_eq!(answer(&message), DnsAnswer::Referral);
        assert_eq!(answer(&reply(ResponseCode::Refused)), DnsAnswer::Failed { code: "Query Refused".to_owned() });
    }

    #[test]
    fn an_alias_out_of_the_zone_is_an_answer_and_a_circle_is_none() {
        let mut message = reply(ResponseCode::NoError);
        let alias = |from: &str, to: &str| Record::from_rdata(name(from), 60, RData::CNAME(CNAME(name(to))));
        message.add_answer(alias(API, "lb.eu-west-1.example.net"));
        let to = "lb.eu-west-1.example.net".to_owned();
        assert_eq!(answer(&message), DnsAnswer::Alias { to, ttl: Duration::from_secs(60) });
        message.add_answer(alias("lb.eu-west-1.example.net", API));
        let code = "more than 8 aliases in a row, or a circle of them".to_owned();
        assert_eq!(answer(&message), DnsAnswer::Failed { code });
    }

    #[test]
    fn of_thousands_of_addresses_a_few_are_kept() {
        let mut message = reply(ResponseCode::NoError);
        for n in 0..2_000_u16 {
            let [high, low] = n.to_be_bytes();
            message.add_answer(Record::from_rdata(name(API), 60, RData::A(A::new(10, 0, high, low))));
        }
        assert!(matches!(answer(&message), DnsAnswer::Addresses { addresses, .. } if addresses.len() == ADDRESSES));
    }

    #[test]
    fn what_was_not_asked_is_no_answer() {
        let read = |packet: &[u8]| DnsReply::read(packet, 7, API, DnsType::A);
        assert_eq!(read(b""), Err(NotAReply::Garbage));
        assert_eq!(read(b"\0\x07garbage"), Err(NotAReply::Garbage));
        // A name that is a pointer to itself.
        let looping = b"\0\x07\x84\0\0\x01\0\0\0\0\0\0\xc0\x0c\0\x01\0\x01";
        assert_eq!(read(looping), Err(NotAReply::Garbage));
        let good = reply(ResponseCode::NoError);
        assert_eq!(DnsReply::read(&good.to_vec().unwrap(), 8, API, DnsType::A), Err(NotAReply::OtherNumber));
        assert_eq!(DnsReply::read(&good.to_vec().unwrap(), 7, API, DnsType::Aaaa), Err(NotAReply::OtherQuestion));
        let mut echo = reply(ResponseCode::NoError);
        echo.metadata.message_type = MessageType::Query;
        assert_eq!(read(&echo.to_vec().unwrap()), Err(NotAReply::NoReply));
        let mut mute = reply(ResponseCode::FormErr);
        mute.queries.clear();
        assert_eq!(answer(&mute), DnsAnswer::Failed { code: "Form Error".to_owned() });
    }
}
