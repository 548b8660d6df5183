mod mutants;
mod regressions;

use super::*;

fn kept(run: Simulated, time: &VirtualTime) {
    if !run.violations().is_empty() {
        let run = run.shrink(time).unwrap();
        panic!("{}", run.story());
    }
}

#[test]
fn the_first_seeds_keep_every_promise() {
    let time = VirtualTime::new().unwrap();
    for seed in 0..150 {
        kept(simulate(&time, seed).unwrap(), &time);
    }
}

#[test]
fn the_same_seed_gives_the_same_log_byte_for_byte() {
    let (one, two) = (VirtualTime::new().unwrap(), VirtualTime::new().unwrap());
    for seed in 0..60 {
        let first = simulate(&one, seed).unwrap().log();
        assert!(first.lines().count() > 10, "seed {seed} does something");
        assert_eq!(first, simulate(&two, seed).unwrap().log(), "seed {seed}");
    }
}

#[test]
fn a_failing_seed_shrinks_to_a_story_that_fails_alike() {
    let time = VirtualTime::new().unwrap();
    let broken = (0..).map(|seed| simulate_mutant(&time, seed, Mutant::ForgetsToTakeBack).unwrap());
    let failed = broken.into_iter().find(|run| !run.violations().is_empty()).unwrap();
    let (invariant, events) = (failed.violations()[0].invariant, failed.events());
    let shrunk = failed.shrink(&time).unwrap();
    assert!(shrunk.violations().iter().any(|violation| violation.invariant == invariant));
    assert!(shrunk.events() <= events);
    let story = shrunk.story();
    assert!(story.contains("   1. ") && story.contains("What is not as promised:"), "{story}");
    assert!(story.contains("Cancel") || story.contains("Reject"), "the cancellation is what matters: {story}");
}

#[test]
fn an_hour_passes_at_once_and_waiting_for_nothing_is_told() {
    use crate::time::{Clock as _, ManualClock};
    let (time, clock) = (VirtualTime::new().unwrap(), ManualClock::new());
    let sleeper = clock.clone();
    let woken = time.run(&clock, async move {
        let task = tokio::spawn(sleeper.sleep(std::time::Duration::from_secs(3_600)));
        task.await.is_ok()
    });
    assert_eq!(woken, Ok(true));
    assert_eq!(clock.monotonic().since_origin().as_secs(), 3_600);
    assert_eq!(time.run(&clock, std::future::pending::<()>()), Err(Stuck));
}
