use super::fixture::{at, by, condition, facts, goal, history, moved, now, policy, region, s, standing};
use crate::{
    decision::{
        Answered, Attempt, Blocker, Choice, Decision, Facts, FailedStart, Gray, History, MOST_CONDITIONS, Mode, Need,
        Now, OpenRun, Policy, Prewarm, Warmed, When, Window, decide, prewarm,
    },
    detect::{GrayFailure, Opinion, Verdict},
    plan::{Goal, GoalKind, Mode as PlanMode},
    time::Timestamp,
};

fn act() -> Choice {
    Choice::Act { goal: goal(), by: None }
}

/// What holds the automatic policy back once this has been spoiled; only that must.
fn held(spoil: impl FnOnce(&mut Policy, &mut Facts, &mut History)) -> Blocker {
    let mut held = all(Mode::Automatic, spoil);
    assert_eq!(held.choice, Choice::Hold, "{held}");
    assert_eq!(held.blockers.len(), 1, "{held}");
    held.blockers.remove(0)
}

fn all(mode: Mode, spoil: impl FnOnce(&mut Policy, &mut Facts, &mut History)) -> Decision {
    let (mut policy, mut facts, mut history) = (policy(mode), facts(), history());
    spoil(&mut policy, &mut facts, &mut history);
    decide(&policy, &facts, &history, now())
}

#[test]
fn nothing_speaks_against_it_and_each_mode_does_what_it_is_for() {
    assert_eq!(all(Mode::Automatic, |_, _, _| {}).choice, act());
    let asks = all(Mode::Ask, |_, _, _| {});
    assert_eq!(asks.choice, Choice::Ask { goal: goal(), question: "a is lost: fail over to b?".to_owned() });
    let manual = all(Mode::Manual, |_, _, _| {});
    assert_eq!((manual.choice, manual.blockers), (Choice::Hold, vec![Blocker::Manual]));
}

#[test]
fn a_region_that_is_not_held_lost_is_not_left() {
    for verdict in [Verdict::Healthy, Verdict::Degraded, Verdict::Gray, Verdict::Suspect, Verdict::Unknown] {
        let decision = all(Mode::Automatic, |_, facts, _| {
            facts.standings.insert(region("a"), standing(verdict, 0, [Opinion::Down; 3]));
        });
        assert_eq!(decision.choice, Choice::Hold);
        assert!(matches!(&decision.blockers[0], Blocker::RegionNotLost { verdict: v, .. } if *v == verdict));
    }
    let unseen = all(Mode::Automatic, |_, facts, _| drop(facts.standings.remove(&region("a"))));
    assert_eq!(unseen.blockers[0], Blocker::RegionUnseen { region: region("a") });
}

#[test]
fn a_verdict_that_hold_down_alone_keeps_up_is_not_acted_on() {
    let blocker = held(|_, facts, _| {
        let opinions = [Opinion::Down, Opinion::Unknown, Opinion::Healthy];
        facts.standings.insert(region("a"), standing(Verdict::Unhealthy, 3570, opinions));
    });
    let (against, quorum, seeing, observers) = (1, 2, 2, 3);
    assert_eq!(blocker, Blocker::QuorumIncomplete { region: region("a"), against, quorum, seeing, observers });
}

#[test]
fn one_observer_that_is_cut_off_changes_nothing() {
    let decision = all(Mode::Automatic, |_, facts, _| {
        let opinions = [Opinion::Down, Opinion::Down, Opinion::Unknown];
        facts.standings.insert(region("a"), standing(Verdict::Unhealthy, 3570, opinions));
    });
    assert_eq!(decision.choice, act());
}

#[test]
fn a_gray_failure_counts_as_its_condition_says() {
    let gray = |wanted| {
        all(Mode::Automatic, |policy, facts, _| {
            let mut gray = standing(Verdict::Unhealthy, 3570, [Opinion::WritesFail; 3]);
            gray.because.gray = Some(GrayFailure::WritesFail);
            facts.standings.insert(region("a"), gray);
            policy.conditions = vec![condition("lost", Need::RegionLost { gray: wanted }, 0)];
        })
    };
    assert_eq!(gray(Gray::Any).choice, act());
    assert_eq!(gray(Gray::Only).choice, act());
    assert!(matches!(&gray(Gray::Plain).blockers[..], [Blocker::Condition { name, .. }] if name == "lost"));
    let plain =
        held(|policy, _, _| policy.conditions = vec![condition("gray", Need::RegionLost { gray: Gray::Only }, 0)]);
    assert!(matches!(plain, Blocker::Condition { .. }));
}

