//! Create, read, update, patch, delete; conflicts, selectors, pages, subresources.

use super::world::over_both;

over_both! {
    creates_with_identity
    refuses_to_create_twice
    refuses_a_stale_update
    counts_generations
    keeps_status_apart
    custom_resources_without_status
    custom_resources_with_status
    patches_in_four_ways
    applies_by_owner
    selects
    pages
    scales
    deletes
    cascades
    finalizes
    runs_dry
    holds_a_lease_by_version
    names_what_it_does_not_serve
    discovers
    counts_effects
}

mod checks {
    use k8s_openapi::{
        api::{
            apps::v1::{Deployment, ReplicaSet, StatefulSet},
            coordination::v1::Lease,
            core::v1::{ConfigMap, Namespace, Pod},
        },
        apimachinery::pkg::apis::meta::v1::ObjectMeta,
    };
    use kube::{
        Api, Error, ResourceExt,
        api::{
            ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams, PostParams,
            Preconditions, PropagationPolicy,
        },
    };
    use serde_json::{Value, json};

    use crate::double::world::World;
    use dr_k8s::testing::Workload;

    fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> u16 {
        match result {
            Err(Error::Api(status)) => status.code,
            other => panic!("expected a refusal, got {other:?}"),
        }
    }

    fn config_map(name: &str, data: Value) -> ConfigMap {
        serde_json::from_value(json!({ "metadata": { "name": name }, "data": data })).unwrap()
    }

    fn config_maps(w: &World) -> Api<ConfigMap> {
        Api::namespaced(w.client.clone(), "production")
    }

    fn deployments(w: &World) -> Api<Deployment> {
        Api::namespaced(w.client.clone(), "production")
    }

