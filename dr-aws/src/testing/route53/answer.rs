use std::{collections::BTreeMap, net::IpAddr};

use dr_core::detect::route53::takes_primary;

use super::{FailoverRole, HostedZone, RecordSet, record::domain_name, state::State};

/// What an authoritative server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The name that the records belong to.
    pub name: String,
    /// Their type: what was asked for, or `CNAME`.
    pub rtype: String,
    /// Seconds that resolvers may keep them.
    pub ttl: u32,
    /// Their values, as in a zone file.
    pub values: Vec<String>,
    /// Which of a failover pair was chosen.
    pub set_identifier: Option<String>,
}

/// The outcome of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// There are records.
    Answer(Answer),
    /// The name is there, and has none of the type (NOERROR without records).
    NoData {
        /// The zone, whose SOA goes with the answer.
        zone: String,
    },
    /// The name is not there (NXDOMAIN).
    NoName {
        /// The zone, whose SOA goes with the answer.
        zone: String,
    },
    /// No hosted zone holds the name (REFUSED).
    NoZone,
}

/// A load balancer, or anything else outside the zone that an alias can point to.
#[derive(Clone, Debug, Default)]
pub(super) struct Target {
    pub(super) addresses: Vec<IpAddr>,
    pub(super) healthy: bool,
}

/// Time to live of a load balancer's addresses: "you can't set the TTL" of an alias, and an ELB's is this.
const LOAD_BALANCER_TTL: u32 = 60;
/// How many aliases of aliases are followed.
const DEPTH: u8 = 8;

/// Answers questions from one state of the zones, one view of the checks and the targets' own health.
pub(super) struct Resolver<'a> {
    pub(super) state: &'a State,
    /// The published health of a check; healthy for one that is not there.
    pub(super) health: &'a dyn Fn(&str) -> bool,
    pub(super) targets: &'a BTreeMap<String, Target>,
}

