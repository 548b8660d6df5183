//! A cluster for a test, and clients for it.

use std::sync::Arc;

use dr_core::{
    model::RegionId,
    testing::{EffectLog, FaultBoard},
    time::ManualClock,
};
use dr_k8s::testing::{Cluster, ResourceType, Serving};
use kube::{Client, Config};

/// A kind with a status subresource that is not built in.
pub(crate) const SCALED_OBJECTS: ResourceType =
    ResourceType::custom("keda.sh", "v1alpha1", "scaledobjects", "scaledobject", "ScaledObject").with_status();

pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) faults: FaultBoard,
    pub(crate) effects: EffectLog,
    pub(crate) cluster: Cluster,
    pub(crate) client: Client,
    serving: Option<Serving>,
}

pub(crate) fn region() -> RegionId {
    RegionId::new("eu-west-1").unwrap()
}

impl World {
    /// A client that calls the service directly.
    pub(crate) fn in_process() -> Self {
        let (clock, faults, effects) = (ManualClock::new(), FaultBoard::new(), EffectLog::new());
        let cluster = Cluster::builder(region(), Arc::new(clock.clone()), faults.clone(), effects.clone())
            .resource(SCALED_OBJECTS)
            .build();
        cluster.namespace("production");
        let client = cluster.client();
        Self { clock, faults, effects, cluster, client, serving: None }
    }

    /// A client with kube-rs' own HTTP stack, over a loopback socket.
    pub(crate) async fn over_http() -> Self {
        let mut world = Self::in_process();
        let serving = world.cluster.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let mut config = Config::new(serving.url().parse().unwrap());
        config.default_retry = false;
        world.client = Client::try_from(config).unwrap();
        world.serving = Some(serving);
        world
    }
}

/// Runs each check in process and over HTTP.
macro_rules! over_both {
    ($($check:ident)*) => {$(
        mod $check {
            #[tokio::test]
            async fn in_process() {
                super::checks::$check(crate::double::world::World::in_process()).await;
            }

            #[tokio::test]
            async fn over_http() {
                super::checks::$check(crate::double::world::World::over_http().await).await;
            }
        }
    )*};
}
pub(crate) use over_both;
