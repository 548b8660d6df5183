use std::{collections::BTreeMap, time::Duration};

use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    model::{RegionId, Resource, ServiceId},
    spec::ServiceSpec,
    topology::Topology,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::WorkloadRef;
use crate::ClusterAccess;

/// The `spec:` block of a `k8s.deployments` resource. The replica counts are those of the file's `services`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeploymentsSpec {
    /// The cluster of each region.
    #[schemars(extend("minProperties" = 1))]
    pub clusters: BTreeMap<RegionId, ClusterAccess>,
    /// The services that run there. Default: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<ServiceId>", length(min = 1))]
    pub services: Option<Vec<ServiceId>>,
    /// How long a service may take to become ready at its full count, in seconds.
    #[serde(default = "default_ready_within")]
    #[schemars(range(min = 1))]
    pub ready_within_seconds: u32,
    /// How long pods may find no node before that counts as a failure, in seconds: as long as a cluster autoscaler takes
    /// to add one.
    #[serde(default = "default_unschedulable_after")]
    pub unschedulable_after_seconds: u32,
    /// How many in a hundred of a service's replicas are enough once somebody has switched the run, or the wait, to
    /// ungraceful: 0 to 99. Absent: all, always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u8", range(max = 99))]
    pub minimum_success_percentage: Option<u8>,
}

fn default_ready_within() -> u32 {
    300
}

fn default_unschedulable_after() -> u32 {
    60
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::Invalid, message).with_effect(Effect::NotApplied)
}

impl DeploymentsSpec {
    /// The block of a resource.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) when it does not decode, or a cluster's access is not one way to reach it.
    pub fn of(resource: &Resource) -> Result<Self> {
        let spec = Self::deserialize(&resource.spec).map_err(|e| invalid(format!("{}: {e}", resource.id)))?;
        for (region, access) in &spec.clusters {
            access.check().map_err(|e| invalid(format!("{}: clusters.{region}: {}", resource.id, e.message())))?;
        }
        Ok(spec)
    }

    /// How a region's cluster is reached.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) when the region has no cluster.
    pub fn access(&self, region: &RegionId) -> Result<&ClusterAccess> {
        self.clusters.get(region).ok_or_else(|| invalid(format!("no cluster is written for {region}")))
    }

    /// The services that this resource is about.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) when a service that it names does not exist.
    pub fn services<'a>(&self, topology: &'a Topology) -> Result<Vec<&'a ServiceSpec>> {
        match &self.services {
            None => Ok(topology.services().iter().collect()),
            Some(ids) => ids
                .iter()
                .map(|id| topology.service(id).ok_or_else(|| invalid(format!("there is no service {id}"))))
                .collect(),
        }
    }

    /// A service's workload in a region.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) when the region has no cluster.
    pub fn workload(&self, region: &RegionId, service: &ServiceSpec) -> Result<WorkloadRef> {
        Ok(WorkloadRef {
            region: region.clone(),
            access: self.access(region)?.clone(),
            namespace: service.namespace.clone(),
            deployment: service.deployment().to_owned(),
        })
    }

    /// How long a service may take to become ready.
    #[must_use]
    pub fn ready_within(&self) -> Duration {
        Duration::from_secs(self.ready_within_seconds.into())
    }

    /// How long pods may find no node.
    #[must_use]
    pub fn unschedulable_after(&self) -> Duration {
        Duration::from_secs(self.unschedulable_after_seconds.into())
    }
}

#[cfg(test)]
mod tests {
    use dr_core::model::{ResourceId, ResourceKind};
    use serde_json::{Value, json};

    use super::*;

    fn read(spec: Value) -> Result<DeploymentsSpec> {
        DeploymentsSpec::of(&Resource {
            id: ResourceId::new("platform").unwrap(),
            kind: ResourceKind::from_static("k8s.deployments"),
            depends_on: Vec::new(),
            spec,
        })
    }

    #[test]
    fn reads_the_block_and_names_what_is_wrong() {
        let spec = read(json!({ "clusters": { "eu-west-1": { "kubeconfig": "/etc/kube" } } })).unwrap();
        assert_eq!(spec.ready_within(), Duration::from_secs(300));
        assert!(spec.access(&RegionId::new("us-east-1").unwrap()).is_err());
        let wrong = read(json!({ "clusters": { "eu-west-1": { "context": "x" } } })).unwrap_err();
        assert_eq!(wrong.message(), "platform: clusters.eu-west-1: write kubeconfig, or server");
        assert!(read(json!({ "clusters": {}, "colour": 1 })).is_err());
    }
}
