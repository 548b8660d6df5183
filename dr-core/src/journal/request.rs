use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    model::{OwnerId, RequestToken},
    time::Timestamp,
};

/// A request's place in its run's inbox: 1 for the first, 0 for "none yet". Places have no gaps, and no request comes to
/// be before one that is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(pub u64);

impl RequestId {
    /// The place after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What somebody asks of a run that another process may hold: put into its inbox without a lease, answered by whichever
/// engine holds the run with an [`Entry::RequestAnswered`](super::Entry::RequestAnswered).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The asker's own name for it, so that asking again after a lost reply asks once.
    pub token: RequestToken,
    /// What is asked: a [`Control`](crate::engine::Control), as it serialises. Kept as it came, so that an engine which
    /// does not know it can say so, rather than read nothing behind it.
    pub control: Value,
    /// When it was asked, by the asker's clock; for people.
    pub at: Timestamp,
    /// The program that asks. Who decided is said in the control.
    pub by: OwnerId,
}

/// A request and its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// Its place.
    pub id: RequestId,
    /// What is asked.
    pub request: Request,
}

impl Request {
    /// Whether this is the same request as an earlier one of the same token, whenever and by whichever program it was sent.
    #[must_use]
    pub fn repeats(&self, earlier: &Self) -> bool {
        self.token == earlier.token && self.control == earlier.control
    }
}
