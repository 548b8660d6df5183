use std::{collections::BTreeSet, fmt};

use async_trait::async_trait;

use crate::{error::Result, model::RegionId, plan::Plan};

/// Says which regions hold traffic, for the safety rules that count them.
///
/// ```
/// use std::collections::BTreeSet;
/// use async_trait::async_trait;
/// use dr_core::{engine::TrafficSource, error::Result, model::RegionId, plan::Plan};
///
/// /// A router that this process steers itself.
/// #[derive(Debug)]
/// struct OwnRouter(BTreeSet<RegionId>);
///
/// #[async_trait]
/// impl TrafficSource for OwnRouter {
///     async fn holding(&self, _: &Plan) -> Result<BTreeSet<RegionId>> {
///         Ok(self.0.clone())
///     }
/// }
/// ```
#[async_trait]
pub trait TrafficSource: fmt::Debug + Send + Sync + 'static {
    /// The regions to which clients of the plan's application are sent now.
    ///
    /// # Errors
    ///
    /// When it cannot be found out. Nobody guesses then: the step that asked is refused.
    async fn holding(&self, plan: &Plan) -> Result<BTreeSet<RegionId>>;
}
