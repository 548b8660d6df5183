use async_trait::async_trait;
use aws_sdk_route53::types::{HealthCheckConfig, ResourceRecordSet, ResourceRecordSetFailover};
use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    model::{RegionId, ResourceId},
    validation::{CheckCx, Finding, Severity, Validation},
};
use serde_json::{Value, json};

use super::{FailoverRole, Route53FailoverSpec, SwitchSpec, switch::Switch};
use crate::{Clients, classify};

fn finding(resource: &ResourceId, check: &str, message: String, evidence: Value, remedy: &str) -> Finding {
    Finding {
        severity: Severity::Error,
        subject: resource.to_string(),
        check: check.to_owned(),
        message,
        evidence,
        remedy: remedy.to_owned(),
    }
}

/// That the two records exist as written, with the switch's check bound to the primary.
#[derive(Clone, Debug)]
pub struct PairIsWhole {
    pub(super) clients: Clients,
    pub(super) api: RegionId,
    pub(super) resource: ResourceId,
    pub(super) spec: Route53FailoverSpec,
}

impl PairIsWhole {
    async fn records(&self) -> Result<Vec<ResourceRecordSet>> {
        let clients = self.clients.for_reads(&self.api);
        let call = clients.route53().list_resource_record_sets().hosted_zone_id(&self.spec.hosted_zone_id);
        let call = call.start_record_name(&self.spec.record).send().await;
        let reply = call.map_err(|e| classify("route53:ListResourceRecordSets", e).with_effect(Effect::NotApplied))?;
        let wanted = self.spec.record.trim_end_matches('.');
        Ok(reply
            .resource_record_sets()
            .iter()
            .filter(|set| {
                set.name().trim_end_matches('.') == wanted && set.r#type().as_str() == self.spec.record_type.as_str()
            })
            .cloned()
            .collect())
    }
}

#[async_trait]
impl Validation for PairIsWhole {
    fn id(&self) -> &str {
        "aws.route53_failover/pair-is-whole"
    }

    async fn check(&self, _: &CheckCx<'_>) -> Result<Vec<Finding>> {
        let records = self.records().await?;
        let mut findings = Vec::new();
        let mut found = |message: String, evidence: Value, remedy: &str| {
            findings.push(finding(&self.resource, self.id(), message, evidence, remedy));
        };
        for (region, member) in &self.spec.members {
            let failover = match member.failover {
                FailoverRole::Primary => ResourceRecordSetFailover::Primary,
                FailoverRole::Secondary => ResourceRecordSetFailover::Secondary,
            };
            let record = records.iter().find(|set| set.set_identifier() == Some(&member.set_identifier));
            let Some(record) = record else {
                found(
                    format!("{} has no record {:?} for {region}", self.spec.record, member.set_identifier),
                    json!(records.iter().map(|set| set.set_identifier()).collect::<Vec<_>>()),
                    "create the record, or correct set_identifier",
                );
                continue;
            };
            if record.failover() != Some(&failover) {
                found(
                    format!("record {:?} is {:?}, not {failover}", member.set_identifier, record.failover()),
                    Value::Null,
                    "correct the record's Failover, or the member's failover",
                );
            }
            let (SwitchSpec::StandbyTakesOver { health_check_id, .. } | SwitchSpec::CheckInversion { health_check_id }) =
                &self.spec.switch;
            if member.failover == FailoverRole::Primary && record.health_check_id() != Some(health_check_id) {
                found(
                    format!("the primary record is bound to {:?}: the switch cannot move it", record.health_check_id()),
                    json!({ "switch": health_check_id }),
                    "bind the switch's check to the primary record",
                );
            }
        }
        Ok(findings)
    }
}

/// That the switch would work if it were thrown now, and is not thrown.
#[derive(Clone, Debug)]
pub struct SwitchIsArmed {
    pub(super) clients: Clients,
    pub(super) api: RegionId,
    pub(super) resource: ResourceId,
    pub(super) spec: Route53FailoverSpec,
}

impl SwitchIsArmed {
    async fn config(&self, id: &str) -> Result<HealthCheckConfig> {
        let reply = self.clients.for_reads(&self.api).route53().get_health_check().health_check_id(id).send().await;
        let reply = reply.map_err(|e| classify("route53:GetHealthCheck", e).with_effect(Effect::NotApplied))?;
        reply
            .health_check()
            .and_then(|check| check.health_check_config().cloned())
            .ok_or_else(|| Error::new(ErrorKind::Invalid, format!("{id} came without its configuration")))
    }
}

#[async_trait]
impl Validation for SwitchIsArmed {
    fn id(&self) -> &str {
        "aws.route53_failover/switch-is-armed"
    }

    async fn check(&self, cx: &CheckCx<'_>) -> Result<Vec<Finding>> {
        let SwitchSpec::StandbyTakesOver { region, bucket, key, health_check_id } = &self.spec.switch else {
            return Ok(Vec::new());
        };
        let mut findings = Vec::new();
        let mut found = |message: String, evidence: Value, remedy: &str| {
            findings.push(finding(&self.resource, self.id(), message, evidence, remedy));
        };
        let config = self.config(health_check_id).await?;
        if config.inverted() != Some(true) {
            found(
                format!(
                    "check {health_check_id} is not inverted: the object's presence would make the primary healthy"
                ),
                Value::Null,
                "set Inverted on the check",
            );
        }
        if config.disabled() == Some(true) {
            found(
                format!("check {health_check_id} is disabled: it no longer looks at the object"),
                Value::Null,
                "enable the check",
            );
        }
        let path = config.resource_path().unwrap_or_default();
        let looks_at = format!("{}{path}", config.fully_qualified_domain_name().unwrap_or_default());
        if !path.ends_with(key.as_str()) || !looks_at.contains(bucket.as_str()) {
            found(
                format!("check {health_check_id} looks at {looks_at:?}, not at the switch"),
                json!({ "bucket": bucket, "key": key }),
                "point the check at the object, by the bucket's own endpoint in its region",
            );
        }
        let switch = Switch { region: region.clone(), bucket: bucket.clone(), key: key.clone() };
        if switch.read(&self.clients, &*cx.clock).await?.is_some() {
            found(
                format!("{} is there: traffic has been moved to the standby", switch.uri()),
                Value::Null,
                "fail back, which removes the object",
            );
        }
        Ok(findings)
    }
}
