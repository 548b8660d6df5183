//! The people outside: clients that resolve the public name, write orders all the time, and remember what they were told.
//!
//! What they remember is the judge of every failover: a write that was acknowledged and is gone was lost,
//! and the longest stretch without a success is the recovery time, whatever the plan's own log says.

mod ledger;
mod population;
mod report;

pub use ledger::{Acknowledged, Attempt, FailureKind, Ledger, Operation, Records, Resolved};
pub use population::Population;
pub use report::{Bucket, ClientReport, Flip, Gap, Window};
