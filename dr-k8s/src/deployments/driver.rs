use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use dr_core::{
    driver::{Driver, Host, Operation, Permission, SurveyCx},
    error::{Error, ErrorKind, Result},
    model::{Plane, Region, RegionId, Resource, ResourceKind},
    plan::{
        Arg, Call, CapacityFact, Estimate, GoalKind, ImageFact, Inventory, Phase, RetryPolicy, Ungraceful,
        WorkloadFact, WorkloadOwner,
    },
    planner::PlanDraft,
    probe::{HealthProbe, Subject},
    step::{DynStep, Step as _, erase},
    topology::Topology,
    validation::Validation,
};
use futures::future::join_all;
use schemars::{Schema, schema_for};
use serde::Deserialize as _;

use super::{
    ApiServer, AwaitReady, AwaitReadyParams, DeploymentsSpec, Restore, RestoreParams, ScaleUp, ScaleUpParams,
    StandbyHasRoom, WorkloadImage, WorkloadRef, WorkloadsMatch,
    readiness::available,
    workload::{ClusterView, Seen, free_pod_slots},
};
use crate::Clusters;

/// The driver of `k8s.deployments`.
#[derive(Clone, Debug)]
pub struct Deployments {
    clusters: Clusters,
}

impl Deployments {
    /// The kind, as `dr.yaml` writes it.
    pub const KIND: ResourceKind = ResourceKind::from_static("k8s.deployments");

    /// The driver, acting through these clients.
    #[must_use]
    pub fn new(clusters: Clusters) -> Self {
        Self { clusters }
    }
}

/// A change of a workload is conditional, so trying again is always safe; a busy API server throttles now and then.
const PATIENT: RetryPolicy = RetryPolicy { attempts: 6, first: Duration::from_secs(1), most: Duration::from_secs(10) };

const fn operation(
    name: &'static str,
    mutates: bool,
    verb: &'static str,
    resource: &'static str,
    manual: &'static str,
) -> Operation {
    let permission = Permission::Rbac { verb, resource };
    Operation { name, plane: Plane::Kubernetes, host: Host::TargetRegion, mutates, permission, manual }
}

const OPERATIONS: &[Operation] = &[
    operation("k8s:get deployments", false, "get", "deployments", "kubectl -n {namespace} get deployment {name}"),
    operation("k8s:list deployments", false, "list", "deployments", "kubectl get deployments -A"),
    operation(
        "k8s:list horizontalpodautoscalers",
        false,
        "list",
        "horizontalpodautoscalers",
        "kubectl -n {namespace} get hpa",
    ),
    operation("k8s:list pods", false, "list", "pods", "kubectl -n {namespace} get pods"),
    operation("k8s:list nodes", false, "list", "nodes", "kubectl get nodes"),
    operation(
        "k8s:patch horizontalpodautoscalers",
        true,
        "patch",
        "horizontalpodautoscalers",
        "kubectl -n {namespace} patch hpa {name} --patch '{\"spec\":{\"minReplicas\":{replicas}}}'",
    ),
    operation(
        "k8s:patch deployments/scale",
        true,
        "patch",
        "deployments/scale",
        "kubectl -n {namespace} scale deployment {name} --replicas={replicas}",
    ),
];

fn call(workload: &WorkloadRef, operation: &'static str, mutates: bool, rest: &str) -> Call {
    Call {
        operation: operation.into(),
        plane: Plane::Kubernetes,
        endpoints: vec![workload.region.clone()],
        mutates,
        args: BTreeMap::new(),
        manual: format!("{} --namespace {} {rest}", workload.access.kubectl(), workload.namespace),
    }
}

/// The calls of a step that only looks at a workload.
pub(super) fn watching_calls(workload: &WorkloadRef) -> Vec<Call> {
    let name = &workload.deployment;
    vec![
        call(workload, "k8s:get deployments", false, &format!("rollout status deployment {name}")),
        call(workload, "k8s:list pods", false, "get pods"),
    ]
}

/// The calls of a step that changes who keeps how many replicas. Which of the two changes is made depends on whether the
/// workload has an autoscaler, which is looked up when the step runs.
pub(super) fn scaling_calls(workload: &WorkloadRef, replicas: u32) -> Vec<Call> {
    let name = &workload.deployment;
    let bounds = format!("patch hpa {name} --patch '{{\"spec\":{{\"minReplicas\":{replicas}}}}}'");
    let scale = format!("scale deployment {name} --replicas={replicas}");
    let named = format!("{}/{name}", workload.namespace);
    vec![
        call(workload, "k8s:get deployments", false, &format!("get deployment {name}")),
        call(workload, "k8s:list horizontalpodautoscalers", false, "get hpa"),
        call(workload, "k8s:patch horizontalpodautoscalers", true, &bounds)
            .arg("Workload", named.as_str())
            .arg("minReplicas", replicas),
        call(workload, "k8s:patch deployments/scale", true, &scale).arg("Workload", named).arg("replicas", replicas),
    ]
}

