//! What a run did, held against its plan.

use std::time::Duration;

use super::world::{Bench, Promote, TurnOn, Wrong, builder, params, run_id, step_id};
use crate::{
    engine::{AutoApprove, Control, NewRun, OnPause, RunDiff, RunState, diff_run},
    plan::{Estimate, PlanBuilder, Ungraceful},
};

fn plan(bench: &Bench) -> PlanBuilder {
    let act = TurnOn(bench.world.clone());
    let mut plan = builder();
    plan.step("freeze", &act, &params("freeze", 0)).estimate(Estimate::secs(1, 2));
    plan.step("slow", &act, &params("slow", 30_000)).estimate(Estimate::secs(5, 10));
    plan.step("shaky", &act, &params("shaky", 0)).after("freeze");
    plan.step("drop", &act, &params("drop", 0)).after("shaky").ungraceful(Ungraceful::Skip);
    plan.step("promote", &Promote(bench.world.clone()), &params("promote", 0)).after("drop").gate("go on?");
    plan.step("there", &act, &params("there", 0)).after("promote");
    plan
}

#[tokio::test]
async fn what_went_otherwise_is_told_with_names() {
    let bench = Bench::new();
    bench.world.wrong("shaky", &[Wrong::Refused]);
    bench.world.wrong("drop", &[Wrong::Never]);
    bench.world.turn_on("there");
    let approver = std::sync::Arc::new(AutoApprove::new("Grace", "agreed on Monday"));
    let engine = bench.builder("engine-1").on_pause(OnPause::Return).approver(approver).build();
    let plan = plan(&bench).build().unwrap();
    engine.create(NewRun::new(run_id(), plan.clone())).await.unwrap();
    let view = bench.drive(engine.run(&run_id())).await.unwrap();
    assert_eq!(view.state(), RunState::CompletedWithExceptions);
    let found = diff_run(&plan, &view);
    insta::assert_snapshot!(found, @r"
    Run run-1 is completed with exceptions.
      slow: took 30.0 s, expected within 10.0 s
      shaky: took 2 attempts
      drop: skipped: ungraceful, and it failed: may not
      there: was there already
      gate before promote: opened by Grace: agreed on Monday
    ");
    let read: RunDiff = serde_json::from_str(&serde_json::to_string(&found).unwrap()).unwrap();
    assert_eq!(read, found);
}

#[tokio::test]
async fn a_run_is_held_against_another_plan_too() {
    let bench = Bench::new();
    let engine = bench.builder("engine-1").on_pause(OnPause::Return).build();
    let mut run = builder();
    run.step("freeze", &TurnOn(bench.world.clone()), &params("freeze", 0));
    run.step("more", &TurnOn(bench.world.clone()), &params("more", 0));
    let mut wanted = builder();
    wanted.step("freeze", &TurnOn(bench.world.clone()), &params("freeze", 0)).timeout(Duration::from_secs(7));
    let (run, wanted) = (run.build().unwrap(), wanted.build().unwrap());
    engine.create(NewRun::new(run_id(), run.clone())).await.unwrap();
    engine
        .control(&run_id(), Control::Skip { step: step_id("more"), who: "Ada".to_owned(), why: "no".to_owned() })
        .await
        .unwrap();
    let view = bench.drive(engine.run(&run_id())).await.unwrap();
    let found = diff_run(&wanted, &view);
    let plan = found.plan.as_ref().unwrap();
    assert_eq!(plan.added, [step_id("more")]);
    assert_eq!(plan.changed.first().map(|changed| changed.fields.len()), Some(1));
    assert!(found.steps.is_empty() && !found.is_as_planned(), "{found}");
    assert!(diff_run(&run, &view).to_string().contains("more: skipped: Ada: no"));
}
