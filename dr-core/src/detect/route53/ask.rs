use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::{Answer, Record, Status, Target, answer, effective_status, quorum};
use crate::{
    detect::{Opinion, Standing},
    model::RegionId,
    plan::{CheckFact, Inventory, RecordFact, RecordRole, TrafficFact},
    probe::CheckKind,
};

/// What a region shows to those who look at it as Route 53's checkers do: from outside, and never with a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Of those who looked, so many found that it answers.
    pub answering: usize,
    /// How many have looked.
    pub looking: usize,
}

impl Seen {
    /// Everybody finds that it answers.
    pub const WELL: Self = Self { answering: 16, looking: 16 };
    /// Nobody does.
    pub const LOST: Self = Self { answering: 0, looking: 16 };

    /// What our own observers saw, as far as Route 53 would have: the infrastructure checks, and not the writes. An
    /// observer for whom one of them has failed stands for a checker that finds the endpoint down.
    #[must_use]
    pub fn of(standing: &Standing) -> Self {
        let mut by_observer = BTreeMap::new();
        for evidence in &standing.because.evidence {
            if evidence.kind == CheckKind::Infrastructure && evidence.opinion != Opinion::Unknown {
                let answers = by_observer.entry(&evidence.vantage).or_insert(true);
                *answers &= evidence.opinion != Opinion::Down;
            }
        }
        Self { answering: by_observer.values().filter(|answers| **answers).count(), looking: by_observer.len() }
    }
}

/// What Route 53 would answer for one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The name.
    pub name: String,
    /// The region that clients would be sent to.
    pub region: RegionId,
    /// Which record, and why.
    pub answer: Answer,
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} leads to {}: {}", self.name, self.region, self.answer)
    }
}

/// What Route 53 would answer for a name, if the regions showed what `seen` says. `None` when its pair of records is not
/// known.
///
/// Checks that go by something else than an endpoint have the status that was last known of them: a latch does not move
/// because a region is lost. That is their point.
#[must_use]
pub fn would_answer(traffic: &TrafficFact, facts: &Inventory, seen: &BTreeMap<RegionId, Seen>) -> Option<Asked> {
    let of = |role| traffic.records.iter().find(|record| record.role == role);
    let (primary, secondary) = (of(RecordRole::Primary)?, of(RecordRole::Secondary)?);
    let answer = answer(&record(primary, traffic, facts, seen), &record(secondary, traffic, facts, seen));
    let region = match answer.role {
        RecordRole::Primary => primary.region.clone(),
        RecordRole::Secondary => secondary.region.clone(),
    };
    Some(Asked { name: traffic.name.clone(), region, answer })
}

fn record(record: &RecordFact, traffic: &TrafficFact, facts: &Inventory, seen: &BTreeMap<RegionId, Seen>) -> Record {
    let shown = seen.get(&record.region).copied();
    let target = record.alias.as_ref().map(|alias| Target {
        evaluated: alias.evaluates_target_health == Some(true),
        healthy: shown.is_none_or(|shown| shown.looking == 0 || shown.answering > 0),
    });
    let check = record.check.as_ref().map(|id| {
        let fact = facts.health_check(id);
        let follows_endpoint = match (fact, record.role, &traffic.primary_check) {
            (_, RecordRole::Primary, CheckFact::Endpoint { .. }) => true,
            (_, RecordRole::Primary, _) => false,
            (Some(fact), RecordRole::Secondary, _) => fact.judges == record.region && fact.inverted != Some(true),
            (None, RecordRole::Secondary, _) => false,
        };
        match shown.filter(|_| follows_endpoint) {
            Some(Seen { looking: 0, .. }) => {
                Status { healthy: true, because: format!("nobody has looked at {} yet", record.region) }
            }
            Some(Seen { answering, looking }) => {
                let inverted = fact.is_some_and(|fact| fact.inverted == Some(true));
                let healthy = effective_status(false, inverted, Some(quorum(answering, looking)));
                let because =
                    format!("{answering} of {looking} find that {} answers, more than 18 % needed", record.region);
                Status { healthy, because }
            }
            None => kept(record, &traffic.primary_check),
        }
    });
    Record { check, target }
}

