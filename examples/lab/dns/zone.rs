use std::{fmt, net::Ipv4Addr};

use hickory_proto::rr::RecordType;

/// What a zone says to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// These records, each in the text form of its type.
    Records {
        /// Their type: the one asked for, or CNAME.
        kind: RecordType,
        /// Time to live, in seconds.
        ttl: u32,
        /// `192.0.2.1` for A, `"v=spf1 -all"` for TXT.
        values: Vec<String>,
    },
    /// The name exists, and has no record of that type.
    NoData,
    /// There is no such name.
    NxDomain,
}

impl Lookup {
    /// Addresses.
    #[must_use]
    pub fn addresses(ttl: u32, addresses: &[Ipv4Addr]) -> Self {
        Self::Records { kind: RecordType::A, ttl, values: addresses.iter().map(Ipv4Addr::to_string).collect() }
    }
}

/// The content of a hosted zone, as its data plane has it at this moment.
///
/// ```
/// use hickory_proto::rr::RecordType;
/// use dr_lab::dns::{Lookup, Zone};
///
/// #[derive(Debug)]
/// struct OneName;
///
/// impl Zone for OneName {
///     fn apex(&self) -> String { "example.com".to_owned() }
///     fn lookup(&self, name: &str, kind: RecordType) -> Lookup {
///         match (name, kind) {
///             ("www.example.com", RecordType::A) => Lookup::addresses(60, &[[192, 0, 2, 1].into()]),
///             ("www.example.com", _) => Lookup::NoData,
///             _ => Lookup::NxDomain,
///         }
///     }
/// }
///
/// assert_eq!(OneName.lookup("www.example.com", RecordType::AAAA), Lookup::NoData);
/// ```
pub trait Zone: fmt::Debug + Send + Sync + 'static {
    /// The name of the zone, in lower case and without the final dot.
    fn apex(&self) -> String;
    /// The answer to a question about a name of the zone, in lower case and without the final dot.
    ///
    /// The apex's SOA is asked for too: it goes with every answer that says no.
    fn lookup(&self, name: &str, kind: RecordType) -> Lookup;
}