impl Resolver<'_> {
    pub(super) fn answer(&self, name: &str, rtype: &str) -> Resolution {
        let name = domain_name(name);
        match self.state.zone_of(&name) {
            Some(zone) => self.in_zone(zone, &name, rtype, DEPTH),
            None => Resolution::NoZone,
        }
    }

    fn in_zone(&self, zone: &HostedZone, name: &str, rtype: &str, depth: u8) -> Resolution {
        let chosen = self.choose(zone, name, rtype, depth).or_else(|| self.choose(zone, name, "CNAME", depth));
        let Some(record) = chosen else {
            // A name exists when it has a record or lies above one that has.
            let below = format!(".{name}");
            let exists = zone.records().any(|record| record.name == name || record.name.ends_with(&below));
            let zone = zone.name.clone();
            return if exists { Resolution::NoData { zone } } else { Resolution::NoName { zone } };
        };
        let (ttl, values) = match &record.alias {
            None => (record.ttl.unwrap_or_default(), record.values.clone()),
            Some(alias) => self.values_of(&alias.dns_name, rtype, depth),
        };
        if values.is_empty() {
            return Resolution::NoData { zone: zone.name.clone() };
        }
        let set_identifier = record.set_identifier.clone();
        Resolution::Answer(Answer { name: name.to_owned(), rtype: record.rtype.clone(), ttl, values, set_identifier })
    }

    /// The one record that is answered, by the failover rules.
    fn choose<'z>(&self, zone: &'z HostedZone, name: &'z str, rtype: &'z str, depth: u8) -> Option<&'z RecordSet> {
        let of = |role| zone.of(name, rtype).find(|record| record.failover == Some(role));
        let (primary, secondary) = (of(FailoverRole::Primary), of(FailoverRole::Secondary));
        match (primary, secondary) {
            (Some(primary), Some(secondary)) => {
                let healthy = (self.is_healthy(primary, depth), self.is_healthy(secondary, depth));
                Some(if takes_primary(healthy.0, healthy.1) { primary } else { secondary })
            }
            (Some(only), None) | (None, Some(only)) => Some(only),
            (None, None) => zone.of(name, rtype).next(),
        }
    }

    /// A record is healthy when its check is and, for an alias that evaluates its target, the target is too.
    fn is_healthy(&self, record: &RecordSet, depth: u8) -> bool {
        let check = record.health_check_id.as_deref().is_none_or(self.health);
        let target = match &record.alias {
            Some(alias) if alias.evaluate_target_health => {
                self.is_target_healthy(&alias.dns_name, &record.rtype, depth)
            }
            _ => true,
        };
        check && target
    }

    fn is_target_healthy(&self, name: &str, rtype: &str, depth: u8) -> bool {
        if let Some(target) = self.targets.get(name) {
            return target.healthy;
        }
        let Some(depth) = depth.checked_sub(1) else { return false };
        // An alias of records of our own is healthy when any of them is (developer guide, "complex configurations").
        let zone = self.state.zone_of(name);
        zone.is_some_and(|zone| zone.of(name, rtype).any(|record| self.is_healthy(record, depth)))
    }

    fn values_of(&self, name: &str, rtype: &str, depth: u8) -> (u32, Vec<String>) {
        if let Some(target) = self.targets.get(name) {
            let fits = |address: &&IpAddr| if rtype == "AAAA" { address.is_ipv6() } else { address.is_ipv4() };
            return (LOAD_BALANCER_TTL, target.addresses.iter().filter(fits).map(ToString::to_string).collect());
        }
        let Some(depth) = depth.checked_sub(1) else { return Default::default() };
        match self.state.zone_of(name).map(|zone| self.in_zone(zone, name, rtype, depth)) {
            Some(Resolution::Answer(answer)) => (answer.ttl, answer.values),
            _ => Default::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use dr_core::detect::route53::effective_status;
    use proptest::prelude::*;

    use super::{super::AliasTarget, *};

    fn state(records: impl IntoIterator<Item = RecordSet>) -> State {
        let mut zone = HostedZone::new("Z1".into(), "example.com.".into(), "test".into(), None);
        zone.records.extend(records.into_iter().map(|record| (record.key(), record)));
        let mut state = State::default();
        state.zones.insert("Z1".into(), zone);
        state
    }

    fn pair() -> [RecordSet; 2] {
        [
            RecordSet::new("api.example.com", "A", 60, ["127.0.1.1"])
                .failover(FailoverRole::Primary, "primary")
                .checked_by("p"),
            RecordSet::new("api.example.com", "A", 60, ["127.0.2.1"])
                .failover(FailoverRole::Secondary, "secondary")
                .checked_by("s"),
        ]
    }

    fn ask(state: &State, health: &dyn Fn(&str) -> bool, targets: &BTreeMap<String, Target>) -> String {
        match (Resolver { state, health, targets }).answer("API.example.com", "A") {
            Resolution::Answer(answer) => answer.set_identifier.unwrap_or_default(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn the_four_rows_of_the_truth_table() {
        let state = state(pair());
        for (primary, secondary, expected) in
            [(true, true, "primary"), (true, false, "primary"), (false, true, "secondary"), (false, false, "primary")]
        {
            let health = move |id: &str| if id == "p" { primary } else { secondary };
            assert_eq!(ask(&state, &health, &BTreeMap::new()), expected, "{primary} {secondary}");
        }
    }

    #[test]
    fn a_secondary_without_a_check_is_always_eligible() {
        let [primary, mut secondary] = pair();
        secondary.health_check_id = None;
        assert_eq!(ask(&state([primary, secondary]), &|_| false, &BTreeMap::new()), "secondary");
    }

    proptest! {
        /// The answer follows from the effective statuses alone, whatever they come from; an alias is its check AND
        /// its target.
        #[test]
        fn the_answer_follows_the_effective_statuses(
            checks in prop::array::uniform2((any::<bool>(), any::<bool>(), any::<Option<bool>>())),
            targets in prop::array::uniform2((any::<bool>(), any::<bool>())),
        ) {
            let records = pair().into_iter().zip(targets).zip(["east.elb.", "west.elb."]).map(|((record, (evaluate, _)), name)| RecordSet {
                ttl: None,
                values: Vec::new(),
                alias: Some(AliasTarget { hosted_zone_id: "ZELB".into(), dns_name: name.into(), evaluate_target_health: evaluate }),
                ..record
            });
            let state = state(records);
            let of = |(disabled, inverted, observed): (bool, bool, Option<bool>)| effective_status(disabled, inverted, observed);
            let health = move |id: &str| if id == "p" { of(checks[0]) } else { of(checks[1]) };
            let elbs = ["east.elb.", "west.elb."].into_iter().zip(targets).map(|(name, (_, healthy))| {
                (name.to_owned(), Target { addresses: vec!["127.0.0.1".parse().unwrap()], healthy })
            }).collect();
            let eligible = |i: usize| of(checks[i]) && (!targets[i].0 || targets[i].1);
            let expected = match (eligible(0), eligible(1)) {
                (true, _) | (false, false) => "primary",
                (false, true) => "secondary",
            };
            prop_assert_eq!(ask(&state, &health, &elbs), expected);
        }
    }

    #[test]
    fn absence_has_three_kinds() {
        let state = state(pair());
        let targets = BTreeMap::new();
        let resolver = Resolver { state: &state, health: &|_| true, targets: &targets };
        let zone = || "example.com.".to_owned();
        assert_eq!(resolver.answer("api.example.com", "AAAA"), Resolution::NoData { zone: zone() });
        assert_eq!(resolver.answer("nope.example.com", "A"), Resolution::NoName { zone: zone() });
        assert_eq!(resolver.answer("api.example.org", "A"), Resolution::NoZone);
        assert_eq!(resolver.answer("notexample.com", "A"), Resolution::NoZone);
    }

    #[test]
    fn an_alias_has_the_addresses_of_its_target() {
        let alias =
            AliasTarget { hosted_zone_id: "ZELB".into(), dns_name: "east.elb.".into(), evaluate_target_health: true };
        let state = state([RecordSet::alias("api.example.com", "A", alias)]);
        let addresses = vec!["127.0.1.1".parse().unwrap(), "::1".parse().unwrap()];
        let targets = BTreeMap::from([("east.elb.".to_owned(), Target { addresses, healthy: false })]);
        let resolver = Resolver { state: &state, health: &|_| true, targets: &targets };
        let Resolution::Answer(answer) = resolver.answer("api.example.com", "A") else { panic!() };
        assert_eq!((answer.ttl, answer.values), (60, vec!["127.0.1.1".to_owned()]));
    }

    #[test]
    fn aliases_that_run_in_a_circle_end() {
        let alias = |name: &str| AliasTarget {
            hosted_zone_id: "Z1".into(),
            dns_name: name.into(),
            evaluate_target_health: true,
        };
        let state = state([
            RecordSet::alias("api.example.com", "A", alias("b.example.com.")),
            RecordSet::alias("b.example.com", "A", alias("api.example.com.")),
        ]);
        let targets = BTreeMap::new();
        let resolver = Resolver { state: &state, health: &|_| true, targets: &targets };
        assert_eq!(resolver.answer("api.example.com", "A"), Resolution::NoData { zone: "example.com.".to_owned() });
    }
}
