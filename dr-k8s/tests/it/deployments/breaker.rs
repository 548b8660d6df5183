//! A cluster that swallows packets costs the first calls their time, and those after them nothing.

use std::time::Duration;

use dr_core::{
    error::{Effect, ErrorKind, Result, Retry},
    model::{Plane, RegionId},
    testing::Fault,
    time::Clock as _,
};
use dr_k8s::{ClusterAccess, Clusters};
use k8s_openapi::api::apps::v1::Deployment;
use kube::{Api, api::ListParams};

use super::world::{World, east, west};

async fn list(clusters: &Clusters, region: &RegionId) -> Result<()> {
    let client = clusters.client(region, &ClusterAccess::kubeconfig("/never/read")).await?;
    let deployments: Api<Deployment> = Api::all(client);
    clusters.at(region).read("k8s:list deployments", deployments.list(&ListParams::default())).await.map(drop)
}

#[tokio::test]
async fn a_silent_cluster_is_not_waited_for_by_every_call() {
    let w = World::new();
    w.faults.switch(&east(), Plane::Kubernetes, Some(Fault::BlackHole));
    let (lost, well) = (east(), west());
    let mut spent = Vec::new();
    for _ in 0..12 {
        let before = w.clock.monotonic();
        let error = w.with_time(list(&w.clusters, &lost)).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Unavailable), "{error}");
        assert_eq!(error.effect(), Effect::NotApplied);
        spent.push((w.clock.monotonic().since(before), matches!(error.retry(), Retry::After(_))));
        w.with_time(list(&w.clusters, &well)).await.unwrap();
    }
    let limit = Duration::from_secs(8);
    assert_eq!(spent[..2], [(limit, false); 2], "two in a row are proof");
    assert_eq!(spent[2..], [(Duration::ZERO, true); 10]);
    assert_eq!(w.clusters.breakers().open(), [(east(), Plane::Kubernetes)]);
    w.faults.switch(&east(), Plane::Kubernetes, None);
    w.clock.advance(Duration::from_secs(5));
    w.with_time(list(&w.clusters, &lost)).await.unwrap();
    assert_eq!(w.clusters.breakers().open(), []);
}
