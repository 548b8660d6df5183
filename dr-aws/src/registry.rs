use std::sync::Arc;

use dr_core::{driver::Driver, error::Result, spec::Spec, time::SharedClock};

use crate::{
    Clients, ClientsBuilder, aurora_global::AuroraGlobal, elasticache_global::ElastiCacheGlobal,
    route53_failover::Route53Failover,
};

/// The endpoint of a region in `dr.yaml` that replaces AWS's own: `endpoints: { aws: http://… }`.
const AWS_ENDPOINT: &str = "aws";

/// Every driver of this crate, acting through these clients.
///
/// # Errors
///
/// Never in practice: the names that drivers carry are literals.
pub fn drivers(clients: &Clients) -> Result<Vec<Arc<dyn Driver>>> {
    Ok(vec![
        Arc::new(AuroraGlobal::new(clients.clone())),
        Arc::new(ElastiCacheGlobal::new(clients.clone())),
        Arc::new(Route53Failover::new(clients.clone())?),
    ])
}

impl ClientsBuilder {
    /// Takes from `dr.yaml` what it says of AWS: the regions' endpoints where they are not AWS's own.
    #[must_use]
    pub fn endpoints_of(self, spec: &Spec) -> Self {
        spec.regions.iter().fold(self, |builder, region| match region.endpoint(AWS_ENDPOINT) {
            Some(url) => builder.endpoint(&region.id, url),
            None => builder,
        })
    }
}

impl Clients {
    /// Clients for planning and schemas only: they have no credentials, and every call would be refused.
    #[must_use]
    pub fn offline(clock: SharedClock) -> Self {
        Self::builder(clock).build()
    }
}
