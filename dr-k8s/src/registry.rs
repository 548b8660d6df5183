use std::sync::Arc;

use dr_core::{driver::Driver, time::SharedClock};

use crate::{Clusters, deployments::Deployments};

/// Every driver of this crate. Clients of clusters are made when a resource first names one.
#[must_use]
pub fn drivers(clock: &SharedClock) -> Vec<Arc<dyn Driver>> {
    vec![Arc::new(Deployments::new(Clusters::builder(clock.clone()).build()))]
}
