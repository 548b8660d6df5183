//! All cases: each call of either half with each fault.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use dr_core::testing::{Fault, FaultRule};

use super::{
    drill::{Drill, End, Half, Hit},
    pacer::on_runtime,
};

/// The faults of one call, by the names of the acceptance list.
fn faults() -> [(&'static str, Fault); 9] {
    [
        ("throttle", Fault::Throttle),
        ("5xx", Fault::ServerError),
        ("timeout before", Fault::BlackHole),
        ("timeout after apply", Fault::NoReply),
        ("late apply", Fault::late_apply(Duration::from_secs(20))),
        ("refused", Fault::Refuse),
        ("reset", Fault::ReplyLost),
        ("slow", Fault::slow(Duration::from_secs(3))),
        ("stale", Fault::stale_read(Duration::from_secs(30))),
    ]
}

/// A call and what happens to it.
#[derive(Clone, Copy, Debug)]
struct Case {
    half: Half,
    call: u32,
    name: &'static str,
    fault: Fault,
}

impl Case {
    fn hit(&self) -> Hit {
        Hit { call: self.call, fault: self.fault }
    }
}

/// What became of a drill in which two calls went wrong, one in each half.
///
/// A half that came to the end of the undisturbed one leaves nothing behind that could disturb the other, so that one
/// drill serves two cases. When something did go wrong, each case gets a drill of its own; and if the failback fails after
/// the one disturbed failover only, that failover left behind something that misleads it.
fn pair(whole: &[End; 2], there: Option<Case>, back: Option<Case>) -> Vec<(Case, Result<(), String>)> {
    let (first, second) = both(whole, there, back);
    let (Some(there), Some(back)) = (there, back) else {
        return [(there, first), (back, second)].into_iter().filter_map(|(case, end)| Some((case?, end))).collect();
    };
    if first.is_ok() && second.is_ok() {
        return vec![(there, first), (back, second)];
    }
    let (_, alone) = both(whole, None, Some(back));
    let first = first.and_then(|()| match (&alone, second) {
        (Ok(()), Err(why)) => Err(format!("it misleads the failback: {why}")),
        _ => Ok(()),
    });
    vec![(there, first), (back, alone)]
}

/// One drill; its second half is not begun when the first went wrong.
fn both(whole: &[End; 2], there: Option<Case>, back: Option<Case>) -> (Result<(), String>, Result<(), String>) {
    on_runtime(async {
        let mut drill = Drill::new().await;
        let first = drill.half(Half::Failover, there.as_ref().map(Case::hit)).await;
        let first = first.and_then(|end| same(&whole[0], &end, there.as_ref()));
        if first.is_err() {
            return (first, Err("the failover came to another end".to_owned()));
        }
        let Some(back) = back else { return (first, Ok(())) };
        let second = drill.half(Half::Failback, Some(back.hit())).await;
        (first, second.and_then(|end| same(&whole[1], &end, Some(&back))))
    })
}

/// What is different about a half that this case disturbed.
fn same(whole: &End, end: &End, case: Option<&Case>) -> Result<(), String> {
    let changed = whole.state.diff(&end.state);
    if !changed.is_empty() {
        return Err(format!("it ended in another state: {}; asked: {:?}", changed.join("; "), end.asked));
    }
    let count = |effects: &BTreeMap<String, usize>, what: &str| effects.get(what).copied().unwrap_or(0);
    let all: BTreeSet<_> = whole.effects.keys().chain(end.effects.keys()).collect();
    let differences: Vec<_> = all
        .into_iter()
        .map(|what| (what, count(&whole.effects, what), count(&end.effects, what)))
        .filter(|(what, expected, made)| {
            !(case.is_some_and(|case| may_arrive_again(case, what)) && *made == expected + 1)
        })
        .filter(|(what, expected, made)| made > expected || (made < expected && !may_be_done_for_us(whole, what)))
        .map(|(what, expected, made)| format!("{what}: {made} instead of {expected}"))
        .collect();
    if differences.is_empty() {
        return Ok(());
    }
    Err(format!("other effects: {}; asked: {:?}", differences.join("; "), end.asked))
}

/// Whether an effect may be made once more: the switch is an object, whose write was not seen to have arrived, was repeated after
/// a look, and then arrives as well, with the same bytes under the same key. No engine can know; what is there in the end, the
/// state says. A call that is no such write is not excused.
fn may_arrive_again(case: &Case, effect: &str) -> bool {
    case.name == "late apply" && effect.starts_with("s3:PutObject ")
}

/// Whether an autoscaler may come first: it scales a workload to its new bounds by itself, when a call takes its time. That
/// the count is right in the end, the state says.
fn may_be_done_for_us(whole: &End, effect: &str) -> bool {
    let workload = effect.strip_prefix("k8s:patch deployments/scale ").and_then(|subject| subject.rsplit('/').next());
    workload.is_some_and(|name| {
        whole.state.workloads.values().filter_map(|all| all.get(name)).any(|workload| workload.min.is_some())
    })
}

#[test]
fn a_drill_that_does_not_come_to_the_same_end_is_noticed() {
    on_runtime(async {
        let mut drill = Drill::new().await;
        let whole = drill.half(Half::Failover, None).await.unwrap();
        assert!(same(&whole, &whole, None).is_ok());
        let mut twice = whole.clone();
        *twice.effects.values_mut().next().unwrap() += 1;
        assert!(same(&whole, &twice, None).unwrap_err().contains("2 instead of 1"));
        let late = Case { half: Half::Failover, call: 0, name: "late apply", fault: Fault::Refuse };
        for (effect, again) in [("s3:PutObject ", true), ("rds:FailoverGlobalCluster ", false)] {
            let mut arrived = whole.clone();
            let key = whole.effects.keys().find(|what| what.starts_with(effect)).unwrap();
            *arrived.effects.get_mut(key).unwrap() += 1;
            assert_eq!(same(&whole, &arrived, Some(&late)).is_ok(), again, "{effect}");
            *arrived.effects.get_mut(key).unwrap() += 1;
            assert!(same(&whole, &arrived, Some(&late)).is_err(), "{effect}");
        }
        let mut other = whole.clone();
        other.state.writer = None;
        assert!(same(&whole, &other, None).unwrap_err().contains("writer"));
        let mut fewer = whole.clone();
        fewer.effects.remove(whole.effects.keys().find(|what| what.starts_with("rds:")).unwrap());
        assert!(same(&whole, &fewer, None).unwrap_err().contains("0 instead of 1"));
        // What never goes well is asked about, and not for ever.
        drill.stage.faults.add(FaultRule::new(Fault::ServerError).on("rds:SwitchoverGlobalCluster"));
        let why = drill.half(Half::Failback, None).await.unwrap_err();
        assert!(why.contains("asked before: [\"orders-db/switchover: "), "{why}");
    });
}

#[test]
fn a_call_here_and_there_may_go_wrong_in_every_way() {
    // Coprime with the number of faults, so that all of them are met.
    sweep(250);
}

#[test]
#[ignore = "the stage `faults` runs it: cargo xtask test --only faults"]
fn every_call_may_go_wrong_in_every_way() {
    sweep(1);
}

/// Every `stride`th case of every call and every fault.
fn sweep(stride: usize) {
    let whole = on_runtime(async {
        let mut drill = Drill::new().await;
        [drill.half(Half::Failover, None).await.unwrap(), drill.half(Half::Failback, None).await.unwrap()]
    });
    assert!(whole.iter().all(|end| end.asked.is_empty() && end.effects.len() > 4), "{whole:?}");
    let stride = env::var("DR_SWEEP_STRIDE").ok().and_then(|n| n.parse().ok()).unwrap_or(stride);
    // The calls that somebody wants to look at again: `DR_SWEEP_CALLS=43,152`.
    let only: Option<Vec<u32>> =
        env::var("DR_SWEEP_CALLS").ok().map(|list| list.split(',').filter_map(|call| call.parse().ok()).collect());
    let cases = |half: Half, calls: u32| -> Vec<Case> {
        (0..calls)
            .flat_map(|call| faults().map(|(name, fault)| Case { half, call, name, fault }))
            .step_by(stride)
            .filter(|case| only.as_ref().is_none_or(|only| only.contains(&case.call)))
            .collect()
    };
    let (there, back) = (cases(Half::Failover, whole[0].calls), cases(Half::Failback, whole[1].calls));
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let (there, back) = (there.get(n).copied(), back.get(n).copied());
                    if there.is_none() && back.is_none() {
                        break;
                    }
                    let ends = pair(&whole, there, back);
                    found.lock().unwrap().extend(ends);
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap();
    found.sort_by_key(|(case, _)| (case.half, case.call));
    assert_eq!(found.len(), there.len() + back.len());
    let failures: Vec<_> = found
        .iter()
        .filter_map(|(case, end)| {
            Some(format!("call {} of the {:?}, {}: {}", case.call, case.half, case.name, end.as_ref().err()?))
        })
        .collect();
    println!("{} calls in the failover, {} in the failback", whole[0].calls, whole[1].calls);
    println!(
        "{} calls × {} faults: {} passed, {} failed",
        whole[0].calls + whole[1].calls,
        faults().len(),
        found.len() - failures.len(),
        failures.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
