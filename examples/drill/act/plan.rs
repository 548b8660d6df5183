use dr_core::{
    engine::{NewRun, new_run_id},
    lint::{LintInput, Report, lint},
    model::RunId,
    plan::{Goal, GoalKind, Inventory, Mode, Plan, SafetyRule, to_text, to_timeline_text},
    planner::{BeforeImages, PlanOptions, Planner, survey},
    report::MomentKind,
};

use super::{decide::by_hand, warm::decider};
use crate::{drill::Drill, exit::Stop};

/// Plans the way out: the region is presumed gone, and what was not replicated is lost.
pub(crate) async fn plan_failover(drill: &mut Drill) -> Result<(), Stop> {
    drill.narrator.act("Plan");
    let (from, to) = (drill.diary.region.clone(), drill.platform.standby()?);
    let goal = Goal { kind: GoalKind::Failover, from, to, mode: Mode::Ungraceful };
    let run = create(drill, goal.clone(), &BeforeImages::default()).await?;
    by_hand(drill, &run, &goal).await?;
    drill.diary.failover = Some(run);
    Ok(())
}

/// Plans the way back: both regions answer, and nothing may be lost.
pub(crate) async fn plan_failback(drill: &mut Drill) -> Result<(), Stop> {
    drill.narrator.act("Plan of the way back");
    let failover = drill.diary.failover.clone().ok_or_else(|| Stop::stopped("there was no failover"))?;
    let failover = drill.engine.view(&failover).await?;
    // Where the standby was warmed on suspicion, the failover found done what it would have changed.
    let before = decider(drill)?.before_images(&failover).await?;
    let (to, from) = (drill.diary.region.clone(), drill.platform.standby()?);
    let goal = Goal { kind: GoalKind::Failback, from, to, mode: Mode::Graceful };
    let run = create(drill, goal, &before).await?;
    drill.diary.failback = Some(run);
    Ok(())
}

async fn create(drill: &mut Drill, goal: Goal, before: &BeforeImages) -> Result<RunId, Stop> {
    // A drill that was killed between creating the run and writing so into its diary: the run is there, take it up.
    if let Some(open) = drill.engine.open_runs().await?.into_iter().next() {
        let view = drill.engine.view(&open).await?;
        if *view.plan().goal() == goal {
            drill.narrator.say("drill", &format!("run {open} was planned before: it is taken up"));
            return Ok(open);
        }
        return Err(Stop::stopped(format!(
            "run {open} has not ended and is for another goal ({})",
            view.plan().goal()
        )));
    }
    let inventory = survey(&drill.platform.topology, &drill.platform.drivers, &drill.clock).await;
    for unknown in &inventory.unknown {
        drill.narrator.say("survey", &format!("not known: {unknown}"));
    }
    let options = PlanOptions::of(&drill.platform.spec, goal.mode);
    let planner = Planner::new(&drill.platform.topology, &drill.platform.drivers);
    let plan = planner.plan(goal, &inventory, before, &options).map_err(|e| Stop::stopped(e.to_string()))?;
    // The plan's edges say so as well; a promotion that somebody skips is done with for them, and not for the rule.
    let rule = SafetyRule::no_traffic_before_promoted();
    let plan = plan.with_safety_rule(rule).map_err(|e| Stop::stopped(e.to_string()))?;
    let report = judge(drill, &plan, &inventory)?;
    let asked = drill.now_s();
    drill.consent.obtain(&format!("Carry out plan {}?", plan.digest().short())).await?;
    if drill.consent == crate::ask::Consent::Ask {
        drill.note(asked, MomentKind::ApprovalAsked, None, "the plan was shown, and somebody asked");
    }
    let run = new_run_id(&drill.clock);
    drill.engine.create(NewRun::new(run.clone(), plan).inventory(inventory).linted(&report)).await?;
    Ok(run)
}

/// Shows the plan with everything that is to be said about it, and refuses what lint blocks.
fn judge(drill: &Drill, plan: &Plan, inventory: &Inventory) -> Result<Report, Stop> {
    drill.narrator.show(&to_text(plan));
    drill.narrator.show(&to_timeline_text(plan));
    let today = drill.clock.wall();
    let input =
        LintInput::new(plan, &drill.platform.topology, inventory).waived(&drill.platform.spec.waivers, today.date());
    let report = lint(&input);
    drill.narrator.show(&report.to_string());
    if !report.allows_run() {
        return Err(Stop::stopped(
            "lint does not let this plan run; mend what it names, or record a waiver in dr.yaml",
        ));
    }
    Ok(report)
}
