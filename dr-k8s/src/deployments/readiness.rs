//! When a workload can take its load, and what keeps it from ever getting there. Pure.

use k8s_openapi::api::{apps::v1::Deployment, core::v1::Pod};

/// Why a deployment cannot yet take the load of `wanted` replicas; nothing when it can.
///
/// All of this must hold, and each is there because of a way in which the others mislead: the controller has seen the
/// latest specification (until then the status is of the one before); the count asked for is high enough; every replica
/// is of the current template; enough are available; nothing keeps the controller from making them.
///
/// `enough` is `wanted`, or less in ungraceful mode. Then what keeps the rest from being made is not waited for.
pub(super) fn missing(deployment: &Deployment, wanted: i32, enough: i32) -> Option<String> {
    let status = deployment.status.as_ref();
    let asked = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let generation = deployment.metadata.generation.unwrap_or(0);
    let observed = status.and_then(|s| s.observed_generation).unwrap_or(0);
    let count = |field: Option<i32>| field.unwrap_or(0);
    let replicas = count(status.and_then(|s| s.replicas));
    let updated = count(status.and_then(|s| s.updated_replicas));
    let available = count(status.and_then(|s| s.available_replicas));
    let conditions = status.and_then(|s| s.conditions.as_ref()).into_iter().flatten();
    let failure = conditions.into_iter().find(|c| c.type_ == "ReplicaFailure" && c.status == "True");
    if enough < wanted {
        return if observed < generation {
            Some("the controller has not seen the change yet".to_owned())
        } else {
            let able = available.min(updated);
            (able < enough).then(|| format!("{able} of {wanted} replicas are available, {enough} are enough"))
        };
    }
    if let Some(failure) = failure {
        return Some(format!("replicas cannot be made: {}", failure.message.as_deref().unwrap_or("no reason given")));
    }
    if observed < generation {
        return Some("the controller has not seen the change yet".to_owned());
    }
    if asked < wanted {
        return Some(format!("{asked} replicas are asked for, {wanted} are wanted"));
    }
    if updated < replicas || updated < asked {
        return Some(format!("{updated} of {asked} replicas are of the current version"));
    }
    (available < wanted).then(|| format!("{available} of {wanted} replicas are available"))
}

/// How many replicas are available.
pub(super) fn available(deployment: &Deployment) -> i32 {
    deployment.status.as_ref().and_then(|s| s.available_replicas).unwrap_or(0)
}

/// How many pods nothing keeps from starting.
pub(super) fn hopeful(pods: &[Pod]) -> i32 {
    let able = pods.iter().filter(|pod| stuck(pod).is_none() && unschedulable(pod).is_none()).count();
    i32::try_from(able).unwrap_or(i32::MAX)
}

/// Something that keeps a pod from starting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// No node has room. A cluster autoscaler may be about to add one.
    Unschedulable { pod: String, message: String },
    /// Its container does not start, and the kubelet has begun to wait between tries.
    Stuck { pod: String, reason: String, message: String },
}

impl Obstacle {
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Unschedulable { pod, message } => format!("pod {pod} is Unschedulable: {message}"),
            Self::Stuck { pod, reason, message } => format!("pod {pod} is in {reason}: {message}"),
        }
    }
}

/// What keeps a pod from starting that time alone will not mend; what is surely hopeless comes first.
pub(super) fn obstacle(pods: &[Pod]) -> Option<Obstacle> {
    pods.iter().find_map(stuck).or_else(|| pods.iter().find_map(unschedulable))
}

fn name(pod: &Pod) -> String {
    pod.metadata.name.clone().unwrap_or_default()
}

fn stuck(pod: &Pod) -> Option<Obstacle> {
    let status = pod.status.as_ref()?;
    let all = status.container_statuses.iter().chain(&status.init_container_statuses).flatten();
    let waiting = all.filter_map(|c| c.state.as_ref()?.waiting.as_ref());
    waiting
        .filter_map(|w| Some((w.reason.as_deref()?, w.message.clone().unwrap_or_default())))
        .find(|(reason, _)| {
            matches!(
                *reason,
                "ImagePullBackOff" | "InvalidImageName" | "CrashLoopBackOff" | "CreateContainerConfigError"
            )
        })
        .map(|(reason, message)| Obstacle::Stuck { pod: name(pod), reason: reason.to_owned(), message })
}

