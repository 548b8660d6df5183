//! Kinds of check that disagree.

use super::*;

#[test]
fn checks_that_fail_while_writes_pass_are_gray_and_by_default_for_ever() {
    let gray = |_, check| Some(if check == 0 { Seen::Fail } else { Seen::Pass });
    let mut quorum = healthy_quorum(QuorumPolicy { gray_dwell: Some(s(30)), ..policy() });
    rounds(&mut quorum, 3..60, gray);
    assert_eq!(quorum.verdict(), Verdict::Gray);
    assert_eq!(quorum.why().gray, Some(GrayFailure::ChecksFail));
    insta::assert_snapshot!(quorum.sentence(), @"us-east-1 gray: infrastructure checks fail while transactions pass, for 3 of 3 observers, 57 consecutive failures each; last: connect timed out after 4 s (eu-central-1)");

    let mut quorum = healthy_quorum(QuorumPolicy { checks_fail_dwell: Some(s(120)), ..policy() });
    let told = rounds(&mut quorum, 3..60, gray);
    let told: Vec<_> = told.iter().map(|t| (t.to, t.at.since_origin().as_secs(), t.why.gray)).collect();
    assert_eq!(
        told.last(),
        Some(&(Verdict::Unhealthy, 170, Some(GrayFailure::ChecksFail))),
        "120 s after the second observer tripped"
    );
}

#[test]
fn a_gray_failure_that_becomes_a_whole_one_is_unhealthy_by_the_shorter_way() {
    let mut quorum = healthy_quorum(policy());
    rounds(&mut quorum, 3..9, |_, check| Some(if check == 0 { Seen::Fail } else { Seen::Pass }));
    assert_eq!(quorum.verdict(), Verdict::Gray);
    rounds(&mut quorum, 9..12, |_, _| Some(Seen::Fail));
    assert_eq!(quorum.verdict(), Verdict::Unhealthy);
    assert_eq!(quorum.why().gray, None);
}

#[test]
fn one_of_two_checks_failing_is_degraded_and_not_gray() {
    let mut policy = policy();
    policy.checks.push(CheckPolicy { probe: "storefront/port".parse().unwrap(), ..policy.checks[0].clone() });
    let mut quorum = Quorum::new(policy).unwrap();
    for round in 0..6 {
        for place in 0..3 {
            let at = s(10 * round);
            quorum.observe(see(place, 0, at, Seen::Fail));
            quorum.observe(see(place, 1, at, Seen::Pass));
            let mut port = see(place, 0, at, Seen::Pass);
            port.subject.probe = "storefront/port".parse().unwrap();
            quorum.observe(port);
        }
    }
    assert_eq!(quorum.verdict(), Verdict::Degraded);
}
