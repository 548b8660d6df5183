use proptest::prelude::*;

use super::fixture::{by, facts, goal, history, moved, now, policy, region, s, standing};
use crate::{
    decision::{
        Answered, Attempt, Choice, Facts, FailedStart, History, Mode, OpenRun, Policy, Prewarm, Weekday, When, Window,
        clock_time, decide, prewarm,
    },
    detect::{GrayFailure, Opinion, Verdict},
};

/// Everything that can be wrong, by number. All of it stops an automatic policy.
const BLOCKERS: usize = 16;

fn spoil(n: usize, policy: &mut Policy, facts: &mut Facts, history: &mut History) {
    match n {
        0 => history.stopped_by_journal = Some(by("ada")),
        1 => facts.stopped_by_file = Some(by("file")),
        2 => drop(facts.standings.insert(region("a"), standing(Verdict::Suspect, 0, [Opinion::Down; 3]))),
        3 => {
            let opinions = [Opinion::Down, Opinion::Unknown, Opinion::Unknown];
            facts.standings.insert(region("a"), standing(Verdict::Unhealthy, 0, opinions));
        }
        4 => drop(facts.standings.insert(region("b"), standing(Verdict::Unhealthy, 0, [Opinion::Down; 3]))),
        5 => drop(facts.standings.insert(region("b"), standing(Verdict::Unknown, 0, [Opinion::Unknown; 3]))),
        6 => drop(history.left.insert(region("b"))),
        7 => history.open = Some(OpenRun { run: "r".parse().unwrap(), goal: goal(), waits: None }),
        8 => history.moved = Some(moved(10)),
        9 => history.automatic = Some(Attempt { run: "r".parse().unwrap(), ago: s(10) }),
        10 => facts.signals.clear(),
        11 => facts.lags.clear(),
        12 => history.failed_start = Some(FailedStart { why: "no plan".to_owned(), ago: s(1) }),
        13 => policy.windows.push(Window {
            when: When::Weekly(Weekday::Monday),
            opens: clock_time("09:00").unwrap(),
            lasts: s(7200),
            ahead_minutes: 0,
            why: String::new(),
        }),
        14 => drop(facts.standings.remove(&region("b"))),
        _ => policy.candidates = vec![region("a")],
    }
}

fn spoiled(mode: Mode, which: &[usize]) -> (Policy, Facts, History) {
    let (mut policy, mut facts, mut history) = (policy(mode), facts(), history());
    which.iter().for_each(|n| spoil(*n, &mut policy, &mut facts, &mut history));
    (policy, facts, history)
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop::sample::select(vec![
        Verdict::Healthy,
        Verdict::Degraded,
        Verdict::Suspect,
        Verdict::Unhealthy,
        Verdict::Unknown,
    ])
}

fn opinions() -> impl Strategy<Value = [Opinion; 3]> {
    let one = prop::sample::select(vec![
        Opinion::Healthy,
        Opinion::Partial,
        Opinion::Suspect,
        Opinion::WritesFail,
        Opinion::ChecksFail,
        Opinion::Down,
        Opinion::Unknown,
    ]);
    prop::array::uniform3(one)
}

proptest! {
    #[test]
    fn it_never_acts_while_anything_speaks_against_it(which in prop::collection::vec(0..BLOCKERS, 1..6)) {
        let (policy, facts, history) = spoiled(Mode::Automatic, &which);
        let decision = decide(&policy, &facts, &history, now());
        prop_assert_eq!(&decision.choice, &Choice::Hold);
        prop_assert!(!decision.blockers.is_empty());
    }

    #[test]
    fn one_more_reason_never_turns_holding_into_acting(
        which in prop::collection::vec(0..BLOCKERS, 0..5),
        more in 0..BLOCKERS,
        yes: bool,
    ) {
        for mode in [Mode::Manual, Mode::Ask, Mode::Automatic] {
            let answer = Answered { yes, by: by("ada"), goal: goal() };
            let rank = |which: &[usize]| {
                let (policy, facts, mut history) = spoiled(mode, which);
                history.answer = Some(answer.clone());
                match decide(&policy, &facts, &history, now()).choice {
                    Choice::Hold => 0,
                    Choice::Ask { .. } => 1,
                    Choice::Act { .. } => 2,
                }
            };
            let with: Vec<usize> = which.iter().copied().chain([more]).collect();
            prop_assert!(rank(&with) <= rank(&which), "{mode:?} {which:?} and {more}");
        }
    }

    #[test]
    fn whatever_it_does_is_safe(
        from in verdict(), to in verdict(), of_from in opinions(), of_to in opinions(),
        gray: bool, mode in prop::sample::select(vec![Mode::Manual, Mode::Ask, Mode::Automatic]),
        conditions in 0..5_usize, left: bool,
    ) {
        let (mut policy, mut facts, mut history) = (policy(mode), facts(), history());
        policy.conditions.truncate(conditions);
        let mut lost = standing(from, 0, of_from);
        lost.because.gray = gray.then_some(GrayFailure::WritesFail);
        facts.standings.insert(region("a"), lost);
        facts.standings.insert(region("b"), standing(to, 0, of_to));
        if left {
            history.left.insert(region("b"));
        }
        let decision = decide(&policy, &facts, &history, now());
        if decision.choice != Choice::Hold {
            let held = |o: &&Opinion| **o == Opinion::Down || gray && **o == Opinion::WritesFail;
            let against = of_from.iter().filter(held).count();
            prop_assert!(from == Verdict::Unhealthy && against >= 2);
            prop_assert!(!matches!(to, Verdict::Unhealthy | Verdict::Unknown));
            prop_assert!(mode != Mode::Manual && !left);
            prop_assert!(decision.blockers.is_empty());
        }
        prop_assert_eq!(decision.choice == Choice::Hold, !decision.blockers.is_empty());
        if let Prewarm::Start { goal, .. } = prewarm(&policy, &facts, &history, now()) {
            prop_assert!(from != Verdict::Unhealthy && from != Verdict::Healthy);
            prop_assert_eq!(goal.to, region("b"));
            prop_assert!(!left && mode != Mode::Manual);
        }
        prop_assert_eq!(decide(&policy, &facts, &history, now()), decision, "equal inputs, equal decisions");
    }
}
