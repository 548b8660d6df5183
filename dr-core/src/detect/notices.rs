use std::collections::BTreeMap;

use super::{
    CheckPolicy,
    streak::{Rule, Streak},
};
use crate::{
    model::{ProbeId, RegionId, VantageId},
    probe::{Health, Observation},
};

/// What is watched without a vote: a certificate that ends soon is for a person to mend, and no reason to leave a region.
///
/// The first observer that holds something to be wrong is news, and so is the last that no longer does.
#[derive(Clone, Debug, Default)]
pub(super) struct Notices {
    followed: BTreeMap<ProbeId, Rule>,
    streaks: BTreeMap<(ProbeId, RegionId), BTreeMap<VantageId, Streak>>,
    wrong: BTreeMap<(ProbeId, RegionId), bool>,
}

impl Notices {
    /// Follows a check from now on.
    pub(super) fn follow(&mut self, check: CheckPolicy) {
        let rule = Rule { trip: check.trip, clear: check.clear, stale_after: check.stale_after };
        self.followed.insert(check.probe, rule);
    }

    /// Takes one observation in; gives what is new, as who says it and what.
    pub(super) fn observe(&mut self, o: &Observation) -> Option<(String, String)> {
        let rule = self.followed.get(&o.subject.probe)?;
        let key = (o.subject.probe.clone(), o.subject.region.clone());
        let streaks = self.streaks.entry(key.clone()).or_default();
        streaks.entry(o.vantage.clone()).or_default().take(o.at, &o.outcome, rule);
        let held = |streak: &Streak| streak.opinion(o.at, rule).map(|(health, _)| health);
        let is_wrong = streaks.values().any(|streak| held(streak) == Some(Health::Unhealthy));
        let was_wrong = self.wrong.insert(key, is_wrong).unwrap_or(false);
        if is_wrong == was_wrong {
            return None;
        }
        let again = if is_wrong { "" } else { "well again: " };
        let message = format!("{again}{} ({}, seen by {})", o.outcome, o.subject.region, o.vantage);
        Some((o.subject.probe.to_string(), message))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        probe::{CheckKind, Latency, Outcome, Reading, Subject},
        time::{Monotonic, Timestamp},
    };

    fn seen(notices: &mut Notices, second: u64, vantage: &str, well: bool) -> Option<String> {
        let latency = Latency::default();
        let reading =
            if well { Reading::healthy(latency, "90 d left") } else { Reading::unhealthy(latency, "9 d left") };
        let observation = Observation {
            subject: Subject::infrastructure("certificate".parse().unwrap(), "eu-west-1".parse().unwrap()),
            vantage: vantage.parse().unwrap(),
            at: Monotonic::new(Duration::from_secs(second)),
            wall: Timestamp::UNIX_EPOCH,
            outcome: Outcome::Looked(reading),
        };
        notices.observe(&observation).map(|(who, what)| format!("{who}: {what}"))
    }

    #[test]
    fn the_first_who_sees_it_is_news_and_the_last_who_no_longer_does() {
        let mut notices = Notices::default();
        assert_eq!(seen(&mut notices, 0, "a", false), None, "nobody asked for it");
        notices.follow(CheckPolicy {
            probe: "certificate".parse().unwrap(),
            kind: CheckKind::Infrastructure,
            trip: 2,
            clear: 1,
            stale_after: Duration::from_secs(300),
        });
        assert_eq!(seen(&mut notices, 1, "a", false), None);
        let news = "certificate: 9 d left (eu-west-1, seen by a)";
        assert_eq!(seen(&mut notices, 2, "a", false).as_deref(), Some(news));
        assert_eq!(seen(&mut notices, 3, "b", false), None);
        assert_eq!(seen(&mut notices, 4, "b", false), None, "it is known");
        assert_eq!(seen(&mut notices, 5, "a", true), None, "b still holds it");
        let news = "certificate: well again: 90 d left (eu-west-1, seen by b)";
        assert_eq!(seen(&mut notices, 6, "b", true).as_deref(), Some(news));
        assert_eq!(seen(&mut notices, 7, "b", true), None);
    }
}
