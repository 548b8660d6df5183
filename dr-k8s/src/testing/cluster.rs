use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use dr_core::{
    model::RegionId,
    testing::{EffectLog, FaultBoard},
    time::SharedClock,
};
use http::{HeaderMap, Method, Uri};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{
    ClusterService, ResourceType, Workload,
    api::{ApiError, Call},
    catalog::Catalog,
    object,
    state::{Pace, State},
    store::Key,
};

/// What a cluster's service, its watches and its model share.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// The store's version, told after every change: what wakes watches.
    version: watch::Sender<u64>,
    pub(super) region: RegionId,
    pub(super) clock: SharedClock,
    pub(super) faults: FaultBoard,
    pub(super) token: Option<String>,
}

impl Shared {
    /// Works on the state, and tells watches when that changed something.
    pub(super) fn with<R>(&self, work: impl FnOnce(&mut State) -> R) -> R {
        let (result, version) = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let result = work(&mut state);
            (result, state.store.version())
        };
        self.version.send_if_modified(|told| std::mem::replace(told, version) != version);
        result
    }

    pub(super) fn versions(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }
}

/// The Kubernetes of one region. Clones are the same cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub(super) shared: Arc<Shared>,
}

/// Sets up a [`Cluster`].
#[derive(Debug)]
pub struct ClusterBuilder {
    region: RegionId,
    clock: SharedClock,
    faults: FaultBoard,
    effects: EffectLog,
    nodes: (u32, u32),
    pace: Pace,
    history: usize,
    token: Option<String>,
    catalog: Catalog,
}

impl ClusterBuilder {
    /// How many nodes, and how many pods fit on each. Default: 3 nodes for 110 pods each.
    #[must_use]
    pub fn nodes(mut self, count: u32, pods_each: u32) -> Self {
        self.nodes = (count, pods_each);
        self
    }

    /// From a pod's scheduling to its readiness, in the world's time. Default: 8 s.
    #[must_use]
    pub fn pod_start(mut self, time: Duration) -> Self {
        self.pace.pod_start = time;
        self
    }

    /// From a change to the controllers' reaction, in the world's time. Default: 200 ms.
    #[must_use]
    pub fn controller_delay(mut self, time: Duration) -> Self {
        self.pace.controllers = time;
        self
    }

    /// Between two looks of the autoscaler, in the world's time. Default: 15 s, as
    /// `--horizontal-pod-autoscaler-sync-period` has it.
    #[must_use]
    pub fn autoscaler_period(mut self, time: Duration) -> Self {
        self.pace.autoscaler = time.max(Duration::from_millis(1));
        self
    }

    /// How many changes are kept for watches, pages and stale reads. Default: 20,000.
    #[must_use]
    pub fn history(mut self, changes: usize) -> Self {
        self.history = changes;
        self
    }

    /// Answers 401 to every call that does not carry this bearer token. Default: everybody may do everything.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Serves one more kind.
    #[must_use]
    pub fn resource(mut self, resource: ResourceType) -> Self {
        self.catalog.add(resource);
        self
    }

    /// The cluster, with its nodes and the namespaces `default` and `kube-system`.
    #[must_use]
    pub fn build(self) -> Cluster {
        let state = State::new(
            self.region.clone(),
            self.catalog,
            self.pace,
            self.history,
            Arc::clone(&self.clock),
            self.effects,
        );
        let shared = Shared {
            state: Mutex::new(state),
            version: watch::Sender::new(0),
            region: self.region,
            clock: self.clock,
            faults: self.faults,
            token: self.token,
        };
        let cluster = Cluster { shared: Arc::new(shared) };
        cluster.namespace("default");
        cluster.namespace("kube-system");
        let (count, pods) = self.nodes;
        for n in 1..=count {
            cluster.node(&format!("node-{n}"), pods);
        }
        cluster
    }
}

