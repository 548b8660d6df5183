use std::collections::{BTreeMap, BTreeSet};

use dr_core::time::{Monotonic, Timestamp};

use super::{HealthCheck, RecordSet, record::RecordKey};

/// A hosted zone and its records.
#[derive(Clone, Debug)]
pub struct HostedZone {
    /// Its id, without the `/hostedzone/` that the API puts before it.
    pub id: String,
    /// Its name, with the dot at the end.
    pub name: String,
    /// What its creator called it.
    pub caller_reference: String,
    /// A comment.
    pub comment: Option<String>,
    pub(super) records: BTreeMap<RecordKey, RecordSet>,
}

impl HostedZone {
    /// The name servers of every zone.
    pub const NAME_SERVERS: [&'static str; 4] =
        ["ns-1.awsdns-01.com.", "ns-2.awsdns-02.net.", "ns-3.awsdns-03.org.", "ns-4.awsdns-04.co.uk."];

    pub(super) fn new(id: String, name: String, caller_reference: String, comment: Option<String>) -> Self {
        let soa = format!("{} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400", Self::NAME_SERVERS[0]);
        let records =
            [RecordSet::new(&name, "NS", 172_800, Self::NAME_SERVERS), RecordSet::new(&name, "SOA", 900, [soa])];
        let records = records.into_iter().map(|record| (record.key(), record)).collect();
        Self { id, name, caller_reference, comment, records }
    }

    /// The records, in Route 53's order: by the labels of their names from the right, then by type and set.
    pub fn records(&self) -> impl Iterator<Item = &RecordSet> {
        self.records.values()
    }

    /// Whether a name lies in this zone.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        name == self.name || name.strip_suffix(self.name.as_str()).is_some_and(|rest| rest.ends_with('.'))
    }

    /// The records of one name and type.
    pub(super) fn of<'a>(&'a self, name: &'a str, rtype: &'a str) -> impl Iterator<Item = &'a RecordSet> {
        self.records.values().filter(move |record| record.name == name && record.rtype == rtype)
    }
}

/// A change batch that was accepted.
#[derive(Clone, Debug)]
pub(super) struct SubmittedChange {
    pub(super) id: String,
    pub(super) submitted: Timestamp,
    pub(super) at: Monotonic,
    pub(super) comment: Option<String>,
}

/// Everything that is configured; what is observed lives beside it.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) zones: BTreeMap<String, HostedZone>,
    pub(super) checks: BTreeMap<String, HealthCheck>,
    /// The caller references of health checks that were deleted.
    pub(super) spent_references: BTreeSet<String>,
    pub(super) changes: BTreeMap<String, SubmittedChange>,
    /// Names and types, by zone, that `ChangeResourceRecordSets` may not touch.
    pub(super) protections: BTreeSet<(String, String, String)>,
    next: u64,
}

impl State {
    /// A number that was not given before, for ids.
    pub(super) fn next(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// The zone that a name belongs to: the one with the longest name.
    pub(super) fn zone_of(&self, name: &str) -> Option<&HostedZone> {
        self.zones.values().filter(|zone| zone.contains(name)).max_by_key(|zone| zone.name.len())
    }
}
