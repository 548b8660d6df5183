use serde::{Deserialize, Serialize};

/// A zone of DNS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneFact {
    /// Its id.
    pub id: String,
    /// Whether the world can ask it; a private zone answers in its own networks alone.
    pub public: Option<bool>,
    /// Route 53's `AcceleratedRecoveryStatus`, as it writes it: `ENABLED`.
    pub accelerated_recovery: Option<String>,
    /// The names that may not be changed; absent when that was not looked at.
    pub protected: Option<Vec<ProtectedRecord>>,
}

/// A name and type that a protection keeps from being changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtectedRecord {
    /// The name.
    pub name: String,
    /// The type: `A`, `CNAME`.
    pub record_type: String,
}
