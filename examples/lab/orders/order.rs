use std::fmt;

use dr_core::{
    model::{Epoch, RegionId},
    time::Monotonic,
};
use serde::{Deserialize, Serialize};

/// The name that a client gives its order, the same on every attempt, so that a retry is no second order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(pub String);

impl OrderId {
    /// The `seq`th order of client `client`.
    #[must_use]
    pub fn of(client: u32, seq: u64) -> Self {
        Self(format!("c{client:02}-{seq:06}"))
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewOrder {
    /// The client's name for it; without one, the application gives it one, and a retry is another order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<OrderId>,
    /// Who asks; 0 is nobody in particular.
    #[serde(default)]
    pub client: u32,
}

impl NewOrder {
    /// The order `id` of client `client`.
    #[must_use]
    pub fn named(id: OrderId, client: u32) -> Self {
        Self { id: Some(id), client }
    }
}

/// An order as a volume holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The client's name for it.
    pub id: OrderId,
    /// Who asked.
    pub client: u32,
    /// The region that took it.
    pub region: RegionId,
    /// The writer's epoch when it was taken: it grows with every promotion.
    pub epoch: Epoch,
    /// When it was stored, on the lab's clock.
    pub stored_at: Monotonic,
}
