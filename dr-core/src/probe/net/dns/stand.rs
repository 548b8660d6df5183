use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::Duration,
};

use super::reply::{DnsAnswer, DnsType};
use crate::{model::RegionId, probe::Spoken};

/// No more addresses of an answer are repeated.
const SHOWN: usize = 3;

/// What is each region's own: the name of its balancer, and the addresses that this name has at the moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Own {
    pub(super) name: String,
    pub(super) addresses: BTreeSet<IpAddr>,
}

/// What each region has of its own.
pub(super) type Owned = BTreeMap<RegionId, Own>;

/// What one server answered of one family, or why there is no answer.
pub(super) type Heard = Result<DnsAnswer, String>;

/// Where one server sends clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stand {
    /// The one region that all of its answers lead to.
    pub(super) to: Option<RegionId>,
    /// How long its answers may be believed; zero when there is none.
    pub(super) ttl: Duration,
    /// Whether it answered at all.
    pub(super) answered: bool,
    /// What it answers, as the rest of a sentence: `answers eu-west-1`.
    pub(super) said: String,
}

impl Stand {
    fn nowhere(answered: bool, ttl: Duration, said: impl Into<String>) -> Self {
        Self { to: None, ttl, answered, said: said.into() }
    }

    /// Where one answer leads: to the region of whose own addresses it is a non-empty subset, and which shares none of
    /// them with another region.
    fn of(heard: &Heard, owned: &Owned) -> Self {
        match heard {
            Err(why) => Self::nowhere(false, Duration::ZERO, format!("does not answer ({why})")),
            Ok(DnsAnswer::Addresses { addresses, ttl }) => Self::of_addresses(addresses, *ttl, owned),
            Ok(DnsAnswer::Alias { to, ttl }) => {
                let region = owned.iter().find(|(_, own)| own.name.trim_end_matches('.').eq_ignore_ascii_case(to));
                match region {
                    Some((region, _)) => Self::leading(region, *ttl),
                    None => Self::nowhere(true, *ttl, format!("answers {to}, which is no region's")),
                }
            }
            Ok(DnsAnswer::NoData { negative }) => Self::nowhere(
                true,
                negative.unwrap_or_default(),
                format!("has no address for it{}", believed(negative)),
            ),
            Ok(DnsAnswer::NoName { negative }) => {
                let said = format!("says that there is no such name{}", believed(negative));
                Self::nowhere(true, negative.unwrap_or_default(), said)
            }
            Ok(DnsAnswer::Referral) => {
                Self::nowhere(true, Duration::ZERO, "refers to other servers: it is no authority for it")
            }
            Ok(DnsAnswer::Failed { code }) => Self::nowhere(true, Duration::ZERO, format!("will not answer ({code})")),
        }
    }

    fn of_addresses(addresses: &BTreeSet<IpAddr>, ttl: Duration, owned: &Owned) -> Self {
        let mut sharing = owned.iter().filter(|(_, own)| !own.addresses.is_disjoint(addresses));
        match (sharing.next(), sharing.next()) {
            (Some((region, own)), None) if addresses.is_subset(&own.addresses) => Self::leading(region, ttl),
            (Some((region, own)), None) => {
                let strange = addresses.difference(&own.addresses);
                let said = format!("answers {region} and {}, which is no region's", listed(strange));
                Self::nowhere(true, ttl, said)
            }
            (Some((one, _)), Some((two, _))) => Self::nowhere(true, ttl, format!("answers {one} and {two} at once")),
            (None, _) => {
                Self::nowhere(true, ttl, format!("answers {}, which is no region's", listed(addresses.iter())))
            }
        }
    }

    fn leading(region: &RegionId, ttl: Duration) -> Self {
        Self { to: Some(region.clone()), ttl, answered: true, said: format!("answers {region}") }
    }

