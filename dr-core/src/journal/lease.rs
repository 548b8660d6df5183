use serde::{Deserialize, Serialize};

use crate::{
    model::{Epoch, OwnerId, RunId},
    time::Timestamp,
};

/// The right to append to one run, until it expires or passes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The run.
    pub run: RunId,
    /// Who holds it.
    pub owner: OwnerId,
    /// Its fencing token: larger than that of every earlier lease of the run.
    pub epoch: Epoch,
    /// When it lapses unless renewed, by the store's clock.
    pub expires: Timestamp,
}
