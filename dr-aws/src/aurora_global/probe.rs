use async_trait::async_trait;
use dr_core::{
    error::Result,
    model::{RegionId, VantageId},
    probe::{HealthProbe, Latency, ProbeCx, Reading, Subject},
};
use std::time::Duration;

use super::api::Api;
use crate::arn::Arn;

/// Looks whether a region's cluster is available and has an available instance, as its own region's API says.
///
/// An API that does not answer says nothing of the database behind it, so that is "could not look".
#[derive(Clone, Debug)]
pub struct StatusProbe {
    pub(super) api: Api,
    pub(super) subject: Subject,
    pub(super) vantage: VantageId,
    pub(super) cluster: Arn,
}

#[async_trait]
impl HealthProbe for StatusProbe {
    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn vantage(&self) -> &VantageId {
        &self.vantage
    }

    async fn probe(&self, cx: &ProbeCx) -> Result<Reading> {
        let started = cx.clock().monotonic();
        let cluster = self.api.cluster(&self.subject.region, &self.cluster).await?;
        let instances = self.api.available_instances(&self.subject.region, &self.cluster).await?;
        let latency = Latency::of(cx.clock().monotonic().since(started));
        let reason = format!("{} is {} with {instances} available instance(s)", self.cluster, cluster.status);
        Ok(if cluster.status == "available" && instances > 0 {
            Reading::healthy(latency, reason)
        } else {
            Reading::unhealthy(latency, reason)
        })
    }
}

/// Looks how far a region's cluster follows behind, in its region's CloudWatch.
#[derive(Clone, Debug)]
pub struct LagProbe {
    pub(super) api: Api,
    pub(super) subject: Subject,
    pub(super) vantage: VantageId,
    pub(super) global_cluster: String,
    pub(super) cluster: Arn,
    pub(super) max_lag: Duration,
}

impl LagProbe {
    fn region(&self) -> &RegionId {
        &self.subject.region
    }
}

#[async_trait]
impl HealthProbe for LagProbe {
    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn vantage(&self) -> &VantageId {
        &self.vantage
    }

    async fn probe(&self, cx: &ProbeCx) -> Result<Reading> {
        let started = cx.clock().monotonic();
        let now = cx.clock().wall();
        let global = self.api.global(self.region(), &self.global_cluster).await?;
        let is_writer = global.member(&self.cluster).is_some_and(|member| member.is_writer);
        let sample = self.api.last_lag(self.region(), &self.cluster, now).await?;
        let latency = Latency::of(cx.clock().monotonic().since(started));
        if is_writer {
            return Ok(Reading::healthy(latency, format!("{} is the writer and follows nobody", self.cluster)));
        }
        Ok(match sample {
            None => Reading::unhealthy(latency, format!("CloudWatch has no lag of {}", self.cluster)),
            // A period of a minute, published late: three minutes without a sample are silence.
            Some(sample) if now.since(sample.at) > Duration::from_secs(180) => {
                Reading::unhealthy(latency, format!("the last lag of {} is from {}", self.cluster, sample.at))
            }
            Some(sample) if sample.lag > self.max_lag => Reading::unhealthy(
                latency,
                format!("{} is {:?} behind, more than {:?}", self.cluster, sample.lag, self.max_lag),
            ),
            Some(sample) => Reading::healthy(latency, format!("{} is {:?} behind", self.cluster, sample.lag)),
        })
    }
}
