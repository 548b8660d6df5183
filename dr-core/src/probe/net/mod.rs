//! Probes over real sockets: [`HttpProbe`] and [`TcpProbe`].
//!
//! Every look opens a new connection and closes it, every phase has its own limit on the clock, and what is kept of an
//! answer is bounded, so that a target that drips, floods or talks nonsense costs its timeout and no more. A failure of
//! the machine that looks (no file descriptors, no local port) is an error, so that it is not held against the target.

mod body_match;
mod certificate;
mod dial;
mod dns;
mod exchange;
mod http;
mod miss;
mod pull;
mod status;
mod tcp;
mod tls;
mod transaction;

pub use body_match::BodyMatch;
pub use certificate::CertificateProbe;
pub use dns::{DnsAnswer, DnsProbe, DnsProbeBuilder, DnsQuestion, DnsReply, DnsType, NameLead, NotAReply};
pub use http::{HttpProbe, HttpProbeBuilder};
pub use pull::HttpTransport;
pub use status::StatusSet;
pub use tcp::TcpProbe;
pub use transaction::{TransactionProbe, TransactionProbeBuilder};
