//! A drill of which somebody says what goes wrong, and what became of it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use dr_core::{
    engine::{AutoApprove, Control, Engine, NewRun, OnPause, RunState, RunView, StepState, new_run_id},
    journal::MemoryJournal,
    lint::{LintInput, Report, lint},
    plan::{Goal, GoalKind, Inventory, Mode, Plan, SafetyRule},
    planner::{BeforeImages, PlanOptions, Planner, survey},
    testing::{Fault, FaultRule},
    time::Clock as _,
};
use dr_lab::state::StackState;

use super::stage::Stage;
use crate::by_hand::{east, west};

/// How often somebody asks for another attempt before the drill counts as stuck.
const PATIENCE: usize = 3;
/// Between two looks at a platform of which no plan could be made.
const AGAIN: Duration = Duration::from_secs(10);
/// How long clients stay where they are after a run; what is still under way in the world comes to rest.
const STAY: Duration = Duration::from_secs(45);

/// The two halves of a drill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Half {
    Failover,
    Failback,
}

/// What a run left behind.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct End {
    /// How many calls it made.
    pub(super) calls: u32,
    /// How often each effect was made.
    pub(super) effects: BTreeMap<String, usize>,
    /// What the stack looks like when it has come to rest.
    pub(super) state: StackState,
    /// Why somebody was asked, when somebody was.
    pub(super) asked: Vec<String>,
}

/// What becomes of one call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    pub(super) call: u32,
    pub(super) fault: Fault,
}

/// A drill between its halves.
pub(super) struct Drill {
    pub(super) stage: Stage,
    engine: Engine,
    before: BeforeImages,
}

impl Drill {
    pub(super) async fn new() -> Self {
        let stage = Stage::new().await;
        let clock = stage.shared_clock();
        let journal = Arc::new(MemoryJournal::new(clock.clone()));
        let engine = Engine::builder(journal, stage.drivers.steps().unwrap(), clock)
            .approver(Arc::new(AutoApprove::new("test", "agreed")))
            .health(stage.health())
            .on_pause(OnPause::Return)
            .build();
        Self { stage, engine, before: BeforeImages::default() }
    }

    /// Leaves the region that is lost, or returns to it when it is back; one call goes wrong, if any.
    pub(super) async fn half(&mut self, half: Half, hit: Option<Hit>) -> Result<End, String> {
        let there = || Goal { kind: GoalKind::Failover, from: east(), to: west(), mode: Mode::Ungraceful };
        let back = || Goal { kind: GoalKind::Failback, from: west(), to: east(), mode: Mode::Graceful };
        let (goal, lost) = if half == Half::Failover { (there(), Some(Fault::BlackHole)) } else { (back(), None) };
        self.stage.faults.switch_region(&east(), lost);
        let already = self.stage.effects.all().len();
        let rule = match hit {
            Some(hit) => FaultRule::new(hit.fault).after(hit.call).times(1),
            // It hits none, and counts them.
            None => FaultRule::new(Fault::Refuse).after(u32::MAX),
        };
        let rule = self.stage.faults.add(rule);
        let mut asked = Vec::new();
        let view = self.stage.pacer.passing(self.run(&goal, &mut asked)).await?;
        let left = self.stage.faults.rules().into_iter().find(|(id, _)| *id == rule);
        self.stage.faults.remove(rule);
        let calls = match (hit, left) {
            (None, Some((_, rule))) => u32::MAX - rule.skip,
            (Some(hit), None) => hit.call + 1,
            (hit, left) => return Err(format!("the call was never made: {hit:?}, {left:?}")),
        };
        self.before = view.before_images();
        self.stage.pacer.passing(self.stage.clock.sleep(STAY)).await;
        let mut effects = BTreeMap::new();
        for effect in self.stage.effects.all().into_iter().skip(already) {
            *effects.entry(format!("{} {}", effect.operation, effect.subject)).or_insert(0) += 1;
        }
        Ok(End { calls, effects, state: self.stage.state(), asked })
    }

    /// One plan, from the survey to its end.
    async fn run(&self, goal: &Goal, asked: &mut Vec<String>) -> Result<RunView, String> {
        let (plan, inventory, report) = self.plan(goal, asked).await?;
        let run = new_run_id(&self.stage.shared_clock());
        let new = NewRun::new(run.clone(), plan).inventory(inventory).linted(&report);
        self.engine.create(new).await.map_err(|e| e.to_string())?;
        loop {
            let view = self.engine.run(&run).await.map_err(|e| e.to_string())?;
            match view.state() {
                RunState::Completed => return Ok(view),
                RunState::PausedByFailure if asked.len() < PATIENCE => {}
                state => return Err(format!("the run is {state}: {:?}; asked before: {asked:?}", view.held())),
            }
            let failed: Vec<_> = view.failed_for_good().map(|(step, state)| (step.id.clone(), state.clone())).collect();
            for (step, state) in failed {
                let StepState::Failed { failure } = state.state else { return Err(format!("{step}: {state:?}")) };
                if failure.message.is_empty() {
                    return Err(format!("{step} does not say why it failed"));
                }
                asked.push(format!("{step}: {failure}"));
                let (who, why) = ("operator".to_owned(), "once more".to_owned());
                self.engine.control(&run, Control::Retry { step, who, why }).await.map_err(|e| e.to_string())?;
            }
        }
    }

    /// A plan that lint lets run. What a survey cannot see, lint may refuse by name; then somebody looks again.
    async fn plan(&self, goal: &Goal, asked: &mut Vec<String>) -> Result<(Plan, Inventory, Report), String> {
        let Stage { topology, drivers, spec, .. } = &self.stage;
        loop {
            let inventory = survey(topology, drivers, &self.stage.shared_clock()).await;
            let options = PlanOptions::of(spec, goal.mode);
            let plan = Planner::new(topology, drivers)
                .plan(goal.clone(), &inventory, &self.before, &options)
                .map_err(|e| e.to_string())
                .and_then(|plan| {
                    plan.with_safety_rule(SafetyRule::no_traffic_before_promoted()).map_err(|e| e.to_string())
                });
            let why = match plan {
                Ok(plan) => {
                    let today = self.stage.clock.wall().date();
                    let report = lint(&LintInput::new(&plan, topology, &inventory).waived(&spec.waivers, today));
                    if report.allows_run() {
                        return Ok((plan, inventory, report));
                    }
                    report.to_string()
                }
                Err(why) => why,
            };
            if asked.len() >= PATIENCE || why.is_empty() {
                return Err(format!("no plan: {why}; asked before: {asked:?}"));
            }
            asked.push(why);
            self.stage.clock.sleep(AGAIN).await;
        }
    }
}
