//! Questions about ancestors, against answers that were found by walking.

use std::collections::BTreeSet;

use crate::{
    lint::{
        fixtures::case::Case,
        graph::{Graph, StepSet},
    },
    model::StepId,
    plan::{Phase, Plan},
};

/// Enough that a set takes several words.
const STEPS: usize = 200;

/// A plan whose steps wait for up to three earlier ones, here and there for none.
fn plan() -> Plan {
    let case = Case::new().change(|steps| {
        let mut pattern = steps[0].clone();
        steps.clear();
        (pattern.phase, pattern.after) = (Phase::Scale, Vec::new());
        for at in 0..STEPS {
            let mut step = pattern.clone();
            let near = [at * 7 + 3, at * 13 + 5, at * 29 + 11].map(|n| (n % STEPS, at));
            let before: BTreeSet<usize> =
                near.into_iter().filter(|(n, at)| n < at && at - n < 60).map(|(n, _)| n).collect();
            step.id = name(at);
            step.after = before.into_iter().map(name).collect();
            steps.push(step);
        }
    });
    case.plan()
}

fn name(at: usize) -> StepId {
    StepId::new(format!("s{at:03}")).unwrap()
}

fn members(graph: &Graph, set: &StepSet) -> Vec<usize> {
    (0..graph.len()).filter(|at| set.contains(*at)).collect()
}

#[test]
fn what_comes_before_and_after_is_what_a_walk_finds() {
    let plan = plan();
    let graph = Graph::new(&plan);
    assert_eq!(graph.len(), STEPS);
    // For each step, everything that it waits for.
    let mut behind: Vec<BTreeSet<usize>> = Vec::new();
    for at in 0..STEPS {
        let direct: Vec<usize> = plan.steps()[at].after.iter().map(|id| plan.position(id.as_str()).unwrap()).collect();
        assert_eq!(graph.before(at), direct);
        behind.push(direct.iter().flat_map(|before| behind[*before].iter().copied().chain([*before])).collect());
    }
    let choices: [Vec<usize>; 6] = [
        vec![],
        vec![63],
        vec![64, 65],
        vec![3, 70, 130],
        (0..4).collect(),
        // More than are looked at in one go.
        (0..STEPS).filter(|at| behind[STEPS - 1].contains(at)).collect(),
    ];
    assert!(choices[5].len() > 2, "{:?}", choices[5]);
    for these in choices {
        let set = graph.set(these.iter().copied());
        assert_eq!(members(&graph, &set), these);
        assert_eq!(set.is_empty(), these.is_empty());
        let wanted = |keep: &dyn Fn(usize) -> bool| (0..STEPS).filter(|at| keep(*at)).collect::<Vec<_>>();
        let after_any = wanted(&|at| these.iter().any(|one| behind[at].contains(one)));
        assert_eq!(members(&graph, &graph.after_any(&set)), after_any, "after any of {these:?}");
        let before_any = wanted(&|at| these.iter().any(|one| behind[*one].contains(&at)));
        assert_eq!(members(&graph, &graph.before_any(&set)), before_any, "before any of {these:?}");
        let after_all = wanted(&|at| these.iter().all(|one| behind[at].contains(one)));
        assert_eq!(members(&graph, &graph.after_all(&set)), after_all, "after all of {these:?}");
    }
}

#[test]
fn a_step_that_waits_for_another_twice_over_still_comes_after_it() {
    let case = Case::new().change(|steps| {
        let pattern = steps[0].clone();
        steps.clear();
        for (at, after) in [(9, vec![]), (1, vec![9]), (5, vec![1, 9])] {
            let mut step = pattern.clone();
            (step.id, step.after) = (name(at), after.into_iter().map(name).collect());
            steps.push(step);
        }
    });
    let plan = case.plan();
    let graph = Graph::new(&plan);
    let [first, between, last] = [9, 1, 5].map(|at| plan.position(name(at).as_str()).unwrap());
    assert_eq!(members(&graph, &graph.after_all(&graph.set([first]))), [between, last]);
    assert_eq!(members(&graph, &graph.after_all(&graph.set([first, between]))), [last]);
}
