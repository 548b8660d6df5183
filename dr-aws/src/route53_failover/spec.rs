use std::{collections::BTreeMap, time::Duration};

use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    model::{RegionId, Resource},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The `spec:` block of an `aws.route53_failover` resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route53FailoverSpec {
    /// The hosted zone's id, such as `Z0123456789ABCDEFGHIJ`. Pinned: looking it up is a us-east-1 control-plane call.
    pub hosted_zone_id: String,
    /// The name that clients use.
    pub record: String,
    /// The type of the records.
    #[serde(default, rename = "type")]
    pub record_type: RecordType,
    /// How long resolvers keep an answer, in seconds. An alias to a load balancer always has 60.
    #[serde(default = "default_ttl")]
    pub ttl_seconds: u32,
    /// The zone's authoritative servers, as `host:port`. Pinned, and asked directly: a resolver's cache proves nothing.
    #[schemars(length(min = 1))]
    pub name_servers: Vec<String>,
    /// The two records, by the region that each leads to.
    #[schemars(extend("minProperties" = 2))]
    pub members: BTreeMap<RegionId, MemberSpec>,
    /// What moves the name.
    pub switch: SwitchSpec,
    /// The write, through the public name, that proves that clients are served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<ConfirmSpec>,
}

fn default_ttl() -> u32 {
    60
}

/// The type of a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RecordType {
    /// IPv4 addresses.
    #[default]
    A,
    /// IPv6 addresses.
    #[serde(rename = "AAAA")]
    Aaaa,
}

impl RecordType {
    /// The name in DNS and in Route 53.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
        }
    }
}

/// Which of the pair a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailoverRole {
    /// Answered while its check is healthy, and when neither is.
    Primary,
    /// Answered while the primary's check is unhealthy.
    Secondary,
}

/// One record of the pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberSpec {
    /// Which of the pair it is.
    pub failover: FailoverRole,
    /// The record's `SetIdentifier`.
    pub set_identifier: String,
    /// The region's own name, whose addresses say where an answer leads.
    pub name: String,
    /// What tells that the region serves: a URL that answers 2xx when it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_url: Option<String>,
}

/// What moves the name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum SwitchSpec {
    /// An object in the standby region that the primary's inverted check looks at.
    StandbyTakesOver {
        /// The region of the bucket; never the region of the primary record.
        region: RegionId,
        /// The bucket.
        bucket: String,
        /// The object's key; hard to guess, because the checkers read it anonymously.
        key: String,
        /// The inverted check that is bound to the primary record.
        health_check_id: String,
    },
    /// The primary's check is disabled and inverted through Route 53's API, which needs us-east-1.
    CheckInversion {
        /// The check that is bound to the primary record.
        health_check_id: String,
    },
}

/// A write that proves that clients are served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmSpec {
    /// Where to write, through the public name: `http://api.example.com:8080/orders`.
    pub url: String,
    /// The body of the POST.
    #[serde(default)]
    pub body: String,
    /// The statuses that mean "stored".
    #[serde(default = "default_statuses")]
    pub expect: Vec<u16>,
}

fn default_statuses() -> Vec<u16> {
    vec![200, 201, 202, 204]
}

impl Route53FailoverSpec {
    /// The block of a resource.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) when it does not decode, or the pair is not one primary and one secondary.
    pub fn of(resource: &Resource) -> Result<Self> {
        let invalid = |message: String| {
            Error::new(ErrorKind::Invalid, format!("{}: {message}", resource.id)).with_effect(Effect::NotApplied)
        };
        let spec = Self::deserialize(&resource.spec).map_err(|e| invalid(e.to_string()))?;
        for (role, word) in [(FailoverRole::Primary, "primary"), (FailoverRole::Secondary, "secondary")] {
            let count = spec.members.values().filter(|member| member.failover == role).count();
            if count != 1 {
                return Err(invalid(format!("{count} members are {word}: write exactly one")));
            }
        }
        if let SwitchSpec::StandbyTakesOver { region, .. } = &spec.switch
            && spec.member(region).is_ok_and(|member| member.failover == FailoverRole::Primary)
        {
            return Err(invalid(format!(
                "the switch's bucket is in {region}, the primary's own region: write the standby's, which is there when the primary is not"
            )));
        }
        Ok(spec)
    }

    /// The member of a region.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) when the region has none.
    pub fn member(&self, region: &RegionId) -> Result<&MemberSpec> {
        self.members.get(region).ok_or_else(|| {
            Error::new(ErrorKind::Invalid, format!("{} has no member in {region}", self.record))
                .with_effect(Effect::NotApplied)
        })
    }

    /// How long resolvers keep an answer.
    #[must_use]
    pub fn ttl(&self) -> Duration {
        Duration::from_secs(self.ttl_seconds.into())
    }
}