fn fact(resource: &Resource, workload: &WorkloadRef, seen: &Seen, wanted: u32) -> WorkloadFact {
    let count = |n: i32| u32::try_from(n).unwrap_or(0);
    WorkloadFact {
        resource: resource.id.clone(),
        region: workload.region.clone(),
        name: format!("{}/{}", workload.namespace, workload.deployment),
        owner: match seen.bounds() {
            Some(bounds) => {
                let (min, max) = (count(bounds.lower()), count(bounds.max));
                WorkloadOwner::Hpa { name: bounds.name, min, max }
            }
            None => WorkloadOwner::Scale,
        },
        replicas: count(seen.replicas()),
        available: count(available(&seen.deployment)),
        wanted,
    }
}

/// The images of a workload, with the region of the registry that each is pulled from.
fn images(workload: &WorkloadRef, seen: &Seen, topology: &Topology) -> Vec<ImageFact> {
    let pod = seen.deployment.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    let containers = pod.map(|pod| pod.containers.as_slice()).unwrap_or_default();
    let fact = |reference: &String| ImageFact {
        workload: format!("{}/{}", workload.namespace, workload.deployment),
        region: workload.region.clone(),
        reference: reference.clone(),
        digest: reference.split_once('@').map(|(_, digest)| digest.to_owned()),
        home: registry_region(reference, topology),
        copies: BTreeMap::new(),
    };
    containers.iter().filter_map(|container| container.image.as_ref()).map(fact).collect()
}

/// The region that an image's registry is in: regional registries have their region's name in the host.
fn registry_region(reference: &str, topology: &Topology) -> Option<RegionId> {
    let host = reference.split_once('/').map(|(host, _)| host)?;
    let named = |region: &&Region| host.split('.').any(|label| region.id == *label);
    topology.regions().iter().find(named).map(|region| region.id.clone())
}

#[async_trait]
impl Driver for Deployments {
    fn kind(&self) -> ResourceKind {
        Self::KIND
    }

    fn schema(&self) -> Schema {
        schema_for!(DeploymentsSpec)
    }

