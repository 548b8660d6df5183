use serde::{Deserialize, Serialize};

use super::Offset;

/// What a runbook promised for a moment, drawn beside what happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Promise {
    /// When.
    pub at: Offset,
    /// What, in a few words.
    pub what: String,
}

impl Promise {
    /// The failover timeline of the platform's runbook: unhealthy after three probes, most clients after a TTL, all after
    /// two minutes.
    #[must_use]
    pub fn runbook() -> Vec<Self> {
        [(30.0, "unhealthy, DNS answers standby"), (90.0, "most clients moved"), (120.0, "all clients moved")]
            .map(|(at, what)| Self { at: Offset::from_secs(at), what: what.to_owned() })
            .into()
    }
}
