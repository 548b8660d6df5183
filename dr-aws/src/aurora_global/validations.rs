use std::fmt::Debug;

use async_trait::async_trait;
use dr_core::{
    error::Result,
    model::{RegionId, ResourceId},
    validation::{CheckCx, Finding, Severity, Validation},
};
use serde_json::{Value, json};

use super::{AuroraGlobalSpec, api::Api, view::major_minor};
use crate::arn::Arn;

/// What every validation of the driver looks at.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    pub(super) api: Api,
    pub(super) resource: ResourceId,
    pub(super) spec: AuroraGlobalSpec,
}

impl Checked {
    fn finding(&self, check: &str, severity: Severity, message: String, evidence: Value, remedy: String) -> Finding {
        Finding {
            severity,
            subject: self.resource.to_string(),
            check: format!("aws.aurora_global/{check}"),
            message,
            evidence,
            remedy,
        }
    }

    fn clusters(&self) -> impl Iterator<Item = (&RegionId, &Arn)> {
        self.spec.clusters.iter()
    }

    /// The global cluster, from the first region that answers.
    async fn global(&self) -> Result<super::view::GlobalView> {
        let mut last = None;
        for region in self.spec.clusters.keys() {
            match self.api.global(region, &self.spec.global_cluster).await {
                Ok(global) => return Ok(global),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| {
            dr_core::error::Error::new(dr_core::error::ErrorKind::Invalid, "spec.clusters is empty")
        }))
    }
}

/// Every cluster has an instance that could be promoted: `CreateDBCluster` alone makes a headless secondary.
#[derive(Clone, Debug)]
pub struct HeadlessTarget(pub(super) Checked);

#[async_trait]
impl Validation for HeadlessTarget {
    fn id(&self) -> &str {
        "aws.aurora_global/headless-target"
    }

    async fn check(&self, _cx: &CheckCx<'_>) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        for (region, arn) in self.0.clusters() {
            if self.0.api.available_instances(region, arn).await? == 0 {
                findings.push(self.0.finding(
                    "headless-target",
                    Severity::Error,
                    format!("{arn} has no available instance: neither a switchover nor a failover can promote it"),
                    json!({ "available_instances": 0 }),
                    format!("add an instance to the cluster in {region}"),
                ));
            }
        }
        Ok(findings)
    }
}

/// Every cluster runs the same major and minor version: managed switchovers and failovers are refused otherwise.
#[derive(Clone, Debug)]
pub struct VersionSkew(pub(super) Checked);

#[async_trait]
impl Validation for VersionSkew {
    fn id(&self) -> &str {
        "aws.aurora_global/version-skew"
    }

    async fn check(&self, _cx: &CheckCx<'_>) -> Result<Vec<Finding>> {
        let mut versions = Vec::new();
        for (region, arn) in self.0.clusters() {
            if let Some(version) = self.0.api.cluster(region, arn).await?.engine_version {
                versions.push((region, version));
            }
        }
        let mut kept: Vec<&str> = versions.iter().map(|(_, version)| major_minor(version)).collect();
        kept.sort_unstable();
        kept.dedup();
        if kept.len() < 2 {
            return Ok(Vec::new());
        }
        let evidence: Value = versions.iter().map(|(region, version)| (region.to_string(), json!(version))).collect();
        Ok(vec![self.0.finding(
            "version-skew",
            Severity::Error,
            format!(
                "the clusters of {} run different engine versions: only a detach is left in a disaster",
                self.0.spec.global_cluster
            ),
            evidence,
            "upgrade the clusters to the same major and minor version".to_owned(),
        )])
    }
}

/// Every secondary follows the primary, and exactly the clusters of `dr.yaml` are members.
#[derive(Clone, Debug)]
pub struct Synchronized(pub(super) Checked);

#[async_trait]
impl Validation for Synchronized {
    fn id(&self) -> &str {
        "aws.aurora_global/synchronized"
    }

    async fn check(&self, _cx: &CheckCx<'_>) -> Result<Vec<Finding>> {
        let global = self.0.global().await?;
        let mut findings = Vec::new();
        for (region, arn) in self.0.clusters() {
            match global.member(arn) {
                None => findings.push(self.0.finding(
                    "synchronized",
                    Severity::Error,
                    format!("{arn} is not a member of global cluster {}", self.0.spec.global_cluster),
                    Value::Null,
                    format!("add the cluster in {region} to the global database, or correct spec.clusters.{region}"),
                )),
                Some(member) if !member.is_writer && member.sync.as_deref().is_some_and(|sync| sync != "connected") => {
                    findings.push(self.0.finding(
                        "synchronized",
                        Severity::Error,
                        format!("{arn} does not follow the primary: {}", member.sync.as_deref().unwrap_or_default()),
                        json!({ "synchronization_status": member.sync }),
                        "wait until Aurora has rebuilt it; see the cluster's events".to_owned(),
                    ));
                }
                Some(_) => {}
            }
        }
        Ok(findings)
    }
}

/// Every secondary's lag is known, and below the recovery point objective.
#[derive(Clone, Debug)]
pub struct LagWithinRpo(pub(super) Checked);

#[async_trait]
impl Validation for LagWithinRpo {
    fn id(&self) -> &str {
        "aws.aurora_global/lag"
    }

    async fn check(&self, cx: &CheckCx<'_>) -> Result<Vec<Finding>> {
        let rpo = cx.topology.objectives().rpo;
        let global = self.0.global().await?;
        let mut findings = Vec::new();
        for (region, arn) in self.0.clusters() {
            if global.member(arn).is_none_or(|member| member.is_writer) {
                continue;
            }
            match self.0.api.last_lag(region, arn, cx.clock.wall()).await? {
                None => findings.push(self.0.finding(
                    "lag",
                    Severity::Warning,
                    format!("the lag of {arn} is unknown: CloudWatch in {region} has no AuroraGlobalDBRPOLag of it"),
                    Value::Null,
                    "see that the metric is published, and that the caller may read it".to_owned(),
                )),
                Some(sample) if sample.lag > rpo => findings.push(self.0.finding(
                    "lag",
                    Severity::Error,
                    format!("{arn} is {:?} behind; the recovery point objective is {rpo:?}", sample.lag),
                    json!({ "lag_ms": u64::try_from(sample.lag.as_millis()).unwrap_or(u64::MAX), "at": sample.at }),
                    "find what holds replication up; with Aurora PostgreSQL, rds.global_db_rpo bounds the lag by holding commits".to_owned(),
                )),
                Some(_) => {}
            }
        }
        Ok(findings)
    }
}
