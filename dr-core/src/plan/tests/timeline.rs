//! The plan laid out in time, as people see it.

use super::*;

fn plan() -> Plan {
    let mut b = builder();
    b.step("fence", &SOFT, &1.into()).phase(Phase::Fence).estimate(Estimate::secs(12, 30));
    b.step("promote", &HARD, &1.into()).phase(Phase::Promote).after("fence").estimate(Estimate::secs(24, 60));
    b.step("scale", &SOFT, &1.into()).phase(Phase::Scale).estimate(Estimate::secs(6, 10));
    b.step("look", &SOFT, &1.into()).phase(Phase::Ready).after("scale").estimate(Estimate::secs(0, 0));
    b.step("shift", &SOFT, &1.into())
        .phase(Phase::Shift)
        .after("promote")
        .after("look")
        .estimate(Estimate::secs(12, 12));
    b.build().unwrap()
}

#[test]
fn a_step_is_a_bar_from_its_start_to_its_end_on_a_scale_of_forty_eight_columns() {
    let expected = "\
Expected: 48 s, at most about 102 s (# critical path)
  fence   |############                                     | T+0 s
  promote |            ########################             | T+12 s
  scale   |======                                           | T+0 s
  look    |      =                                          | T+6 s
  shift   |                                    ############ | T+36 s
";
    let mut lines: Vec<String> = to_timeline_text(&plan()).lines().map(str::to_owned).collect();
    let mut wanted: Vec<String> = expected.lines().map(str::to_owned).collect();
    assert_eq!(lines.remove(0), wanted.remove(0));
    lines.sort();
    wanted.sort();
    assert_eq!(lines, wanted);
}

#[test]
fn a_step_that_may_wait_without_harm_is_not_critical() {
    let timeline = plan().expected_timeline();
    let critical: Vec<&str> =
        timeline.steps.iter().filter(|step| step.critical).map(|step| step.step.as_str()).collect();
    assert_eq!(critical, ["fence", "promote", "shift"]);
}
