use serde::{Deserialize, Serialize};

/// What a drill measured. A value that could not be measured is absent, and never 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The longest gap that clients felt, in seconds.
    pub rto_s: Option<f64>,
    /// How old the oldest acknowledged write that was lost was when its region failed, in seconds; 0 when none was lost.
    pub rpo_s: Option<f64>,
    /// Writes that were acknowledged to clients.
    pub writes_acked: u64,
    /// Acknowledged writes that the surviving store does not hold.
    pub writes_lost: u64,
    /// From the fault to the verdict, in seconds.
    pub detect_s: Option<f64>,
    /// From the fault until the standby's database took writes, in seconds.
    pub promote_s: Option<f64>,
    /// From the fault until DNS answered the standby, in seconds.
    pub dns_s: Option<f64>,
}
