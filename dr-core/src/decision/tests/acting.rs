//! The loop around the decisions: what it does while a run waits, when it is stopped, and on suspicion.

use std::sync::Arc;

use tokio::sync::{mpsc::UnboundedReceiver, watch};
use tokio_util::sync::CancellationToken;

use super::{
    fixture::{region, s},
    living::{Bench, lost, suspect, well},
};
use crate::{
    decision::{Blocker, Condition, Mode, Need, Told},
    engine::{Control, Engine, OnPause, RunState, RunView},
    event::{ChannelSink, Event, EventKind},
    model::OwnerId,
    plan::GoalKind,
    step::StepRegistry,
    time::{Clock as _, ManualClock},
};

/// Somebody at another machine, with the same journal and no steps.
fn operator(bench: &Bench) -> Engine {
    Engine::builder(Arc::new(bench.journal.clone()), StepRegistry::new(), bench.shared_clock())
        .owner(OwnerId::new("ada").unwrap())
        .build()
}

/// The failover, once there is one in this state.
async fn failover_in(bench: &Bench, wanted: RunState) -> RunView {
    let engine = operator(bench);
    let clock: &ManualClock = &bench.clock;
    loop {
        for (run, summary) in engine.runs().await.unwrap() {
            let summary = summary.unwrap();
            if summary.goal.kind == GoalKind::Failover && summary.state == wanted {
                return engine.view(&run).await.unwrap();
            }
        }
        clock.sleep(s(1)).await;
    }
}

fn approve(view: &RunView) -> Control {
    let (plan, findings) = (view.plan().digest().clone(), Some(view.findings_digest()));
    Control::Approve { plan, findings, who: "ada".to_owned(), why: "as agreed".to_owned() }
}

fn said(events: &mut UnboundedReceiver<Event>) -> Vec<String> {
    let mut said = Vec::new();
    while let Ok(event) = events.try_recv() {
        if let EventKind::Said { who, message } = event.kind
            && who == "decider"
        {
            said.push(message);
        }
    }
    said
}

async fn waits_and_goes_on(on_pause: OnPause) {
    let mut bench = Bench::new(Mode::Automatic);
    (bench.gated, bench.on_pause) = (true, on_pause);
    let (sink, mut events) = ChannelSink::new();
    bench.events = Arc::new(sink);
    let (_tell, standings) = watch::channel(lost());
    let stop = CancellationToken::new();
    let somebody = async {
        let view = failover_in(&bench, RunState::WaitingForApproval).await;
        let clock: &ManualClock = &bench.clock;
        clock.sleep(s(150)).await;
        let told = said(&mut events);
        let waits: Vec<&String> = told.iter().filter(|line| line.contains("waited for somebody for")).collect();
        assert!(waits.len() >= 2, "said again and again: {told:#?}");
        assert!(waits[0].contains("waiting for approval: promote: no way back from here"), "{waits:#?}");
        // It is written down, for whoever asks why it did not fail over.
        let last = bench.changes().await.pop().unwrap();
        assert!(matches!(&last.blockers[..], [Blocker::RunOpen { waits: Some(_), .. }, ..]), "{last}");
        assert!(last.sentence().contains("it waits for somebody: waiting for approval"), "{}", last.sentence());
        let asked = clock.monotonic();
        operator(&bench).control(view.run(), approve(&view)).await.unwrap();
        failover_in(&bench, RunState::Completed).await;
        assert!(clock.monotonic().since(asked) < s(10), "gone on with as soon as somebody had decided");
        stop.cancel();
    };
    let decider = bench.decider("one");
    let (ended, ()) = bench.drive(async { futures::join!(decider.run(standings, stop.clone()), somebody) }).await;
    ended.unwrap();
    let last = bench.changes().await.pop().unwrap();
    assert!(!last.sentence().contains("waits for somebody"), "it does no more: {}", last.sentence());
    assert_eq!(bench.runs(GoalKind::Failover).await, [RunState::Completed]);
    assert_eq!(bench.world.get("promoted"), 2);
}

#[tokio::test]
async fn a_run_that_waits_at_its_gate_is_told_of_and_gone_on_with() {
    waits_and_goes_on(OnPause::Return).await;
}

#[tokio::test]
async fn so_is_one_that_the_engine_itself_waits_with() {
    waits_and_goes_on(OnPause::Wait).await;
}

