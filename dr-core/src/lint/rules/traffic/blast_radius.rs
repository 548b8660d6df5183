//! W29: one bad service must not move the whole region.

use std::collections::BTreeSet;

use serde_json::json;

use crate::{
    lint::{LintInput, Rule, RuleInfo},
    validation::Finding,
};

/// W29: an alias that evaluates the health of a load balancer which several services share.
#[derive(Debug)]
pub(in crate::lint) struct SharedAlbBlastRadius;

impl Rule for SharedAlbBlastRadius {
    fn info(&self) -> RuleInfo {
        RuleInfo::warning("W29", "shared-alb-blast-radius")
            .catches(
                "an alias that evaluates the health of a load balancer with target groups of more than one service",
            )
            .why(
                "The load balancer counts as unhealthy as soon as one target group has only unhealthy targets: a bad \
                  deployment of one service of six fails the whole region over (Route 53 Developer Guide, Elastic Load \
                  Balancing, \"Target group health\").",
            )
            .remedy(
                "set target_group_health.dns_failover.minimum_healthy_targets, give services load balancers of their \
                     own, or let a decision move traffic instead of the target's health",
            )
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for traffic in &input.facts.traffic {
            for record in &traffic.records {
                let Some(alias) = record.alias.as_ref().filter(|alias| alias.evaluates_target_health == Some(true))
                else {
                    continue;
                };
                let Some(balancer) = alias.load_balancer.as_deref().and_then(|name| input.facts.load_balancer(name))
                else {
                    continue;
                };
                let services: BTreeSet<&str> = balancer
                    .target_groups
                    .iter()
                    .map(|group| group.service.as_deref().unwrap_or(group.name.as_str()))
                    .collect();
                if services.len() > 1 {
                    let list: Vec<&str> = services.iter().copied().collect();
                    let message = format!(
                        "one of {} in {} without a healthy target takes all of {} out of {}",
                        list.join(", "),
                        balancer.name,
                        record.region,
                        traffic.name
                    );
                    let evidence = json!({ "load_balancer": balancer.name, "services": services });
                    findings.push(self.finding(traffic.resource.as_str(), message, evidence));
                }
            }
        }
        findings
    }
}
