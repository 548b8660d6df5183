use std::{fmt::Write as _, time::Duration};

use super::{
    history::{Answer, What, text},
    play::Played,
    scenario::Scenario,
};

/// The story of a run: the plan, what went wrong, and what happened, numbered and in plain words.
pub(crate) fn tell(scenario: &Scenario, played: &Played) -> String {
    let mut story = String::new();
    let _ = writeln!(story, "Seed {}: a {} to region {}.", scenario.seed, scenario.goal, scenario.to);
    let _ = writeln!(story, "\nThe plan:");
    for step in &scenario.steps {
        let after = if step.after.is_empty() { String::new() } else { format!(", after {}", step.after.join(", ")) };
        let gate = if step.gate { ", behind a gate" } else { "" };
        let undoes = step.undoes.as_ref().map(|id| format!(", restores what {id} noted")).unwrap_or_default();
        let sets: Vec<String> = step.sets.iter().map(|(cell, value)| format!("{cell} = {value}")).collect();
        let _ = writeln!(story, "  {} ({}): {}{after}{gate}{undoes}", step.id, step.kind, sets.join(", "));
    }
    let _ = writeln!(story, "\nThe engines:");
    for (at, engine) in (b'a'..).zip(&scenario.engines) {
        let waits = if engine.waits { "waits for people" } else { "returns instead of waiting" };
        let _ = writeln!(
            story,
            "  engine {}: starts at {:.3} s, lease {:?}, {waits}, is started again {} times after {:?}",
            char::from(at),
            engine.start.as_secs_f64(),
            engine.lease,
            engine.restarts,
            engine.restart_after
        );
    }
    let _ = writeln!(story, "\nWhat goes wrong, until {:.3} s:", scenario.heals.as_secs_f64());
    for trouble in &scenario.troubles {
        let _ = writeln!(story, "  {trouble:?}");
    }
    for (at, wish) in &scenario.wishes {
        let _ = writeln!(story, "  at {:.3} s the operator wants: {wish:?}", at.as_secs_f64());
    }
    let _ = writeln!(story, "\nWhat happened:");
    let told: Vec<(Duration, What)> = played.history.iter().filter(|(_, what)| matters(what)).cloned().collect();
    for (number, line) in text(&told, &scenario.names()).lines().enumerate() {
        let _ = writeln!(story, "{:>4}. {line}", number + 1);
    }
    let _ = writeln!(story, "\nWhat is not as promised:");
    for violation in &played.violations {
        let _ = writeln!(story, "  {violation}");
    }
    if played.violations.is_empty() {
        let _ = writeln!(story, "  nothing");
    }
    story
}

/// Whether a person needs to know: looks that went well only make it longer.
fn matters(what: &What) -> bool {
    match what {
        What::Called(call) => call.writes || call.epoch != call.current,
        What::Answered(_, answer) => *answer != Answer::Well,
        What::Acknowledged { .. } => false,
        _ => true,
    }
}
