//! W41: a pod starts only where its image is.

use serde_json::json;

use crate::{
    lint::{LintInput, Rule, RuleInfo},
    validation::Finding,
};

/// W41: an image that runs in the region that is left and is not in the target's registry.
#[derive(Debug)]
pub(in crate::lint) struct ImageMissing;

impl Rule for ImageMissing {
    fn info(&self) -> RuleInfo {
        RuleInfo::warning("W41", "image-missing")
            .catches("an image that runs now and whose digest is not in the target region's registry")
            .why(
                "ECR copies only what is pushed after replication was configured, most of it within 30 minutes: an old \
                  or a very new image is missing when the standby has to start it (ECR User Guide, \"Private image \
                  replication\").",
            )
            .remedy("push the image again or start a replication backfill, and wait until the digest is there")
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let goal = input.plan.goal();
        let mut findings = Vec::new();
        let mut unknown = 0_usize;
        for image in input.facts.images.iter().filter(|image| image.region == goal.from) {
            match image.copies.get(&goal.to) {
                Some(true) => {}
                Some(false) => {
                    let digest = image.digest.as_deref().unwrap_or(&image.reference);
                    let message =
                        format!("runs {digest} in {}, which is not in the registry of {}", goal.from, goal.to);
                    findings.push(self.finding(&image.workload, message, json!(image)));
                }
                None => unknown += 1,
            }
        }
        if unknown > 0 {
            let message = format!("whether {unknown} of the images that run are in {} is not known", goal.to);
            findings.push(self.unjudged(goal.to.as_str(), &message));
        }
        findings
    }
}
