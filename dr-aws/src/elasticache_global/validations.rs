use async_trait::async_trait;
use dr_core::{
    error::{Error, ErrorKind, Result},
    model::ResourceId,
    validation::{CheckCx, Finding, Severity, Validation},
};
use serde_json::{Value, json};

use super::{ElastiCacheGlobalSpec, api::Api, view::DatastoreView};

/// What every validation of the driver looks at.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    pub(super) api: Api,
    pub(super) resource: ResourceId,
    pub(super) spec: ElastiCacheGlobalSpec,
}

impl Checked {
    /// The datastore, from the first region that answers.
    async fn datastore(&self) -> Result<DatastoreView> {
        let mut last = None;
        for region in self.spec.members.keys() {
            match self.api.datastore(region, &self.spec.global_replication_group).await {
                Ok(datastore) => return Ok(datastore),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| Error::new(ErrorKind::Invalid, "spec.members is empty")))
    }

    fn finding(&self, check: &str, severity: Severity, message: String, evidence: Value, remedy: &str) -> Finding {
        Finding {
            severity,
            subject: self.resource.to_string(),
            check: format!("aws.elasticache_global/{check}"),
            message,
            evidence,
            remedy: remedy.to_owned(),
        }
    }
}

/// The datastore is available, and every replication group of `dr.yaml` is a member that holds its data.
#[derive(Clone, Debug)]
pub struct MembersAssociated(pub(super) Checked);

#[async_trait]
impl Validation for MembersAssociated {
    fn id(&self) -> &str {
        "aws.elasticache_global/members-associated"
    }

    async fn check(&self, _cx: &CheckCx<'_>) -> Result<Vec<Finding>> {
        let checked = &self.0;
        let datastore = checked.datastore().await?;
        let mut findings = Vec::new();
        if datastore.status != "available" {
            findings.push(checked.finding(
                "members-associated",
                Severity::Error,
                format!(
                    "{} is {}: only an available datastore can be failed over",
                    checked.spec.global_replication_group, datastore.status
                ),
                json!({ "status": datastore.status }),
                "wait until it is available; a primary-only datastore needs a secondary",
            ));
        }
        for (region, group) in &checked.spec.members {
            match datastore.member(region, group) {
                None => findings.push(checked.finding(
                    "members-associated",
                    Severity::Error,
                    format!("{group} in {region} is not a member of {}", checked.spec.global_replication_group),
                    Value::Null,
                    "add the replication group to the datastore (that wipes it), or correct spec.members",
                )),
                Some(member) if member.status != "associated" => findings.push(checked.finding(
                    "members-associated",
                    Severity::Error,
                    format!("{group} in {region} is {}", member.status),
                    json!({ "status": member.status }),
                    "wait until it is associated",
                )),
                Some(_) => {}
            }
        }
        Ok(findings)
    }
}

/// Every secondary's lag is known, and below the recovery point objective where the cache must be writable.
#[derive(Clone, Debug)]
pub struct CacheLag(pub(super) Checked);

#[async_trait]
impl Validation for CacheLag {
    fn id(&self) -> &str {
        "aws.elasticache_global/lag"
    }

    async fn check(&self, cx: &CheckCx<'_>) -> Result<Vec<Finding>> {
        let checked = &self.0;
        let rpo = cx.topology.objectives().rpo;
        let datastore = checked.datastore().await?;
        let mut findings = Vec::new();
        for (region, group) in &checked.spec.members {
            if datastore.member(region, group).is_none_or(|member| member.is_primary) {
                continue;
            }
            match checked.api.last_lag(region, group, cx.clock.wall()).await? {
                None => findings.push(checked.finding(
                    "lag",
                    Severity::Warning,
                    format!("the lag of {group} is unknown: CloudWatch in {region} has no GlobalDatastoreReplicationLag of it"),
                    Value::Null,
                    "see that the metric is published, and that the caller may list and read it",
                )),
                Some(sample) if sample.lag > rpo && checked.spec.writable_required => findings.push(checked.finding(
                    "lag",
                    Severity::Error,
                    format!("{group} in {region} is {:?} behind; the recovery point objective is {rpo:?}", sample.lag),
                    json!({ "lag_s": sample.lag.as_secs_f64(), "at": sample.at }),
                    "find what holds replication up, or declare the cache rebuildable with writable_required: false",
                )),
                Some(_) => {}
            }
        }
        Ok(findings)
    }
}
