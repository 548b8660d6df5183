//! How many replicas each version of a deployment should have now: the arithmetic of a rollout.

use serde_json::Value;

use super::deployment::Owned;
use crate::testing::object;

/// `maxSurge` and `maxUnavailable` in pods. Shares of the replicas are rounded up and down (`ResolveFenceposts`).
pub(super) fn bounds(deployment: &Value) -> (i64, i64) {
    let replicas = object::number(deployment, "/spec/replicas", 1);
    if object::text(deployment, "/spec/strategy/type") == "Recreate" {
        return (0, 0);
    }
    let share = |field: &str, up: bool| {
        let value = deployment.pointer(&format!("/spec/strategy/rollingUpdate/{field}"));
        match value {
            Some(Value::String(text)) => {
                let percent = text.trim_end_matches('%').parse::<i64>().unwrap_or(25);
                if up { (replicas * percent + 99) / 100 } else { replicas * percent / 100 }
            }
            Some(number) => number.as_i64().unwrap_or(0),
            None => 0,
        }
    };
    let (surge, unavailable) = (share("maxSurge", true), share("maxUnavailable", false));
    if surge == 0 && unavailable == 0 { (0, 1) } else { (surge, unavailable) }
}

/// The replica counts that the sets of a deployment should have next.
pub(super) fn next(deployment: &Value, current: Option<&Owned>, old: &[Owned], paused: bool) -> Vec<(Owned, i64)> {
    let replicas = object::number(deployment, "/spec/replicas", 1);
    let old_wanted: i64 = old.iter().map(Owned::wanted).sum();
    if paused {
        // A paused rollout is scaled where it stands: the newest set that has replicas takes the change.
        let held = current.into_iter().chain(old).find(|set| set.wanted() > 0).or(current);
        let rest = current.map_or(0, Owned::wanted) + old_wanted - held.map_or(0, Owned::wanted);
        return held.map(|set| (set.clone(), (replicas - rest).max(0))).into_iter().collect();
    }
    let Some(current) = current else { return Vec::new() };
    if old_wanted == 0 {
        return vec![(current.clone(), replicas)];
    }
    if object::text(deployment, "/spec/strategy/type") == "Recreate" {
        let stopped = old.iter().all(|set| set.status("replicas") == 0);
        let mut plan: Vec<(Owned, i64)> = old.iter().map(|set| (set.clone(), 0)).collect();
        if stopped {
            plan.push((current.clone(), replicas));
        }
        return plan;
    }
    let (surge, unavailable) = bounds(deployment);
    let mut plan = Vec::new();
    let room = (replicas + surge - old_wanted - current.wanted()).max(0);
    let raised = (current.wanted() + room).min(replicas);
    plan.push((current.clone(), raised));

    let available: i64 =
        current.status("availableReplicas") + old.iter().map(|s| s.status("availableReplicas")).sum::<i64>();
    let pending = current.wanted() - current.status("availableReplicas");
    let total = old_wanted + current.wanted();
    let mut removable = (total - (replicas - unavailable) - pending).max(0);
    let mut spare = (available - (replicas - unavailable)).max(0);
    for set in old {
        // Replicas that are not available anyway go first and cost no availability.
        let broken = (set.wanted() - set.status("availableReplicas")).clamp(0, removable);
        let healthy = (set.wanted() - broken).min(spare).min(removable - broken).max(0);
        removable -= broken + healthy;
        spare -= healthy;
        plan.push((set.clone(), set.wanted() - broken - healthy));
    }
    plan
}
