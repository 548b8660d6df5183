//! The horizontal pod autoscaler: bounds first, metrics second, and a memory that delays scaling in.

use std::time::Duration;

use serde_json::{Value, json};

use super::status::set_condition;
use crate::testing::{object, state::State, store::Key};

/// The default stabilisation window for scaling in (`--horizontal-pod-autoscaler-downscale-stabilization`).
const STABILISATION: Duration = Duration::from_secs(300);

impl State {
    pub(in crate::testing) fn has_autoscalers(&self) -> bool {
        self.store.has("horizontalpodautoscalers.autoscaling")
    }

    /// One look of every autoscaler at its target.
    pub(in crate::testing) fn autoscale(&mut self) {
        for (key, hpa) in self.store.of("horizontalpodautoscalers.autoscaling") {
            self.autoscale_one(&key, &hpa);
        }
    }

    fn autoscale_one(&mut self, key: &Key, hpa: &Value) {
        let now = self.wall_text();
        let mut conditions = object::items(hpa, "/status/conditions").to_vec();
        let target = Key::new("deployments.apps", &key.namespace, object::text(hpa, "/spec/scaleTargetRef/name"));
        let deployment =
            self.store.get(&target).filter(|_| object::text(hpa, "/spec/scaleTargetRef/kind") == "Deployment");
        let Some(deployment) = deployment else {
            set_condition(&mut conditions, "AbleToScale", "False", "FailedGetScale", "the target was not found", &now);
            self.write_hpa_status(key, hpa, 0, 0, None, conditions);
            return;
        };
        set_condition(
            &mut conditions,
            "AbleToScale",
            "True",
            "ReadyForNewScale",
            "recommended size matches current size",
            &now,
        );
        let current = object::number(&deployment, "/spec/replicas", 1);
        if current == 0 {
            // A target at zero switches its autoscaler off (`horizontal.go`: ScalingDisabled).
            let message = "scaling is disabled since the replica count of the target is zero";
            set_condition(&mut conditions, "ScalingActive", "False", "ScalingDisabled", message, &now);
            self.write_hpa_status(key, hpa, 0, 0, None, conditions);
            return;
        }
        let (min, max) = (object::number(hpa, "/spec/minReplicas", 1), object::number(hpa, "/spec/maxReplicas", 1));
        let called_for = self.load.get(&(target.namespace.clone(), target.name.clone())).copied().unwrap_or(0);
        let time = self.time;
        let recent = self.recommendations.entry(key.clone()).or_default();
        recent.retain(|(at, _)| time.since(*at) < STABILISATION);
        recent.push((time, called_for));
        let stabilised = recent.iter().map(|(_, n)| *n).max().unwrap_or(0);
        let wanted = stabilised.clamp(min, max.max(min));
        set_condition(
            &mut conditions,
            "ScalingActive",
            "True",
            "ValidMetricFound",
            "the HPA was able to compute the replica count",
            &now,
        );
        let (limited, reason) = match stabilised {
            n if n < min => ("True", "TooFewReplicas"),
            n if n > max => ("True", "TooManyReplicas"),
            _ => ("False", "DesiredWithinRange"),
        };
        set_condition(
            &mut conditions,
            "ScalingLimited",
            limited,
            reason,
            "the desired count was held against the bounds",
            &now,
        );
        if wanted != current {
            let mut scaled = Value::clone(&deployment);
            object::set(&mut scaled, &["spec", "replicas"], json!(wanted));
            let generation = object::number(&scaled, "/metadata/generation", 1);
            object::set(&mut scaled, &["metadata", "generation"], json!(generation + 1));
            self.store.put(self.time, &target, scaled);
            self.notice();
        }
        self.write_hpa_status(key, hpa, current, wanted, (wanted != current).then_some(now), conditions);
    }

    fn write_hpa_status(
        &mut self,
        key: &Key,
        hpa: &Value,
        current: i64,
        wanted: i64,
        scaled_at: Option<String>,
        conditions: Vec<Value>,
    ) {
        let mut status = json!({ "currentReplicas": current, "desiredReplicas": wanted, "conditions": conditions });
        let last = hpa.pointer("/status/lastScaleTime").cloned();
        if let Some(time) = scaled_at.map(Value::String).or(last) {
            object::set(&mut status, &["lastScaleTime"], time);
        }
        if hpa.get("status") != Some(&status) {
            let mut after = hpa.clone();
            object::set(&mut after, &["status"], status);
            self.store.put(self.time, key, after);
        }
    }
}
