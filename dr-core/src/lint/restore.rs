//! What a plan restores from backups: which calls do so, and from which backup.

use serde_json::Value;

use super::{LintInput, index::Made, operation::text};
use crate::plan::{BackupFact, Call};

/// Whether the operation asks for a restore. `k8s:create restores` makes one of Velero's objects.
pub(super) fn is_restore(operation: &str) -> bool {
    operation == "k8s:create restores" || operation == "k8s:create restores.velero.io"
}

/// The restores of a plan.
pub(super) fn restores<'a>(input: &LintInput<'a>) -> Vec<Made<'a>> {
    input.calls(is_restore, |made| made.call.mutates)
}

/// The backup that a restore names, by its own name or by its schedule's.
pub(super) fn backup<'a>(input: &LintInput<'a>, call: &Call) -> Option<&'a BackupFact> {
    let (name, schedule) = (text(call, "backupName"), text(call, "scheduleName"));
    let named = |backup: &&BackupFact| match (name, schedule) {
        (Some(name), _) => backup.name == name,
        (None, Some(schedule)) => backup.schedule.as_deref() == Some(schedule),
        (None, None) => false,
    };
    input.facts.backups.iter().find(named)
}

/// Whether a restore brings back Services of type LoadBalancer or Ingresses; none when that is not known.
pub(super) fn makes_load_balancers(input: &LintInput<'_>, call: &Call) -> Option<bool> {
    let exposed = |kind: &str| {
        let kind = kind.split('.').next().unwrap_or_default().to_ascii_lowercase();
        ["*", "service", "services", "svc", "ingress", "ingresses", "ing"].contains(&kind.as_str())
    };
    let listed = |name: &str| call.args.get(name).and_then(Value::as_array);
    let any = |kinds: &Vec<Value>| kinds.iter().filter_map(Value::as_str).any(exposed);
    if listed("includedResources").is_some_and(|kinds| !kinds.is_empty() && !any(kinds)) {
        return Some(false);
    }
    let all = ["services", "ingresses"];
    let left_out = |kinds: &Vec<Value>| {
        let named: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
        all.iter().all(|kind| named.iter().any(|name| name.split('.').next() == Some(kind)))
    };
    if listed("excludedResources").is_some_and(left_out) {
        return Some(false);
    }
    backup(input, call)?.load_balancers
}
