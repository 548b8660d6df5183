//! Each fault of the board, as a client meets it.

use super::world::over_both;

over_both! {
    refuses
    black_holes
    slows_down
    throttles
    fails
    loses_the_reply
    applies_and_never_answers
    applies_late
    reads_the_past
    loses_a_region_with_its_watches
    asks_for_the_token
}

mod checks {
    use std::{sync::Arc, time::Duration};

    use dr_core::{
        model::Plane,
        testing::{Fault, FaultRule},
        time::timeout,
    };
    use dr_k8s::testing::{Cluster, Workload};
    use futures::StreamExt as _;
    use k8s_openapi::api::apps::v1::Deployment;
    use kube::{
        Api, Client, Config, Error,
        api::{ListParams, Patch, PatchParams, WatchParams},
    };
    use serde_json::json;

    use crate::double::world::{World, region};

    const SCALE: &str = "k8s:patch deployments/scale";

    fn api(w: &World) -> Api<Deployment> {
        Api::namespaced(w.client.clone(), "production")
    }

    fn deployed(w: &World) {
        w.cluster.deploy(&Workload::new("production", "cart"));
        w.cluster.finish_starting();
    }

    async fn scale(w: &World, replicas: i32) -> Result<(), Error> {
        let patch = json!({ "spec": { "replicas": replicas } });
        api(w).patch_scale("cart", &PatchParams::default(), &Patch::Merge(&patch)).await.map(drop)
    }

    fn effects(w: &World) -> usize {
        w.effects.count(SCALE, "production/cart")
    }

    /// Advances time whenever nothing else can run, until the future is done.
    async fn with_time<F: Future>(w: &World, future: F) -> F::Output {
        let mut future = std::pin::pin!(future);
        loop {
            tokio::select! {
                biased;
                output = &mut future => return output,
                () = async {
                    for _ in 0..50 {
                        tokio::task::yield_now().await;
                    }
                } => w.clock.advance(Duration::from_millis(200)),
            }
        }
    }

    pub(super) async fn refuses(w: World) {
        deployed(&w);
        w.faults.add(FaultRule::new(Fault::Refuse).on(SCALE).times(1));
        assert!(matches!(scale(&w, 3).await, Err(Error::Service(_) | Error::HyperError(_))));
        assert_eq!((effects(&w), w.cluster.replicas("production", "cart")), (0, 1));
        // Reads were not named, and the rule is spent.
        api(&w).get("cart").await.unwrap();
        scale(&w, 3).await.unwrap();
    }

    pub(super) async fn black_holes(w: World) {
        deployed(&w);
        w.faults.switch(&region(), Plane::Kubernetes, Some(Fault::BlackHole));
        let client = api(&w);
        let call = timeout(&w.clock, Duration::from_secs(10), client.get("cart"));
        assert!(with_time(&w, call).await.is_err(), "a black hole answered");
        let patch = json!({ "spec": { "replicas": 3 } });
        let params = PatchParams::default();
        let body = Patch::Merge(&patch);
        let call = timeout(&w.clock, Duration::from_secs(10), client.patch_scale("cart", &params, &body));
        assert!(with_time(&w, call).await.is_err());
        w.faults.switch(&region(), Plane::Kubernetes, None);
        assert_eq!((effects(&w), w.cluster.replicas("production", "cart")), (0, 1));
        api(&w).get("cart").await.unwrap();
    }

    pub(super) async fn slows_down(w: World) {
        deployed(&w);
        w.faults.add(FaultRule::new(Fault::slow(Duration::from_secs(5))).on(SCALE));
        let begun = dr_core::time::Clock::monotonic(&w.clock);
        with_time(&w, scale(&w, 3)).await.unwrap();
        assert!(dr_core::time::Clock::monotonic(&w.clock).since(begun) >= Duration::from_secs(5));
        assert_eq!(effects(&w), 1);
    }

    pub(super) async fn throttles(w: World) {
        deployed(&w);
        w.faults.add(FaultRule::new(Fault::Throttle).on("k8s:*").times(1));
        let Err(Error::Api(status)) = scale(&w, 3).await else { panic!("not throttled") };
        assert_eq!((status.code, status.reason.as_str()), (429, "TooManyRequests"));
        assert_eq!(status.details.map(|d| d.retry_after_seconds), Some(1));
        assert_eq!(effects(&w), 0);
    }

