//! Two regions with a platform of three services, and an engine to run plans on them.

use std::{sync::Arc, time::Duration};

use dr_core::{
    driver::DriverRegistry,
    engine::{Engine, NewRun, OnPause, RunView, new_run_id},
    journal::MemoryJournal,
    model::{Epoch, RegionId, RunId, StepId},
    plan::{Goal, GoalKind, Inventory, Mode, Plan},
    planner::{BeforeImages, PlanOptions, Planner, survey},
    spec::Spec,
    step::StepCx,
    testing::{EffectLog, FaultBoard},
    time::{ManualClock, SharedClock},
    topology::Topology,
};
use dr_k8s::{
    ClusterAccess, Clusters,
    deployments::{Deployments, WorkloadRef},
    testing::{Cluster, Workload},
};
use serde_json::json;

pub(crate) const SCALE: &str = "k8s:patch deployments/scale";
pub(crate) const BOUNDS: &str = "k8s:patch horizontalpodautoscalers";

pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) faults: FaultBoard,
    pub(crate) effects: EffectLog,
    pub(crate) east: Cluster,
    pub(crate) west: Cluster,
    pub(crate) clusters: Clusters,
    pub(crate) drivers: DriverRegistry,
    pub(crate) topology: Topology,
}

pub(crate) fn east() -> RegionId {
    RegionId::new("us-east-1").unwrap()
}

pub(crate) fn west() -> RegionId {
    RegionId::new("eu-west-1").unwrap()
}

fn topology() -> Topology {
    let service = |id: &str, standby: u32, full: u32| json!({ "id": id, "namespace": "production", "replicas": { "standby": standby, "full": full } });
    let spec: Spec = serde_json::from_value(json!({
        "application": "shop",
        "endpoint": "https://api.example.com",
        "objectives": { "rto": "5m", "rpo": "60s" },
        "regions": [{ "id": "us-east-1", "role": "active" }, { "id": "eu-west-1", "role": "warm-standby" }],
        "observers": [{ "id": "a", "region": "eu-west-1" }],
        "probes": [{
            "id": "front", "kind": "http", "path": "/health", "interval": "10s", "timeout": "4s",
            "threshold": { "trip": 3, "clear": 3 },
        }],
        "detection": { "quorum": 1, "dwell": "10s", "hold_down": "10m" },
        "services": [service("cart", 1, 4), service("orders", 1, 3), service("ledger", 0, 2)],
        "resources": [{
            "id": "platform", "kind": "k8s.deployments",
            // The clients are given; the paths are never read.
            "spec": { "clusters": { "us-east-1": { "kubeconfig": "/east" }, "eu-west-1": { "kubeconfig": "/west" } } },
        }],
        "runner": { "region": "eu-west-1" },
        "journal": { "store": "sqlite", "path": "journal.sqlite", "region": "eu-west-1" },
    }))
    .unwrap();
    Topology::new(&spec).unwrap()
}

impl World {
    /// us-east-1 at full count; eu-west-1 small: cart under an autoscaler that caps it below its full count, orders under
    /// none, ledger switched off under an autoscaler.
    pub(crate) fn new() -> Self {
        let (clock, faults, effects) = (ManualClock::new(), FaultBoard::new(), EffectLog::new());
        let cluster = |region: RegionId| {
            Cluster::builder(region, Arc::new(clock.clone()), faults.clone(), effects.clone()).build()
        };
        let (a, b) = (cluster(east()), cluster(west()));
        for (cluster, counts) in [(&a, [4, 3, 2]), (&b, [1, 1, 0])] {
            for (name, replicas) in ["cart", "orders", "ledger"].into_iter().zip(counts) {
                let image = format!("{}.example.com/{name}:1", cluster.region());
                cluster.deploy(&Workload::new("production", name).replicas(replicas).image(image));
            }
        }
        a.hpa("production", "cart", 4, 8);
        b.hpa("production", "cart", 1, 3);
        b.hpa("production", "ledger", 1, 5);
        a.finish_starting();
        b.finish_starting();
        let shared: SharedClock = Arc::new(clock.clone());
        let clusters = Clusters::builder(shared).client(east(), a.client()).client(west(), b.client()).build();
        let mut drivers = DriverRegistry::new();
        drivers.register(Arc::new(Deployments::new(clusters.clone()))).unwrap();
        Self { clock, faults, effects, east: a, west: b, clusters, drivers, topology: topology() }
    }

    pub(crate) fn shared_clock(&self) -> SharedClock {
        Arc::new(self.clock.clone())
    }

    /// Lets the future run, moving time on whenever nothing else can happen.
    pub(crate) async fn with_time<F: Future>(&self, future: F) -> F::Output {
        let mut future = std::pin::pin!(future);
        loop {
            tokio::select! {
                biased;
                output = &mut future => return output,
                () = async {
                    for _ in 0..50 {
                        tokio::task::yield_now().await;
                    }
                } => self.clock.advance(Duration::from_millis(200)),
            }
        }
    }

    pub(crate) async fn survey(&self) -> Inventory {
        let clock = self.shared_clock();
        self.with_time(survey(&self.topology, &self.drivers, &clock)).await
    }

    pub(crate) fn plan(&self, kind: GoalKind, mode: Mode, inventory: &Inventory, before: &BeforeImages) -> Plan {
        let (from, to) = if kind == GoalKind::Failback { (west(), east()) } else { (east(), west()) };
        let goal = Goal { kind, from, to, mode };
        Planner::new(&self.topology, &self.drivers).plan(goal, inventory, before, &PlanOptions::default()).unwrap()
    }

    /// Plans and runs, with an engine of its own.
    pub(crate) async fn run(&self, kind: GoalKind, mode: Mode, before: &BeforeImages) -> RunView {
        let inventory = self.survey().await;
        let plan = self.plan(kind, mode, &inventory, before);
        let clock = self.shared_clock();
        let journal = Arc::new(MemoryJournal::new(clock.clone()));
        let engine =
            Engine::builder(journal, self.drivers.steps().unwrap(), clock.clone()).on_pause(OnPause::Return).build();
        let run = new_run_id(&clock);
        self.with_time(async {
            engine.create(NewRun::new(run.clone(), plan)).await.unwrap();
            engine.run(&run).await.unwrap()
        })
        .await
    }

    pub(crate) fn workload(&self, name: &str) -> WorkloadRef {
        WorkloadRef {
            region: west(),
            access: ClusterAccess::kubeconfig("/west"),
            namespace: "production".into(),
            deployment: name.into(),
        }
    }

    /// What the engine gives to a step.
    pub(crate) fn step_cx(&self) -> StepCx {
        let (run, step) = (RunId::new("run").unwrap(), StepId::new("step").unwrap());
        StepCx::new(run, step, Epoch(1), self.shared_clock(), Duration::from_secs(300))
    }

    /// How many replicas of the standby's services are ready.
    pub(crate) fn standby(&self) -> [u32; 3] {
        ["cart", "orders", "ledger"].map(|name| self.west.ready_replicas("production", name))
    }

    pub(crate) fn count(&self, operation: &str, name: &str) -> usize {
        self.effects.count(operation, &format!("production/{name}"))
    }
}
