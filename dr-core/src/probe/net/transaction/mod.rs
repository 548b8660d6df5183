//! A write and a read of what was written, as a client would make them.

mod marker;
mod probe;

pub use probe::{TransactionProbe, TransactionProbeBuilder};
