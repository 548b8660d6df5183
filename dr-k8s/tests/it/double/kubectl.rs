//! kubectl as a foreign client: an unmodified program that knows nothing of this project.
//!
//! Runs where `DR_FOREIGN_KUBECTL` names the program (`cargo xtask test` sets it), and says so where it does not.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    sync::Arc,
};

use dr_core::{
    testing::{EffectLog, FaultBoard},
    time::ScaledClock,
};
use dr_k8s::testing::{Cluster, Serving, Workload};

use super::world::region;

struct Kubectl {
    program: std::ffi::OsString,
    home: tempfile::TempDir,
}

impl Kubectl {
    fn new(serving: &Serving) -> Option<Self> {
        let Some(program) = std::env::var_os("DR_FOREIGN_KUBECTL") else {
            eprintln!("skipped: DR_FOREIGN_KUBECTL does not name a kubectl");
            return None;
        };
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("config"), serving.kubeconfig()).unwrap();
        Some(Self { program, home })
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments.split(' '))
            .env_clear()
            .env("HOME", self.home.path())
            .env("KUBECONFIG", self.home.path().join("config"));
        command
    }

    async fn try_run(&self, arguments: &str) -> Result<String, String> {
        let mut command = self.command(arguments);
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    async fn run(&self, arguments: &str) -> String {
        self.try_run(arguments).await.unwrap_or_else(|e| panic!("kubectl {arguments}: {e}"))
    }
}

fn cluster() -> (Cluster, EffectLog) {
    let (clock, effects) = (ScaledClock::new(20.0), EffectLog::new());
    let cluster = Cluster::builder(region(), Arc::new(clock), FaultBoard::new(), effects.clone()).build();
    for name in ["cart", "orders"] {
        cluster.deploy(&Workload::new("production", name).replicas(1).image(format!("shop/{name}:1")));
    }
    cluster.hpa("production", "cart", 1, 5);
    cluster.finish_starting();
    (cluster, effects)
}

#[tokio::test]
async fn kubectl_reads() {
    let (cluster, ..) = cluster();
    let serving = cluster.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let Some(kubectl) = Kubectl::new(&serving) else { return };
    let version = kubectl.run("version").await;
    assert!(version.contains("Server Version: v1.36"), "{version}");
    let table = kubectl.run("get deployments -n production").await;
    let words: Vec<&str> = table.split_whitespace().collect();
    assert_eq!(&words[..9], ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE", "cart", "1/1", "1", "1"], "{table}");
    assert!(kubectl.run("get hpa -n production").await.contains("Deployment/cart"));
    assert!(kubectl.run("get pods -A -o wide").await.contains("Running"));
    assert!(kubectl.run("get nodes").await.contains("node-1"));
    assert!(kubectl.run("get backups.velero.io -A").await.is_empty());
    assert!(kubectl.run("api-resources").await.contains("horizontalpodautoscalers"));
    let replicas = kubectl.run("get deploy cart -n production -o jsonpath={.status.readyReplicas}").await;
    assert_eq!(replicas, "1");
    let described = kubectl.run("describe deployment cart -n production").await;
    assert!(described.contains("1 desired | 1 updated | 1 total | 1 available"), "{described}");
    let missing = kubectl.try_run("get deployment absent -n production").await.unwrap_err();
    assert_eq!(missing.trim(), "Error from server (NotFound): deployments.apps \"absent\" not found");
}

#[tokio::test]
async fn kubectl_scales_and_waits() {
    let (cluster, effects) = cluster();
    let serving = cluster.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let Some(kubectl) = Kubectl::new(&serving) else { return };
    kubectl.run("patch hpa cart -n production -p {\"spec\":{\"minReplicas\":3}}").await;
    assert_eq!(effects.count("k8s:patch horizontalpodautoscalers", "production/cart"), 1);
    kubectl.run("scale deployment orders -n production --replicas=2").await;
    assert_eq!(effects.count("k8s:patch deployments/scale", "production/orders"), 1);
    // Conditional on the count, kubectl reads and then updates at that version.
    kubectl.run("scale deployment orders -n production --replicas=3 --current-replicas=2").await;
    assert!(kubectl.try_run("scale deployment orders -n production --replicas=9 --current-replicas=1").await.is_err());
    for name in ["cart", "orders"] {
        kubectl
            .run(&format!(
                "wait deployment/{name} -n production --for=jsonpath={{.status.readyReplicas}}=3 --timeout=120s"
            ))
            .await;
        assert_eq!(cluster.ready_replicas("production", name), 3);
        kubectl.run(&format!("wait deployment/{name} -n production --for=condition=Available --timeout=120s")).await;
    }
    kubectl.run("set image deployment/cart cart=shop/cart:2 -n production").await;
    let rollout = kubectl.run("rollout status deployment/cart -n production --timeout=120s").await;
    assert!(rollout.contains("successfully rolled out"), "{rollout}");
}

#[tokio::test]
async fn kubectl_applies_and_deletes() {
    let (cluster, ..) = cluster();
    let serving = cluster.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let Some(kubectl) = Kubectl::new(&serving) else { return };
    let manifest = kubectl.home.path().join("manifest.yaml");
    let write = |colour: &str| {
        let text = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  namespace: production\ndata:\n  colour: {colour}\n"
        );
        std::fs::write(&manifest, text).unwrap();
    };
    let colour = || {
        let object = cluster.object("configmaps", "production", "settings");
        object.and_then(|o| o.pointer("/data/colour").and_then(|c| c.as_str().map(str::to_owned)))
    };
    let file = manifest.display();
    write("green");
    assert!(kubectl.run(&format!("apply -f {file} --validate=false")).await.contains("created"));
    write("blue");
    assert!(kubectl.run(&format!("apply -f {file} --validate=false")).await.contains("configured"));
    assert_eq!(colour().as_deref(), Some("blue"));
    assert!(kubectl.run(&format!("apply -f {file} --validate=false")).await.contains("unchanged"));
    write("red");
    kubectl.run(&format!("apply -f {file} --validate=false --server-side --force-conflicts")).await;
    assert_eq!(colour().as_deref(), Some("red"));
    kubectl.run("label configmap settings -n production tier=web").await;
    assert!(kubectl.run("get cm -n production -l tier=web -o name").await.contains("configmap/settings"));
    kubectl.run("delete configmap settings -n production --timeout=30s").await;
    assert_eq!(colour(), None);
}

#[tokio::test]
async fn kubectl_watches() {
    let (cluster, ..) = cluster();
    let serving = cluster.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let Some(kubectl) = Kubectl::new(&serving) else { return };
    let mut command = kubectl.command("get deployment cart -n production -w --request-timeout=120s");
    let mut watching = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let (seen, heard) = tokio::sync::oneshot::channel();
    let reading = tokio::task::spawn_blocking(move || {
        let mut lines = lines.map(Result::unwrap);
        // The header, and the deployment as it is: from here on kubectl watches.
        let first: Vec<String> = lines.by_ref().take(2).collect();
        seen.send(()).unwrap();
        (first.join(" "), lines.any(|line| line.contains("4/4")))
    });
    heard.await.unwrap();
    cluster.hpa("production", "cart", 4, 5);
    let (first, grew) = reading.await.unwrap();
    watching.kill().unwrap();
    watching.wait().unwrap();
    assert!(first.contains("1/1") && grew, "{first}");
}