/// The status of a check that does not follow the endpoint.
fn kept(record: &RecordFact, check: &CheckFact) -> Status {
    let what = match (record.role, check) {
        (RecordRole::Primary, CheckFact::StandbyTakesOver { region }) => {
            format!("its check follows an object in {region} and no endpoint")
        }
        (RecordRole::Primary, CheckFact::RecoveryControl) => {
            "its check follows a routing control and no endpoint".to_owned()
        }
        _ => "its check is taken as it was last seen".to_owned(),
    };
    let (healthy, was) = match record.check_healthy {
        Some(healthy) => (healthy, if healthy { "healthy" } else { "unhealthy" }),
        // A check of which nothing is known counts as healthy, for Route 53 too.
        None => (true, "not known, which counts as healthy"),
    };
    Status { healthy, because: format!("{what}: {was}") }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::plan::{AliasFact, CheckProtocol, HealthCheckFact};

    const EAST: &str = "us-east-1";
    const WEST: &str = "eu-west-1";

    fn region(id: &str) -> RegionId {
        id.parse().unwrap()
    }

    fn traffic(check: CheckFact) -> (TrafficFact, Inventory) {
        let mut traffic = TrafficFact::new("dns".parse().unwrap(), "api.example.com", check, Duration::from_secs(60));
        for (role, at, id) in [(RecordRole::Primary, EAST, "p"), (RecordRole::Secondary, WEST, "s")] {
            let (region, check) = (region(at), Some(id.to_owned()));
            traffic.records.push(RecordFact { role, region, alias: None, check, check_healthy: Some(true) });
        }
        let health_checks = [("p", EAST), ("s", WEST)]
            .map(|(id, at)| HealthCheckFact::new(id, region(at), CheckProtocol::Https))
            .into();
        (traffic, Inventory { health_checks, ..Inventory::default() })
    }

    fn endpoint() -> CheckFact {
        CheckFact::Endpoint { fqdn: "east.example.com".to_owned() }
    }

    fn ask(traffic: &TrafficFact, facts: &Inventory, east: Seen, west: Seen) -> String {
        let seen = BTreeMap::from([(region(EAST), east), (region(WEST), west)]);
        would_answer(traffic, facts, &seen).unwrap().to_string()
    }

    #[test]
    fn the_four_rows_asked_of_a_spec() {
        let (traffic, facts) = traffic(endpoint());
        let rows = [
            (Seen::WELL, Seen::WELL),
            (Seen::WELL, Seen::LOST),
            (Seen::LOST, Seen::WELL),
            (Seen::LOST, Seen::LOST),
            (Seen { answering: 3, looking: 16 }, Seen::WELL),
        ];
        let said: Vec<_> = rows.map(|(east, west)| ask(&traffic, &facts, east, west)).into();
        insta::assert_snapshot!(said.join("\n"), @"
        api.example.com leads to us-east-1: the primary, which is healthy: 16 of 16 find that us-east-1 answers, more than 18 % needed
        api.example.com leads to us-east-1: the primary, which is healthy: 16 of 16 find that us-east-1 answers, more than 18 % needed
        api.example.com leads to eu-west-1: the secondary, which is healthy (16 of 16 find that eu-west-1 answers, more than 18 % needed), because the primary is not: 0 of 16 find that us-east-1 answers, more than 18 % needed
        api.example.com leads to us-east-1: the primary, because neither is healthy: of the primary 0 of 16 find that us-east-1 answers, more than 18 % needed; of the secondary 0 of 16 find that eu-west-1 answers, more than 18 % needed
        api.example.com leads to us-east-1: the primary, which is healthy: 3 of 16 find that us-east-1 answers, more than 18 % needed
        ");
    }

    #[test]
    fn a_latch_does_not_move_by_itself() {
        let (mut traffic, facts) = traffic(CheckFact::StandbyTakesOver { region: region(WEST) });
        let lost = ask(&traffic, &facts, Seen::LOST, Seen::WELL);
        assert!(lost.contains("leads to us-east-1") && lost.contains("follows an object in eu-west-1"), "{lost}");
        traffic.records[0].check_healthy = Some(false);
        let latched = ask(&traffic, &facts, Seen::WELL, Seen::WELL);
        assert!(latched.contains("leads to eu-west-1"), "{latched}");
    }

    #[test]
    fn an_alias_that_evaluates_its_target_needs_both() {
        let (mut traffic, facts) = traffic(CheckFact::None);
        for record in &mut traffic.records {
            record.check = None;
            record.alias = Some(AliasFact {
                target: "elb.example.com".to_owned(),
                evaluates_target_health: Some(record.role == RecordRole::Primary),
                load_balancer: None,
            });
        }
        assert!(
            ask(&traffic, &facts, Seen::LOST, Seen::LOST).contains("leads to eu-west-1"),
            "it is not asked for its target"
        );
        assert!(ask(&traffic, &facts, Seen::WELL, Seen::LOST).contains("leads to us-east-1"));
    }

    #[test]
    fn a_name_without_its_pair_cannot_be_asked() {
        let (mut traffic, facts) = traffic(endpoint());
        traffic.records.pop();
        assert_eq!(would_answer(&traffic, &facts, &BTreeMap::new()), None);
    }
}
