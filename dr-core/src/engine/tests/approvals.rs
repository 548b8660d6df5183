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
    validation::{Finding, FindingsDigest, Severity},
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
    Control::Approve { plan: plan.digest().clone(), findings: None, who: "Ada".to_owned(), why: "seen".to_owned() }
}

fn reject(plan: &Plan) -> Control {
    Control::Reject { plan: plan.digest().clone(), findings: None, who: "Ada".to_owned(), why: "not today".to_owned() }
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

#[tokio::test]
async fn a_question_that_nobody_answers_expires_and_nothing_is_left_half_done() {
    let bench = Bench::new();
    let (act, promote) = (TurnOn(bench.world.clone()), Promote(bench.world.clone()));
    let mut plan = builder();
    plan.step("fence", &act, &params("fence", 1_000));
    plan.step("slow", &act, &params("slow", 3_000_000)).timeout(Duration::from_secs(3_500));
    plan.step("promote", &promote, &params("db", 0))
        .after("fence")
        .gate("the database?")
        .gate_expires(Duration::from_secs(600));
    let plan = plan.build().unwrap();
    let engine = bench.engine();
    engine.create(NewRun::new(run_id(), plan.clone())).await.unwrap();
    let view = bench.drive(engine.run(&run_id())).await.unwrap();
    assert_eq!(view.state(), RunState::TimedOut);
    assert_eq!(view.due("promote"), Some(Duration::from_secs(601)), "asked when the fence stood");
    assert_eq!(bench.world.effects(), ["on fence", "on slow", "off slow", "off fence"]);
    let (_, summary) = view.ended().unwrap();
    assert!(summary.contains("nobody opened the gate before promote in time; taken back: fence, slow"), "{summary}");
    assert!(view.effects_left().is_empty());
    let late = engine.control(&run_id(), approve(&plan)).await.unwrap_err();
    assert!(late.message().contains("has ended"), "{late}");
}

#[tokio::test]
async fn a_question_expires_also_while_no_engine_works_and_an_answer_in_time_keeps_it_from_doing_so() {
    for answered in [false, true] {
        let bench = Bench::new();
        let promote = Promote(bench.world.clone());
        let mut plan = builder();
        plan.step("promote", &promote, &params("db", 0)).gate("now?").gate_expires(Duration::from_secs(600));
        let plan = plan.build().unwrap();
        let engine = bench.builder("engine-1").on_pause(OnPause::Return).build();
        engine.create(NewRun::new(run_id(), plan.clone())).await.unwrap();
        assert_eq!(bench.drive(engine.run(&run_id())).await.unwrap().state(), RunState::WaitingForApproval);
        if answered {
            engine.control(&run_id(), approve(&plan)).await.unwrap();
        }
        bench.world.clock.advance(Duration::from_secs(601));
        let view = bench.drive(engine.run(&run_id())).await.unwrap();
        let expected = if answered { RunState::Completed } else { RunState::TimedOut };
        assert_eq!(view.state(), expected);
        assert_eq!(bench.world.effects().len(), usize::from(answered));
    }
}

#[tokio::test]
async fn a_decision_that_saw_other_findings_is_refused() {
    let bench = Bench::new();
    let plan = gated(&bench);
    let finding = |subject: &str| Finding {
        severity: Severity::Info,
        subject: subject.to_owned(),
        check: "E05".to_owned(),
        message: "m".to_owned(),
        evidence: serde_json::Value::Null,
        remedy: "r".to_owned(),
    };
    let engine = bench.builder("engine-1").on_pause(OnPause::Return).build();
    engine.create(NewRun::new(run_id(), plan.clone()).findings(vec![finding("db")])).await.unwrap();
    bench.drive(engine.run(&run_id())).await.unwrap();
    let decide = async |findings| {
        let (who, why) = ("Ada".to_owned(), "seen".to_owned());
        engine.control(&run_id(), Control::Approve { plan: plan.digest().clone(), findings, who, why }).await
    };
    let blind = decide(None).await.unwrap_err();
    assert!(blind.message().contains("names no findings"), "{blind}");
    let other = decide(Some(FindingsDigest::of(&[finding("cache")]))).await.unwrap_err();
    assert!(other.message().contains("saw other findings"), "{other}");
    assert_eq!(other.kind(), ErrorKind::PreconditionFailed);
    assert_eq!(engine.view(&run_id()).await.unwrap().state(), RunState::WaitingForApproval);
    decide(Some(FindingsDigest::of(&[finding("db")]))).await.unwrap();
    assert_eq!(bench.drive(engine.run(&run_id())).await.unwrap().state(), RunState::Completed);
}

#[tokio::test]
async fn an_approver_who_may_not_decide_is_told_so_and_another_is_asked() {
    let bench = Bench::new();
    let promote = Promote(bench.world.clone());
    let mut plan = builder();
    plan.step("promote", &promote, &params("db", 0)).gate("now?").approvers(["Ada"]);
    let asked = AtomicU32::new(0);
    let asked = std::sync::Arc::new(asked);
    let counted = asked.clone();
    let approver = AskApprover::new(move |_| {
        let first = counted.fetch_add(1, Ordering::SeqCst) < 3;
        let who = if first { "Eve" } else { "Ada" }.to_owned();
        async move { Ok(Some(Answer { decision: Decision::Approve, who, why: "seen".to_owned() })) }
    });
    let engine = bench.builder("engine-1").approver(std::sync::Arc::new(approver)).build();
    engine.create(NewRun::new(run_id(), plan.build().unwrap())).await.unwrap();
    let view = bench.drive(engine.run(&run_id())).await.unwrap();
    assert_eq!(view.state(), RunState::Completed);
    assert_eq!(view.approval().unwrap().by.who, "Ada");
    assert_eq!(asked.load(Ordering::SeqCst), 4);
    assert_eq!(bench.world.clock.monotonic().since_origin(), Duration::from_secs(3), "not in a busy loop");
}
