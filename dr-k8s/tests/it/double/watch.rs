//! Watches: changes as they happen, their ends, and versions that have expired.

use super::world::over_both;

over_both! {
    tells_changes
    follows_a_selector
    sees_the_controllers_act
    ends_in_time_with_a_bookmark
    lists_and_watches_in_one
    has_expired
    waits_for_a_condition
}

mod checks {
    use std::time::Duration;

    use futures::{StreamExt as _, TryStreamExt as _};
    use k8s_openapi::api::{apps::v1::Deployment, core::v1::ConfigMap};
    use kube::{
        Api, ResourceExt as _,
        api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams},
    };
    use serde_json::json;

    use crate::double::world::World;
    use dr_k8s::testing::Workload;

    fn config_maps(w: &World) -> Api<ConfigMap> {
        Api::namespaced(w.client.clone(), "production")
    }

    fn named(name: &str) -> ConfigMap {
        serde_json::from_value(json!({ "metadata": { "name": name } })).unwrap()
    }

    fn short<K: kube::ResourceExt>(event: WatchEvent<K>) -> String {
        match event {
            WatchEvent::Added(o) => format!("added {}", o.name_any()),
            WatchEvent::Modified(o) => format!("modified {}", o.name_any()),
            WatchEvent::Deleted(o) => format!("deleted {}", o.name_any()),
            WatchEvent::Bookmark(_) => "bookmark".into(),
            WatchEvent::Error(e) => format!("error {}", e.code),
        }
    }

    pub(super) async fn tells_changes(w: World) {
        let api = config_maps(&w);
        api.create(&PostParams::default(), &named("a")).await.unwrap();
        let from = api.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
        let mut events = api.watch(&WatchParams::default(), &from).await.unwrap().boxed();
        api.create(&PostParams::default(), &named("b")).await.unwrap();
        assert_eq!(short(events.try_next().await.unwrap().unwrap()), "added b");
        let patch = json!({ "data": { "k": "v" } });
        api.patch("b", &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap();
        api.delete("a", &DeleteParams::default()).await.unwrap();
        assert_eq!(short(events.try_next().await.unwrap().unwrap()), "modified b");
        assert_eq!(short(events.try_next().await.unwrap().unwrap()), "deleted a");
    }

    pub(super) async fn follows_a_selector(w: World) {
        let api = config_maps(&w);
        api.create(&PostParams::default(), &named("a")).await.unwrap();
        let params = WatchParams::default().labels("on=yes");
        let mut events = api.watch(&params, "0").await.unwrap().boxed();
        for value in ["yes", "no"] {
            let patch = json!({ "metadata": { "labels": { "on": value } } });
            api.patch("a", &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap();
        }
        assert_eq!(short(events.try_next().await.unwrap().unwrap()), "added a");
        assert_eq!(short(events.try_next().await.unwrap().unwrap()), "deleted a");
    }

    pub(super) async fn sees_the_controllers_act(w: World) {
        w.cluster.deploy(&Workload::new("production", "cart").replicas(2));
        let api: Api<Deployment> = Api::namespaced(w.client.clone(), "production");
        let mut events = api.watch(&WatchParams::default(), "0").await.unwrap().boxed();
        let mut ready = 0;
        while ready < 2 {
            // Nothing but this test moves time on, and nobody but the watch looks at the cluster.
            let next = tokio::select! {
                biased;
                event = events.try_next() => event.unwrap().unwrap(),
                () = step(&w) => continue,
            };
            if let WatchEvent::Added(d) | WatchEvent::Modified(d) = next {
                ready = d.status.and_then(|s| s.ready_replicas).unwrap_or(0);
            }
        }
    }

    /// Lets whoever is ready run, then moves time on.
    async fn step(w: &World) {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        w.clock.advance(Duration::from_millis(500));
    }

    pub(super) async fn ends_in_time_with_a_bookmark(w: World) {
        let api = config_maps(&w);
        let params = WatchParams::default().timeout(90);
        let mut events = api.watch(&params, "0").await.unwrap().boxed();
        let mut seen = Vec::new();
        loop {
            let next = tokio::select! {
                biased;
                event = events.next() => event,
                () = step(&w) => continue,
            };
            match next {
                Some(event) => seen.push(short(event.unwrap())),
                None => break,
            }
        }
        assert_eq!(seen, ["bookmark", "bookmark"], "one after a minute, one at the end");
    }

    pub(super) async fn lists_and_watches_in_one(w: World) {
        let api = config_maps(&w);
        api.create(&PostParams::default(), &named("a")).await.unwrap();
        let params = WatchParams::default().initial_events();
        let mut events = api.watch(&params, "0").await.unwrap().boxed();
        assert_eq!(short(events.try_next().await.unwrap().unwrap()), "added a");
        let Some(WatchEvent::Bookmark(end)) = events.try_next().await.unwrap() else { panic!("no bookmark") };
        assert_eq!(end.metadata.annotations.get("k8s.io/initial-events-end").map(String::as_str), Some("true"));
    }

    pub(super) async fn has_expired(w: World) {
        let api = config_maps(&w);
        let from = api.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
        api.create(&PostParams::default(), &named("a")).await.unwrap();
        w.cluster.compact();
        let mut events = api.watch(&WatchParams::default(), &from).await.unwrap().boxed();
        assert_eq!(short(events.try_next().await.unwrap().unwrap()), "error 410");
        assert!(events.try_next().await.unwrap().is_none());
    }

    /// What `await_condition` and `kubectl wait` do: list, then watch until a predicate holds.
    pub(super) async fn waits_for_a_condition(w: World) {
        w.cluster.deploy(&Workload::new("production", "cart").replicas(3));
        let api: Api<Deployment> = Api::namespaced(w.client.clone(), "production");
        let available = |d: &Deployment| {
            let conditions = d.status.as_ref().and_then(|s| s.conditions.clone()).unwrap_or_default();
            conditions.iter().any(|c| c.type_ == "Available" && c.status == "True")
        };
        let before = api.get("cart").await.unwrap();
        assert!(!available(&before));
        let params = WatchParams::default().fields("metadata.name=cart");
        let mut events = api.watch(&params, &before.resource_version().unwrap()).await.unwrap().boxed();
        w.clock.advance(Duration::from_secs(20));
        loop {
            match events.try_next().await.unwrap() {
                Some(WatchEvent::Modified(d)) if available(&d) => break,
                Some(_) => {}
                None => panic!("the watch ended first"),
            }
        }
    }
}