#[test]
fn never_toward_a_region_that_is_unhealthy_or_unknown() {
    for verdict in [Verdict::Unhealthy, Verdict::Unknown] {
        let blocker = held(|policy, facts, _| {
            policy.conditions.clear();
            facts.standings.insert(region("b"), standing(verdict, 0, [Opinion::Unknown; 3]));
        });
        assert!(matches!(blocker, Blocker::TargetUnfit { verdict: v, .. } if v == verdict));
    }
    let blocker = held(|policy, facts, _| {
        policy.conditions.clear();
        facts.standings.remove(&region("b"));
    });
    assert!(matches!(blocker, Blocker::TargetUnfit { verdict: Verdict::Unknown, .. }));
    assert_eq!(
        held(|policy, _, _| {
            policy.conditions.clear();
            policy.candidates = vec![region("a")];
        }),
        Blocker::NowhereToGo
    );
}

#[test]
fn the_first_region_that_is_fit_is_gone_to() {
    let decision = all(Mode::Automatic, |policy, facts, _| {
        policy.candidates.push(region("c"));
        policy.conditions.clear();
        facts.standings.insert(region("b"), standing(Verdict::Unhealthy, 0, [Opinion::Down; 3]));
        facts.standings.insert(region("c"), standing(Verdict::Healthy, 0, [Opinion::Healthy; 3]));
    });
    assert_eq!(decision.goal().unwrap().to, region("c"));
}

#[test]
fn nothing_goes_back_by_itself() {
    for mode in [Mode::Ask, Mode::Automatic] {
        let decision = all(mode, |_, facts, history| {
            facts.writer = region("b");
            history.left.insert(region("a"));
            facts.standings.insert(region("b"), standing(Verdict::Unhealthy, 0, [Opinion::Down; 3]));
            facts.standings.insert(region("a"), standing(Verdict::Healthy, 0, [Opinion::Healthy; 3]));
        });
        assert_eq!(decision.choice, Choice::Hold);
        assert_eq!(decision.blockers, [Blocker::WouldFailBack { region: region("a") }]);
    }
}

#[test]
fn each_condition_must_hold_and_for_long_enough() {
    let lost = held(|_, facts, _| {
        facts.standings.insert(region("a"), standing(Verdict::Unhealthy, 3590, [Opinion::Down; 3]));
    });
    assert_eq!(lost.to_string(), "the condition lost does not hold: only for 10 s of 20 s: it is unhealthy");
    let young = held(|_, facts, _| {
        facts.standings.insert(region("b"), standing(Verdict::Healthy, 3590, [Opinion::Healthy; 3]));
    });
    assert!(matches!(young, Blocker::Condition { name, .. } if name == "standby"));
    let degraded = held(|_, facts, _| {
        facts.standings.insert(region("b"), standing(Verdict::Degraded, 0, [Opinion::Partial; 3]));
    });
    assert!(matches!(degraded, Blocker::Condition { name, .. } if name == "standby"));
}

#[test]
fn replication_lag_must_be_known_fresh_and_small() {
    let saw = |spoil: &dyn Fn(&mut Facts)| match held(|_, facts, _| spoil(facts)) {
        Blocker::Condition { name, why } if name == "lag" => why,
        other => panic!("{other}"),
    };
    let db = "db".parse().unwrap();
    assert_eq!(saw(&|facts| facts.lags.clear()), "nobody knows how far db is behind");
    assert_eq!(
        saw(&|facts| {
            facts.lags.clear();
            facts.sample(&db, s(1), at(3400));
        }),
        "the last sample of db is 200 s old (1 s behind): older than 120 s"
    );
    assert_eq!(saw(&|facts| facts.sample(&db, s(61), at(3599))), "db was 61 s behind 1 s ago, 60 s allowed");
    // Within the limit again, and not for long enough.
    let again = saw(&|facts| {
        facts.sample(&db, s(61), at(3594));
        facts.sample(&db, s(1), at(3595));
    });
    assert_eq!(again, "only for 5 s of 10 s: db was 1 s behind 5 s ago, 60 s allowed");
}

