use std::{collections::BTreeMap, time::Duration};

use super::stand::Stand;
use crate::{
    model::RegionId,
    probe::Spoken,
    time::{Monotonic, Timestamp},
};

/// How long resolvers may believe that there is nothing: Route 53's own time, when nobody changed it.
const NEGATIVE: Duration = Duration::from_secs(900);

/// Where one server has sent clients, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameLead {
    /// The region.
    pub region: RegionId,
    /// When it was first seen to lead there: its flip, when it led elsewhere before.
    pub since: Timestamp,
    /// Where it led before, if that was seen.
    pub before: Option<RegionId>,
    pub(super) moment: Monotonic,
}

/// Where each server has led, look by look.
#[derive(Clone, Debug, Default)]
pub(super) struct Leads(pub(super) BTreeMap<String, NameLead>);

impl Leads {
    /// Takes in where a server leads now. One that leads nowhere at the moment is held to what it last led to: a lost
    /// answer is no flip.
    pub(super) fn take(&mut self, server: &str, stand: &Stand, moment: Monotonic, since: Timestamp) {
        let Some(region) = &stand.to else { return };
        let known = self.0.get(server);
        if known.is_some_and(|lead| lead.region == *region) {
            return;
        }
        let before = known.map(|lead| lead.region.clone());
        self.0.insert(server.to_owned(), NameLead { region: region.clone(), since, before, moment });
    }
}

/// What everybody's answers make of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) healthy: bool,
    pub(super) said: String,
}

/// What one look saw.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// The authoritative servers.
    pub(super) authorities: Vec<(String, Stand)>,
    /// The resolvers.
    pub(super) resolvers: Vec<(String, Stand)>,
}

impl Seen {
    /// Judges: well is a name that every authority leads to the same one region, and that no resolver holds back for longer
    /// than the time to live allows.
    pub(super) fn judge(&self, leads: &Leads, expected: Option<&RegionId>, now: Monotonic) -> Judgement {
        let Some(leader) = self.leader(leads) else {
            let mut parts: Vec<String> =
                self.authorities.iter().map(|(server, stand)| format!("{server} {}", stand.said)).collect();
            parts.insert(0, "no authoritative server leads to a region".to_owned());
            return Judgement { healthy: false, said: parts.join("; ") };
        };
        let following = |(_, stand): &&(String, Stand)| stand.to.as_ref() == Some(&leader);
        let agreeing = self.authorities.iter().filter(following).count();
        let mut healthy = agreeing == self.authorities.len();
        let ttl = self.authorities.iter().map(|(_, stand)| stand.ttl).max().unwrap_or_default();
        let flipped = self.authorities.iter().filter(following).filter_map(|(server, _)| leads.0.get(server));
        let last = flipped.clone().max_by_key(|lead| lead.moment);
        let before: Vec<&RegionId> = flipped.filter_map(|lead| lead.before.as_ref()).collect();
        let mut said = format!(
            "{agreeing} of {} authoritative servers answer {leader}, TTL {}",
            self.authorities.len(),
            Spoken(ttl)
        );
        if let (Some(last), false) = (last, before.is_empty()) {
            said.push_str(&format!(", since {}", last.since));
        }
        for (server, stand) in self.authorities.iter().filter(|other| !following(other)) {
            let still = stand.to.as_ref().is_some_and(|to| before.contains(&to));
            said.push_str(&format!("; {server} {}", told(stand, still)));
        }
        if let Some(expected) = expected.filter(|expected| **expected != leader) {
            healthy = false;
            said.push_str(&format!("; expected {expected}"));
        }
        let settled = last.map_or(now, |lead| lead.moment);
        healthy &= self.resolvers(&leader, settled, ttl, now, &mut said);
        Judgement { healthy, said }
    }

    /// The region that most authorities lead to; among equals, the one that was led to last.
    fn leader(&self, leads: &Leads) -> Option<RegionId> {
        let mut votes: BTreeMap<&RegionId, (usize, Option<Monotonic>)> = BTreeMap::new();
        for (server, stand) in &self.authorities {
            let Some(region) = &stand.to else { continue };
            let vote = votes.entry(region).or_default();
            vote.0 += 1;
            vote.1 = vote.1.max(leads.0.get(server).map(|lead| lead.moment));
        }
        votes.into_iter().max_by_key(|(_, vote)| *vote).map(|(region, _)| region.clone())
    }

