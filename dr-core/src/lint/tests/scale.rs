use super::super::fixtures::case::*;
use crate::{model::StepId, plan::Phase};

/// Ten thousand steps in a hundred layers. The test would take minutes if a rule walked the graph for each step.
#[test]
fn ten_thousand_steps_are_judged_and_the_one_that_is_wrong_is_found() {
    let case = Case::new().change(|steps| {
        let shift = steps.iter().position(|step| step.id == *"dns/shift").unwrap();
        let pattern = steps[shift].clone();
        for layer in 0..100 {
            for i in 0..100 {
                let mut step = pattern.clone();
                step.id = StepId::new(format!("layer-{layer}/{i}")).unwrap();
                step.after = match layer {
                    0 => pattern.after.clone(),
                    _ => vec![StepId::new(format!("layer-{}/{}", layer - 1, (i * 7) % 100)).unwrap()],
                };
                if (layer, i) == (50, 3) {
                    step.after = vec![StepId::new("db/promote").unwrap()];
                }
                step.phase = Phase::Shift;
                step.estimate = crate::plan::Estimate::secs(0, 1);
                steps.push(step);
            }
        }
    });
    let broken = case.broken();
    assert_eq!(broken.first().map(String::as_str), Some("E05 layer-50/3"), "{} findings", broken.len());
    // What comes after the one that is wrong, and through it alone, is wrong as well.
    assert!(broken.iter().all(|found| found.starts_with("E05 layer-") || found.starts_with("W32")), "{broken:?}");
}
