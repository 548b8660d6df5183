//! W33 and W34: how much may be lost, by contract and by configuration.

use std::time::Duration;

use serde_json::json;

use crate::{
    lint::{LintInput, Rule, RuleInfo},
    plan::{LagSource, RpoParameter, StoreFact},
    spec::format_duration,
    validation::Finding,
};

/// What S3's replication time control promises for 99.99 % of objects.
const TIME_CONTROL: Duration = Duration::from_secs(900);

/// W33: a store that may lose more than the objective, or whose lag nobody sees.
#[derive(Debug)]
pub(in crate::lint) struct RpoBudget;

impl Rule for RpoBudget {
    fn info(&self) -> RuleInfo {
        RuleInfo::warning("W33", "rpo-budget")
            .catches(
                "a store that may lose more than the recovery point objective by its contract or its \
                      configuration, or whose lag is not measured or was last seen more than two periods ago",
            )
            .why(
                "S3's replication time control promises 15 minutes, a backup loses what came after it began, and \
                  Aurora bounds nothing unless rds.global_db_rpo is set. A lag without fresh samples is unknown, and \
                  unknown is not zero.",
            )
            .remedy("agree on a longer RPO, make the copy more often, or mend what measures its lag")
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        // A graceful plan waits until nothing can be lost.
        if input.failed_region().is_none() {
            return Vec::new();
        }
        let rpo = input.plan.objectives().rpo;
        let mut findings = Vec::new();
        let mut over = |subject: &str, bound: Duration, source: &str| {
            if bound > rpo {
                let message = format!(
                    "may lose the writes of {} ({source}), against an RPO of {}",
                    format_duration(bound),
                    format_duration(rpo)
                );
                let evidence = json!({ "bound_s": bound.as_secs_f64(), "rpo_s": rpo.as_secs_f64(), "source": source });
                findings.push(self.finding(subject, message, evidence));
            }
        };
        for store in &input.facts.stores {
            if let Some(bound) = &store.loss_bound {
                over(store.resource.as_str(), bound.within, &bound.source);
            }
        }
        for bucket in input.facts.buckets.iter().filter(|bucket| bucket.region == input.plan.goal().from) {
            if bucket.written && bucket.time_control == Some(true) {
                over(bucket.resource.as_str(), TIME_CONTROL, "S3 replication time control");
            }
        }
        for backup in &input.facts.backups {
            if let (Some(interval), Some(duration)) = (backup.interval, backup.duration) {
                over(backup.resource.as_str(), interval.saturating_add(duration), "the backups' interval and duration");
            }
        }
        findings.extend(input.facts.stores.iter().filter_map(|store| self.lag(input, store)));
        findings
    }
}

impl RpoBudget {
    /// What is wrong with what tells the target's lag.
    fn lag(&self, input: &LintInput<'_>, store: &StoreFact) -> Option<Finding> {
        let to = input.to();
        let member = store.member(to)?;
        if !store.writable_required || member.writer == Some(true) {
            return None;
        }
        let subject = store.resource.as_str();
        let message = match member.lag_source {
            None => return Some(self.unjudged(subject, &format!("what tells its lag in {to} is not known"))),
            Some(LagSource::Missing) => format!("nothing measures how far {} in {to} is behind", member.address),
            Some(LagSource::Sampled { age: None, .. }) => {
                format!("the lag of {} in {to} has no sample", member.address)
            }
            Some(LagSource::Sampled { age: Some(age), period }) if age > period.saturating_mul(2) => format!(
                "the lag of {} in {to} was last sampled {} ago, and has a sample every {}",
                member.address,
                format_duration(age),
                format_duration(period)
            ),
            Some(LagSource::Sampled { .. }) => return None,
        };
        Some(self.finding(subject, message, json!({ "region": to, "lag_source": member.lag_source })))
    }
}

/// W34: a limit on lag that will stop the new primary.
#[derive(Debug)]
pub(in crate::lint) struct RpoParamOnSecondary;

impl Rule for RpoParamOnSecondary {
    fn info(&self) -> RuleInfo {
        RuleInfo::warning("W34", "rpo-param-on-secondary")
            .catches("rds.global_db_rpo set in the secondary's own parameter group, in a database of two regions")
            .why(
                "The parameter blocks commits while every secondary is further behind. After a failover the new \
                  primary has no secondary that keeps up, so with the limit in its own parameter group it may stop \
                  taking writes (Aurora User Guide, \"Managing RPOs for Aurora PostgreSQL-based global databases\").",
            )
            .remedy(
                "keep the default in the secondary's parameter group, and set it there once the old region follows \
                     again",
            )
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for store in input.facts.stores.iter().filter(|store| store.members.len() == 2) {
            for member in &store.members {
                let secondary = member.writer.map_or(member.region == *input.to(), |writer| !writer);
                if let (true, Some(RpoParameter::Set { within })) = (secondary, member.rpo_parameter) {
                    let message = format!(
                        "rds.global_db_rpo is {} in the parameter group of {} in {}: once that is the primary, commits \
                         may wait for a secondary that is gone",
                        format_duration(within),
                        member.address,
                        member.region
                    );
                    let evidence = json!({ "region": member.region, "within_s": within.as_secs_f64() });
                    findings.push(self.finding(store.resource.as_str(), message, evidence));
                }
            }
        }
        findings
    }
}