#[test]
fn a_signal_must_say_yes_and_have_said_so_lately() {
    let saw = |spoil: &dyn Fn(&mut Facts)| match held(|_, facts, _| spoil(facts)) {
        Blocker::Condition { name, why } if name == "route53" => why,
        other => panic!("{other}"),
    };
    assert_eq!(saw(&|facts| facts.signals.clear()), "route53 has said nothing");
    assert_eq!(saw(&|facts| facts.tell("route53", false, "all well", at(3600))), "route53 says no: all well");
    assert_eq!(
        saw(&|facts| {
            facts.signals.clear();
            facts.tell("route53", true, "", at(3400));
        }),
        "route53 has said nothing for 200 s"
    );
    let changed = saw(&|facts| {
        facts.tell("route53", false, "", at(3594));
        facts.tell("route53", true, "", at(3595));
        facts.tell("route53", true, "again", at(3599));
    });
    assert_eq!(changed, "only for 5 s of 10 s: route53 says yes: again");
}

#[test]
fn the_kill_switch_stops_every_mode() {
    for mode in [Mode::Ask, Mode::Automatic] {
        let decision = all(mode, |_, facts, history| {
            history.stopped_by_journal = Some(by("ada"));
            facts.stopped_by_file = Some(by("/etc/dr/stop"));
        });
        let said: Vec<String> = decision.blockers.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "the kill switch is on (journal), by ada: because",
                "the kill switch is on (file), by /etc/dr/stop: because"
            ]
        );
    }
}

#[test]
fn one_run_of_an_application_at_a_time() {
    let blocker = held(|_, _, history| {
        history.open = Some(OpenRun { run: "run-7".parse().unwrap(), goal: goal(), waits: None });
    });
    assert_eq!(blocker, Blocker::RunOpen { run: "run-7".parse().unwrap(), goal: goal(), waits: None });
}

#[test]
fn the_block_period_is_lifted_by_time_or_by_somebody() {
    let block = |ago: u64| all(Mode::Automatic, |_, _, history| history.moved = Some(moved(ago)));
    assert_eq!(block(3600).choice, act());
    assert_eq!(block(3599).blockers, [Blocker::BlockPeriod { run: "run-1".parse().unwrap(), left: s(1) }]);
    let acknowledged = all(Mode::Automatic, |_, _, history| {
        history.moved = Some(moved(5));
        history.moved.as_mut().unwrap().acknowledged = Some(by("ada"));
    });
    assert_eq!(acknowledged.choice, act());
    // Whoever is asked may decide otherwise.
    assert!(matches!(all(Mode::Ask, |_, _, history| history.moved = Some(moved(5))).choice, Choice::Ask { .. }));
}

#[test]
fn runs_that_start_by_themselves_keep_their_distance() {
    let spaced = |ago: u64| {
        all(Mode::Automatic, |policy, _, history| {
            policy.spacing = s(600);
            history.automatic = Some(Attempt { run: "run-1".parse().unwrap(), ago: s(ago) });
        })
    };
    assert_eq!(spaced(600).choice, act());
    assert_eq!(spaced(590).blockers, [Blocker::Spacing { run: "run-1".parse().unwrap(), left: s(10) }]);
}

#[test]
fn a_start_that_failed_is_tried_again_after_a_while() {
    let failed = |ago: u64| {
        all(Mode::Automatic, |_, _, history| {
            history.failed_start = Some(FailedStart { why: "no plan".to_owned(), ago: s(ago) });
        })
    };
    assert_eq!(failed(60).choice, act());
    assert_eq!(failed(59).blockers, [Blocker::StartFailed { why: "no plan".to_owned(), left: s(1) }]);
}

#[test]
fn an_answer_is_one_to_its_question_alone() {
    let answered = |yes: bool, goal: Goal| {
        all(Mode::Ask, |_, _, history| history.answer = Some(Answered { yes, by: by("ada"), goal }))
    };
    assert_eq!(answered(true, goal()).choice, Choice::Act { goal: goal(), by: Some(by("ada")) });
    let refused = answered(false, goal());
    assert_eq!(refused.choice, Choice::Hold);
    assert_eq!(refused.blockers[0].to_string(), "ada was asked and said no: because");
    let another = Goal { to: region("c"), ..goal() };
    assert!(matches!(answered(true, another).choice, Choice::Ask { .. }));
}

