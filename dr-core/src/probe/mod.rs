//! Looking: a [`HealthProbe`] looks at one thing from one place and says what it saw.
//!
//! A probe that looked gives a [`Reading`], healthy or not. A probe that could not look gives an error, and an error
//! is never a vote against the region. The [`Sampler`] runs probes at a fixed rate and hands [`Observation`]s to
//! [`crate::detect`].

mod control;
mod family;
mod health_probe;
mod look;
#[cfg(feature = "net")]
mod net;
mod observation;
mod reading;
#[cfg(feature = "net")]
pub mod remote;
mod sampler;
mod spoken;

pub use family::AddressFamily;
pub use health_probe::{HealthProbe, ProbeCx};
pub(crate) use look::look;
#[cfg(feature = "net")]
pub use net::{
    BodyMatch, CertificateProbe, DnsAnswer, DnsProbe, DnsProbeBuilder, DnsQuestion, DnsReply, DnsType, HttpProbe,
    HttpProbeBuilder, HttpTransport, NameLead, NotAReply, Redirects, StatusSet, TcpProbe, TransactionProbe,
    TransactionProbeBuilder,
};
pub use observation::{CheckKind, Observation, Outcome, Subject};
pub use reading::{Health, Latency, Reading};
pub use sampler::{Sample, SampleWindow, SampleWindows, Sampler, Seen, Tally};
pub(crate) use spoken::Spoken;