fn unschedulable(pod: &Pod) -> Option<Obstacle> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let refused = conditions.iter().find(|c| c.type_ == "PodScheduled" && c.status == "False")?;
    (refused.reason.as_deref() == Some("Unschedulable"))
        .then(|| Obstacle::Unschedulable { pod: name(pod), message: refused.message.clone().unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn deployment(status: Value) -> Deployment {
        let mut object = json!({
            "metadata": { "generation": 2 },
            "spec": { "replicas": 4, "selector": {}, "template": {} },
        });
        object["status"] = status;
        serde_json::from_value(object).unwrap()
    }

    fn whole() -> Value {
        json!({ "observedGeneration": 2, "replicas": 4, "updatedReplicas": 4, "availableReplicas": 4 })
    }

    #[test]
    fn each_condition_is_needed() {
        assert_eq!(missing(&deployment(whole()), 4, 4), None);
        let broken = |field: &str, value: Value| {
            let mut status = whole();
            status[field] = value;
            missing(&deployment(status), 4, 4).unwrap_or_default()
        };
        assert_eq!(broken("observedGeneration", json!(1)), "the controller has not seen the change yet");
        assert_eq!(broken("updatedReplicas", json!(3)), "3 of 4 replicas are of the current version");
        assert_eq!(broken("replicas", json!(5)), "4 of 4 replicas are of the current version");
        assert_eq!(broken("availableReplicas", json!(3)), "3 of 4 replicas are available");
        let failure = json!([{ "type": "ReplicaFailure", "status": "True", "message": "exceeded quota" }]);
        assert_eq!(broken("conditions", failure), "replicas cannot be made: exceeded quota");
        assert_eq!(missing(&deployment(whole()), 5, 5).unwrap_or_default(), "4 replicas are asked for, 5 are wanted");
        // `Available=True` means only that no more than a quarter is missing.
        let mut misleading = whole();
        misleading["availableReplicas"] = json!(3);
        misleading["conditions"] = json!([{ "type": "Available", "status": "True" }]);
        assert!(missing(&deployment(misleading), 4, 4).is_some());
    }

    #[test]
    fn less_is_enough_when_it_is_said_to_be() {
        let mut status = whole();
        status["availableReplicas"] = json!(3);
        status["conditions"] = json!([{ "type": "ReplicaFailure", "status": "True", "message": "exceeded quota" }]);
        assert_eq!(missing(&deployment(status.clone()), 4, 3), None, "what keeps the fourth away is not waited for");
        assert_eq!(missing(&deployment(status.clone()), 4, 0), None);
        status["updatedReplicas"] = json!(2);
        let told = missing(&deployment(status.clone()), 4, 3).unwrap_or_default();
        assert_eq!(told, "2 of 4 replicas are available, 3 are enough", "replicas of an old version do not count");
        status["observedGeneration"] = json!(1);
        assert!(missing(&deployment(status), 4, 0).is_some(), "the status is of the specification before");
    }

    #[test]
    fn names_what_keeps_pods_from_starting() {
        let pod = |status: Value| -> Pod {
            serde_json::from_value(json!({ "metadata": { "name": "cart-1" }, "status": status })).unwrap()
        };
        let condition =
            json!({ "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3" });
        let homeless = pod(json!({ "conditions": [condition] }));
        let waiting = |reason: &str| {
            let state = json!({ "waiting": { "reason": reason, "message": "m" } });
            let container =
                json!({ "name": "c", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state });
            pod(json!({ "containerStatuses": [container] }))
        };
        assert_eq!(obstacle(&[waiting("ContainerCreating")]), None);
        let found = obstacle(&[homeless.clone(), waiting("ImagePullBackOff")]).map(|o| o.describe());
        assert_eq!(found.as_deref(), Some("pod cart-1 is in ImagePullBackOff: m"));
        let found = obstacle(&[homeless]).map(|o| o.describe());
        assert_eq!(found.as_deref(), Some("pod cart-1 is Unschedulable: 0/3"));
    }
}
