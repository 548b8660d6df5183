use std::fmt;

use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    model::RegionId,
};
use k8s_openapi::api::{
    apps::v1::Deployment,
    autoscaling::v2::HorizontalPodAutoscaler,
    core::v1::{Node, Pod},
};
use kube::{Api, Client, api::ListParams};
use serde::{Deserialize, Serialize};

use crate::{ClusterAccess, Clusters};

/// A Deployment in a region, and how its cluster is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadRef {
    /// Where it runs.
    pub region: RegionId,
    /// How the cluster is reached.
    pub access: ClusterAccess,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub deployment: String,
}

impl fmt::Display for WorkloadRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} in {}", self.namespace, self.deployment, self.region)
    }
}

/// How many replicas a workload had, and who decided that: what a restore puts back, exactly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadImage {
    /// The workload.
    pub workload: WorkloadRef,
    /// `spec.replicas` of the Deployment.
    pub replicas: i32,
    /// The autoscaler that looked after it; none when the count was nobody's but the Deployment's.
    pub autoscaler: Option<AutoscalerImage>,
}

/// The bounds of a horizontal pod autoscaler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoscalerImage {
    /// Its name.
    pub name: String,
    /// `spec.minReplicas`; absent where the object has none, which means 1.
    pub min: Option<i32>,
    /// `spec.maxReplicas`.
    pub max: i32,
}

impl AutoscalerImage {
    /// The lower bound that is in force.
    #[must_use]
    pub fn lower(&self) -> i32 {
        self.min.unwrap_or(1)
    }
}

/// A workload as it was just read.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) deployment: Deployment,
    pub(super) autoscaler: Option<HorizontalPodAutoscaler>,
}

impl Seen {
    pub(super) fn replicas(&self) -> i32 {
        // The server fills in 1 where a manifest leaves the count out.
        self.deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1)
    }

    pub(super) fn bounds(&self) -> Option<AutoscalerImage> {
        let autoscaler = self.autoscaler.as_ref()?;
        Some(AutoscalerImage {
            name: autoscaler.metadata.name.clone().unwrap_or_default(),
            min: autoscaler.spec.min_replicas,
            max: autoscaler.spec.max_replicas,
        })
    }

    pub(super) fn image(&self, workload: &WorkloadRef) -> WorkloadImage {
        WorkloadImage { workload: workload.clone(), replicas: self.replicas(), autoscaler: self.bounds() }
    }

    /// Whether the owner of the count has been told to keep at least `wanted` replicas.
    pub(super) fn asks_for(&self, wanted: i32) -> bool {
        match self.bounds() {
            // An autoscaler leaves a target at zero replicas alone, whatever its bounds.
            Some(bounds) => bounds.lower() >= wanted && bounds.max >= wanted && (self.replicas() > 0 || wanted == 0),
            None => self.replicas() >= wanted,
        }
    }

    /// Who else would rewrite what this driver writes, if anybody.
    pub(super) fn rival(&self) -> Option<String> {
        let owners = self.autoscaler.as_ref()?.metadata.owner_references.as_ref()?;
        let keda = owners.iter().find(|owner| owner.kind == "ScaledObject")?;
        Some(format!(
            "the autoscaler belongs to KEDA's ScaledObject {:?}, which would undo a change of its bounds",
            keda.name
        ))
    }
}

/// Whether an autoscaler looks after a Deployment of this name.
pub(super) fn looks_after(autoscaler: &HorizontalPodAutoscaler, deployment: &str) -> bool {
    let target = &autoscaler.spec.scale_target_ref;
    target.kind == "Deployment" && target.name == deployment
}

impl WorkloadRef {
    pub(super) async fn client(&self, clusters: &Clusters) -> Result<Client> {
        clusters.client(&self.region, &self.access).await
    }

    /// Reads the Deployment and the autoscaler that looks after it.
    pub(super) async fn see(&self, clusters: &Clusters) -> Result<Seen> {
        let client = self.client(clusters).await?;
        let deployments: Api<Deployment> = Api::namespaced(client.clone(), &self.namespace);
        let autoscalers: Api<HorizontalPodAutoscaler> = Api::namespaced(client, &self.namespace);
        let everything = ListParams::default();
        let (deployment, autoscalers) = futures::join!(
            clusters.at(&self.region).read("k8s:get deployments", deployments.get(&self.deployment)),
            clusters.at(&self.region).read("k8s:list horizontalpodautoscalers", autoscalers.list(&everything)),
        );
        let mut mine = autoscalers?.items.into_iter().filter(|hpa| looks_after(hpa, &self.deployment));
        let autoscaler = mine.next();
        if mine.next().is_some() {
            let message = format!("{self} has more than one autoscaler: they fight over its count");
            return Err(Error::new(ErrorKind::PreconditionFailed, message).with_effect(Effect::NotApplied));
        }
        Ok(Seen { deployment: deployment?, autoscaler })
    }