fn window(when: When, opens: &str, lasts: u64, ahead_minutes: i32) -> Window {
    Window {
        when,
        opens: crate::decision::clock_time(opens).unwrap(),
        lasts: s(lasts),
        ahead_minutes,
        why: "patches".to_owned(),
    }
}

#[test]
fn a_window_holds_back_only_what_starts_by_itself() {
    use crate::decision::Weekday::{Monday, Sunday};
    let open = |window: Window, wall: &str| {
        let wall: Timestamp = serde_json::from_value(serde_json::json!(wall)).unwrap();
        window.open_for(wall).map(|left| left.as_secs())
    };
    let monday = || window(When::Weekly(Monday), "02:00", 7200, 60);
    assert_eq!(open(monday(), "2026-11-23T01:00:00Z"), Some(7200), "02:00 an hour ahead of UTC");
    assert_eq!(open(monday(), "2026-11-23T02:59:59Z"), Some(1));
    assert_eq!(open(monday(), "2026-11-23T03:00:00Z"), None);
    assert_eq!(open(monday(), "2026-11-23T00:59:59Z"), None);
    assert_eq!(open(monday(), "2026-11-24T01:30:00Z"), None);
    let night = || window(When::Weekly(Sunday), "23:00", 7200, 0);
    assert_eq!(open(night(), "2026-11-23T00:30:00Z"), Some(1800), "past midnight");
    let once = || window(When::On("2026-12-24".parse().unwrap()), "18:00", 36 * 3600, 0);
    assert_eq!(open(once(), "2026-12-25T18:00:00Z"), Some(12 * 3600));
    assert_eq!(open(once(), "2027-12-24T18:00:00Z"), None);
    let during = |policy: &mut Policy| policy.windows = vec![window(When::Weekly(Monday), "09:00", 7200, 0)];
    assert_eq!(held(|policy, _, _| during(policy)), Blocker::Window { why: "patches".to_owned(), left: s(3600) });
    assert!(matches!(all(Mode::Ask, |policy, _, _| during(policy)).choice, Choice::Ask { .. }));
}

#[test]
fn a_policy_has_ten_conditions_at_most() {
    let mut many = policy(Mode::Automatic);
    many.conditions = (0..=MOST_CONDITIONS).map(|n| condition(&format!("c{n}"), Need::StandbyHealthy, 0)).collect();
    assert_eq!(many.validate().unwrap_err().0, ["11 conditions are more than 10"]);
    many.conditions.pop();
    assert_eq!(many.validate(), Ok(()));
}

