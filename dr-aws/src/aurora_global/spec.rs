use std::{collections::BTreeMap, time::Duration};

use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    model::{RegionId, Resource},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::arn::Arn;

/// The `spec:` block of an `aws.aurora_global` resource.
///
/// ```
/// use dr_aws::aurora_global::AuroraGlobalSpec;
///
/// let spec: AuroraGlobalSpec = serde_json::from_value(serde_json::json!({
///     "global_cluster": "orders",
///     "clusters": {
///         "us-east-1": "arn:aws:rds:us-east-1:111122223333:cluster:orders-use1",
///         "eu-west-1": "arn:aws:rds:eu-west-1:111122223333:cluster:orders-euw1",
///     },
/// }))?;
/// assert_eq!(spec.clusters.len(), 2);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AuroraGlobal")]
pub struct AuroraGlobalSpec {
    /// The identifier of the global cluster.
    #[schemars(length(min = 1), extend("examples" = ["ecommerce-global"]))]
    pub global_cluster: String,
    /// The ARN of the cluster in each region. An ARN, because a failover cannot find a target by its bare name.
    #[schemars(
        extend("minProperties" = 2),
        extend("examples" = [{"us-east-1": "arn:aws:rds:us-east-1:111122223333:cluster:orders-use1"}])
    )]
    pub clusters: BTreeMap<RegionId, Arn>,
    /// A lag above this many seconds makes the lag probe unhealthy.
    #[serde(default = "default_max_lag")]
    pub max_lag_seconds: u64,
    /// What a graceful hand-over becomes when somebody switches it to ungraceful half-way. Absent: it stays a switchover,
    /// which can be taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "WhenUngraceful")]
    pub ungraceful: Option<WhenUngraceful>,
}

/// What a graceful hand-over becomes when it is forced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhenUngraceful {
    /// A failover with data loss allowed, in the target's region. The plan then needs an approval before the hand-over.
    Failover,
}

fn default_max_lag() -> u64 {
    30
}

impl AuroraGlobalSpec {
    /// Reads the block of a resource.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) when the block does not decode, names fewer than two regions, or gives a region
    /// anything but the ARN of a cluster there.
    pub fn of(resource: &Resource) -> Result<Self> {
        let invalid = |message: String| {
            Error::new(ErrorKind::Invalid, format!("{}: {message}", resource.id)).with_effect(Effect::NotApplied)
        };
        let spec = Self::deserialize(&resource.spec).map_err(|error| invalid(error.to_string()))?;
        if spec.clusters.len() < 2 {
            return Err(invalid("spec.clusters needs a cluster in at least two regions".to_owned()));
        }
        for (region, arn) in &spec.clusters {
            let right =
                arn.service() == "rds" && arn.id_of("cluster").is_some() && arn.region().as_ref() == Some(region);
            if !right {
                return Err(invalid(format!(
                    "spec.clusters.{region}: {arn} is not the ARN of a cluster in {region}; write arn:aws:rds:{region}:ACCOUNT:cluster:NAME"
                )));
            }
        }
        Ok(spec)
    }

    /// The cluster in a region.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) when the block names none there.
    pub fn cluster(&self, region: &RegionId) -> Result<&Arn> {
        self.clusters.get(region).ok_or_else(|| {
            Error::new(
                ErrorKind::Invalid,
                format!("{} has no cluster in {region}: add it to spec.clusters", self.global_cluster),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resource(spec: serde_json::Value) -> Resource {
        Resource {
            id: "orders-db".parse().unwrap(),
            kind: dr_core::model::ResourceKind::from_static("aws.aurora_global"),
            depends_on: Vec::new(),
            spec,
        }
    }

    const US: &str = "arn:aws:rds:us-east-1:111122223333:cluster:a";
    const EU: &str = "arn:aws:rds:eu-west-1:111122223333:cluster:b";

    #[test]
    fn a_good_block_is_read() {
        let spec = resource(json!({"global_cluster": "g", "clusters": {"us-east-1": US, "eu-west-1": EU}}));
        let spec = AuroraGlobalSpec::of(&spec).unwrap();
        assert_eq!(spec.max_lag(), Duration::from_secs(30));
        assert_eq!(spec.cluster(&"eu-west-1".parse().unwrap()).unwrap().as_str(), EU);
        assert!(spec.cluster(&"ap-south-1".parse().unwrap()).is_err());
    }

    #[test]
    fn bad_blocks_are_refused_with_a_remedy() {
        for (spec, says) in [
            (json!({"global_cluster": "g", "clusters": {"us-east-1": US}}), "at least two regions"),
            (json!({"global_cluster": "g", "clusters": {"us-east-1": EU, "eu-west-1": EU}}), "cluster in us-east-1"),
            (json!({"global_cluster": "g", "clusters": {"us-east-1": "a", "eu-west-1": EU}}), "is not an ARN"),
            (json!({"global_cluster": "g", "clusters": {"us-east-1": US, "eu-west-1": EU}, "lag": 1}), "unknown field"),
        ] {
            let error = AuroraGlobalSpec::of(&resource(spec)).unwrap_err();
            assert!(error.message().contains(says), "{error}");
        }
    }
}
