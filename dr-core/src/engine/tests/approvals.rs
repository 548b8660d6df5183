//! Gates, and who opens them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;

use super::world::{Bench, Promote, TurnOn, builder, params, run_id, watch};
use crate::{
    engine::{Answer, ApprovalRequest, Approver, AskApprover, AutoApprove, Control, NewRun, OnPause, RunState},
    error::{Error, ErrorKind, Result},
    journal::Decision,
    plan::Plan,
    time::Clock as _,
};

/// Scale beside a fence, then two promotions behind gates, then the shift.
fn gated(bench: &Bench) -> Plan {
    let (act, promote) = (TurnOn(bench.world.clone()), Promote(bench.world.clone()));
    let mut plan = builder();
    plan.step("fence", &act, &params("fence", 1_000));
    plan.step("promote-db", &promote, &params("db", 20_000)).after("fence").gate("the database: no way back");
    plan.step("promote-cache", &promote, &params("cache", 5_000)).after("fence").gate("the cache: no way back");
    plan.step("shift", &act, &params("shift", 0)).after("promote-db").after("promote-cache");
    plan.build().unwrap()
}

fn approve(plan: &Plan) -> Control {
    Control::Approve { plan: plan.digest().clone(), who: "Ada".to_owned(), why: "seen".to_owned() }
}

fn reject(plan: &Plan) -> Control {
    Control::Reject { plan: plan.digest().clone(), who: "Ada".to_owned(), why: "not today".to_owned() }
}

#[tokio::test]
async fn a_gate_waits_survives_a_restart_and_one_approval_opens_all() {
    let bench = Bench::new();
    let plan = gated(&bench);
    let (sink, mut heard) = watch();
    let engine = bench.builder("engine-1").on_pause(OnPause::Return).events(sink).build();
    engine.create(NewRun::new(run_id(), plan.clone())).await.unwrap();
    for _ in 0..2 {
        let view = bench.drive(engine.run(&run_id())).await.unwrap();
        assert_eq!(view.state(), RunState::WaitingForApproval);
        assert_eq!(view.asked().len(), 2);
        assert_eq!(bench.world.effects(), ["on fence"]);
    }
    assert_eq!(heard().iter().filter(|line| *line == "approval-requested").count(), 2, "asked once for each gate");
    // Another process decides, while nobody runs the run.
    bench.builder("somebody").build().control(&run_id(), approve(&plan)).await.unwrap();
    let view = bench.drive(bench.builder("engine-2").build().run(&run_id())).await.unwrap();
    assert_eq!(view.state(), RunState::Completed);
    assert_eq!(view.approval().unwrap().by.who, "Ada");
    assert_eq!(bench.world.count("on db") + bench.world.count("on cache"), 2);
}

#[tokio::test]
async fn a_waiting_engine_hears_the_decision() {
    let bench = Bench::new();
    let plan = gated(&bench);
    let engine = bench.engine();
    engine.create(NewRun::new(run_id(), plan.clone())).await.unwrap();
    let decide = async {
        bench.world.clock.sleep(Duration::from_secs(100)).await;
        assert!(!bench.world.is_on("db"));
        engine.control(&run_id(), approve(&plan)).await.unwrap();
        // Said twice, it is said once.
        engine.control(&run_id(), approve(&plan)).await.unwrap();
        let error = engine.control(&run_id(), reject(&plan)).await.unwrap_err();
        assert!(error.message().contains("Ada has decided otherwise"), "{error}");
    };
    let run = run_id();
    let (view, ()) = bench.drive(async { tokio::join!(engine.run(&run), decide) }).await;
    assert_eq!(view.unwrap().state(), RunState::Completed);
    assert_eq!(bench.world.clock.monotonic().since_origin(), Duration::from_secs(120));
}

#[tokio::test]
async fn a_decision_about_another_plan_is_refused() {
    let bench = Bench::new();
    let mut other = builder();
    other.step("a", &TurnOn(bench.world.clone()), &params("a", 0));
    let engine = bench.builder("engine-1").on_pause(OnPause::Return).build();
    engine.create(NewRun::new(run_id(), gated(&bench))).await.unwrap();
    bench.drive(engine.run(&run_id())).await.unwrap();
    let error = engine.control(&run_id(), approve(&other.build().unwrap())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PreconditionFailed);
    assert_eq!(bench.drive(engine.run(&run_id())).await.unwrap().state(), RunState::WaitingForApproval);
}

