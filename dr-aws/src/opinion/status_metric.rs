use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_cloudwatch::{
    primitives::DateTime,
    types::{Dimension, Metric, MetricDataQuery, MetricStat, ScanBy},
};
use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    model::{RegionId, VantageId},
    probe::{HealthProbe, Latency, ProbeCx, Reading, Subject},
};

use crate::{Clients, classify};

const OPERATION: &str = "cloudwatch:GetMetricData";
/// One value a minute.
const PERIOD: Duration = Duration::from_secs(60);
/// A minute that is still being filled, one that is published late, and one more: older values are silence.
const WORTH: Duration = Duration::from_secs(180);
const LOOK_BACK: Duration = Duration::from_secs(600);

/// The status of a health check as Route 53 publishes it in CloudWatch: `AWS/Route53 HealthCheckStatus`, 1 or 0.
///
/// It is what Route 53 acts on, a minute or two late, and it is published in us-east-1 alone. No value is no opinion: a
/// metric that has gone says that us-east-1 is in trouble, and nothing of the region that is judged.
#[derive(Clone, Debug)]
pub struct StatusMetric {
    subject: Subject,
    vantage: VantageId,
    clients: Clients,
    home: RegionId,
    check: String,
}

impl StatusMetric {
    /// The published status of the health check with this id, read in `home`: us-east-1.
    #[must_use]
    pub fn new(subject: Subject, vantage: VantageId, clients: Clients, home: RegionId, check: String) -> Self {
        Self { subject, vantage, clients, home, check }
    }

    fn query(&self) -> MetricDataQuery {
        let dimension = Dimension::builder().name("HealthCheckId").value(&self.check).build();
        let metric =
            Metric::builder().namespace("AWS/Route53").metric_name("HealthCheckStatus").dimensions(dimension).build();
        // The worst of the minute: a check that failed and recovered within it did fail.
        let stat = MetricStat::builder().metric(metric).period(60).stat("Minimum").build();
        MetricDataQuery::builder().id("status").metric_stat(stat).build()
    }
}

#[async_trait]
impl HealthProbe for StatusMetric {
    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn vantage(&self) -> &VantageId {
        &self.vantage
    }

    async fn probe(&self, cx: &ProbeCx) -> Result<Reading> {
        let began = cx.clock().monotonic();
        let now = cx.clock().wall().as_millis();
        let millis = |d: Duration| i64::try_from(d.as_millis()).unwrap_or(i64::MAX);
        let clients = self.clients.for_reads(&self.home);
        let call = clients
            .cloudwatch()
            .get_metric_data()
            .metric_data_queries(self.query())
            .scan_by(ScanBy::TimestampDescending)
            .start_time(DateTime::from_millis(now.saturating_sub(millis(LOOK_BACK))))
            .end_time(DateTime::from_millis(now.saturating_add(millis(PERIOD))));
        let reply = call.send().await.map_err(|error| classify(OPERATION, error))?;
        let latency = Latency::of(cx.clock().monotonic().since(began));
        let newest = reply
            .metric_data_results()
            .iter()
            .flat_map(|result| result.timestamps().iter().zip(result.values()))
            .filter_map(|(at, value)| Some((at.to_millis().ok()?, *value)))
            .filter(|(at, _)| *at <= now)
            .max_by_key(|(at, _)| *at);
        let silent = |message: String| {
            Err(Error::new(ErrorKind::Unavailable, message).with_effect(Effect::NotApplied).during(OPERATION))
        };
        let Some((at, value)) = newest else {
            return silent(format!("CloudWatch has no status of {}", self.check));
        };
        let age = Duration::from_millis(u64::try_from(now.saturating_sub(at)).unwrap_or_default());
        if age > WORTH {
            return silent(format!("the last status of {} is {} s old", self.check, age.as_secs()));
        }
        Ok(if value >= 1.0 {
            Reading::healthy(latency, "Route 53 publishes the check as healthy")
        } else {
            Reading::unhealthy(latency, "Route 53 publishes the check as unhealthy")
        })
    }
}