#[test]
fn it_says_why_in_words_and_as_data() {
    let decision = all(Mode::Automatic, |_, facts, history| {
        history.stopped_by_journal = Some(by("ada"));
        facts.signals.clear();
    });
    assert_eq!(decision.sentence(), "hold: the kill switch is on (journal), by ada: because (and 1 more)");
    insta::assert_snapshot!(decision.to_string(), @r"
    Did not fail over from a, because:
      - the kill switch is on (journal), by ada: because
      - the condition route53 does not hold: route53 has said nothing
    Conditions:
      - lost holds, so for 30 s of 20 s: it is unhealthy
      - standby holds, so for 3500 s of 60 s: it is healthy
      - lag holds, so for 100 s of 10 s: db was 2 s behind 40 s ago, 60 s allowed
      - route53 does not hold: route53 has said nothing
    Readings:
      - a for 30 s: it is unhealthy
      - b for 3500 s: it is healthy
    ");
    let json = serde_json::to_value(&decision).unwrap();
    assert_eq!(json["blockers"][0]["because"], "kill-switch");
    assert_eq!(serde_json::from_value::<Decision>(json).unwrap(), decision);
}

#[test]
fn seconds_and_words_make_no_other_decision() {
    let one = all(Mode::Automatic, |_, _, history| history.moved = Some(moved(5)));
    let two = all(Mode::Automatic, |_, facts, history| {
        history.moved = Some(moved(6));
        facts.tell("route53", true, "other words", at(3600));
    });
    assert!(one != two && two.says_the_same_as(&one));
    assert!(!all(Mode::Automatic, |_, _, _| {}).says_the_same_as(&one));
}

fn suspected(spoil: impl FnOnce(&mut Policy, &mut Facts, &mut History)) -> Prewarm {
    let (mut policy, mut facts, mut history) = (policy(Mode::Automatic), facts(), history());
    let opinions = [Opinion::Down, Opinion::Healthy, Opinion::Healthy];
    facts.standings.insert(region("a"), standing(Verdict::Suspect, 3595, opinions));
    spoil(&mut policy, &mut facts, &mut history);
    prewarm(&policy, &facts, &history, now())
}

#[test]
fn the_standby_is_warmed_on_suspicion_and_nothing_less_or_more() {
    assert_eq!(suspected(|_, _, _| {}), Prewarm::Start { goal: goal(), why: "it is suspect".to_owned() });
    let nothing = |spoil: &dyn Fn(&mut Policy, &mut Facts, &mut History)| match suspected(|p, f, h| spoil(p, f, h)) {
        Prewarm::Nothing { why } => why,
        other => panic!("{other:?}"),
    };
    for verdict in [Verdict::Healthy, Verdict::Degraded, Verdict::Gray, Verdict::Unhealthy, Verdict::Unknown] {
        let why = nothing(&|_, facts, _| {
            facts.standings.insert(region("a"), standing(verdict, 0, [Opinion::Down; 3]));
        });
        assert_eq!(why, "the region is not suspected");
    }
    assert_eq!(nothing(&|policy, _, _| policy.prewarm = None), "the policy warms nothing");
    assert_eq!(nothing(&|policy, _, _| policy.mode = Mode::Manual), "the policy's mode is manual");
    assert_eq!(nothing(&|_, _, history| history.warmed_lately = 2), "the standby was warmed 2 times within the hour");
    let open =
        |history: &mut History| history.open = Some(OpenRun { run: "r".parse().unwrap(), goal: goal(), waits: None });
    assert_eq!(nothing(&|_, _, history| open(history)), "a run of the application has not ended");
    assert_eq!(
        nothing(&|_, _, history| history.stopped_by_journal = Some(by("ada"))),
        "the kill switch is on (journal), by ada: because"
    );
    let unfit = nothing(&|_, facts, _| {
        facts.standings.insert(region("b"), standing(Verdict::Unknown, 0, [Opinion::Unknown; 3]));
    });
    assert_eq!(unfit, "there is no region that could take over");
}

#[test]
fn what_is_warm_stays_so_until_the_suspicion_clears_or_grows_old() {
    let warm = |ago: u64| Some(Warmed { run: "warm".parse().unwrap(), ago: s(ago) });
    let of = |ago: u64, verdict: Verdict| {
        suspected(|_, facts, history| {
            history.warm = warm(ago);
            facts.standings.insert(region("a"), standing(verdict, 0, [Opinion::Down; 3]));
        })
    };
    for verdict in [Verdict::Suspect, Verdict::Unhealthy, Verdict::Unknown] {
        assert_eq!(of(899, verdict), Prewarm::Wait { run: "warm".parse().unwrap() }, "{verdict}");
    }
    for (ago, verdict) in
        [(5, Verdict::Healthy), (5, Verdict::Degraded), (900, Verdict::Suspect), (900, Verdict::Unhealthy)]
    {
        assert!(matches!(of(ago, verdict), Prewarm::TakeBack { .. }), "{ago} {verdict}");
    }
    let stopped = suspected(|_, _, history| {
        history.warm = warm(5);
        history.stopped_by_journal = Some(by("ada"));
    });
    assert!(matches!(stopped, Prewarm::TakeBack { .. }));
}

#[test]
fn the_only_goal_is_to_leave_a_region() {
    let Choice::Act { goal, .. } = all(Mode::Automatic, |_, _, _| {}).choice else { panic!() };
    assert_eq!((goal.kind, goal.mode), (GoalKind::Failover, PlanMode::Ungraceful));
    let later = Now { wall: Timestamp::from_millis(0), ..now() };
    assert_eq!(
        decide(&policy(Mode::Automatic), &facts(), &history(), later).choice,
        act(),
        "the wall decides nothing else"
    );
}
