//! Amazon Resource Names, as far as a failover has to read them.

use std::{fmt, str::FromStr};

use dr_core::model::RegionId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An Amazon Resource Name: `arn:aws:rds:eu-west-1:111122223333:cluster:orders`.
///
/// ```
/// use dr_aws::arn::Arn;
///
/// let arn: Arn = "arn:aws:rds:eu-west-1:111122223333:cluster:orders".parse()?;
/// assert_eq!(arn.service(), "rds");
/// assert_eq!(arn.region().map(|r| r.to_string()).as_deref(), Some("eu-west-1"));
/// assert_eq!(arn.resource(), "cluster:orders");
/// # Ok::<(), dr_aws::arn::InvalidArn>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", inline)]
pub struct Arn(String);

/// A text that is not an ARN.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an ARN: write arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE")]
pub struct InvalidArn(String);

impl Arn {
    /// Reads an ARN.
    ///
    /// # Errors
    ///
    /// [`InvalidArn`] when the text has not the six parts of one.
    pub fn new(raw: impl Into<String>) -> Result<Self, InvalidArn> {
        let raw = raw.into();
        let mut parts = raw.splitn(6, ':');
        let well_formed = parts.next() == Some("arn")
            && parts.next().is_some_and(|partition| !partition.is_empty())
            && parts.next().is_some_and(|service| !service.is_empty())
            && parts.next().is_some()
            && parts.next().is_some()
            && parts.next().is_some_and(|resource| !resource.is_empty());
        if well_formed { Ok(Self(raw)) } else { Err(InvalidArn(raw)) }
    }

    fn part(&self, index: usize) -> &str {
        self.0.splitn(6, ':').nth(index).unwrap_or_default()
    }

    /// `aws`, `aws-cn`, `aws-us-gov`.
    #[must_use]
    pub fn partition(&self) -> &str {
        self.part(1)
    }

    /// `rds`.
    #[must_use]
    pub fn service(&self) -> &str {
        self.part(2)
    }

    /// The region; none for what is global, such as an Aurora global cluster.
    #[must_use]
    pub fn region(&self) -> Option<RegionId> {
        RegionId::new(self.part(3)).ok()
    }

    /// The account's twelve digits; empty for what belongs to none.
    #[must_use]
    pub fn account(&self) -> &str {
        self.part(4)
    }

    /// Everything after the account: `cluster:orders`.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.part(5)
    }

    /// The identifier of a resource of this type: `orders` of `cluster:orders`; none when it is of another type.
    #[must_use]
    pub fn id_of(&self, resource_type: &str) -> Option<&str> {
        self.resource().strip_prefix(resource_type)?.strip_prefix([':', '/'])
    }

    /// The ARN as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Arn {
    type Err = InvalidArn;

    fn from_str(raw: &str) -> Result<Self, InvalidArn> {
        Self::new(raw)
    }
}

impl TryFrom<String> for Arn {
    type Error = InvalidArn;

    fn try_from(raw: String) -> Result<Self, InvalidArn> {
        Self::new(raw)
    }
}

impl From<Arn> for String {
    fn from(arn: Arn) -> Self {
        arn.0
    }
}

impl PartialEq<str> for Arn {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_parts() {
        let arn: Arn = "arn:aws:rds:us-east-1:111122223333:cluster:orders-use1".parse().unwrap();
        assert_eq!(arn.partition(), "aws");
        assert_eq!(arn.account(), "111122223333");
        assert_eq!(arn.id_of("cluster"), Some("orders-use1"));
        assert_eq!(arn.id_of("db"), None);
    }

    #[test]
    fn a_global_arn_has_no_region() {
        let arn: Arn = "arn:aws:rds::111122223333:global-cluster:orders".parse().unwrap();
        assert_eq!(arn.region(), None);
    }

    #[test]
    fn refuses_a_plain_name() {
        assert!("orders-use1".parse::<Arn>().is_err());
        assert!("arn:aws:rds:us-east-1:111122223333:".parse::<Arn>().is_err());
    }
}
