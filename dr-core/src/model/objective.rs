use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What the business asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objectives {
    /// Recovery time objective: the longest that clients may go without service.
    pub rto: Duration,
    /// Recovery point objective: the oldest acknowledged write that may be lost.
    pub rpo: Duration,
}
