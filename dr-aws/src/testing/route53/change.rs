use std::{collections::BTreeMap, fmt, net};

use super::{HealthCheck, HostedZone, RecordSet, record::RecordKey};

/// What a change does with its record set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeAction {
    /// Adds it; it must not be there.
    Create,
    /// Removes it; it must be there, just as given.
    Delete,
    /// Adds or replaces it.
    Upsert,
}

/// One change of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What is done.
    pub action: ChangeAction,
    /// With which record set.
    pub record: RecordSet,
}

/// Why a batch is refused as a whole (`InvalidChangeBatch`): every reason, not the first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct InvalidBatch(
    /// The reasons, in the order of the changes.
    pub Vec<String>,
);

impl fmt::Display for InvalidBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.0.join(", "))
    }
}

/// The hosted zone id of every CloudFront distribution.
const CLOUDFRONT_ZONE: &str = "Z2FDTNDATAQYW2";

/// The record types that there are.
const TYPES: [&str; 16] = [
    "A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP", "SVCB", "TXT",
];

/// The zone's records after a batch, which is applied as a whole or not at all.
pub(super) fn apply(
    zone: &HostedZone,
    checks: &BTreeMap<String, HealthCheck>,
    is_protected: impl Fn(&RecordSet) -> bool,
    changes: &[Change],
) -> Result<BTreeMap<RecordKey, RecordSet>, InvalidBatch> {
    // An UPSERT counts twice.
    let weight: usize = changes.iter().map(|change| if change.action == ChangeAction::Upsert { 2 } else { 1 }).sum();
    if weight > 1000 {
        return Err(InvalidBatch(vec!["Number of records limit of 1000 exceeded.".to_owned()]));
    }
    let mut records = zone.records.clone();
    let mut reasons = Vec::new();
    for Change { action, record } in changes {
        if is_protected(record) {
            reasons.push(format!("{} is protected and cannot be changed", Named(record)));
            continue;
        }
        let result = match action {
            ChangeAction::Delete => delete(zone, &mut records, record),
            ChangeAction::Create if records.contains_key(&record.key()) => {
                Err(format!("Tried to create resource record set {} but it already exists", Named(record)))
            }
            ChangeAction::Create | ChangeAction::Upsert => {
                let before = records.remove(&record.key());
                let verdict = well_formed(zone, checks, record).and_then(|()| agrees(&records, record));
                let kept = if verdict.is_ok() { Some(record.clone()) } else { before };
                if let Some(kept) = kept {
                    records.insert(kept.key(), kept);
                }
                verdict
            }
        };
        reasons.extend(result.err());
    }
    if reasons.is_empty() { Ok(records) } else { Err(InvalidBatch(reasons)) }
}

/// A record set as Route 53's messages name it.
struct Named<'a>(&'a RecordSet);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[name='{}', type='{}'", self.0.name, self.0.rtype)?;
        if let Some(set) = &self.0.set_identifier {
            write!(f, ", set identifier='{set}'")?;
        }
        f.write_str("]")
    }
}

fn delete(zone: &HostedZone, records: &mut BTreeMap<RecordKey, RecordSet>, record: &RecordSet) -> Result<(), String> {
    let named = Named(record);
    if record.name == zone.name && ["SOA", "NS"].contains(&record.rtype.as_str()) {
        return Err(format!("A HostedZone must contain at least one {} record for the zone itself.", record.rtype));
    }
    match records.get(&record.key()) {
        None => Err(format!("Tried to delete resource record set {named} but it was not found")),
        Some(there) if there != record => Err(format!(
            "Tried to delete resource record set {named} but the values provided do not match the current values"
        )),
        Some(_) => {
            records.remove(&record.key());
            Ok(())
        }
    }
}

/// The rules that a record set obeys by itself.
fn well_formed(zone: &HostedZone, checks: &BTreeMap<String, HealthCheck>, record: &RecordSet) -> Result<(), String> {
    let named = Named(record);
    if !zone.contains(&record.name) {
        return Err(format!("RRSet with DNS name {} is not permitted in zone {}", record.name, zone.name));
    }
    if !TYPES.contains(&record.rtype.as_str()) {
        return Err(format!("Invalid resource record set {named}: unknown type"));
    }
    match &record.alias {
        Some(_) if record.ttl.is_some() => {
            return Err(format!("Invalid request: TTL must not be specified with an AliasTarget, in {named}"));
        }
        Some(_) if !record.values.is_empty() => {
            return Err(format!(
                "Invalid request: expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords]], but found more than one, in {named}"
            ));
        }
        Some(alias) if alias.evaluate_target_health && alias.hosted_zone_id == CLOUDFRONT_ZONE => {
            return Err(format!(
                "EvaluateTargetHealth cannot be true when the alias target is a CloudFront distribution, in {named}"
            ));
        }
        None if record.ttl.is_none() || record.values.is_empty() => {
            return Err(format!(
                "Invalid request: expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords]], but found none, in {named}"
            ));
        }
        _ => {}
    }
    match (record.failover, &record.set_identifier) {
        (Some(_), None) => {
            return Err(format!("Invalid request: missing field 'SetIdentifier' in Change with {named}"));
        }
        (None, Some(_)) => {
            return Err(format!(
                "Invalid request: SetIdentifier requires a routing policy such as Failover, in {named}"
            ));
        }
        _ => {}
    }
    if let Some(id) = &record.health_check_id
        && !checks.contains_key(id)
    {
        return Err(format!("The health check {id} of {named} does not exist"));
    }
    if record.rtype == "CNAME" && record.name == zone.name {
        return Err(format!(
            "RRSet of type CNAME with DNS name {} is not permitted at apex in zone {}",
            record.name, zone.name
        ));
    }
    if let Some(value) = record.values.iter().find(|value| !fits(&record.rtype, value)) {
        return Err(format!("Invalid Resource Record: '{value}' is not a value of type {}, in {named}", record.rtype));
    }
    Ok(())
}

fn fits(rtype: &str, value: &str) -> bool {
    match rtype {
        "A" => value.parse::<net::Ipv4Addr>().is_ok(),
        "AAAA" => value.parse::<net::Ipv6Addr>().is_ok(),
        _ => !value.trim().is_empty(),
    }
}

/// The rules between a record set and the others of its name.
fn agrees(records: &BTreeMap<RecordKey, RecordSet>, record: &RecordSet) -> Result<(), String> {
    let named = Named(record);
    for other in records.values().filter(|other| other.name == record.name) {
        if (other.rtype == "CNAME") != (record.rtype == "CNAME") {
            return Err(format!(
                "RRSet of type {} with DNS name {} is not permitted as it conflicts with other records with the same DNS name",
                record.rtype, record.name
            ));
        }
        if other.rtype != record.rtype {
            continue;
        }
        if other.failover.is_some() != record.failover.is_some() {
            return Err(format!(
                "RRSet {named} conflicts with {}: one has a failover routing policy and the other none",
                Named(other)
            ));
        }
        if other.failover == record.failover && record.failover.is_some() {
            return Err(format!(
                "Only one {} record is permitted with the same name and type: {named} conflicts with {}",
                record.failover.map_or("failover", super::FailoverRole::as_str),
                Named(other)
            ));
        }
        let both_cloudfront = [other, record]
            .into_iter()
            .all(|it| it.alias.as_ref().is_some_and(|alias| alias.hosted_zone_id == CLOUDFRONT_ZONE));
        if both_cloudfront {
            return Err(format!("{named} and {} cannot both be aliases of CloudFront distributions", Named(other)));
        }
    }
    Ok(())
}