#[tokio::test]
async fn a_rejected_plan_is_taken_back_and_ends() {
    let bench = Bench::new();
    let plan = gated(&bench);
    let engine = bench.builder("engine-1").on_pause(OnPause::Return).build();
    engine.create(NewRun::new(run_id(), plan.clone())).await.unwrap();
    bench.drive(engine.run(&run_id())).await.unwrap();
    engine.control(&run_id(), reject(&plan)).await.unwrap();
    let view = bench.drive(engine.run(&run_id())).await.unwrap();
    assert_eq!(view.state(), RunState::Cancelled);
    assert_eq!(bench.world.effects(), ["on fence", "off fence"]);
    assert!(view.ended().unwrap().1.contains("cancelled by Ada: not today; taken back: fence"), "{:?}", view.ended());
}

#[tokio::test]
async fn a_drill_approves_in_a_name_that_the_journal_keeps() {
    let bench = Bench::new();
    let approver = Arc::new(AutoApprove::new("drill", "the embedded lab"));
    let engine = bench.builder("engine-1").approver(approver).on_pause(OnPause::Return).build();
    engine.create(NewRun::new(run_id(), gated(&bench))).await.unwrap();
    let view = bench.drive(engine.run(&run_id())).await.unwrap();
    assert_eq!(view.state(), RunState::Completed);
    assert_eq!(view.approval().unwrap().by.who, "drill");
}

/// Cannot be reached at first, and answers only the second time it is asked for the answer.
#[derive(Debug, Default)]
struct Slow {
    requests: AtomicU32,
    polls: AtomicU32,
}

#[async_trait]
impl Approver for Slow {
    async fn request(&self, request: &ApprovalRequest) -> Result<()> {
        assert_eq!(request.gates.len(), 2);
        match self.requests.fetch_add(1, Ordering::SeqCst) {
            0 => Err(Error::new(ErrorKind::Unavailable, "the chat is down")),
            _ => Ok(()),
        }
    }

    async fn poll(&self, _: &ApprovalRequest) -> Result<Option<Answer>> {
        match self.polls.fetch_add(1, Ordering::SeqCst) {
            0 => Ok(None),
            1 => Err(Error::new(ErrorKind::Unavailable, "the chat is down")),
            _ => Ok(Some(Answer { decision: Decision::Approve, who: "Ada".to_owned(), why: "seen".to_owned() })),
        }
    }
}

#[tokio::test]
async fn an_approver_that_cannot_be_reached_is_asked_again() {
    let bench = Bench::new();
    let approver = Arc::new(Slow::default());
    let engine = bench.builder("engine-1").approver(Arc::clone(&approver) as _).build();
    engine.create(NewRun::new(run_id(), gated(&bench))).await.unwrap();
    let view = bench.drive(engine.run(&run_id())).await.unwrap();
    assert_eq!(view.state(), RunState::Completed);
    assert_eq!((approver.requests.load(Ordering::SeqCst), approver.polls.load(Ordering::SeqCst)), (2, 3));
}

#[tokio::test]
async fn a_question_is_put_again_after_a_restart() {
    let bench = Bench::new();
    let asked = Arc::new(AtomicU32::new(0));
    let approver = |answers: bool| {
        let asked = Arc::clone(&asked);
        Arc::new(AskApprover::new(move |request| {
            asked.fetch_add(1, Ordering::SeqCst);
            async move {
                assert_eq!(request.run, run_id());
                if !answers {
                    std::future::pending::<()>().await;
                }
                Ok(Some(Answer { decision: Decision::Approve, who: "Ada".to_owned(), why: "seen".to_owned() }))
            }
        }))
    };
    let first = bench.builder("engine-1").approver(approver(false)).build();
    first.create(NewRun::new(run_id(), gated(&bench))).await.unwrap();
    let run = run_id();
    let crash = async {
        tokio::select! {
            _ = first.run(&run) => panic!("nobody answered"),
            () = bench.world.clock.sleep(Duration::from_secs(500)) => {}
        }
    };
    bench.drive(crash).await;
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let second = bench.builder("engine-2").approver(approver(true)).patience(Duration::from_secs(60)).build();
    let view = bench.drive(second.run(&run)).await.unwrap();
    assert_eq!(view.state(), RunState::Completed);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}