    /// Reads the Deployment alone.
    pub(super) async fn deployment(&self, clusters: &Clusters) -> Result<Deployment> {
        let api: Api<Deployment> = Api::namespaced(self.client(clusters).await?, &self.namespace);
        clusters.at(&self.region).read("k8s:get deployments", api.get(&self.deployment)).await
    }

    /// Reads the pods that the Deployment selects.
    pub(super) async fn pods(&self, clusters: &Clusters, deployment: &Deployment) -> Result<Vec<Pod>> {
        let api: Api<Pod> = Api::namespaced(self.client(clusters).await?, &self.namespace);
        let labels = deployment.spec.as_ref().and_then(|spec| spec.selector.match_labels.clone()).unwrap_or_default();
        let selector = labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",");
        let parameters = ListParams::default().labels(&selector);
        Ok(clusters.at(&self.region).read("k8s:list pods", api.list(&parameters)).await?.items)
    }
}

/// Everything of one cluster that a survey or a validation compares, read in one go.
#[derive(Debug)]
pub(super) struct ClusterView {
    pub(super) deployments: Vec<Deployment>,
    pub(super) autoscalers: Vec<HorizontalPodAutoscaler>,
}

impl ClusterView {
    pub(super) async fn read(clusters: &Clusters, region: &RegionId, access: &ClusterAccess) -> Result<Self> {
        let client = clusters.client(region, access).await?;
        let deployments: Api<Deployment> = Api::all(client.clone());
        let autoscalers: Api<HorizontalPodAutoscaler> = Api::all(client);
        let everything = ListParams::default();
        let (deployments, autoscalers) = futures::join!(
            clusters.at(region).read("k8s:list deployments", deployments.list(&everything)),
            clusters.at(region).read("k8s:list horizontalpodautoscalers", autoscalers.list(&everything)),
        );
        Ok(Self { deployments: deployments?.items, autoscalers: autoscalers?.items })
    }

    pub(super) fn find(&self, namespace: &str, name: &str) -> Option<Seen> {
        let here = |namespaced: Option<&String>| namespaced.is_some_and(|ns| ns == namespace);
        let deployment = self
            .deployments
            .iter()
            .find(|d| here(d.metadata.namespace.as_ref()) && d.metadata.name.as_deref() == Some(name))?;
        let autoscaler =
            self.autoscalers.iter().find(|hpa| here(hpa.metadata.namespace.as_ref()) && looks_after(hpa, name));
        Some(Seen { deployment: deployment.clone(), autoscaler: autoscaler.cloned() })
    }
}

/// How many more pods the nodes of a cluster could take, by their count alone.
pub(super) async fn free_pod_slots(clusters: &Clusters, region: &RegionId, access: &ClusterAccess) -> Result<i64> {
    let client = clusters.client(region, access).await?;
    let (nodes, pods): (Api<Node>, Api<Pod>) = (Api::all(client.clone()), Api::all(client));
    let everything = ListParams::default();
    let (nodes, pods) = futures::join!(
        clusters.at(region).read("k8s:list nodes", nodes.list(&everything)),
        clusters.at(region).read("k8s:list pods", pods.list(&everything)),
    );
    let room = |node: &Node| {
        let usable = node.spec.as_ref().and_then(|spec| spec.unschedulable) != Some(true);
        let slots = node.status.as_ref().and_then(|status| status.allocatable.as_ref()?.get("pods"));
        slots.filter(|_| usable).and_then(|quantity| quantity.0.parse::<i64>().ok()).unwrap_or(0)
    };
    let total: i64 = nodes?.items.iter().map(room).sum();
    let running = |pod: &&Pod| {
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        !matches!(phase, Some("Succeeded" | "Failed"))
    };
    let taken = i64::try_from(pods?.items.iter().filter(running).count()).unwrap_or(i64::MAX);
    Ok(total - taken)
}