    /// Where a server's answers of both families lead together. A name without IPv6 addresses is no fault, nor is one
    /// without IPv4 addresses; answers of both that lead apart are, since each client follows its own.
    pub(super) fn of_both(v4: &Heard, v6: &Heard, owned: &Owned) -> Self {
        let (four, six) = (Self::of(v4, owned), Self::of(v6, owned));
        let lacks = |heard: &Heard| matches!(heard, Ok(DnsAnswer::NoData { .. }));
        match (&four.to, &six.to) {
            (Some(one), Some(two)) if one == two => Self { ttl: four.ttl.max(six.ttl), ..four },
            (Some(one), Some(two)) => {
                let families = (DnsType::A, DnsType::Aaaa);
                let said = format!("answers {one} to {} and {two} to {}", families.0, families.1);
                Self::nowhere(true, four.ttl.max(six.ttl), said)
            }
            _ if lacks(v6) || six.said == four.said => four,
            _ if lacks(v4) => six,
            _ => {
                let said = format!("{} ({}) and {} ({})", four.said, DnsType::A, six.said, DnsType::Aaaa);
                Self { to: None, ttl: four.ttl.max(six.ttl), answered: four.answered || six.answered, said }
            }
        }
    }

    /// Where several samples of one resolver lead together: each may have come from another cache.
    pub(super) fn of_samples(samples: &[Self]) -> Self {
        let answering: Vec<&Self> = samples.iter().filter(|stand| stand.answered).collect();
        let ttl = answering.iter().map(|stand| stand.ttl).max().unwrap_or_default();
        match answering.as_slice() {
            [] => samples.first().cloned().unwrap_or_else(|| Self::nowhere(false, Duration::ZERO, "was not asked")),
            [first, rest @ ..] if rest.iter().all(|stand| stand.to == first.to && first.to.is_some()) => {
                Self { ttl, ..(*first).clone() }
            }
            [first, rest @ ..] if rest.iter().all(|stand| stand.said == first.said) => Self { ttl, ..(*first).clone() },
            _ => {
                let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
                for stand in &answering {
                    *counts.entry(&stand.said).or_default() += 1;
                }
                let parts: Vec<String> = counts.iter().map(|(said, n)| format!("{said} {n} times")).collect();
                Self::nowhere(true, ttl, format!("{} of {}", parts.join(" and "), answering.len()))
            }
        }
    }
}

fn believed(negative: &Option<Duration>) -> String {
    negative.map(|time| format!(", to be believed for {}", Spoken(time))).unwrap_or_default()
}

