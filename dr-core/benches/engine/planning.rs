use crate::{Outcome, cpu, large_plan::Material, measure::Measure};

const ROUNDS: usize = 5;

/// CPU to build a plan of 10,000 steps and to judge it.
pub(crate) fn measure() -> Outcome {
    let material = Material::new()?;
    let (mut building, mut judging) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let (build, plan) = cpu::seconds(|| Ok(material.build()?))?;
        let (judge, _) = cpu::seconds(|| Ok(material.lint(&plan)))?;
        if round > 0 {
            building.push(build * 1e3);
            judging.push(judge * 1e3);
        }
    }
    let (build, judge) = (cpu::median(building), cpu::median(judging));
    Measure::lower("plan of 10,000 steps: build", build, "CPU-ms").print();
    Measure::lower("plan of 10,000 steps: lint", judge, "CPU-ms").print();
    Measure::lower("plan of 10,000 steps: build and lint", build + judge, "CPU-ms").goal(50.0).print();
    Ok(())
}
