//! The ways to reach a cluster, over real sockets.

use std::{sync::Arc, time::Duration};

use dr_core::{
    error::{Effect, ErrorKind},
    model::Plane,
    step::{Observed, Step},
    testing::{EffectLog, Fault, FaultBoard},
    time::{ScaledClock, SharedClock},
};
use dr_k8s::{
    ClusterAccess, Clusters,
    deployments::{ScaleUp, ScaleUpParams, WorkloadRef},
    testing::{Cluster, Serving, Workload},
};

use super::world::{World, west};

struct Served {
    cluster: Cluster,
    serving: Serving,
    faults: FaultBoard,
    clock: SharedClock,
    home: tempfile::TempDir,
}

async fn served(token: Option<&str>) -> Served {
    let (faults, clock): (_, SharedClock) = (FaultBoard::new(), Arc::new(ScaledClock::new(20.0)));
    let mut builder = Cluster::builder(west(), clock.clone(), faults.clone(), EffectLog::new());
    if let Some(token) = token {
        builder = builder.token(token);
    }
    let cluster = builder.build();
    cluster.deploy(&Workload::new("production", "cart"));
    cluster.finish_starting();
    let serving = cluster.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
    Served { cluster, serving, faults, clock, home: tempfile::tempdir().unwrap() }
}

impl Served {
    fn params(&self, access: ClusterAccess) -> ScaleUpParams {
        let workload =
            WorkloadRef { region: west(), access, namespace: "production".into(), deployment: "cart".into() };
        ScaleUpParams { workload, replicas: 3 }
    }

    /// Clients with a deadline that no busy machine meets by mistake.
    fn clusters(&self) -> Clusters {
        Clusters::builder(self.clock.clone()).call_timeout(Duration::from_secs(600)).build()
    }
}

/// A context to call steps with; these take their time from the clusters' clock.
fn cx() -> dr_core::step::StepCx {
    World::new().step_cx()
}

#[tokio::test]
async fn through_a_kubeconfig() {
    let s = served(Some("s3cret")).await;
    let path = s.home.path().join("config");
    std::fs::write(&path, s.serving.kubeconfig()).unwrap();
    let params = s.params(ClusterAccess::kubeconfig(&path));
    let step = ScaleUp::new(s.clusters());
    assert_eq!(step.observe(&cx(), &params).await.unwrap(), Observed::NotStarted);
    step.execute(&cx(), &params).await.unwrap();
    assert_eq!(s.cluster.replicas("production", "cart"), 3);
    // What stands in plans and journals names the file and not what is in it.
    assert!(!serde_json::to_string(&params).unwrap().contains("s3cret"));
    let elsewhere = ClusterAccess { context: Some("absent".into()), ..ClusterAccess::kubeconfig(&path) };
    let error = step.observe(&cx(), &s.params(elsewhere)).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::NotApplied));
    assert!(error.message().contains("the context does not exist"), "{error}");
}

#[tokio::test]
async fn through_a_server_and_a_token_file() {
    let s = served(Some("s3cret")).await;
    let token = s.home.path().join("token");
    std::fs::write(&token, "s3cret").unwrap();
    let access = ClusterAccess { token_file: Some(token.clone()), ..ClusterAccess::server(s.serving.url()) };
    let step = ScaleUp::new(s.clusters());
    step.execute(&cx(), &s.params(access)).await.unwrap();
    assert_eq!(s.cluster.replicas("production", "cart"), 3);
    let without = s.params(ClusterAccess::server(s.serving.url()));
    let error = step.observe(&cx(), &without).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::PermissionDenied, Effect::NotApplied));
}

#[tokio::test]
async fn a_lost_region_costs_one_deadline() {
    let s = served(None).await;
    let clusters = Clusters::builder(s.clock.clone()).call_timeout(Duration::from_secs(4)).build();
    let step = ScaleUp::new(clusters);
    let params = s.params(ClusterAccess::server(s.serving.url()));
    s.faults.switch(&west(), Plane::Kubernetes, Some(Fault::BlackHole));
    let error = step.observe(&cx(), &params).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Timeout, Effect::NotApplied), "{error}");
    s.faults.switch(&west(), Plane::Kubernetes, Some(Fault::Refuse));
    let error = step.observe(&cx(), &params).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    // Nobody listens any more: now it is certain that nothing was done.
    let url = s.serving.url();
    drop(s.serving);
    let nobody = ClusterAccess::server(url);
    let params = ScaleUpParams { workload: WorkloadRef { access: nobody, ..params.workload }, ..params };
    let step = ScaleUp::new(Clusters::builder(s.clock.clone()).call_timeout(Duration::from_secs(600)).build());
    let error = loop {
        // The listener closes when its task is next run.
        let error = step.execute(&cx(), &params).await.unwrap_err();
        if error.message().contains("refused") {
            break error;
        }
    };
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Unavailable, Effect::NotApplied));
}