    fn custom(w: &World, group: &str, version: &str, kind: &str, plural: &str) -> Api<DynamicObject> {
        let resource = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural);
        Api::namespaced_with(w.client.clone(), "production", &resource)
    }

    pub(super) async fn creates_with_identity(w: World) {
        let api = config_maps(&w);
        let made = api.create(&PostParams::default(), &config_map("a", json!({ "k": "v" }))).await.unwrap();
        assert!(made.uid().is_some_and(|uid| uid.len() == 36));
        assert!(made.resource_version().is_some_and(|v| v.parse::<u64>().is_ok()));
        assert!(made.creation_timestamp().is_some());
        assert_eq!(made.namespace().as_deref(), Some("production"));
        assert_eq!(api.get("a").await.unwrap(), made);

        let generated = ConfigMap {
            metadata: ObjectMeta { generate_name: Some("job-".into()), ..ObjectMeta::default() },
            ..ConfigMap::default()
        };
        let one = api.create(&PostParams::default(), &generated).await.unwrap().name_any();
        let two = api.create(&PostParams::default(), &generated).await.unwrap().name_any();
        assert!(one.starts_with("job-") && one != two);

        assert_eq!(code(api.get("absent").await), 404);
        assert_eq!(api.get_opt("absent").await.unwrap(), None);
        let elsewhere: Api<ConfigMap> = Api::namespaced(w.client.clone(), "no-such-namespace");
        assert_eq!(code(elsewhere.create(&PostParams::default(), &config_map("a", json!({}))).await), 404);
    }

    pub(super) async fn refuses_to_create_twice(w: World) {
        let api = config_maps(&w);
        api.create(&PostParams::default(), &config_map("a", json!({}))).await.unwrap();
        let Err(Error::Api(status)) = api.create(&PostParams::default(), &config_map("a", json!({}))).await else {
            panic!("created twice");
        };
        assert_eq!((status.code, status.reason.as_str()), (409, "AlreadyExists"));
        assert_eq!(status.message, "configmaps \"a\" already exists");
    }

    pub(super) async fn refuses_a_stale_update(w: World) {
        let api = config_maps(&w);
        let first = api.create(&PostParams::default(), &config_map("a", json!({ "k": "1" }))).await.unwrap();
        let mut mine = first.clone();
        mine.data.get_or_insert_default().insert("k".into(), "2".into());
        let second = api.replace("a", &PostParams::default(), &mine).await.unwrap();
        assert_ne!(second.resource_version(), first.resource_version());
        let Err(Error::Api(status)) = api.replace("a", &PostParams::default(), &mine).await else {
            panic!("a stale update was taken");
        };
        assert_eq!((status.code, status.reason.as_str()), (409, "Conflict"));

        // A patch that names a version is held to it too.
        let stale = json!({ "metadata": { "resourceVersion": first.resource_version() }, "data": { "k": "3" } });
        assert_eq!(code(api.patch("a", &PatchParams::default(), &Patch::Merge(&stale)).await), 409);
        // An update that changes nothing is no change.
        let same = api.replace("a", &PostParams::default(), &second).await.unwrap();
        assert_eq!(same.resource_version(), second.resource_version());
    }

    pub(super) async fn counts_generations(w: World) {
        w.cluster.deploy(&Workload::new("production", "cart"));
        let api = deployments(&w);
        assert_eq!(api.get("cart").await.unwrap().metadata.generation, Some(1));
        let label = json!({ "metadata": { "labels": { "x": "y" } } });
        let labelled = api.patch("cart", &PatchParams::default(), &Patch::Merge(&label)).await.unwrap();
        assert_eq!(labelled.metadata.generation, Some(1));
        let replicas = json!({ "spec": { "replicas": 2 } });
        let scaled = api.patch("cart", &PatchParams::default(), &Patch::Merge(&replicas)).await.unwrap();
        assert_eq!(scaled.metadata.generation, Some(2));
    }

    pub(super) async fn keeps_status_apart(w: World) {
        w.cluster.deploy(&Workload::new("production", "cart"));
        let api = deployments(&w);
        let both = json!({ "spec": { "replicas": 7 }, "status": { "replicas": 70 } });
        let main = api.patch("cart", &PatchParams::default(), &Patch::Merge(&both)).await.unwrap();
        assert_eq!(main.spec.and_then(|s| s.replicas), Some(7));
        assert_ne!(main.status.and_then(|s| s.replicas), Some(70));
        let both = json!({ "spec": { "replicas": 9 }, "status": { "collisionCount": 3 } });
        let status = api.patch_status("cart", &PatchParams::default(), &Patch::Merge(&both)).await.unwrap();
        assert_eq!(status.spec.and_then(|s| s.replicas), Some(7));
        assert_eq!(status.status.and_then(|s| s.collision_count), Some(3));
        assert_eq!(status.metadata.generation, Some(2));
    }

    pub(super) async fn custom_resources_without_status(w: World) {
        let api = custom(&w, "velero.io", "v1", "Backup", "backups");
        let backup = json!({
            "apiVersion": "velero.io/v1", "kind": "Backup", "metadata": { "name": "b" },
            "spec": { "ttl": "720h" }, "status": { "phase": "New" },
        });
        let made = api.create(&PostParams::default(), &serde_json::from_value(backup).unwrap()).await.unwrap();
        // Nothing keeps the status out, and nothing serves it alone.
        assert_eq!(made.data.pointer("/status/phase"), Some(&json!("New")));
        let phase = |p: &str| json!({ "status": { "phase": p } });
        let params = PatchParams::default();
        assert_eq!(code(api.patch_status("b", &params, &Patch::Merge(&phase("Completed"))).await), 404);
        let done = api.patch("b", &params, &Patch::Merge(&phase("Completed"))).await.unwrap();
        assert_eq!(
            (done.data.pointer("/status/phase"), done.metadata.generation),
            (Some(&json!("Completed")), Some(2))
        );
        assert_eq!(code(api.patch("b", &params, &Patch::Merge(&phase("Done"))).await), 422);
        assert_eq!(code(api.patch("b", &params, &Patch::Strategic(&phase("Failed"))).await), 415);
        // A custom resource cannot be updated without saying which version of it.
        let mut blind = done.clone();
        blind.metadata.resource_version = None;
        assert_eq!(code(api.replace("b", &PostParams::default(), &blind).await), 422);
    }

    pub(super) async fn custom_resources_with_status(w: World) {
        let api = custom(&w, "keda.sh", "v1alpha1", "ScaledObject", "scaledobjects");
        let object = json!({
            "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": { "name": "cart" },
            "spec": { "minReplicaCount": 1 }, "status": { "phase": "x" },
        });
        let made = api.create(&PostParams::default(), &serde_json::from_value(object).unwrap()).await.unwrap();
        assert_eq!(made.data.get("status"), None);
        let phase = json!({ "status": { "phase": "y" } });
        let patched = api.patch_status("cart", &PatchParams::default(), &Patch::Merge(&phase)).await.unwrap();
        assert_eq!(patched.data.pointer("/status/phase"), Some(&json!("y")));
        assert_eq!(patched.metadata.generation, Some(1));
    }

    pub(super) async fn patches_in_four_ways(w: World) {
        w.cluster.deploy(&Workload::new("production", "cart").image("cart:1"));
        let api = deployments(&w);
        let image = |d: &Deployment| {
            let pod = d.spec.clone().unwrap().template.spec.unwrap();
            (pod.containers.len(), pod.containers[0].image.clone().unwrap())
        };
        let containers = |name: &str, image: &str| json!({ "spec": { "template": { "spec": { "containers": [{ "name": name, "image": image }] } } } });
        let params = PatchParams::default();
        let strategic = containers("cart", "cart:2");
        let d = api.patch("cart", &params, &Patch::Strategic(&strategic)).await.unwrap();
        assert_eq!(image(&d), (1, "cart:2".into()));
        let d = api.patch("cart", &params, &Patch::Strategic(&containers("proxy", "p:1"))).await.unwrap();
        assert_eq!(image(&d).0, 2);
        // A merge patch knows no keys: the list is replaced.
        let d = api.patch("cart", &params, &Patch::Merge(&containers("cart", "cart:3"))).await.unwrap();
        assert_eq!(image(&d), (1, "cart:3".into()));
        let json_patch = json!([
            { "op": "test", "path": "/spec/template/spec/containers/0/image", "value": "cart:3" },
            { "op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "cart:4" },
        ]);
        let d = raw_patch(&w, "application/json-patch+json", &json_patch).await.unwrap();
        assert_eq!(image(&d), (1, "cart:4".into()));
        // The same once more: its test no longer holds, and nothing of it is done.
        assert_eq!(code(raw_patch(&w, "application/json-patch+json", &json_patch).await), 422);
        assert_eq!(code(raw_patch(&w, "application/unheard-of+json", &json!({})).await), 415);
        let bad = json!({ "spec": { "replicas": "three" } });
        assert_eq!(code(api.patch("cart", &params, &Patch::Merge(&bad)).await), 400);
        let immutable = json!({ "spec": { "selector": { "matchLabels": { "tier": "x" } } } });
        assert_eq!(code(api.patch("cart", &params, &Patch::Merge(&immutable)).await), 422);
    }

    async fn raw_patch(w: &World, media: &str, body: &Value) -> Result<Deployment, Error> {
        let request = http::Request::patch("/apis/apps/v1/namespaces/production/deployments/cart")
            .header("content-type", media)
            .body(body.to_string().into_bytes())
            .unwrap();
        w.client.request(request).await
    }

    pub(super) async fn applies_by_owner(w: World) {
        let api = deployments(&w);
        let config = |replicas: i64, image: &str| {
            json!({
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "cart" },
                "spec": {
                    "replicas": replicas, "selector": { "matchLabels": { "app": "cart" } },
                    "template": {
                        "metadata": { "labels": { "app": "cart" } },
                        "spec": { "containers": [{ "name": "cart", "image": image }] },
                    },
                },
            })
        };
        let gitops = PatchParams::apply("gitops");
        let made = api.patch("cart", &gitops, &Patch::Apply(&config(2, "cart:1"))).await.unwrap();
        assert!(made.uid().is_some());
        let again = api.patch("cart", &gitops, &Patch::Apply(&config(2, "cart:1"))).await.unwrap();
        assert_eq!(again.resource_version(), made.resource_version());

        let only_replicas = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "cart" }, "spec": { "replicas": 5 },
        });
        let Err(Error::Api(status)) =
            api.patch("cart", &PatchParams::apply("failover"), &Patch::Apply(&only_replicas)).await
        else {
            panic!("a field of another owner was taken");
        };
        assert_eq!(status.code, 409);
        assert!(status.message.contains("conflict with \"gitops\": .spec.replicas"), "{}", status.message);
        let forced = PatchParams::apply("failover").force();
        let taken = api.patch("cart", &forced, &Patch::Apply(&only_replicas)).await.unwrap();
        assert_eq!(taken.spec.and_then(|s| s.replicas), Some(5));
        assert_eq!(code(api.patch("cart", &gitops, &Patch::Apply(&config(2, "cart:1"))).await), 409);

        // A manager that stops applying a field leaves it to those who still do.
        let mut without = config(0, "cart:2");
        without.pointer_mut("/spec").and_then(Value::as_object_mut).map(|s| s.remove("replicas"));
        let left = api.patch("cart", &gitops, &Patch::Apply(&without)).await.unwrap();
        assert_eq!(left.spec.and_then(|s| s.replicas), Some(5));
    }

    pub(super) async fn selects(w: World) {
        for (name, tier) in [("cart", "web"), ("orders", "web"), ("ledger", "batch")] {
            w.cluster.deploy(&Workload::new("production", name).label("tier", tier));
        }
        w.cluster.deploy(&Workload::new("staging", "cart").label("tier", "web"));
        let names =
            |list: kube::core::ObjectList<Deployment>| list.items.iter().map(ResourceExt::name_any).collect::<Vec<_>>();
        let api = deployments(&w);
        assert_eq!(names(api.list(&ListParams::default()).await.unwrap()), ["cart", "ledger", "orders"]);
        assert_eq!(names(api.list(&ListParams::default().labels("tier=web")).await.unwrap()), ["cart", "orders"]);
        let set = ListParams::default().labels("tier notin (web),app");
        assert_eq!(names(api.list(&set).await.unwrap()), ["ledger"]);
        let field = ListParams::default().fields("metadata.name=orders");
        assert_eq!(names(api.list(&field).await.unwrap()), ["orders"]);
        let all: Api<Deployment> = Api::all(w.client.clone());
        assert_eq!(all.list(&ListParams::default()).await.unwrap().items.len(), 4);
        assert_eq!(code(api.list(&ListParams::default().fields("spec.replicas=1")).await), 400);
        assert_eq!(code(api.list(&ListParams::default().labels("tier in web")).await), 400);
    }

    pub(super) async fn pages(w: World) {
        let api = config_maps(&w);
        for n in 0..5 {
            api.create(&PostParams::default(), &config_map(&format!("c{n}"), json!({}))).await.unwrap();
        }
        let first = api.list(&ListParams::default().limit(2)).await.unwrap();
        assert_eq!((first.items.len(), first.metadata.remaining_item_count), (2, Some(3)));
        let token = first.metadata.continue_.clone().unwrap();
        // Changes after the first page do not show on the pages that follow it.
        api.delete("c3", &DeleteParams::default()).await.unwrap();
        api.create(&PostParams::default(), &config_map("c9", json!({}))).await.unwrap();
        let second = api.list(&ListParams::default().limit(2).continue_token(&token)).await.unwrap();
        let names: Vec<String> = second.items.iter().map(ResourceExt::name_any).collect();
        assert_eq!(names, ["c2", "c3"]);
        let token = second.metadata.continue_.clone().unwrap();
        let third = api.list(&ListParams::default().limit(2).continue_token(&token)).await.unwrap();
        assert_eq!((third.items.len(), third.metadata.continue_), (1, None));
        w.cluster.compact();
        assert_eq!(code(api.list(&ListParams::default().limit(2).continue_token(&token)).await), 410);
        assert_eq!(code(api.list(&ListParams::default().continue_token("garbage")).await), 400);
    }

    pub(super) async fn scales(w: World) {
        w.cluster.deploy(&Workload::new("production", "cart").replicas(2));
        let api = deployments(&w);
        let scale = api.get_scale("cart").await.unwrap();
        assert_eq!(scale.spec.clone().and_then(|s| s.replicas), Some(2));
        let patch = json!({ "spec": { "replicas": 4 } });
        let scale = api.patch_scale("cart", &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap();
        assert_eq!(scale.spec.clone().and_then(|s| s.replicas), Some(4));
        let deployment = api.get("cart").await.unwrap();
        assert_eq!(deployment.metadata.generation, Some(2));
        assert_eq!(deployment.spec.and_then(|s| s.replicas), Some(4));
        // The controller writes status in between, so a scale that was read before is stale.
        w.clock.advance(std::time::Duration::from_secs(30));
        assert_eq!(code(api.replace_scale("cart", &PostParams::default(), &scale).await), 409);
        let mut fresh = api.get_scale("cart").await.unwrap();
        assert_eq!(fresh.status.clone().map(|s| s.replicas), Some(4));
        fresh.spec.as_mut().unwrap().replicas = Some(1);
        api.replace_scale("cart", &PostParams::default(), &fresh).await.unwrap();
        assert_eq!(w.cluster.replicas("production", "cart"), 1);
        let below = json!({ "spec": { "replicas": -1 } });
        assert_eq!(code(api.patch_scale("cart", &PatchParams::default(), &Patch::Merge(&below)).await), 422);
        let none = config_maps(&w);
        none.create(&PostParams::default(), &config_map("a", json!({}))).await.unwrap();
        assert_eq!(code(none.get_scale("a").await), 404);
    }

    pub(super) async fn deletes(w: World) {
        let api = config_maps(&w);
        let made = api.create(&PostParams::default(), &config_map("a", json!({}))).await.unwrap();
        let only = |uid: Option<String>| DeleteParams {
            preconditions: Some(Preconditions { uid, resource_version: None }),
            ..DeleteParams::default()
        };
        let wrong = only(Some("other".into()));
        assert_eq!(code(api.delete("a", &wrong).await), 409);
        let right = only(made.uid());
        assert!(api.delete("a", &right).await.unwrap().right().is_some_and(|status| status.is_success()));
        assert_eq!(code(api.delete("a", &DeleteParams::default()).await), 404);
        for name in ["x", "y"] {
            api.create(&PostParams::default(), &config_map(name, json!({}))).await.unwrap();
        }
        let only_x = ListParams::default().fields("metadata.name=x");
        api.delete_collection(&DeleteParams::default(), &only_x).await.unwrap();
        assert_eq!(api.list(&ListParams::default()).await.unwrap().items.len(), 1);
    }

    pub(super) async fn cascades(w: World) {
        w.cluster.deploy(&Workload::new("production", "cart").replicas(2));
        w.cluster.deploy(&Workload::new("production", "orders").replicas(2));
        w.cluster.finish_starting();
        let pods: Api<Pod> = Api::namespaced(w.client.clone(), "production");
        assert_eq!(pods.list(&ListParams::default()).await.unwrap().items.len(), 4);
        deployments(&w).delete("cart", &DeleteParams::background()).await.unwrap();
        assert_eq!(pods.list(&ListParams::default()).await.unwrap().items.len(), 2);
        let orphan = DeleteParams { propagation_policy: Some(PropagationPolicy::Orphan), ..DeleteParams::default() };
        deployments(&w).delete("orders", &orphan).await.unwrap();
        let sets: Api<ReplicaSet> = Api::namespaced(w.client.clone(), "production");
        let left = sets.list(&ListParams::default()).await.unwrap().items;
        assert_eq!((left.len(), left[0].owner_references().len()), (1, 0));
        let namespaces: Api<Namespace> = Api::all(w.client.clone());
        namespaces.delete("production", &DeleteParams::default()).await.unwrap();
        assert!(pods.list(&ListParams::default()).await.unwrap().items.is_empty());
    }

    pub(super) async fn finalizes(w: World) {
        let api = config_maps(&w);
        let mut held = config_map("a", json!({}));
        held.metadata.finalizers = Some(vec!["example.com/hold".into()]);
        api.create(&PostParams::default(), &held).await.unwrap();
        api.delete("a", &DeleteParams::default()).await.unwrap();
        assert!(api.get("a").await.unwrap().metadata.deletion_timestamp.is_some());
        let free = json!({ "metadata": { "finalizers": [] } });
        api.patch("a", &PatchParams::default(), &Patch::Merge(&free)).await.unwrap();
        assert_eq!(api.get_opt("a").await.unwrap(), None);
    }

    pub(super) async fn runs_dry(w: World) {
        let api = config_maps(&w);
        let dry = PostParams { dry_run: true, ..PostParams::default() };
        api.create(&dry, &config_map("a", json!({}))).await.unwrap();
        assert_eq!(api.get_opt("a").await.unwrap(), None);
        w.cluster.deploy(&Workload::new("production", "cart"));
        let replicas = json!({ "spec": { "replicas": 9 } });
        let params = PatchParams { dry_run: true, ..PatchParams::default() };
        let would = deployments(&w).patch("cart", &params, &Patch::Merge(&replicas)).await.unwrap();
        assert_eq!(would.spec.and_then(|s| s.replicas), Some(9));
        assert_eq!(w.cluster.replicas("production", "cart"), 1);
        assert_eq!(w.effects.all(), []);
    }

    pub(super) async fn holds_a_lease_by_version(w: World) {
        let api: Api<Lease> = Api::namespaced(w.client.clone(), "production");
        let lease: Lease = serde_json::from_value(json!({
            "metadata": { "name": "run" },
            "spec": { "holderIdentity": "a", "renewTime": "2026-01-01T00:00:00.000000Z", "leaseTransitions": 1 },
        }))
        .unwrap();
        let mine = api.create(&PostParams::default(), &lease).await.unwrap();
        let mut theirs = mine.clone();
        theirs.spec.as_mut().unwrap().holder_identity = Some("b".into());
        api.replace("run", &PostParams::default(), &theirs).await.unwrap();
        assert_eq!(code(api.replace("run", &PostParams::default(), &mine).await), 409);
        let mut blind = mine.clone();
        blind.metadata.resource_version = None;
        assert_eq!(code(api.replace("run", &PostParams::default(), &blind).await), 422);
    }

    pub(super) async fn names_what_it_does_not_serve(w: World) {
        let api: Api<StatefulSet> = Api::namespaced(w.client.clone(), "production");
        let Err(Error::Api(status)) = api.list(&ListParams::default()).await else { panic!("served") };
        assert_eq!((status.code, status.reason.as_str()), (404, "NotFound"));
        assert!(status.message.contains("get /apis/apps/v1/namespaces/production/statefulsets"), "{}", status.message);
        let evict = http::Request::post("/api/v1/namespaces/production/pods/a/eviction").body(b"{}".to_vec()).unwrap();
        let Err(Error::Api(status)) = w.client.request::<Value>(evict).await else { panic!("served") };
        assert!(status.message.contains("create /api/v1/namespaces/production/pods/a/eviction"), "{}", status.message);
        let nowhere = http::Request::post("/apis/apps/v1/deployments").body(b"{}".to_vec()).unwrap();
        assert_eq!(code(w.client.request::<Value>(nowhere).await), 405);
    }

    pub(super) async fn discovers(w: World) {
        assert_eq!(w.client.apiserver_version().await.unwrap().major, "1");
        let groups = w.client.list_api_groups().await.unwrap();
        assert!(groups.groups.iter().any(|g| g.name == "autoscaling"));
        let resources = w.client.list_api_group_resources("apps/v1").await.unwrap();
        let scale = resources.resources.iter().find(|r| r.name == "deployments/scale").unwrap();
        assert_eq!((scale.kind.as_str(), scale.group.as_deref()), ("Scale", Some("autoscaling")));
        let core = w.client.list_core_api_resources("v1").await.unwrap();
        assert!(core.resources.iter().any(|r| r.name == "pods" && r.namespaced));
        let health = http::Request::get("/readyz").body(Vec::new()).unwrap();
        assert_eq!(w.client.request_text(health).await.unwrap(), "ok");
        let discovery = kube::Discovery::new(w.client.clone()).run().await.unwrap();
        assert!(discovery.has_group("velero.io"));
    }

    pub(super) async fn counts_effects(w: World) {
        w.cluster.deploy(&Workload::new("production", "cart"));
        w.cluster.hpa("production", "cart", 1, 4);
        let replicas = json!({ "spec": { "replicas": 3 } });
        let api = deployments(&w);
        api.patch_scale("cart", &PatchParams::default(), &Patch::Merge(&replicas)).await.unwrap();
        let hpas: Api<k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler> =
            Api::namespaced(w.client.clone(), "production");
        let bounds = json!({ "spec": { "minReplicas": 3 } });
        // Every accepted write counts, also one that changes nothing: doing a thing twice must show.
        for _ in 0..2 {
            hpas.patch("cart", &PatchParams::default(), &Patch::Merge(&bounds)).await.unwrap();
        }
        let refused = json!({ "spec": { "minReplicas": 30 } });
        assert_eq!(code(hpas.patch("cart", &PatchParams::default(), &Patch::Merge(&refused)).await), 422);
        let count = |operation: &str| w.effects.count(operation, "production/cart");
        assert_eq!(count("k8s:patch deployments/scale"), 1);
        assert_eq!(count("k8s:patch horizontalpodautoscalers"), 2);
        // What the controllers do nobody asked for.
        w.clock.advance(std::time::Duration::from_secs(60));
        assert_eq!(w.cluster.ready_replicas("production", "cart"), 3);
        assert_eq!(w.effects.all().len(), 3);
    }
}
