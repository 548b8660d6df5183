use serde::{Deserialize, Serialize};

/// One fact of the stack, as it was before the drill and as it is after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// What: `us-east-1 deployments/cart replicas`.
    pub what: String,
    /// Before the drill.
    pub before: String,
    /// After it.
    pub after: String,
}

impl Compared {
    /// Whether the stack is, in this, as it was.
    #[must_use]
    pub fn same(&self) -> bool {
        self.before == self.after
    }
}