impl Cluster {
    /// A cluster in `region` on the world's clock, behind its fault board, counting in its effect log.
    #[must_use]
    pub fn builder(region: RegionId, clock: SharedClock, faults: FaultBoard, effects: EffectLog) -> ClusterBuilder {
        let pace = Pace {
            controllers: Duration::from_millis(200),
            pod_start: Duration::from_secs(8),
            autoscaler: Duration::from_secs(15),
        };
        ClusterBuilder {
            region,
            clock,
            faults,
            effects,
            nodes: (3, 110),
            pace,
            history: 20_000,
            token: None,
            catalog: Catalog::default(),
        }
    }

    /// The region that the cluster stands in.
    #[must_use]
    pub fn region(&self) -> &RegionId {
        &self.shared.region
    }

    /// The API server as a tower service, faults and all.
    #[must_use]
    pub fn service(&self) -> ClusterService {
        ClusterService::new(Arc::clone(&self.shared))
    }

    /// A kube-rs client that calls the cluster in process. Must be called within a tokio runtime.
    #[must_use]
    pub fn client(&self) -> kube::Client {
        kube::Client::new(self.service(), "default")
    }

    /// Adds a namespace, if it is not there.
    pub fn namespace(&self, name: &str) {
        self.insert(json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": { "name": name, "labels": { "kubernetes.io/metadata.name": name } },
            "status": { "phase": "Active" },
        }));
    }

    /// Adds a node with room for `pods` pods, or changes its room.
    pub fn node(&self, name: &str, pods: u32) {
        let room = json!({ "pods": pods.to_string() });
        self.insert(json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": { "name": name, "labels": { "kubernetes.io/hostname": name } },
            "spec": {},
            "status": {
                "capacity": room, "allocatable": room, "nodeInfo": node_info(),
                "conditions": [{ "type": "Ready", "status": "True", "reason": "KubeletReady" }],
            },
        }));
    }

    /// Adds a deployment, and its namespace if need be. Its pods start as time passes; see [`finish_starting`](Self::finish_starting).
    pub fn deploy(&self, workload: &Workload) {
        self.namespace(&workload.namespace);
        self.insert(workload.object());
    }

    /// Adds a horizontal pod autoscaler of the same name as the deployment that it scales.
    pub fn hpa(&self, namespace: &str, deployment: &str, min: u32, max: u32) {
        self.insert(json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": { "name": deployment, "namespace": namespace },
            "spec": {
                "minReplicas": min, "maxReplicas": max,
                "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": deployment },
                "metrics": [{
                    "type": "Resource",
                    "resource": { "name": "cpu", "target": { "type": "Utilization", "averageUtilization": 70 } },
                }],
            },
        }));
    }

    /// Puts an object into the store as it is, status and all, past the API and the effect log: for set-up.
    ///
    /// Kinds that the cluster does not serve are left out; an object that is there already is replaced, its identity kept.
    pub fn insert(&self, mut new: Value) {
        self.shared.with(|state| {
            state.settle();
            let resource =
                state.catalog.by_kind(object::text(&new, "/apiVersion"), object::text(&new, "/kind")).cloned();
            let Some(resource) = resource else { return };
            let namespace = object::text(&new, "/metadata/namespace").to_owned();
            let key = Key::new(resource.qualified(), namespace, object::text(&new, "/metadata/name"));
            super::api::set_defaults(&resource, &mut new);
            match state.store.get(&key) {
                Some(old) => {
                    State::keep_metadata(&resource, &old, &mut new);
                    super::api::bump_generation(&resource, &old, &mut new);
                }
                None => super::api::new_metadata(state, &resource, &mut new),
            }
            state.put_by_client(&key, new);
        });
    }

    /// Makes every pod that has a node ready at once, as if the cluster had run for long.
    pub fn finish_starting(&self) {
        self.shared.with(|state| {
            state.settle();
            state.react_at = None;
            state.reconcile();
            let now = state.time;
            state.starting.values_mut().for_each(|at| *at = now);
            state.start_pods(now);
            state.reconcile();
        });
    }

    /// Sets how many replicas the metrics of a deployment call for, which its autoscaler then follows within its
    /// bounds. Without it, a deployment is idle.
    pub fn load(&self, namespace: &str, deployment: &str, replicas: u32) {
        self.shared.with(|state| {
            state.settle();
            state.load.insert((namespace.to_owned(), deployment.to_owned()), i64::from(replicas));
        });
    }

    /// Makes the cluster quicker or slower from now on: from a pod's scheduling to its readiness, and between two looks
    /// of the autoscaler.
    pub fn set_pace(&self, pod_start: Duration, autoscaler_period: Duration) {
        self.shared.with(|state| {
            state.settle();
            state.pace.pod_start = pod_start;
            state.pace.autoscaler = autoscaler_period.max(Duration::from_millis(1));
            state.autoscale_at = state.time + state.pace.autoscaler;
        });
    }

    /// Makes an image impossible to pull: pods that start with it stay in `ImagePullBackOff`.
    pub fn remove_image(&self, image: &str) {
        self.shared.with(|state| {
            state.settle();
            state.missing_images.insert(image.to_owned());
        });
    }

    /// Makes an image possible to pull again.
    pub fn restore_image(&self, image: &str) {
        self.shared.with(|state| {
            state.settle();
            state.missing_images.remove(image);
            state.retry_images();
        });
    }

    /// Forgets the history: watches and pages of earlier versions are answered with 410 from now on.
    pub fn compact(&self) {
        self.shared.with(|state| state.store.compact());
    }

    /// How many replicas of a deployment are ready; 0 when there is no such deployment.
    #[must_use]
    pub fn ready_replicas(&self, namespace: &str, deployment: &str) -> u32 {
        self.count(namespace, deployment, "/status/readyReplicas")
    }

    /// How many replicas a deployment asks for; 0 when there is no such deployment.
    #[must_use]
    pub fn replicas(&self, namespace: &str, deployment: &str) -> u32 {
        self.count(namespace, deployment, "/spec/replicas")
    }

    fn count(&self, namespace: &str, deployment: &str, pointer: &str) -> u32 {
        let found = self.object("deployments.apps", namespace, deployment);
        found.map_or(0, |d| u32::try_from(object::number(&d, pointer, 0)).unwrap_or(0))
    }

    /// An object as it is now, past the API. `resource` is the plural with its group: `deployments.apps`, `pods`.
    #[must_use]
    pub fn object(&self, resource: &str, namespace: &str, name: &str) -> Option<Value> {
        self.shared.with(|state| {
            state.settle();
            state.store.get(&Key::new(resource, namespace, name)).map(|o| Value::clone(&o))
        })
    }

    /// The specification of every object but pods and replica sets, by `resource/namespace/name`: what two moments of a
    /// cluster are compared by.
    #[must_use]
    pub fn specifications(&self) -> BTreeMap<String, Value> {
        self.shared.with(|state| {
            state.settle();
            let of_users = |key: &Key| !matches!(key.resource.as_str(), "pods" | "replicasets.apps" | "events");
            let named = |key: &Key| {
                let parts = [key.resource.as_str(), &key.namespace, &key.name];
                parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
            };
            let objects = state.store.now().iter().filter(|(key, _)| of_users(key));
            objects
                .map(|(key, object)| {
                    let part = ["spec", "data"].into_iter().find_map(|field| object.get(field));
                    (named(key), part.cloned().unwrap_or(Value::Null))
                })
                .collect()
        })
    }

    /// Calls the API server without the fault board between: `POST`, `PATCH` (a merge patch) and the rest, for set-up.
    ///
    /// # Errors
    ///
    /// The `Status` object of a refused call.
    pub fn call(&self, method: &Method, uri: &Uri, body: &Value) -> Result<Value, Value> {
        let mut headers = HeaderMap::new();
        let media = if *method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
        headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(media));
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        self.shared.with(|state| {
            let call = Call::new(&state.catalog, method, uri, headers, body);
            state.handle(&call, None).map(|reply| reply.body).map_err(|e: ApiError| e.status())
        })
    }
}

/// The Kubernetes version that the nodes run.
fn node_info() -> Value {
    json!({
        "kubeletVersion": "v1.36.0", "kubeProxyVersion": "", "containerRuntimeVersion": "double://1", "osImage": "double",
        "kernelVersion": "", "machineID": "", "systemUUID": "", "bootID": "", "operatingSystem": "linux",
        "architecture": "amd64",
    })
}
