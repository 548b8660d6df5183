//! E17: nothing that a plan reads may be lost with the region it leaves.

use serde_json::{Value, json};

use crate::{
    lint::{
        LintInput, Rule, RuleInfo,
        index::Made,
        operation::{arn, goes_to},
    },
    model::RegionId,
    validation::Finding,
};

/// Services that hold what steps read, with what that is.
const HOLDERS: [(&str, &str); 9] = [
    ("appconfig", "config"),
    ("dynamodb", "table"),
    ("ecr", "image"),
    ("kms", "key"),
    ("s3", "object"),
    ("secretsmanager", "secret"),
    ("sns", "topic"),
    ("sqs", "queue"),
    ("ssm", "parameter"),
];

/// E17: state, a secret, a key or an image whose home is the failed region.
#[derive(Debug)]
pub(in crate::lint) struct FailedRegionDataDependency;

impl Rule for FailedRegionDataDependency {
    fn info(&self) -> RuleInfo {
        RuleInfo::error("E17", "failed-region-data-dependency")
            .catches(
                "a step, or what it brings up, that reads state, a secret, a key, an image, a kubeconfig, a lock, a \
                      queue or a setting whose home is the failed region",
            )
            .why(
                "A standby that pulls its images or decrypts its secrets through the lost region is lost with it; it \
                  is found out when the first pod has to start (static stability).",
            )
            .remedy("keep a copy outside the failed region, and let the plan and the workloads name the copy")
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let Some(failed) = input.failed_region() else { return Vec::new() };
        let mut findings = Vec::new();
        for made in input
            .calls(|_| true, |made| reads_in(made, failed) || made.call.args.values().any(|arg| names(arg, failed)))
        {
            let call = made.call;
            let holder = |service: &str| HOLDERS.iter().find(|(name, _)| *name == service).map(|(_, what)| *what);
            let own = call.operation.split(':').next().and_then(holder).filter(|_| reads_in(&made, failed));
            let named = call.args.iter().find(|(_, value)| names(value, failed));
            let message = match (own, named) {
                (_, Some((argument, value))) => format!(
                    "{} needs {} ({argument}), whose home is {failed}",
                    call.operation,
                    value.as_str().unwrap_or_default()
                ),
                (what, None) => {
                    format!("{} reads a {} whose home is {failed}", call.operation, what.unwrap_or("thing"))
                }
            };
            let evidence = json!({ "operation": call.operation, "endpoints": call.endpoints, "args": call.args });
            findings.push(self.finding(made.step.id.as_str(), message, evidence));
        }
        for dependency in &input.facts.dependencies {
            let subject = dependency.step.as_ref().map_or(dependency.name.as_str(), |step| step.as_str());
            match &dependency.home {
                Some(home) if home == failed && dependency.copies.iter().all(|copy| copy == failed) => {
                    let message = format!("needs the {} {}, whose home is {failed}", dependency.kind, dependency.name);
                    findings.push(self.finding(subject, message, json!(dependency)));
                }
                Some(_) => {}
                None => {
                    let unknown = format!("where the {} {} lives is not known", dependency.kind, dependency.name);
                    findings.push(self.unjudged(subject, &unknown));
                }
            }
        }
        for image in input.facts.images.iter().filter(|image| image.region == *input.to()) {
            if image.home.as_ref() == Some(failed) {
                let message =
                    format!("runs {} in {}, pulled from a registry in {failed}", image.reference, image.region);
                findings.push(self.finding(&image.workload, message, json!(image)));
            }
        }
        findings
    }
}

/// Whether the call reads, in the failed region alone, what one of the services holds.
fn reads_in(made: &Made<'_>, failed: &RegionId) -> bool {
    let held = |service: &str| HOLDERS.iter().any(|(name, _)| *name == service);
    !made.call.mutates && goes_to(made.call, failed) && made.call.operation.split(':').next().is_some_and(held)
}

/// Whether an argument names something that one of the services holds in the failed region.
fn names(argument: &Value, failed: &RegionId) -> bool {
    let Some(text) = argument.as_str() else { return false };
    let by_arn = || {
        arn(text).is_some_and(|(service, region)| {
            region == failed.as_str() && HOLDERS.iter().any(|(name, _)| *name == service)
        })
    };
    // An image is named by its registry's host: ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME.
    let by_host =
        || text.split_once(".dkr.ecr.").is_some_and(|(_, rest)| rest.split('.').next() == Some(failed.as_str()));
    by_arn() || by_host()
}
