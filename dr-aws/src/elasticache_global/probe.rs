use std::time::Duration;

use async_trait::async_trait;
use dr_core::{
    error::Result,
    model::VantageId,
    probe::{HealthProbe, Latency, ProbeCx, Reading, Subject},
};

use super::api::Api;

/// Looks how far a region's replication group follows behind, in its region's CloudWatch.
#[derive(Clone, Debug)]
pub struct CacheLagProbe {
    pub(super) api: Api,
    pub(super) subject: Subject,
    pub(super) vantage: VantageId,
    pub(super) datastore: String,
    pub(super) group: String,
    pub(super) max_lag: Duration,
}

#[async_trait]
impl HealthProbe for CacheLagProbe {
    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn vantage(&self) -> &VantageId {
        &self.vantage
    }

    async fn probe(&self, cx: &ProbeCx) -> Result<Reading> {
        let region = &self.subject.region;
        let started = cx.clock().monotonic();
        let now = cx.clock().wall();
        let datastore = self.api.datastore(region, &self.datastore).await?;
        let is_primary = datastore.member(region, &self.group).is_some_and(|member| member.is_primary);
        let sample = if is_primary { None } else { self.api.last_lag(region, &self.group, now).await? };
        let latency = Latency::of(cx.clock().monotonic().since(started));
        if is_primary {
            return Ok(Reading::healthy(latency, format!("{} is the primary and follows nobody", self.group)));
        }
        Ok(match sample {
            None => Reading::unhealthy(latency, format!("CloudWatch has no lag of {}", self.group)),
            Some(sample) if now.since(sample.at) > Duration::from_secs(180) => {
                Reading::unhealthy(latency, format!("the last lag of {} is from {}", self.group, sample.at))
            }
            Some(sample) if sample.lag > self.max_lag => Reading::unhealthy(
                latency,
                format!("{} is {:?} behind, more than {:?}", self.group, sample.lag, self.max_lag),
            ),
            Some(sample) => Reading::healthy(latency, format!("{} is {:?} behind", self.group, sample.lag)),
        })
    }
}
