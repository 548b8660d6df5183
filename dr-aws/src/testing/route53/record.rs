use std::{fmt, str::FromStr};

/// The role of a record in a failover pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailoverRole {
    /// Answered while it is healthy, and when neither is.
    Primary,
    /// Answered while the primary is unhealthy and this one is healthy.
    Secondary,
}

impl FailoverRole {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "PRIMARY",
            Self::Secondary => "SECONDARY",
        }
    }
}

impl fmt::Display for FailoverRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for FailoverRole {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "PRIMARY" => Ok(Self::Primary),
            "SECONDARY" => Ok(Self::Secondary),
            _ => Err(()),
        }
    }
}

/// What an alias record stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasTarget {
    /// The hosted zone of the target: the record's own, or that of a service such as a load balancer.
    pub hosted_zone_id: String,
    /// The target's name, normalised.
    pub dns_name: String,
    /// Whether the target's health counts.
    pub evaluate_target_health: bool,
}

/// A record set: everything of one name, type and set identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordSet {
    /// The name, normalised by [`domain_name`].
    pub name: String,
    /// The type: `A`, `CNAME`.
    pub rtype: String,
    /// Tells apart the records of a routing policy.
    pub set_identifier: Option<String>,
    /// The role in a failover pair; absent for a simple record.
    pub failover: Option<FailoverRole>,
    /// Seconds that resolvers may keep the answer; absent for an alias, which has its target's.
    pub ttl: Option<u32>,
    /// The values, as in a zone file; empty for an alias.
    pub values: Vec<String>,
    /// The target of an alias.
    pub alias: Option<AliasTarget>,
    /// The health check that the record answers by.
    pub health_check_id: Option<String>,
}

impl RecordSet {
    /// A simple record.
    #[must_use]
    pub fn new(name: &str, rtype: &str, ttl: u32, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            name: domain_name(name),
            rtype: rtype.to_owned(),
            set_identifier: None,
            failover: None,
            ttl: Some(ttl),
            values: values.into_iter().map(Into::into).collect(),
            alias: None,
            health_check_id: None,
        }
    }

    /// An alias for another name.
    #[must_use]
    pub fn alias(name: &str, rtype: &str, target: AliasTarget) -> Self {
        let mut record = Self::new(name, rtype, 0, [] as [&str; 0]);
        record.ttl = None;
        record.alias = Some(target);
        record
    }

    /// Makes the record one of a failover pair.
    #[must_use]
    pub fn failover(mut self, role: FailoverRole, set_identifier: impl Into<String>) -> Self {
        self.failover = Some(role);
        self.set_identifier = Some(set_identifier.into());
        self
    }

    /// Makes the record answer by a health check.
    #[must_use]
    pub fn checked_by(mut self, health_check_id: impl Into<String>) -> Self {
        self.health_check_id = Some(health_check_id.into());
        self
    }

    /// Where the record stands in Route 53's order: by the labels of the name from the right, then type, then set.
    pub(super) fn key(&self) -> RecordKey {
        RecordKey::new(&self.name, &self.rtype, self.set_identifier.as_deref())
    }
}

/// The identity of a record set in its zone, in Route 53's listing order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RecordKey {
    pub(super) labels: Vec<String>,
    pub(super) rtype: String,
    pub(super) set_identifier: Option<String>,
}

impl RecordKey {
    pub(super) fn new(name: &str, rtype: &str, set_identifier: Option<&str>) -> Self {
        Self { labels: labels(name), rtype: rtype.to_owned(), set_identifier: set_identifier.map(str::to_owned) }
    }
}

/// The labels of a name from the right: `com`, `example`, `api`.
pub(super) fn labels(name: &str) -> Vec<String> {
    name.trim_end_matches('.').rsplit('.').map(str::to_owned).collect()
}

/// A domain name as Route 53 keeps it: in lower case, with the dot at the end.
#[must_use]
pub fn domain_name(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.').to_ascii_lowercase())
}
