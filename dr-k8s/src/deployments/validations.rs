use async_trait::async_trait;
use dr_core::{
    error::Result,
    model::{RegionId, RegionRole, ResourceId},
    spec::ServiceSpec,
    validation::{CheckCx, Finding, Severity, Validation},
};
use futures::future::join_all;
use serde_json::{Value, json};

use super::{
    DeploymentsSpec,
    readiness::available,
    workload::{ClusterView, Seen, free_pod_slots},
};
use crate::Clusters;

fn finding(
    severity: Severity,
    subject: String,
    check: &str,
    message: String,
    evidence: Value,
    remedy: &str,
) -> Finding {
    Finding { severity, subject, check: check.to_owned(), message, evidence, remedy: remedy.to_owned() }
}

/// That every service's Deployment exists in every region, alike, with an owner that can be told to grow it.
#[derive(Clone, Debug)]
pub struct WorkloadsMatch {
    pub(super) clusters: Clusters,
    pub(super) resource: ResourceId,
    pub(super) spec: DeploymentsSpec,
}

impl WorkloadsMatch {
    const ID: &'static str = "k8s.deployments/workloads-match";

    fn judge(&self, region: &RegionId, role: RegionRole, service: &ServiceSpec, seen: Option<&Seen>) -> Vec<Finding> {
        let subject = format!("{}: {}/{} in {region}", self.resource, service.namespace, service.deployment());
        let mut findings = Vec::new();
        let mut found = |severity, message: String, evidence: Value, remedy: &str| {
            findings.push(finding(severity, subject.clone(), Self::ID, message, evidence, remedy));
        };
        let Some(seen) = seen else {
            found(
                Severity::Error,
                "there is no such Deployment".into(),
                Value::Null,
                "deploy the service here, or correct its namespace and deployment in `services`",
            );
            return findings;
        };
        let needed = if role == RegionRole::Active { service.replicas.full } else { service.replicas.standby };
        let needed = i32::try_from(needed).unwrap_or(i32::MAX);
        let ready = available(&seen.deployment);
        if ready < needed {
            found(
                Severity::Warning,
                format!("{ready} replicas are available, {needed} are written for this region"),
                json!({ "available": ready, "wanted": needed }),
                "find out why they do not start, or correct the service's replicas",
            );
        }
        let full = i32::try_from(service.replicas.full).unwrap_or(i32::MAX);
        if let Some(bounds) = seen.bounds().filter(|bounds| bounds.max < full) {
            found(
                Severity::Warning,
                format!("the autoscaler {} caps it at {}, below its full count of {full}", bounds.name, bounds.max),
                json!({ "maxReplicas": bounds.max }),
                "raise maxReplicas; a failover raises it otherwise, and a GitOps controller may undo that",
            );
        }
        if let Some(rival) = seen.rival() {
            found(
                Severity::Error,
                rival,
                Value::Null,
                "scale this service by an autoscaler of its own; KEDA's is not supported yet",
            );
        }
        if let Some(keeper) = gitops(seen) {
            found(
                Severity::Warning,
                format!("{keeper} keeps it as it is written elsewhere, and may undo a failover's changes"),
                Value::Null,
                "have it ignore spec.replicas and the autoscaler's bounds",
            );
        }
        findings
    }
}

/// The GitOps controller that looks after a Deployment, by the marks that it leaves.
fn gitops(seen: &Seen) -> Option<&'static str> {
    let labels = seen.deployment.metadata.labels.iter().flatten();
    let annotations = seen.deployment.metadata.annotations.iter().flatten();
    labels.chain(annotations).find_map(|(key, _)| match key.as_str() {
        "argocd.argoproj.io/instance" | "argocd.argoproj.io/tracking-id" => Some("Argo CD"),
        "kustomize.toolkit.fluxcd.io/name" | "helm.toolkit.fluxcd.io/name" => Some("Flux"),
        _ => None,
    })
}

fn images(seen: &Seen) -> Vec<String> {
    let pod = seen.deployment.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    pod.into_iter().flat_map(|pod| &pod.containers).filter_map(|c| c.image.clone()).collect()
}