#[tokio::test]
async fn stopped_at_any_moment_it_ends_and_the_next_goes_on_without_doing_anything_twice() {
    let mut cut_short = 0;
    for moment in 0..40 {
        let bench = Bench::new(Mode::Automatic);
        let (_tell, standings) = watch::channel(lost());
        let clock: &ManualClock = &bench.clock;
        let (first, stop) = (bench.decider("one"), CancellationToken::new());
        let stopping = async {
            for _ in 0..moment {
                tokio::task::yield_now().await;
            }
            stop.cancel();
        };
        let stopped = async { futures::join!(first.run(standings.clone(), stop.clone()), stopping).0 };
        bench.drive(stopped).await.unwrap();
        let open = |states: &[RunState]| states.iter().any(|state| !state.is_end());
        cut_short += usize::from(open(&bench.runs(GoalKind::Failover).await));
        let (second, stop) = (bench.decider("two"), CancellationToken::new());
        let ended = async {
            failover_in(&bench, RunState::Completed).await;
            // It might begin another one here.
            clock.sleep(s(120)).await;
            stop.cancel();
        };
        let (ended, ()) = bench.drive(async { futures::join!(second.run(standings, stop.clone()), ended) }).await;
        ended.unwrap();
        assert_eq!(bench.runs(GoalKind::Failover).await, [RunState::Completed], "stopped after {moment}");
        let mut changes = bench.world.changes();
        let all = changes.len();
        changes.sort();
        changes.dedup();
        assert_eq!(changes.len(), all, "stopped after {moment}: {changes:#?}");
        assert_eq!(bench.world.get("promoted"), 2);
    }
    assert!(cut_short >= 5, "{cut_short} of them in the midst of a run");
}

#[tokio::test]
async fn what_was_warmed_is_done_once_whether_the_verdict_falls_or_not() {
    let bench = Bench::new(Mode::Automatic);
    let (tell, standings) = watch::channel(well());
    let (decider, stop) = (bench.decider("one"), CancellationToken::new());
    let clock: &ManualClock = &bench.clock;
    let story = async {
        for _ in 0..2 {
            tell.send_replace(suspect());
            clock.sleep(s(5)).await;
            assert_eq!((bench.world.get("cart"), bench.world.get("pool")), (5, 9), "warm");
            if bench.world.changes().len() > 2 {
                break;
            }
            tell.send_replace(well());
            clock.sleep(s(5)).await;
            assert_eq!((bench.world.get("cart"), bench.world.get("pool")), (1, 1), "as it was");
        }
        tell.send_replace(lost());
        failover_in(&bench, RunState::Completed).await;
        stop.cancel();
    };
    let (ended, ()) = bench.drive(async { futures::join!(decider.run(standings, stop.clone()), story) }).await;
    ended.unwrap();
    assert_eq!(bench.runs(GoalKind::Prewarm).await, [RunState::Cancelled, RunState::Completed]);
    let scaled = |change: &str| bench.world.changes().iter().filter(|made| *made == change).count();
    assert_eq!((scaled("cart=5"), scaled("pool=9")), (2, 2), "each time by the run that warmed, never by the failover");
    assert_eq!((scaled("late=5"), scaled("promoted=2")), (1, 1), "what could not be warmed, by the failover");
}

#[tokio::test]
async fn it_goes_by_what_it_is_told() {
    let mut bench = Bench::new(Mode::Automatic);
    let need = |need| Condition { name: "told".to_owned(), need, lasting: s(0) };
    let (resource, at_most, fresh) = ("orders".parse().unwrap(), s(5), s(120));
    bench.policy.conditions.push(need(Need::LagWithin { resource, at_most, fresh }));
    let (tell, told) = tokio::sync::mpsc::channel(8);
    let mut decider = bench.decider("one").told_by(told);
    let held = bench.drive(decider.consider(&lost())).await.unwrap().decision;
    assert_eq!(held.sentence(), "hold: the condition told does not hold: nobody knows how far orders is behind");
    let lag = |lag| Told::Lag { resource: "orders".parse().unwrap(), lag: s(lag), taken: bench.clock.monotonic() };
    tell.try_send(lag(9)).unwrap();
    let held = bench.drive(decider.consider(&lost())).await.unwrap().decision;
    assert!(held.sentence().contains("orders was 9 s behind"), "{}", held.sentence());
    bench.clock.advance(s(10));
    tell.try_send(lag(2)).unwrap();
    let acts = bench.drive(decider.consider(&lost())).await.unwrap();
    assert_eq!(acts.decision.goal().unwrap().to, region("b"));
}

#[tokio::test]
async fn a_dry_decider_says_once_what_it_would_do() {
    let mut bench = Bench::new(Mode::Automatic);
    let (sink, mut events) = ChannelSink::new();
    bench.events = Arc::new(sink);
    let (tell, standings) = watch::channel(well());
    let (decider, stop) = (bench.decider("one").dry(), CancellationToken::new());
    let clock: &ManualClock = &bench.clock;
    let story = async {
        for seen in [well(), suspect(), lost()] {
            tell.send_replace(seen);
            clock.sleep(s(10)).await;
        }
        stop.cancel();
    };
    let (ended, ()) = bench.drive(async { futures::join!(decider.run(standings, stop.clone()), story) }).await;
    ended.unwrap();
    let said = said(&mut events);
    let begins: Vec<&str> = said.iter().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(begins, ["hold", "hold", "would warm the standby", "would act"], "{said:#?}");
    assert!(bench.world.changes().is_empty() && bench.log().entries().await.unwrap().is_empty());
}
