use std::{collections::BTreeMap, time::Duration};

use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    model::{RegionId, Resource},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The `spec:` block of an `aws.elasticache_global` resource.
///
/// ```
/// use dr_aws::elasticache_global::ElastiCacheGlobalSpec;
///
/// let spec: ElastiCacheGlobalSpec = serde_json::from_value(serde_json::json!({
///     "global_replication_group": "ldgnf-carts",
///     "members": { "us-east-1": "carts-use1", "eu-west-1": "carts-euw1" },
/// }))?;
/// assert!(spec.writable_required);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ElastiCacheGlobal")]
pub struct ElastiCacheGlobalSpec {
    /// The identifier of the global datastore, with the prefix that AWS gave it.
    #[schemars(length(min = 1), extend("examples" = ["ldgnf-ecommerce"]))]
    pub global_replication_group: String,
    /// The replication group in each region.
    #[schemars(extend("minProperties" = 2), extend("examples" = [{"us-east-1": "carts-use1"}]))]
    pub members: BTreeMap<RegionId, String>,
    /// Whether traffic needs it writable; false for a cache that applications fill by themselves.
    #[serde(default = "yes")]
    pub writable_required: bool,
    /// A lag above this many seconds makes the lag probe unhealthy.
    #[serde(default = "default_max_lag")]
    pub max_lag_seconds: u64,
}

fn yes() -> bool {
    true
}

fn default_max_lag() -> u64 {
    30
}

impl ElastiCacheGlobalSpec {
    /// Reads the block of a resource.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) when the block does not decode, or names fewer than two regions.
    pub fn of(resource: &Resource) -> Result<Self> {
        let invalid = |message: String| {
            Error::new(ErrorKind::Invalid, format!("{}: {message}", resource.id)).with_effect(Effect::NotApplied)
        };
        let spec = Self::deserialize(&resource.spec).map_err(|error| invalid(error.to_string()))?;
        if spec.members.len() < 2 {
            return Err(invalid("spec.members needs a replication group in at least two regions".to_owned()));
        }
        Ok(spec)
    }

    /// The replication group in a region.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) when the block names none there.
    pub fn member(&self, region: &RegionId) -> Result<&str> {
        self.members.get(region).map(String::as_str).ok_or_else(|| {
            Error::new(
                ErrorKind::Invalid,
                format!(
                    "{} has no replication group in {region}: add it to spec.members",
                    self.global_replication_group
                ),
            )
            .with_effect(Effect::NotApplied)
        })
    }

    /// The lag above which the lag probe is unhealthy.
    #[must_use]
    pub fn max_lag(&self) -> Duration {
        Duration::from_secs(self.max_lag_seconds)
    }
}
