use std::time::Duration;

use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, ScanBy};
use aws_smithy_types::DateTime;
use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    model::RegionId,
    time::Timestamp,
};

use super::view::DatastoreView;
use crate::{Clients, aurora_global::LagSample, classify};

const METRIC: &str = "GlobalDatastoreReplicationLag";
const NAMESPACE: &str = "AWS/ElastiCache";
/// How far back the last lag is looked for: samples end when the primary is lost, perhaps long before anybody asks.
const LOOK_BACK: Duration = Duration::from_secs(3 * 3600);

/// What the driver asks of ElastiCache and CloudWatch. Every call has the deadlines of [`Clients`].
#[derive(Clone, Debug)]
pub(super) struct Api {
    clients: Clients,
}

impl Api {
    pub(super) fn new(clients: Clients) -> Self {
        Self { clients }
    }

    pub(super) async fn datastore(&self, at: &RegionId, id: &str) -> Result<DatastoreView> {
        const OPERATION: &str = "elasticache:DescribeGlobalReplicationGroups";
        let call = self.clients.for_reads(at).elasticache().describe_global_replication_groups();
        let call = call.global_replication_group_id(id).show_member_info(true);
        let reply = call.send().await.map_err(|error| classify(OPERATION, error))?;
        reply.global_replication_groups().first().map(DatastoreView::from).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("global datastore {id} is not there"))
                .with_effect(Effect::NotApplied)
                .during(OPERATION)
        })
    }

    /// The status of a replication group and how many nodes it has, as its own region says.
    pub(super) async fn group(&self, at: &RegionId, id: &str) -> Result<(String, u32)> {
        const OPERATION: &str = "elasticache:DescribeReplicationGroups";
        let call = self.clients.for_reads(at).elasticache().describe_replication_groups().replication_group_id(id);
        let reply = call.send().await.map_err(|error| classify(OPERATION, error))?;
        let found = reply.replication_groups().first().ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("replication group {id} is not there"))
                .with_effect(Effect::NotApplied)
                .during(OPERATION)
        })?;
        let nodes = u32::try_from(found.member_clusters().len()).unwrap_or(u32::MAX);
        Ok((found.status().unwrap_or_default().to_owned(), nodes))
    }

    /// Asks for a new primary, in its own region. Sent once: look before asking again.
    pub(super) async fn failover(&self, id: &str, region: &RegionId, group: &str) -> Result<()> {
        let call = self.clients.for_writes(region).elasticache().failover_global_replication_group();
        let call = call.global_replication_group_id(id).primary_region(region.as_str());
        let call = call.primary_replication_group_id(group);
        call.send().await.map(drop).map_err(|error| classify("elasticache:FailoverGlobalReplicationGroup", error))
    }

    /// The last lag that a region's CloudWatch has of a replication group; none when it has none, which is not zero.
    pub(super) async fn last_lag(&self, at: &RegionId, group: &str, now: Timestamp) -> Result<Option<LagSample>> {
        const OPERATION: &str = "cloudwatch:GetMetricData";
        let queries = self.lag_metrics(at, group).await?.into_iter().enumerate().map(|(n, metric)| {
            let stat = MetricStat::builder().metric(metric).period(60).stat("Maximum").build();
            MetricDataQuery::builder().id(format!("lag{n}")).metric_stat(stat).build()
        });
        let queries: Vec<_> = queries.collect();
        if queries.is_empty() {
            return Ok(None);
        }
        let from = now.as_millis().saturating_sub(i64::try_from(LOOK_BACK.as_millis()).unwrap_or(i64::MAX));
        let call = self
            .clients
            .for_reads(at)
            .cloudwatch()
            .get_metric_data()
            .set_metric_data_queries(Some(queries))
            .scan_by(ScanBy::TimestampDescending)
            .start_time(DateTime::from_millis(from))
            // The present minute is still being filled; ask up to its end.
            .end_time(DateTime::from_millis(now.as_millis().saturating_add(60_000)));
        let reply = call.send().await.map_err(|error| classify(OPERATION, error))?;
        let samples = reply
            .metric_data_results()
            .iter()
            .flat_map(|result| result.timestamps().iter().zip(result.values()))
            .filter(|(at, _)| at.to_millis().is_ok_and(|at| at <= now.as_millis()))
            .filter_map(|(at, seconds)| {
                let lag = Duration::try_from_secs_f64(*seconds).ok()?;
                Some(LagSample { lag, at: Timestamp::from_millis(at.to_millis().ok()?) })
            });
        // The newest; of those of one moment, the shard that is farthest behind.
        Ok(samples.max_by_key(|sample| (sample.at, sample.lag)))
    }

    /// The lag metrics that have the group in one of their dimensions, whichever that is.
    async fn lag_metrics(&self, at: &RegionId, group: &str) -> Result<Vec<Metric>> {
        let call = self.clients.for_reads(at).cloudwatch().list_metrics().namespace(NAMESPACE).metric_name(METRIC);
        let reply = call.send().await.map_err(|error| classify("cloudwatch:ListMetrics", error))?;
        // A node's name is its group's with a number behind it.
        let of_group = |dimension: &Dimension| {
            dimension.value().is_some_and(|value| {
                value.strip_prefix(group).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            })
        };
        Ok(reply.metrics().iter().filter(|metric| metric.dimensions().iter().any(of_group)).cloned().collect())
    }
}