fn listed<'a>(addresses: impl Iterator<Item = &'a IpAddr>) -> String {
    let all: Vec<String> = addresses.map(IpAddr::to_string).collect();
    match all.split_at_checked(SHOWN) {
        Some((first, rest)) if !rest.is_empty() => format!("{} and {} more", first.join(", "), rest.len()),
        _ => all.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned() -> Owned {
        let own = |name: &str, addresses: &[&str]| Own {
            name: name.to_owned(),
            addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
        };
        BTreeMap::from([
            ("us-east-1".parse().unwrap(), own("us.example.com", &["10.0.1.1", "10.0.1.2", "2001:db8::1"])),
            ("eu-west-1".parse().unwrap(), own("eu.example.com", &["10.0.2.1", "10.0.2.2", "2001:db8::2"])),
        ])
    }

    fn addresses(addresses: &[&str]) -> Heard {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        Ok(DnsAnswer::Addresses { addresses, ttl: Duration::from_secs(60) })
    }

    fn no_data() -> Heard {
        Ok(DnsAnswer::NoData { negative: Some(Duration::from_secs(900)) })
    }

    #[test]
    fn an_answer_leads_to_the_region_whose_own_it_is_and_to_no_other() {
        let silent: Heard = Err("no answer in 2 tries of 1 s".to_owned());
        let alias = |to: &str| Ok(DnsAnswer::Alias { to: to.to_owned(), ttl: Duration::from_secs(60) });
        let table: [(Heard, Heard, Option<&str>, &str); 15] = [
            (addresses(&["10.0.1.1", "10.0.1.2"]), no_data(), Some("us-east-1"), "answers us-east-1"),
            (addresses(&["10.0.2.2"]), no_data(), Some("eu-west-1"), "answers eu-west-1"),
            (addresses(&["10.0.2.2"]), addresses(&["2001:db8::2"]), Some("eu-west-1"), "answers eu-west-1"),
            (no_data(), addresses(&["2001:db8::2"]), Some("eu-west-1"), "answers eu-west-1"),
            (alias("eu.example.com"), alias("eu.example.com"), Some("eu-west-1"), "answers eu-west-1"),
            (
                addresses(&["10.0.2.2"]),
                addresses(&["2001:db8::1"]),
                None,
                "answers eu-west-1 to A and us-east-1 to AAAA",
            ),
            (addresses(&["10.0.1.1", "10.0.2.1"]), no_data(), None, "answers eu-west-1 and us-east-1 at once"),
            (
                addresses(&["10.0.2.1", "10.9.9.9"]),
                no_data(),
                None,
                "answers eu-west-1 and 10.9.9.9, which is no region's",
            ),
            (addresses(&["10.9.9.9"]), no_data(), None, "answers 10.9.9.9, which is no region's"),
            (alias("old.example.com"), no_data(), None, "answers old.example.com, which is no region's"),
            (no_data(), no_data(), None, "has no address for it, to be believed for 900 s"),
            (
                Ok(DnsAnswer::NoName { negative: Some(Duration::from_secs(60)) }),
                Ok(DnsAnswer::NoName { negative: Some(Duration::from_secs(60)) }),
                None,
                "says that there is no such name, to be believed for 60 s",
            ),
            (silent.clone(), silent.clone(), None, "does not answer (no answer in 2 tries of 1 s)"),
            (
                addresses(&["10.0.2.2"]),
                silent,
                None,
                "answers eu-west-1 (A) and does not answer (no answer in 2 tries of 1 s) (AAAA)",
            ),
            (
                Ok(DnsAnswer::Failed { code: "Server Failure".to_owned() }),
                Ok(DnsAnswer::Failed { code: "Server Failure".to_owned() }),
                None,
                "will not answer (Server Failure)",
            ),
        ];
        for (v4, v6, to, said) in table {
            let stand = Stand::of_both(&v4, &v6, &owned());
            assert_eq!((stand.to.as_ref().map(RegionId::as_str), stand.said.as_str()), (to, said));
        }
    }

    #[test]
    fn of_many_strange_addresses_a_few_are_said() {
        let many: Vec<String> = (0..200).map(|n| format!("10.9.9.{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let stand = Stand::of_both(&addresses(&many), &no_data(), &owned());
        assert_eq!(stand.said, "answers 10.9.9.0, 10.9.9.1, 10.9.9.2 and 197 more, which is no region's");
    }

    #[test]
    fn samples_of_one_resolver_are_several_caches() {
        let of = |sample: &[&str]| Stand::of_both(&addresses(sample), &no_data(), &owned());
        let (east, west) = (of(&["10.0.1.1"]), of(&["10.0.2.1"]));
        let silent = Stand::nowhere(false, Duration::ZERO, "does not answer (no route)");
        let together = |samples: &[Stand]| {
            let stand = Stand::of_samples(samples);
            (stand.to.map(|region| region.to_string()), stand.said)
        };
        let eu = (Some("eu-west-1".to_owned()), "answers eu-west-1".to_owned());
        assert_eq!(together(&[west.clone(), west.clone()]), eu);
        assert_eq!(together(&[silent.clone(), west.clone()]), eu, "a lost sample is no other opinion");
        assert_eq!(
            together(&[east, west.clone(), west]),
            (None, "answers eu-west-1 2 times and answers us-east-1 1 times of 3".to_owned())
        );
        assert_eq!(together(&[silent.clone(), silent]), (None, "does not answer (no route)".to_owned()));
    }
}