/// An image without its registry, which differs from region to region.
fn without_registry(image: &str) -> &str {
    match image.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) => rest,
        _ => image,
    }
}

#[async_trait]
impl Validation for WorkloadsMatch {
    fn id(&self) -> &str {
        Self::ID
    }

    async fn check(&self, cx: &CheckCx<'_>) -> Result<Vec<Finding>> {
        let services = self.spec.services(cx.topology)?;
        let views =
            join_all(self.spec.clusters.iter().map(|(region, access)| async move {
                (region, ClusterView::read(&self.clusters, region, access).await)
            }))
            .await;
        let mut findings = Vec::new();
        let mut read = Vec::new();
        for (region, view) in views {
            match view {
                Ok(view) => read.push((region, view)),
                Err(error) => findings.push(finding(
                    Severity::Error,
                    format!("{}: the cluster of {region}", self.resource),
                    Self::ID,
                    format!("it cannot be read: {error}"),
                    Value::Null,
                    "see that the cluster is reachable from here, and that the access may list deployments and autoscalers",
                )),
            }
        }
        for service in services {
            let mut versions: Vec<(String, Vec<String>)> = Vec::new();
            for (region, view) in &read {
                let seen = view.find(&service.namespace, service.deployment());
                let role = cx.topology.region(region).map_or(RegionRole::WarmStandby, |region| region.role);
                findings.extend(self.judge(region, role, service, seen.as_ref()));
                versions.extend(seen.map(|seen| (region.to_string(), images(&seen))));
            }
            let bare = |images: &[String]| images.iter().map(|i| without_registry(i).to_owned()).collect::<Vec<_>>();
            let differ = versions.windows(2).any(|pair| match pair {
                [(_, a), (_, b)] => bare(a) != bare(b),
                _ => false,
            });
            if differ {
                findings.push(finding(
                    Severity::Warning,
                    format!("{}: {}/{}", self.resource, service.namespace, service.deployment()),
                    Self::ID,
                    "the regions run different versions: a failover would also be a release".into(),
                    json!(versions),
                    "release to the standby whenever the active region is released to",
                ));
            }
        }
        Ok(findings)
    }
}

/// That the standby's nodes could take the pods of a failover.
///
/// Counts pods only; whether their CPU and memory fit is the scheduler's to say.
#[derive(Clone, Debug)]
pub struct StandbyHasRoom {
    pub(super) clusters: Clusters,
    pub(super) resource: ResourceId,
    pub(super) spec: DeploymentsSpec,
}

#[async_trait]
impl Validation for StandbyHasRoom {
    fn id(&self) -> &str {
        "k8s.deployments/standby-has-room"
    }

    async fn check(&self, cx: &CheckCx<'_>) -> Result<Vec<Finding>> {
        let services = self.spec.services(cx.topology)?;
        let mut findings = Vec::new();
        for (region, access) in &self.spec.clusters {
            let stands_by = cx.topology.region(region).is_some_and(|r| r.role != RegionRole::Active);
            if !stands_by {
                continue;
            }
            let view = ClusterView::read(&self.clusters, region, access).await?;
            let more: i64 = services
                .iter()
                .map(|service| {
                    let now = view.find(&service.namespace, service.deployment()).map_or(0, |seen| seen.replicas());
                    (i64::from(service.replicas.full) - i64::from(now)).max(0)
                })
                .sum();
            let free = free_pod_slots(&self.clusters, region, access).await?;
            if more > free {
                findings.push(finding(
                    Severity::Warning,
                    format!("{}: the cluster of {region}", self.resource),
                    self.id(),
                    format!("a failover needs {more} more pods, and its nodes have room for {}", free.max(0)),
                    json!({ "needed": more, "free": free }),
                    "add nodes or reserve capacity: in a regional failure everybody else asks for more as well",
                ));
            }
        }
        Ok(findings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_do_not_tell_versions_apart() {
        assert_eq!(without_registry("111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/cart:1"), "shop/cart:1");
        assert_eq!(without_registry("localhost:5000/cart:1"), "cart:1");
        assert_eq!(without_registry("shop/cart:1"), "shop/cart:1");
        assert_eq!(without_registry("cart:1"), "cart:1");
    }
}
