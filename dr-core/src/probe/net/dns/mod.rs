//! Where a public name leads, server by server.
//!
//! `reply` reads what a server sent, `question` asks one server over sockets, `stand` says where one server's answers lead
//! and `judgement` what that makes of the name: both are pure functions of the answers. `probe` asks everybody at once.

mod judgement;
mod probe;
mod question;
mod reply;
mod stand;

pub use judgement::NameLead;
pub use probe::{DnsProbe, DnsProbeBuilder};
pub use question::DnsQuestion;
pub use reply::{DnsAnswer, DnsReply, DnsType, NotAReply};
