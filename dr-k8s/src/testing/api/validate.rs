//! Defaults and rules of the kinds that the double knows more of than their names.

use k8s_openapi::{
    api::{
        apps::v1::{Deployment, ReplicaSet},
        autoscaling::v2::HorizontalPodAutoscaler,
        coordination::v1::Lease,
        core::v1::{ConfigMap, Namespace, Node, Pod, Secret, Service},
    },
    serde::de::DeserializeOwned,
};
use serde_json::{Value, json};

use super::ApiError;
use crate::testing::{catalog::ResourceType, object};

/// Fills in what the server fills in (`pkg/apis/apps/v1/defaults.go` and its siblings).
pub(crate) fn set_defaults(resource: &ResourceType, new: &mut Value) {
    let mut default = |path: &[&str], value: Value| object::set_default(new, path, value);
    match resource.plural {
        "deployments" if resource.built_in => {
            default(&["spec", "replicas"], json!(1));
            default(&["spec", "revisionHistoryLimit"], json!(10));
            default(&["spec", "progressDeadlineSeconds"], json!(600));
            default(&["spec", "strategy", "type"], json!("RollingUpdate"));
            if object::text(new, "/spec/strategy/type") == "RollingUpdate" {
                object::set_default(new, &["spec", "strategy", "rollingUpdate", "maxSurge"], json!("25%"));
                object::set_default(new, &["spec", "strategy", "rollingUpdate", "maxUnavailable"], json!("25%"));
            }
        }
        "replicasets" if resource.built_in => default(&["spec", "replicas"], json!(1)),
        "horizontalpodautoscalers" => default(&["spec", "minReplicas"], json!(1)),
        "namespaces" => default(&["status", "phase"], json!("Active")),
        _ => {}
    }
}

/// Checks an object against its kind's types and the rules that matter to scaling.
pub(super) fn validate(resource: &ResourceType, new: &Value) -> Result<(), ApiError> {
    let name = object::text(new, "/metadata/name");
    let invalid = |field: &str, why: String| Err(ApiError::invalid(resource, name, field, &why));
    let name_is_well = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c))
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.len() <= 253;
    if !name_is_well {
        let why = format!(
            "Invalid value: {name:?}: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'"
        );
        return invalid("metadata.name", why);
    }
    if !resource.built_in {
        let phase = object::text(new, "/status/phase");
        if !phase.is_empty() && !resource.phases.is_empty() && !resource.phases.contains(&phase) {
            let supported: Vec<String> = resource.phases.iter().map(|p| format!("{p:?}")).collect();
            return invalid(
                "status.phase",
                format!("Unsupported value: {phase:?}: supported values: {}", supported.join(", ")),
            );
        }
        return Ok(());
    }
    match resource.plural {
        "deployments" => decodes::<Deployment>(resource, new)?,
        "replicasets" => decodes::<ReplicaSet>(resource, new)?,
        "horizontalpodautoscalers" => decodes::<HorizontalPodAutoscaler>(resource, new)?,
        "leases" => decodes::<Lease>(resource, new)?,
        "pods" => decodes::<Pod>(resource, new)?,
        "nodes" => decodes::<Node>(resource, new)?,
        "namespaces" => decodes::<Namespace>(resource, new)?,
        "configmaps" => decodes::<ConfigMap>(resource, new)?,
        "secrets" => decodes::<Secret>(resource, new)?,
        "services" => decodes::<Service>(resource, new)?,
        _ => {}
    }
    match resource.plural {
        "deployments" | "replicasets" => {
            let replicas = object::number(new, "/spec/replicas", 1);
            if replicas < 0 {
                let why = format!("Invalid value: {replicas}: must be greater than or equal to 0");
                return invalid("spec.replicas", why);
            }
            let wanted = object::text_map(new, "/spec/selector/matchLabels");
            if wanted.is_empty() {
                return invalid("spec.selector", "Required value".into());
            }
            let labels = object::text_map(new, "/spec/template/metadata/labels");
            if !wanted.iter().all(|(k, v)| labels.get(k) == Some(v)) {
                let why = format!("Invalid value: {labels:?}: `selector` does not match template `labels`");
                return invalid("spec.template.metadata.labels", why);
            }
            if object::items(new, "/spec/template/spec/containers").is_empty() {
                return invalid("spec.template.spec.containers", "Required value".into());
            }
        }
        "horizontalpodautoscalers" => {
            let (min, max) = (object::number(new, "/spec/minReplicas", 1), object::number(new, "/spec/maxReplicas", 0));
            if max < 1 {
                return invalid("spec.maxReplicas", format!("Invalid value: {max}: must be greater than 0"));
            }
            // minReplicas 0 needs a feature gate that is off by default.
            if min < 1 {
                let why = format!("Invalid value: {min}: must be greater than or equal to 1");
                return invalid("spec.minReplicas", why);
            }
            if max < min {
                let why = format!("Invalid value: {max}: must be greater than or equal to `minReplicas`");
                return invalid("spec.maxReplicas", why);
            }
        }
        _ => {}
    }
    Ok(())
}

fn decodes<T: DeserializeOwned>(resource: &ResourceType, new: &Value) -> Result<(), ApiError> {
    T::deserialize(new).map(|_| ()).map_err(|e| {
        let (kind, version) = (resource.kind, resource.version);
        ApiError::bad_request(format!("{kind} in version {version:?} cannot be handled as a {kind}: {e}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::catalog::Catalog;

    fn check(group: &str, version: &str, plural: &str, object: Value) -> Result<(), u16> {
        let catalog = Catalog::default();
        let resource = catalog.find(group, version, plural).unwrap();
        let mut object = object;
        set_defaults(resource, &mut object);
        validate(resource, &object).map_err(|e| e.code)
    }

    #[test]
    fn refuses_what_the_kinds_refuse() {
        let hpa = |min: i64, max: i64| {
            let target = json!({ "kind": "Deployment", "name": "a", "apiVersion": "apps/v1" });
            let spec = json!({ "minReplicas": min, "maxReplicas": max, "scaleTargetRef": target });
            check("autoscaling", "v2", "horizontalpodautoscalers", json!({ "metadata": { "name": "a" }, "spec": spec }))
        };
        assert_eq!(hpa(1, 3), Ok(()));
        assert_eq!(hpa(4, 3), Err(422));
        assert_eq!(hpa(0, 3), Err(422));
        let backup = |phase: &str| {
            let object = json!({ "metadata": { "name": "a" }, "status": { "phase": phase } });
            check("velero.io", "v1", "backups", object)
        };
        assert_eq!(backup("Completed"), Ok(()));
        assert_eq!(backup("Complete"), Err(422));
        let deployment = json!({ "metadata": { "name": "a" }, "spec": { "replicas": "three" } });
        assert_eq!(check("apps", "v1", "deployments", deployment), Err(400));
        assert_eq!(check("", "v1", "configmaps", json!({ "metadata": { "name": "Not_well" } })), Err(422));
    }
}
