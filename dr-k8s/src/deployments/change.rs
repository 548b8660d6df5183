//! Conditional changes: each says what it expects to find, and is refused when that is no longer so.

use dr_core::error::{Effect, Error, ErrorKind, Result, Retry};
use http::Request;
use k8s_openapi::api::{apps::v1::Deployment, autoscaling::v2::HorizontalPodAutoscaler};
use kube::Resource;
use serde_json::{Value, json};

use super::{AutoscalerImage, WorkloadRef};
use crate::Clusters;

const SCALE: &str = "k8s:patch deployments/scale";
const BOUNDS: &str = "k8s:patch horizontalpodautoscalers";

/// Sets the replica count of a Deployment through `/scale`, if it still is `from`.
pub(super) async fn scale(clusters: &Clusters, workload: &WorkloadRef, from: i32, to: i32) -> Result<()> {
    let url = Deployment::url_path(&(), Some(&workload.namespace));
    let url = format!("{url}/{}/scale", workload.deployment);
    let patch = json!([
        { "op": "test", "path": "/spec/replicas", "value": from },
        { "op": "replace", "path": "/spec/replicas", "value": to },
    ]);
    send(clusters, workload, SCALE, &url, &patch).await
}

/// Sets the bounds of an autoscaler, if they still are `from`.
pub(super) async fn bounds(
    clusters: &Clusters,
    workload: &WorkloadRef,
    from: &AutoscalerImage,
    to: &AutoscalerImage,
) -> Result<()> {
    let url = HorizontalPodAutoscaler::url_path(&(), Some(&workload.namespace));
    let url = format!("{url}/{}", from.name);
    let mut patch = vec![json!({ "op": "test", "path": "/spec/maxReplicas", "value": from.max })];
    if let Some(min) = from.min {
        patch.push(json!({ "op": "test", "path": "/spec/minReplicas", "value": min }));
    }
    patch.push(json!({ "op": "replace", "path": "/spec/maxReplicas", "value": to.max }));
    match (from.min, to.min) {
        (_, Some(min)) => patch.push(json!({ "op": "add", "path": "/spec/minReplicas", "value": min })),
        (Some(_), None) => patch.push(json!({ "op": "remove", "path": "/spec/minReplicas" })),
        (None, None) => {}
    }
    send(clusters, workload, BOUNDS, &url, &Value::Array(patch)).await
}

async fn send(
    clusters: &Clusters,
    workload: &WorkloadRef,
    operation: &'static str,
    url: &str,
    patch: &Value,
) -> Result<()> {
    let client = workload.client(clusters).await?;
    let request = Request::patch(format!("{url}?fieldManager=dr"))
        .header("content-type", "application/json-patch+json")
        .header("accept", "application/json")
        .body(patch.to_string().into_bytes())
        .map_err(|e| Error::new(ErrorKind::Invalid, e.to_string()).with_effect(Effect::NotApplied).during(operation))?;
    let sent = clusters.at(&workload.region).call(operation, client.request::<Value>(request)).await;
    sent.map(drop).map_err(|e| {
        // A patch whose test does not hold is refused as unprocessable; validation would have said which field is wrong.
        if is_failed_test(&e) {
            let message = format!("{workload} is no longer as it was read: somebody else changed it");
            return Error::new(ErrorKind::Conflict, message)
                .with_effect(Effect::NotApplied)
                .with_retry(Retry::Backoff)
                .during(operation);
        }
        e
    })
}

fn is_failed_test(error: &Error) -> bool {
    use std::error::Error as _;
    let Some(kube::Error::Api(status)) = error.source().and_then(|e| e.downcast_ref::<kube::Error>()) else {
        return false;
    };
    let about_a_field = status.details.iter().flat_map(|d| &d.causes).any(|cause| !cause.field.is_empty());
    status.code == 422 && !about_a_field
}
