//! E24: a restore needs a backup that is whole, near, and not newer than the cluster.

use serde_json::json;

use crate::{
    lint::{
        LintInput, Rule, RuleInfo,
        operation::text,
        restore::{backup, restores},
    },
    validation::Finding,
};

/// E24: a restore that would fail, or bring back something else.
#[derive(Debug)]
pub(in crate::lint) struct RestoreSource;

impl Rule for RestoreSource {
    fn info(&self) -> RuleInfo {
        RuleInfo::error("E24", "restore-source")
            .catches("a restore that names both or neither of backup and schedule, or whose backup is in the failed region, \
                      in storage that the standby may write, not completed, or of a newer Kubernetes")
            .why("Velero validates exactly one of backupName and scheduleName and fails when the storage is unavailable; \
                  storage that is not read-only lets the standby's garbage collection delete the backup while it is \
                  restored; and objects of a newer Kubernetes minor do not fit into an older one (Velero, \"Restore \
                  reference\", \"Cluster migration\").")
            .remedy("name one completed backup, in a read-only location outside the failed region, made by a Kubernetes no \
                     newer than the standby's")
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let to = input.to();
        let mut findings = Vec::new();
        for made in restores(input) {
            let (call, step) = (made.call, made.step.id.as_str());
            let operation = &call.operation;
            let names = [text(call, "backupName"), text(call, "scheduleName")];
            if names.iter().flatten().count() != 1 {
                let which = if names.iter().all(Option::is_some) { "both" } else { "neither of" };
                let message = format!("{operation} names {which} backupName and scheduleName, and needs exactly one");
                findings.push(self.finding(step, message, json!({ "args": call.args })));
                continue;
            }
            let Some(backup) = backup(input, call) else {
                findings.push(self.unjudged(step, "nothing is known of the backup that it restores"));
                continue;
            };
            let mut wrong = Vec::new();
            let mut unknown = Vec::new();
            match (&backup.location, input.failed_region()) {
                (Some(location), Some(failed)) if location == failed => {
                    wrong.push(format!("is stored in {failed}, the region that this plan has to leave"));
                }
                (None, Some(_)) => unknown.push("where it is stored"),
                _ => {}
            }
            match backup.read_only {
                Some(true) => {}
                Some(false) => wrong.push(format!("is in storage that the cluster in {to} may write to")),
                None => unknown.push("whether its storage is read-only"),
            }
            match backup.phase.as_deref() {
                Some("Completed") => {}
                Some(phase) => wrong.push(format!("is {phase}, not Completed")),
                None => unknown.push("its phase"),
            }
            let minor = |region| input.facts.cluster(region).and_then(|cluster| cluster.kubernetes_minor);
            match (minor(&backup.source), minor(to)) {
                (Some(source), Some(target)) if source > target => {
                    wrong.push(format!("was made by Kubernetes 1.{source}, and {to} runs 1.{target}"));
                }
                (Some(_), Some(_)) => {}
                _ => unknown.push("the versions of Kubernetes"),
            }
            for what in wrong {
                let message = format!("{operation} restores {}, which {what}", backup.name);
                findings.push(self.finding(step, message, json!(backup)));
            }
            if !unknown.is_empty() {
                let message = format!("of the backup {} it is not known: {}", backup.name, unknown.join(", "));
                findings.push(self.unjudged(step, &message));
            }
        }
        findings
    }
}
