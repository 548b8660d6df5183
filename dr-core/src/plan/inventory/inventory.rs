use serde::{Deserialize, Serialize};

use super::{
    AccessFact, ApiRateFact, BackupFact, BucketFact, CapacityFact, CertificateFact, ClusterFact, DependencyFact,
    DistributionFact, HealthCheckFact, ImageFact, LoadBalancerFact, StoreFact, TrafficFact, WorkloadFact, ZoneFact,
};
use crate::model::{RegionId, ResourceId};

/// What the drivers saw of the world before planning, in words that lint understands whatever the provider.
///
/// Absent means unknown, never zero.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Inventory {
    /// Stores of data that follow a writer.
    #[serde(default)]
    pub stores: Vec<StoreFact>,
    /// Names that clients follow.
    #[serde(default)]
    pub traffic: Vec<TrafficFact>,
    /// Workloads that serve.
    #[serde(default)]
    pub workloads: Vec<WorkloadFact>,
    /// What could not be seen, for a person.
    #[serde(default)]
    pub unknown: Vec<String>,
    /// Health checks that names follow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health_checks: Vec<HealthCheckFact>,
    /// Zones that hold the names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<ZoneFact>,
    /// Load balancers that the names lead to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub load_balancers: Vec<LoadBalancerFact>,
    /// Certificates that clients are shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<CertificateFact>,
    /// Content distributions in front of the regions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub distributions: Vec<DistributionFact>,
    /// Buckets whose objects are copied from region to region.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buckets: Vec<BucketFact>,
    /// Backups that a plan may restore from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backups: Vec<BackupFact>,
    /// Clusters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clusters: Vec<ClusterFact>,
    /// Room for what has to be scaled up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capacity: Vec<CapacityFact>,
    /// Images that workloads run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ImageFact>,
    /// What a run or its workloads read: secrets, keys, state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<DependencyFact>,
    /// How often APIs with a limit are called by others than the plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub api_rates: Vec<ApiRateFact>,
    /// How the people and programs that run a plan come by their rights.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access: Vec<AccessFact>,
}

impl Inventory {
    /// The store of a resource.
    #[must_use]
    pub fn store(&self, resource: &ResourceId) -> Option<&StoreFact> {
        self.stores.iter().find(|store| store.resource == *resource)
    }

    /// The health check of that id.
    #[must_use]
    pub fn health_check(&self, id: &str) -> Option<&HealthCheckFact> {
        self.health_checks.iter().find(|check| check.id == id)
    }

    /// The zone of that id.
    #[must_use]
    pub fn zone(&self, id: &str) -> Option<&ZoneFact> {
        self.zones.iter().find(|zone| zone.id == id)
    }

    /// The load balancer of that name.
    #[must_use]
    pub fn load_balancer(&self, name: &str) -> Option<&LoadBalancerFact> {
        self.load_balancers.iter().find(|balancer| balancer.name == name)
    }

    /// The cluster of a region.
    #[must_use]
    pub fn cluster(&self, region: &RegionId) -> Option<&ClusterFact> {
        self.clusters.iter().find(|cluster| cluster.region == *region)
    }

    /// Adds everything that another look saw.
    pub fn merge(&mut self, other: Self) {
        let Self {
            stores,
            traffic,
            workloads,
            unknown,
            health_checks,
            zones,
            load_balancers,
            certificates,
            distributions,
            buckets,
            backups,
            clusters,
            capacity,
            images,
            dependencies,
            api_rates,
            access,
        } = other;
        self.stores.extend(stores);
        self.traffic.extend(traffic);
        self.workloads.extend(workloads);
        self.unknown.extend(unknown);
        self.health_checks.extend(health_checks);
        self.zones.extend(zones);
        self.load_balancers.extend(load_balancers);
        self.certificates.extend(certificates);
        self.distributions.extend(distributions);
        self.buckets.extend(buckets);
        self.backups.extend(backups);
        self.clusters.extend(clusters);
        self.capacity.extend(capacity);
        self.images.extend(images);
        self.dependencies.extend(dependencies);
        self.api_rates.extend(api_rates);
        self.access.extend(access);
    }
}
