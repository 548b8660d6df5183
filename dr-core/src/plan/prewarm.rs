use std::{collections::BTreeSet, time::Duration};

use super::{Gate, Goal, GoalKind, InvalidPlan, Phase, Plan, PlanStep, check};
use crate::{
    model::{RegionId, StepId},
    plan::{Estimate, RetryPolicy},
    step::Reversibility,
};

/// The name of the step whose gate holds a pre-warming open.
const KEEP: &str = "prewarm/keep";

impl PlanStep {
    /// Whether it may be made on suspicion alone: reversible, from a before-image that is kept; cheap, as steps that make room
    /// are and others say; asking nobody; and out of reach of the region that may be lost.
    #[must_use]
    pub fn may_prewarm(&self, goal: &Goal) -> bool {
        let away = |region: &RegionId| *region != goal.from;
        self.reversibility == Reversibility::Reversible
            && self.before_image != Some(false)
            && (self.phase == Phase::Scale || self.prewarm)
            && self.gate.is_none()
            && self.region.as_ref() == Some(&goal.to)
            && self.calls.iter().flat_map(|call| &call.endpoints).all(away)
    }
}

impl Plan {
    /// The part of this plan that may be done on suspicion alone, and a last step that waits for the verdict, unanswered for
    /// at most `keep`. None when no step may. What a step needs from one that may not be made keeps it out as well.
    ///
    /// `hold` is the kind of that last step, which does nothing: [`KeepWarm`](crate::decision::KeepWarm).
    ///
    /// # Errors
    ///
    /// [`InvalidPlan`], as for any plan.
    pub fn prewarming(&self, hold: &str, keep: Duration) -> Result<Option<Self>, InvalidPlan> {
        let goal = self.goal();
        let mut chosen: BTreeSet<&StepId> = BTreeSet::new();
        // Steps come after what they wait for, so one pass sees everything.
        for step in self.steps() {
            if step.may_prewarm(goal) && step.after.iter().all(|before| chosen.contains(before)) {
                chosen.insert(&step.id);
            }
        }
        if chosen.is_empty() {
            return Ok(None);
        }
        let Ok(name) = StepId::new(KEEP) else { return Ok(None) };
        let mut draft = self.draft.clone();
        draft.goal = Goal { kind: GoalKind::Prewarm, ..goal.clone() };
        draft.groups.clear();
        draft.safety.clear();
        draft.recovery = None;
        // The gate expires well before the run does.
        draft.deadline = keep.saturating_mul(2).max(Duration::from_secs(600));
        draft.steps.retain(|step| chosen.contains(&step.id));
        let after = draft.steps.iter().map(|step| step.id.clone()).collect();
        draft.steps.push(PlanStep {
            id: name,
            kind: hold.to_owned(),
            version: 1,
            title: "the standby stays warm until the verdict falls".to_owned(),
            phase: Phase::Confirm,
            resource: None,
            region: None,
            params: serde_json::Value::Null,
            after,
            reversibility: Reversibility::ReadOnly,
            before_image: None,
            timeout: Duration::from_secs(10),
            estimate: Estimate::default(),
            retry: RetryPolicy::default(),
            gate: Some(Gate {
                question: "keep the standby warm? (the decider answers by itself when the verdict falls)".to_owned(),
                approvers: Vec::new(),
                expires: Some(keep),
            }),
            ungraceful: None,
            prewarm: false,
            calls: Vec::new(),
        });
        check::check(draft).map(Some)
    }
}