    pub(super) async fn fails(w: World) {
        deployed(&w);
        w.faults.add(FaultRule::new(Fault::ServerError).on(SCALE).times(1));
        let Err(Error::Api(status)) = scale(&w, 3).await else { panic!("did not fail") };
        assert_eq!((status.code, effects(&w)), (503, 0));
    }

    pub(super) async fn loses_the_reply(w: World) {
        deployed(&w);
        w.faults.add(FaultRule::new(Fault::ReplyLost).on(SCALE).times(1));
        assert!(matches!(scale(&w, 3).await, Err(Error::Service(_) | Error::HyperError(_))));
        assert_eq!((effects(&w), w.cluster.replicas("production", "cart")), (1, 3));
    }

    pub(super) async fn applies_and_never_answers(w: World) {
        deployed(&w);
        w.faults.add(FaultRule::new(Fault::NoReply).on(SCALE).times(1));
        let call = timeout(&w.clock, Duration::from_secs(10), scale(&w, 3));
        assert!(with_time(&w, call).await.is_err(), "an answer came");
        assert_eq!((effects(&w), w.cluster.replicas("production", "cart")), (1, 3));
    }

    pub(super) async fn applies_late(w: World) {
        deployed(&w);
        w.faults.add(FaultRule::new(Fault::late_apply(Duration::from_secs(20))).on(SCALE).times(1));
        assert!(scale(&w, 3).await.is_err());
        w.clock.advance(Duration::from_secs(19));
        assert_eq!((w.cluster.replicas("production", "cart"), effects(&w)), (1, 0));
        w.clock.advance(Duration::from_secs(1));
        assert_eq!((w.cluster.replicas("production", "cart"), effects(&w)), (3, 1));
    }

    pub(super) async fn reads_the_past(w: World) {
        deployed(&w);
        w.clock.advance(Duration::from_secs(60));
        scale(&w, 3).await.unwrap();
        w.clock.advance(Duration::from_secs(10));
        let rule = w.faults.add(FaultRule::new(Fault::stale_read(Duration::from_secs(30))));
        let replicas = |d: Deployment| d.spec.and_then(|s| s.replicas);
        assert_eq!(replicas(api(&w).get("cart").await.unwrap()), Some(1));
        let listed = api(&w).list(&ListParams::default()).await.unwrap().items.remove(0);
        assert_eq!(replicas(listed), Some(1));
        // Writes go to what is true now.
        scale(&w, 5).await.unwrap();
        w.faults.remove(rule);
        assert_eq!(replicas(api(&w).get("cart").await.unwrap()), Some(5));
    }

    pub(super) async fn loses_a_region_with_its_watches(w: World) {
        deployed(&w);
        let mut events = api(&w).watch(&WatchParams::default(), "0").await.unwrap().boxed();
        events.next().await.unwrap().unwrap();
        w.faults.switch(&region(), Plane::Kubernetes, Some(Fault::BlackHole));
        w.cluster.deploy(&Workload::new("production", "orders"));
        let silence = timeout(&w.clock, Duration::from_secs(30), events.next());
        assert!(with_time(&w, silence).await.is_err(), "an event came out of a black hole");
        w.faults.switch(&region(), Plane::Kubernetes, Some(Fault::Refuse));
        let end = with_time(&w, events.next()).await;
        assert!(end.is_none_or(|event| event.is_err()));
    }

    pub(super) async fn asks_for_the_token(w: World) {
        let cluster = Cluster::builder(region(), Arc::new(w.clock.clone()), w.faults.clone(), w.effects.clone())
            .token("s3cret")
            .build();
        let serving = cluster.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let mut config = Config::new(serving.url().parse().unwrap());
        config.default_retry = false;
        let denied = Client::try_from(config.clone()).unwrap().apiserver_version().await;
        assert!(matches!(denied, Err(Error::Api(status)) if status.code == 401));
        config.auth_info.token = Some("s3cret".to_owned().into());
        Client::try_from(config).unwrap().apiserver_version().await.unwrap();
    }
}
