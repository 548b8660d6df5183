use dr_core::model::{Epoch, RegionId};
use serde::{Deserialize, Serialize};

/// The body of `GET /health`.
///
/// It names the region and says whether orders can be taken there, so that a check can match on a string
/// (`"region":"us-east-1","writer":true`) and not only on a status: any 2xx or 3xx counts as healthy for
/// Route 53, a redirect to a maintenance page included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// `ok`, or what is wrong.
    pub status: String,
    /// The region that answers.
    pub region: RegionId,
    /// Whether its database takes writes.
    pub writer: bool,
    /// The epoch of the writer.
    pub epoch: Epoch,
}
