//! What may be in the dependency tree: `deny.toml`, checked offline.
//!
//! `cargo-deny` reads the same file and checks more (advisories); this check needs nothing but cargo, so that
//! everybody runs it. Both read one list of licences, one list of banned crates, one rule on sources.

mod check;
mod graph;
mod policy;
mod spdx;
mod toml;

pub(crate) use check::{undocumented, violations};
pub(crate) use graph::Graph;
pub(crate) use policy::Policy;
