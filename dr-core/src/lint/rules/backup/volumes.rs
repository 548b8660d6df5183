//! E25: a snapshot stays where it was taken.

use serde_json::json;

use crate::{
    lint::{
        LintInput, Rule, RuleInfo,
        operation::flag,
        restore::{backup, restores},
    },
    plan::VolumeCopy,
    validation::Finding,
};

/// E25: volumes restored from snapshots of another region.
#[derive(Debug)]
pub(in crate::lint) struct PvCrossRegion;

impl Rule for PvCrossRegion {
    fn info(&self) -> RuleInfo {
        RuleInfo::error("E25", "pv-cross-region")
            .catches("a restore of volumes from native or CSI snapshots that were not moved into the backup's storage")
            .why("\"The Velero plugin for AWS ... does not support migrating data between regions\": a snapshot exists in \
                  the region where it was taken (velero-plugin-for-aws, README). Only file-system backups and moved \
                  snapshots travel.")
            .remedy("back volumes up as files, or move snapshot data (snapshotMoveData), or restore without volumes")
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let to = input.to();
        let mut findings = Vec::new();
        for made in restores(input).into_iter().filter(|made| flag(made.call, "restorePVs")) {
            let step = made.step.id.as_str();
            let Some(backup) = backup(input, made.call) else {
                findings.push(self.unjudged(step, "nothing is known of the backup whose volumes it restores"));
                continue;
            };
            match backup.volumes {
                Some(VolumeCopy::Snapshots) if backup.source != *to => {
                    let message = format!(
                        "{} restores volumes in {to} from snapshots of {} that stay in {}",
                        made.call.operation, backup.name, backup.source
                    );
                    findings.push(self.finding(step, message, json!(backup)));
                }
                Some(_) => {}
                None => {
                    let unknown = format!("how {} holds volumes is not known", backup.name);
                    findings.push(self.unjudged(step, &unknown));
                }
            }
        }
        findings
    }
}
