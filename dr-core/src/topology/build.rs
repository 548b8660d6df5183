use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Cycle, dependency_order};
use crate::{
    model::{ApplicationId, Objectives, Region, RegionId, RegionRole, Resource, ResourceId, ServiceId},
    spec::{DetectionSpec, ObserverSpec, ProbeSpec, ServiceSpec, Spec},
};

/// A spec from which no topology can be made. A spec that came out of a loader never gives this one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTopology {
    /// No region is active, or more than one is.
    #[error("{0} regions are active: exactly one has to be")]
    ActiveRegions(usize),
    /// Resources wait for one another.
    #[error("resources wait for one another: {}", .0.iter().map(ResourceId::as_str).collect::<Vec<_>>().join(" -> "))]
    Cycle(Vec<ResourceId>),
    /// A resource waits for one that does not exist.
    #[error("{from} depends on {to}, which does not exist")]
    Dangling {
        /// The resource that waits.
        from: ResourceId,
        /// What it waits for.
        to: ResourceId,
    },
}

/// An application over its regions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Topology {
    application: ApplicationId,
    objectives: Objectives,
    regions: Vec<Region>,
    resources: Vec<Resource>,
    services: Vec<ServiceSpec>,
    observers: Vec<ObserverSpec>,
    probes: Vec<ProbeSpec>,
    detection: DetectionSpec,
}

impl Topology {
    /// The topology of `spec`.
    ///
    /// # Errors
    ///
    /// [`InvalidTopology`] when not exactly one region is active, or resources cannot be ordered.
    pub fn new(spec: &Spec) -> Result<Self, InvalidTopology> {
        let active = spec.regions.iter().filter(|region| region.role == RegionRole::Active).count();
        if active != 1 {
            return Err(InvalidTopology::ActiveRegions(active));
        }
        let index: BTreeMap<&ResourceId, usize> =
            spec.resources.iter().enumerate().map(|(i, resource)| (&resource.id, i)).collect();
        let mut edges = Vec::with_capacity(spec.resources.len());
        for resource in &spec.resources {
            let before: Result<Vec<usize>, InvalidTopology> = resource
                .depends_on
                .iter()
                .map(|to| {
                    let dangling = || InvalidTopology::Dangling { from: resource.id.clone(), to: to.clone() };
                    index.get(to).copied().ok_or_else(dangling)
                })
                .collect();
            edges.push(before?);
        }
        let at = |i: usize| spec.resources.get(i);
        let order = dependency_order(&edges).map_err(|Cycle(cycle)| {
            InvalidTopology::Cycle(cycle.into_iter().filter_map(at).map(|resource| resource.id.clone()).collect())
        })?;
        Ok(Self {
            application: spec.application.clone(),
            objectives: spec.objectives.into(),
            regions: spec.regions.iter().map(|r| Region { id: r.id.clone(), role: r.role }).collect(),
            resources: order.into_iter().filter_map(at).cloned().map(Resource::from).collect(),
            services: spec.services.clone(),
            observers: spec.observers.clone(),
            probes: spec.probes.clone(),
            detection: spec.detection,
        })
    }

    /// The application.
    #[must_use]
    pub fn application(&self) -> &ApplicationId {
        &self.application
    }

    /// What the business asked for.
    #[must_use]
    pub fn objectives(&self) -> Objectives {
        self.objectives
    }

    /// Every region, as written.
    #[must_use]
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// The region of that name.
    #[must_use]
    pub fn region(&self, id: &RegionId) -> Option<&Region> {
        self.regions.iter().find(|region| region.id == *id)
    }

    /// The regions of that role, as written.
    pub fn with_role(&self, role: RegionRole) -> impl Iterator<Item = &Region> {
        self.regions.iter().filter(move |region| region.role == role)
    }

    /// The region that serves in steady state.
    #[must_use]
    pub fn active(&self) -> Option<&Region> {
        self.with_role(RegionRole::Active).next()
    }

    /// The regions that can take over from `from`: warm standbys, then pilot lights, then others that serve.
    #[must_use]
    pub fn candidates(&self, from: &RegionId) -> Vec<&Region> {
        let rank = |role: RegionRole| match role {
            RegionRole::WarmStandby => 0,
            RegionRole::PilotLight => 1,
            RegionRole::Active => 2,
            RegionRole::Witness => 3,
        };
        let mut able: Vec<&Region> =
            self.regions.iter().filter(|region| region.role.can_take_over() && region.id != *from).collect();
        able.sort_by_key(|region| rank(region.role));
        able
    }

    /// The regions that observe and serve nothing.
    pub fn witnesses(&self) -> impl Iterator<Item = &Region> {
        self.with_role(RegionRole::Witness)
    }

    /// Every resource, each after those it depends on.
    #[must_use]
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// The resource of that name.
    #[must_use]
    pub fn resource(&self, id: &ResourceId) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.id == *id)
    }

    /// The services, as written.
    #[must_use]
    pub fn services(&self) -> &[ServiceSpec] {
        &self.services
    }

    /// The service of that name.
    #[must_use]
    pub fn service(&self, id: &ServiceId) -> Option<&ServiceSpec> {
        self.services.iter().find(|service| service.id == *id)
    }

    /// The places that observe.
    #[must_use]
    pub fn observers(&self) -> &[ObserverSpec] {
        &self.observers
    }

    /// What every observer probes.
    #[must_use]
    pub fn probes(&self) -> &[ProbeSpec] {
        &self.probes
    }

    /// When observers together call a region lost.
    #[must_use]
    pub fn detection(&self) -> &DetectionSpec {
        &self.detection
    }

    /// The longest from the loss of a region to a standing verdict: the quickest probe's
    /// [`detect_max`](ProbeSpec::detect_max), then the dwell. `None` without probes that vote.
    #[must_use]
    pub fn detect_max(&self) -> Option<Duration> {
        self.probes
            .iter()
            .filter(|probe| probe.kind.votes())
            .map(ProbeSpec::detect_max)
            .min()
            .map(|spent| spent.saturating_add(self.detection.dwell))
    }
}
