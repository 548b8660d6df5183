use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use super::{Plan, PlanStep};
use crate::model::StepId;

/// When a step is expected to run, from the plan's start, if each step takes as long as half of its runs do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The step.
    pub step: StepId,
    /// When everything that it waits for has ended.
    pub starts: Duration,
    /// When it ends.
    pub ends: Duration,
    /// Whether a delay of it delays the plan.
    pub critical: bool,
}

/// The plan laid out in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedTimeline {
    /// Each step, in the plan's order.
    pub steps: Vec<Expected>,
    /// The length of the plan if each step takes as long as half of its runs do.
    pub p50: Duration,
    /// An upper estimate: the critical path with every step as slow as one in twenty. Steps are seldom all slow at once.
    pub p95: Duration,
}

impl Plan {
    /// The plan laid out in time by its steps' estimates: its length is its critical path.
    #[must_use]
    pub fn expected_timeline(&self) -> ExpectedTimeline {
        let (starts, p50) = forward(self.steps(), |step| step.estimate.p50);
        let (_, p95) = forward(self.steps(), |step| step.estimate.p95.max(step.estimate.p50));
        let latest = backward(self.steps(), p50);
        let steps = self.steps().iter().map(|step| {
            let start = starts.get(&step.id).copied().unwrap_or_default();
            let end = start + step.estimate.p50;
            Expected {
                step: step.id.clone(),
                starts: start,
                ends: end,
                critical: latest.get(&step.id).is_none_or(|latest| *latest <= end),
            }
        });
        ExpectedTimeline { steps: steps.collect(), p50, p95 }
    }
}

/// Each step's earliest start, and the end of the last. `steps` are in topological order.
fn forward(steps: &[PlanStep], length: impl Fn(&PlanStep) -> Duration) -> (BTreeMap<StepId, Duration>, Duration) {
    let mut starts = BTreeMap::new();
    let mut ends: BTreeMap<&StepId, Duration> = BTreeMap::new();
    for step in steps {
        let start = step.after.iter().filter_map(|before| ends.get(before)).max().copied().unwrap_or_default();
        starts.insert(step.id.clone(), start);
        ends.insert(&step.id, start + length(step));
    }
    let end = ends.values().max().copied().unwrap_or_default();
    (starts, end)
}

/// Each step's latest end that does not make the plan longer than `whole`.
fn backward(steps: &[PlanStep], whole: Duration) -> BTreeMap<StepId, Duration> {
    let mut latest: BTreeMap<StepId, Duration> = BTreeMap::new();
    for step in steps.iter().rev() {
        let end = latest.get(&step.id).copied().unwrap_or(whole);
        let start = end.saturating_sub(step.estimate.p50);
        latest.insert(step.id.clone(), end);
        for before in &step.after {
            let bound = latest.entry(before.clone()).or_insert(whole);
            *bound = start.min(*bound);
        }
    }
    latest
}

/// The plan as bars over time, for a terminal: `#` on the critical path, `=` beside it.
#[must_use]
pub fn to_timeline_text(plan: &Plan) -> String {
    const COLUMNS: f64 = 48.0;
    let timeline = plan.expected_timeline();
    let width = plan.steps().iter().map(|step| step.id.as_str().len()).max().unwrap_or(0);
    let whole = timeline.p50.as_secs_f64().max(1.0);
    let mut out = String::new();
    let _ = writeln!(
        out,
        "Expected: {:.0} s, at most about {:.0} s (# critical path)",
        timeline.p50.as_secs_f64(),
        timeline.p95.as_secs_f64()
    );
    for step in &timeline.steps {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 48 columns")]
        let column = |at: Duration| (at.as_secs_f64() / whole * COLUMNS).clamp(0.0, COLUMNS) as usize;
        let (from, to) = (column(step.starts), column(step.ends));
        let bar = if step.critical { "#" } else { "=" }.repeat((to - from).max(1));
        let bar = format!("{}{bar}", " ".repeat(from));
        let _ = writeln!(out, "  {:width$} |{bar:<49}| T+{:.0} s", step.step, step.starts.as_secs_f64());
    }
    out
}