    /// Adds what the resolvers say; false when one of them is late, or none answers at all.
    fn resolvers(
        &self,
        leader: &RegionId,
        settled: Monotonic,
        ttl: Duration,
        now: Monotonic,
        said: &mut String,
    ) -> bool {
        if self.resolvers.is_empty() {
            return true;
        }
        let following = self.resolvers.iter().filter(|(_, stand)| stand.to.as_ref() == Some(leader)).count();
        said.push_str(&format!("; {following} of {} resolvers follow", self.resolvers.len()));
        let mut well = self.resolvers.iter().any(|(_, stand)| stand.answered);
        for (server, stand) in self.resolvers.iter().filter(|(_, stand)| stand.to.as_ref() != Some(leader)) {
            let elapsed = now.since(settled);
            let allowed = if stand.to.is_some() { ttl } else { ttl.max(NEGATIVE) };
            let late = stand.answered && elapsed > allowed;
            well &= !late;
            said.push_str(&format!("; {server} {}", told(stand, stand.to.is_some())));
            if late {
                said.push_str(&format!(", {} after the authorities, which allow {}", Spoken(elapsed), Spoken(allowed)));
            }
        }
        well
    }
}

/// `still answers us-east-1, TTL 41 s`.
fn told(stand: &Stand, still: bool) -> String {
    let still = if still { "still " } else { "" };
    match &stand.to {
        Some(_) => format!("{still}{}, TTL {}", stand.said, Spoken(stand.ttl)),
        None => stand.said.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Monotonic = Monotonic::new(Duration::from_secs(1_000));

    fn to(region: &str, ttl: u64) -> Stand {
        Stand {
            to: Some(region.parse().unwrap()),
            ttl: Duration::from_secs(ttl),
            answered: true,
            said: format!("answers {region}"),
        }
    }

    fn silent() -> Stand {
        let said = "does not answer (no answer in 2 tries of 1 s)".to_owned();
        Stand { to: None, ttl: Duration::ZERO, answered: false, said }
    }

    fn none() -> Stand {
        let said = "says that there is no such name".to_owned();
        Stand { to: None, ttl: Duration::ZERO, answered: true, said }
    }

    const US: &str = "us-east-1";
    const EU: &str = "eu-west-1";

    /// A name as one probe sees it, look by look.
    #[derive(Default)]
    struct Name {
        leads: Leads,
        expected: Option<RegionId>,
    }

    impl Name {
        fn look(&mut self, second: u64, authorities: &[Stand], resolvers: &[Stand]) -> (bool, String) {
            let now = T0 + Duration::from_secs(second);
            let numbered = |word: &str, stands: &[Stand]| -> Vec<(String, Stand)> {
                stands.iter().enumerate().map(|(n, stand)| (format!("{word}-{}", n + 1), stand.clone())).collect()
            };
            let seen = Seen { authorities: numbered("ns", authorities), resolvers: numbered("r", resolvers) };
            for (server, stand) in seen.authorities.iter().chain(&seen.resolvers) {
                let wall = Timestamp::from_millis(i64::try_from(second).unwrap() * 1_000);
                self.leads.take(server, stand, now, wall);
            }
            let Judgement { healthy, said } = seen.judge(&self.leads, self.expected.as_ref(), now);
            (healthy, said)
        }
    }

    #[test]
    fn a_name_is_well_when_every_authority_leads_to_the_same_region() {
        let table: [(&[Stand], bool, &str); 8] = [
            (&[to(US, 60)], true, "1 of 1 authoritative servers answer us-east-1, TTL 60 s"),
            (&[to(US, 60), to(US, 40)], true, "2 of 2 authoritative servers answer us-east-1, TTL 60 s"),
            (
                &[to(EU, 60), to(US, 60), to(EU, 60), to(EU, 60)],
                false,
                "3 of 4 authoritative servers answer eu-west-1, TTL 60 s; ns-2 answers us-east-1, TTL 60 s",
            ),
            (
                &[to(EU, 60), silent()],
                false,
                "1 of 2 authoritative servers answer eu-west-1, TTL 60 s; \
                 ns-2 does not answer (no answer in 2 tries of 1 s)",
            ),
            (
                &[none(), to(EU, 60)],
                false,
                "1 of 2 authoritative servers answer eu-west-1, TTL 60 s; ns-1 says that there is no such name",
            ),
            (
                &[none(), none()],
                false,
                "no authoritative server leads to a region; ns-1 says that there is no such name; \
                 ns-2 says that there is no such name",
            ),
            (
                &[silent()],
                false,
                "no authoritative server leads to a region; ns-1 does not answer (no answer in 2 tries of 1 s)",
            ),
            (&[], false, "no authoritative server leads to a region"),
        ];
        for (authorities, healthy, said) in table {
            assert_eq!(Name::default().look(0, authorities, &[]), (healthy, said.to_owned()));
        }
    }

    #[test]
    fn a_flip_is_seen_server_by_server_and_resolvers_may_take_the_time_to_live() {
        let mut name = Name::default();
        assert!(name.look(0, &[to(US, 60), to(US, 60)], &[to(US, 30), to(US, 5)]).0);
        assert_eq!(
            name.look(10, &[to(EU, 60), to(US, 60)], &[to(US, 20), to(US, 55)]),
            (
                false,
                "1 of 2 authoritative servers answer eu-west-1, TTL 60 s, since 1970-01-01T00:00:10.000Z; \
                 ns-2 still answers us-east-1, TTL 60 s; 0 of 2 resolvers follow; r-1 still answers us-east-1, TTL 20 s; \
                 r-2 still answers us-east-1, TTL 55 s"
                    .to_owned()
            )
        );
        let (healthy, said) = name.look(20, &[to(EU, 60), to(EU, 60)], &[to(EU, 60), to(US, 45)]);
        assert!(healthy, "{said}");
        assert_eq!(
            said,
            "2 of 2 authoritative servers answer eu-west-1, TTL 60 s, since 1970-01-01T00:00:20.000Z; \
             1 of 2 resolvers follow; r-2 still answers us-east-1, TTL 45 s"
        );
        assert!(name.look(80, &[to(EU, 60), to(EU, 60)], &[to(EU, 60), to(US, 1)]).0, "its time is just over");
        let (healthy, said) = name.look(90, &[to(EU, 60), to(EU, 60)], &[to(EU, 60), to(US, 30)]);
        assert!(!healthy);
        assert!(
            said.ends_with("r-2 still answers us-east-1, TTL 30 s, 70 s after the authorities, which allow 60 s"),
            "{said}"
        );
        let lead = &name.leads.0["ns-2"];
        assert_eq!((lead.region.as_str(), lead.before.as_ref().map(RegionId::as_str)), (EU, Some(US)));
        assert_eq!(lead.since.to_string(), "1970-01-01T00:00:20.000Z");
    }

    #[test]
    fn a_lost_answer_is_no_flip() {
        let mut name = Name::default();
        name.look(0, &[to(EU, 60)], &[]);
        name.look(10, &[silent()], &[]);
        assert!(name.look(20, &[to(EU, 60)], &[]).0);
        assert_eq!(name.leads.0["ns-1"].since, Timestamp::UNIX_EPOCH);
        assert_eq!(name.leads.0["ns-1"].before, None);
    }

    #[test]
    fn who_expects_a_region_is_told_of_another() {
        let mut name = Name { expected: Some(EU.parse().unwrap()), ..Name::default() };
        assert_eq!(
            name.look(0, &[to(US, 60)], &[]),
            (false, "1 of 1 authoritative servers answer us-east-1, TTL 60 s; expected eu-west-1".to_owned())
        );
        assert!(name.look(1, &[to(EU, 60)], &[]).0);
    }

    #[test]
    fn of_an_even_split_the_later_leads() {
        let mut name = Name::default();
        name.look(0, &[to(US, 60), to(US, 60)], &[]);
        let said = name.look(5, &[to(US, 60), to(EU, 60)], &[]).1;
        assert!(said.starts_with("1 of 2 authoritative servers answer eu-west-1"), "{said}");
    }

    #[test]
    fn resolvers_that_know_nothing_are_waited_for_and_at_least_one_has_to_answer() {
        let mut name = Name::default();
        let well = [to(EU, 60)];
        assert!(!name.look(0, &well, &[silent(), silent()]).0, "clients could not ask anybody");
        assert!(name.look(1, &well, &[silent(), to(EU, 60)]).0);
        assert!(name.look(900, &well, &[none(), to(EU, 60)]).0, "it may have been told so 15 minutes ago");
        assert!(!name.look(901, &well, &[none(), to(EU, 60)]).0);
    }
}