    fn operations(&self) -> &'static [Operation] {
        OPERATIONS
    }

    fn probes(&self, resource: &Resource) -> Result<Vec<Arc<dyn HealthProbe>>> {
        let spec = DeploymentsSpec::of(resource)?;
        let invalid = |e: dr_core::model::InvalidId| Error::new(ErrorKind::Invalid, e.to_string());
        let mut probes: Vec<Arc<dyn HealthProbe>> = Vec::new();
        for (region, access) in &spec.clusters {
            let id = format!("{}/api-server", resource.id).parse().map_err(invalid)?;
            let subject = Subject::infrastructure(id, region.clone());
            let vantage = "here".parse().map_err(invalid)?;
            probes.push(Arc::new(ApiServer::new(subject, vantage, self.clusters.clone(), access.clone())));
        }
        Ok(probes)
    }

    fn validations(&self, resource: &Resource) -> Result<Vec<Arc<dyn Validation>>> {
        let spec = DeploymentsSpec::of(resource)?;
        let (clusters, resource) = (self.clusters.clone(), resource.id.clone());
        Ok(vec![
            Arc::new(WorkloadsMatch { clusters: clusters.clone(), resource: resource.clone(), spec: spec.clone() }),
            Arc::new(StandbyHasRoom { clusters, resource, spec }),
        ])
    }

    async fn survey(&self, resource: &Resource, cx: &SurveyCx<'_>) -> Result<Inventory> {
        let spec = DeploymentsSpec::of(resource)?;
        let services = spec.services(cx.topology)?;
        let mut inventory = Inventory::default();
        let views = spec.clusters.iter().map(|(region, access)| async move {
            let view = ClusterView::read(&self.clusters, region, access);
            let free = free_pod_slots(&self.clusters, region, access);
            (region, futures::join!(view, free))
        });
        for (region, (view, free)) in join_all(views).await {
            let view = match view {
                Ok(view) => view,
                Err(error) => {
                    inventory.unknown.push(format!("{}: the cluster of {region}: {error}", resource.id));
                    continue;
                }
            };
            let free =
                free.map_err(|error| inventory.unknown.push(format!("{}: room in {region}: {error}", resource.id)));
            inventory.capacity.push(CapacityFact {
                resource: resource.id.clone(),
                region: region.clone(),
                unit: "pods".to_owned(),
                needed: None,
                free: free.ok().map(|slots| u64::try_from(slots).unwrap_or(0)),
                reserved: None,
            });
            for service in &services {
                let workload = spec.workload(region, service)?;
                match view.find(&workload.namespace, &workload.deployment) {
                    Some(seen) => {
                        inventory.workloads.push(fact(resource, &workload, &seen, service.replicas.full));
                        inventory.images.extend(images(&workload, &seen, cx.topology));
                    }
                    None => inventory.unknown.push(format!("{}: {workload} does not exist", resource.id)),
                }
            }
        }
        Ok(inventory)
    }

    fn contribute(&self, resource: &Resource, draft: &mut PlanDraft<'_>) -> Result<()> {
        let spec = DeploymentsSpec::of(resource)?;
        let goal = draft.goal().clone();
        let (scale_up, await_ready) = (ScaleUp::new(self.clusters.clone()), AwaitReady::new(self.clusters.clone()));
        let restore = Restore::new(self.clusters.clone());
        for service in spec.services(draft.topology())? {
            let workload = spec.workload(&goal.to, service)?;
            let replicas = service.replicas.full;
            let params = ScaleUpParams { workload: workload.clone(), replicas };
            let scaled = draft
                .step(&format!("scale-{}", service.id), &scale_up, &params)
                .phase(Phase::Scale)
                .region(&goal.to)
                .title(format!("{} asks for {replicas} replicas in {}", service.id, goal.to))
                .timeout(Duration::from_secs(30))
                .retry(PATIENT)
                .estimate(Estimate::secs(1, 5));
            let scale_step = scaled.id();
            let before = scaled.output();
            let params = AwaitReadyParams {
                workload: workload.clone(),
                replicas,
                unschedulable_after: spec.unschedulable_after(),
            };
            let ready = draft.step(&format!("ready-{}", service.id), &await_ready, &params);
            let ready = match spec.minimum_success_percentage {
                Some(percent) => ready.ungraceful(Ungraceful::MinimumSuccess { percent }),
                None => ready,
            };
            ready
                .phase(Phase::Ready)
                .region(&goal.to)
                .title(format!("{} has {replicas} replicas available in {}", service.id, goal.to))
                .timeout(spec.ready_within())
                .estimate(Estimate::secs(25, 90))
                .after(scale_step.as_str());
            if goal.kind == GoalKind::Rehearsal {
                let params = RestoreParams { workload, image: Arg::From(before) };
                draft
                    .step(&format!("restore-{}", service.id), &restore, &params)
                    .phase(Phase::Restore)
                    .region(&goal.to)
                    .title(format!("{} is what it was in {}", service.id, goal.to))
                    .timeout(Duration::from_secs(30))
                    .retry(PATIENT)
                    .estimate(Estimate::secs(1, 5))
                    .after(&format!("{}/ready-{}", resource.id, service.id));
            }
        }
        if goal.kind == GoalKind::Failback {
            restore_what_was_left(resource, draft, &restore)?;
        }
        Ok(())
    }

    fn steps(&self) -> Vec<Arc<dyn DynStep>> {
        vec![
            erase(ScaleUp::new(self.clusters.clone())),
            erase(AwaitReady::new(self.clusters.clone())),
            erase(Restore::new(self.clusters.clone())),
        ]
    }
}

/// Puts back, in the region that a failback leaves, what the failover changed there.
fn restore_what_was_left(resource: &Resource, draft: &mut PlanDraft<'_>, restore: &Restore) -> Result<()> {
    let from = draft.goal().from.clone();
    let images = draft.before();
    for image in images.of(&resource.id).filter(|image| image.kind == ScaleUp::KIND) {
        let before = WorkloadImage::deserialize(&image.before).map_err(|e| {
            Error::new(ErrorKind::Invalid, format!("the before-image of {} does not decode: {e}", image.step))
        })?;
        let workload = before.workload.clone();
        if workload.region != from {
            continue;
        }
        let name = format!("{}/{}", workload.namespace, workload.deployment);
        let verb = format!("restore-{}", image.step.as_str().rsplit_once("scale-").map_or("workload", |(_, id)| id));
        let params = RestoreParams { workload, image: Arg::Value(before) };
        draft
            .step(&verb, restore, &params)
            .phase(Phase::Restore)
            .region(&from)
            .title(format!("{name} is what it was in {from}"))
            .timeout(Duration::from_secs(30))
            .retry(PATIENT)
            .estimate(Estimate::secs(1, 5));
    }
    Ok(())
}
