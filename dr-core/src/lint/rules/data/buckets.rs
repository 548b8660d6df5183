//! W42: what is written after a failover has to come back.

use serde_json::json;

use crate::{
    lint::{LintInput, Rule, RuleInfo},
    validation::Finding,
};

/// W42: a bucket that receives writes after the failover, and copies nothing back, or nobody sees how much.
#[derive(Debug)]
pub(in crate::lint) struct OneWayS3;

impl Rule for OneWayS3 {
    fn info(&self) -> RuleInfo {
        RuleInfo::warning("W42", "one-way-s3")
            .catches(
                "a bucket that is written to after the failover and has no rule that copies back, or one without \
                      metrics",
            )
            .why(
                "Replication copies one way: without a reverse rule, what clients upload after a failover is missing \
                  after the failback. Without metrics nobody sees what is still to be copied (S3 User Guide, \
                  \"Replicating objects\").",
            )
            .remedy("add a replication rule from the standby's bucket to the other, with metrics enabled")
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let to = input.to();
        let mut findings = Vec::new();
        for bucket in input.facts.buckets.iter().filter(|bucket| bucket.region == *to && bucket.written) {
            let subject = bucket.resource.as_str();
            let message = match (bucket.replicates, bucket.metrics) {
                (Some(true), Some(true)) => continue,
                (Some(false), _) => {
                    format!("{} in {to} is written to after the shift, and copies nothing back", bucket.name)
                }
                (Some(true), Some(false)) => {
                    format!("{} in {to} copies back, and no metric tells what is still to be copied", bucket.name)
                }
                (None, _) => {
                    findings.push(self.unjudged(subject, &format!("whether {} copies back is not known", bucket.name)));
                    continue;
                }
                (_, None) => {
                    let unknown = format!("whether the rule of {} has metrics is not known", bucket.name);
                    findings.push(self.unjudged(subject, &unknown));
                    continue;
                }
            };
            let evidence = json!({ "bucket": bucket.name, "replicates": bucket.replicates, "metrics": bucket.metrics });
            findings.push(self.finding(subject, message, evidence));
        }
        findings
    }
}
