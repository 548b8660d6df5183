//! Probes over real sockets: [`HttpProbe`] and [`TcpProbe`].
//!
//! Every look opens a new connection and closes it (unless a probe is told to keep it), every phase has its own limit on
//! the clock, and what is kept of an answer is bounded, so that a target that drips, floods or talks nonsense costs its
//! timeout and no more. A failure of the machine that looks (no file descriptors, no local port) is an error, so that it
//! is not held against the target.
//!
//! A look is cheap, because there are many: one write and one read, one timer, no task and no thread of its own, and no
//! name resolution for an address. What reads an answer (`answer`) knows no socket and no clock: it is fed bytes, which
//! is how it is fuzzed.

mod alarm;
mod answer;
mod certificate;
mod dial;
mod dns;
mod http;
mod miss;
mod names;
mod pull;
mod stream;
mod tcp;
mod tls;
mod transaction;

pub use answer::BodyMatch;
pub use certificate::CertificateProbe;
pub use dns::{DnsAnswer, DnsProbe, DnsProbeBuilder, DnsQuestion, DnsReply, DnsType, NameLead, NotAReply};
pub use http::{HttpProbe, HttpProbeBuilder, Redirects, StatusSet};
pub use pull::HttpTransport;
pub use tcp::TcpProbe;
pub use transaction::{TransactionProbe, TransactionProbeBuilder};
