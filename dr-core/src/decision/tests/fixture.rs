//! A world in which everything speaks for a failover from `a` to `b`, to be spoiled one thing at a time.

use std::time::Duration;

use crate::{
    decision::{Condition, Facts, Gray, History, Mode, Moved, Need, Now, Policy, PrewarmPolicy},
    detect::{Opinion, Standing, Verdict, Why},
    journal::Signed,
    model::RegionId,
    plan::{Goal, GoalKind, Mode as PlanMode},
    time::{Monotonic, Timestamp},
};

pub(super) const fn s(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(super) fn at(secs: u64) -> Monotonic {
    Monotonic::new(s(secs))
}

/// Monday, 2026-11-23, 10:00 in UTC, an hour after the clock's origin.
pub(super) fn now() -> Now {
    Now { monotonic: at(3600), wall: Timestamp::from_millis(1_795_428_000_000) }
}

pub(super) fn region(name: &str) -> RegionId {
    RegionId::new(name).unwrap()
}

pub(super) fn by(who: &str) -> Signed {
    Signed { who: who.to_owned(), why: "because".to_owned() }
}

pub(super) fn goal() -> Goal {
    Goal { kind: GoalKind::Failover, from: region("a"), to: region("b"), mode: PlanMode::Ungraceful }
}

pub(super) fn condition(name: &str, need: Need, lasting: u64) -> Condition {
    Condition { name: name.to_owned(), need, lasting: s(lasting) }
}

pub(super) fn policy(mode: Mode) -> Policy {
    let mut policy = Policy::manual("shop".parse().unwrap(), region("a"), vec![region("a"), region("b")]);
    policy.mode = mode;
    policy.conditions = vec![
        condition("lost", Need::RegionLost { gray: Gray::Any }, 20),
        condition("standby", Need::StandbyHealthy, 60),
        condition("lag", Need::LagWithin { resource: "db".parse().unwrap(), at_most: s(60), fresh: s(120) }, 10),
        condition("route53", Need::Signal { signal: "route53".to_owned(), fresh: s(120) }, 10),
    ];
    policy.prewarm = Some(PrewarmPolicy { per_hour: 2, keep: s(900) });
    policy
}

/// What three observers hold, of whom two must agree.
pub(super) fn standing(verdict: Verdict, since: u64, opinions: [Opinion; 3]) -> Standing {
    let observers = ["x", "y", "z"].map(|name| name.parse().unwrap()).into_iter().zip(opinions).collect();
    let because = Why { quorum: 2, observers, ..Why::default() };
    Standing { verdict, since: at(since), why: format!("it is {verdict}"), because }
}

pub(super) fn facts() -> Facts {
    let mut facts = Facts::new(region("a"));
    facts.standings.insert(region("a"), standing(Verdict::Unhealthy, 3570, [Opinion::Down; 3]));
    facts.standings.insert(region("b"), standing(Verdict::Healthy, 100, [Opinion::Healthy; 3]));
    let db = "db".parse().unwrap();
    facts.sample(&db, s(1), at(3500));
    facts.sample(&db, s(2), at(3560));
    facts.tell("route53", true, "17 % of checkers say healthy", at(3580));
    facts
}

pub(super) fn moved(ago: u64) -> Moved {
    Moved { run: "run-1".parse().unwrap(), ago: s(ago), acknowledged: None }
}

pub(super) fn history() -> History {
    History::default()
}
