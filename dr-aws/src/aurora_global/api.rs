use std::time::Duration;

use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, ScanBy};
use aws_smithy_types::DateTime;
use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    model::RegionId,
    time::Timestamp,
};

use super::{
    LagSample,
    view::{ClusterView, GlobalView},
};
use crate::{Clients, arn::Arn, classify};

/// How far back the last lag is looked for: samples end when the primary is lost, perhaps long before anybody asks.
const LOOK_BACK: Duration = Duration::from_secs(3 * 3600);

/// What the driver asks of RDS and CloudWatch. Every call has the deadlines of [`Clients`].
#[derive(Clone, Debug)]
pub(super) struct Api {
    clients: Clients,
}

impl Api {
    pub(super) fn new(clients: Clients) -> Self {
        Self { clients }
    }

    pub(super) async fn global(&self, at: &RegionId, id: &str) -> Result<GlobalView> {
        const OPERATION: &str = "rds:DescribeGlobalClusters";
        let call = self.clients.for_reads(at).rds().describe_global_clusters().global_cluster_identifier(id);
        let reply = call.send().await.map_err(|error| classify(OPERATION, error))?;
        let found = reply.global_clusters().first().map(GlobalView::from);
        found.ok_or_else(|| missing(OPERATION, format!("global cluster {id} is not there")))
    }

    pub(super) async fn cluster(&self, at: &RegionId, arn: &Arn) -> Result<ClusterView> {
        const OPERATION: &str = "rds:DescribeDBClusters";
        let call = self.clients.for_reads(at).rds().describe_db_clusters().db_cluster_identifier(arn.as_str());
        let reply = call.send().await.map_err(|error| classify(OPERATION, error))?;
        let found = reply.db_clusters().first().map(ClusterView::from);
        found.ok_or_else(|| missing(OPERATION, format!("cluster {arn} is not there")))
    }

    /// How many instances of a cluster could take over.
    pub(super) async fn available_instances(&self, at: &RegionId, arn: &Arn) -> Result<u32> {
        // By its name, which RDS takes as well as the ARN, and emulators rather than the ARN.
        let cluster = arn.id_of("cluster").unwrap_or(arn.as_str());
        let filter = aws_sdk_rds::types::Filter::builder().name("db-cluster-id").values(cluster).build();
        let call = self.clients.for_reads(at).rds().describe_db_instances().filters(filter);
        let reply = call.send().await.map_err(|error| classify("rds:DescribeDBInstances", error))?;
        let available =
            reply.db_instances().iter().filter(|instance| instance.db_instance_status() == Some("available"));
        Ok(u32::try_from(available.count()).unwrap_or(u32::MAX))
    }

    /// Whether the region's events say that an old primary was fenced: RDS-EVENT-0390 yes, RDS-EVENT-0391 no.
    pub(super) async fn was_fenced(&self, at: &RegionId) -> Result<Option<bool>> {
        let call = self.clients.for_reads(at).rds().describe_events().duration(24 * 60);
        let call = call.source_type(aws_sdk_rds::types::SourceType::DbInstance);
        let reply = call.send().await.map_err(|error| classify("rds:DescribeEvents", error))?;
        let told = reply.events().iter().rev().filter_map(|event| event.message()).find_map(|message| {
            if message.contains("RDS-EVENT-0390") {
                Some(true)
            } else {
                message.contains("RDS-EVENT-0391").then_some(false)
            }
        });
        Ok(told)
    }

    /// Asks for a failover that may lose data. Sent once: look before asking again.
    pub(super) async fn failover(&self, at: &RegionId, id: &str, target: &Arn) -> Result<()> {
        let call = self.clients.for_writes(at).rds().failover_global_cluster().global_cluster_identifier(id);
        let call = call.target_db_cluster_identifier(target.as_str()).allow_data_loss(true);
        call.send().await.map(drop).map_err(|error| classify("rds:FailoverGlobalCluster", error))
    }

    /// Asks for a switchover. Sent once: look before asking again.
    pub(super) async fn switchover(&self, at: &RegionId, id: &str, target: &Arn) -> Result<()> {
        let call = self.clients.for_writes(at).rds().switchover_global_cluster().global_cluster_identifier(id);
        let call = call.target_db_cluster_identifier(target.as_str());
        call.send().await.map(drop).map_err(|error| classify("rds:SwitchoverGlobalCluster", error))
    }

    /// Asks for a detach. Sent once: look before asking again.
    pub(super) async fn remove(&self, at: &RegionId, id: &str, cluster: &Arn) -> Result<()> {
        let call = self.clients.for_writes(at).rds().remove_from_global_cluster().global_cluster_identifier(id);
        let call = call.db_cluster_identifier(cluster.as_str());
        call.send().await.map(drop).map_err(|error| classify("rds:RemoveFromGlobalCluster", error))
    }

    /// The last lag up to a moment that a region's CloudWatch has of a cluster; none when it has none, which is not zero.
    pub(super) async fn last_lag(&self, at: &RegionId, cluster: &Arn, now: Timestamp) -> Result<Option<LagSample>> {
        const OPERATION: &str = "cloudwatch:GetMetricData";
        let name = cluster.id_of("cluster").unwrap_or_default();
        let from = now.as_millis().saturating_sub(i64::try_from(LOOK_BACK.as_millis()).unwrap_or(i64::MAX));
        let call = self
            .clients
            .for_reads(at)
            .cloudwatch()
            .get_metric_data()
            .metric_data_queries(lag_query("rpo", "AuroraGlobalDBRPOLag", name))
            .metric_data_queries(lag_query("storage", "AuroraGlobalDBReplicationLag", name))
            .scan_by(ScanBy::TimestampDescending)
            .start_time(DateTime::from_millis(from))
            // The present minute is still being filled; ask up to its end.
            .end_time(DateTime::from_millis(now.as_millis().saturating_add(60_000)));
        let reply = call.send().await.map_err(|error| classify(OPERATION, error))?;
        let newest = |id: &str| {
            let result = reply.metric_data_results().iter().find(|result| result.id() == Some(id))?;
            let samples = result.timestamps().iter().zip(result.values());
            let told_by_then = samples.filter(|(at, _)| at.to_millis().is_ok_and(|at| at <= now.as_millis()));
            let (at, millis) = told_by_then.max_by_key(|(at, _)| at.to_millis().unwrap_or(i64::MIN))?;
            let lag = Duration::try_from_secs_f64(millis / 1000.0).ok()?;
            Some(LagSample { lag, at: Timestamp::from_millis(at.to_millis().ok()?) })
        };
        // User transactions first; older Aurora MySQL publishes only the lag of its storage.
        Ok(newest("rpo").or_else(|| newest("storage")))
    }
}

fn lag_query(id: &str, metric: &str, cluster: &str) -> MetricDataQuery {
    let dimension = Dimension::builder().name("DBClusterIdentifier").value(cluster).build();
    let metric = Metric::builder().namespace("AWS/RDS").metric_name(metric).dimensions(dimension).build();
    let stat = MetricStat::builder().metric(metric).period(60).stat("Maximum").build();
    MetricDataQuery::builder().id(id).metric_stat(stat).build()
}

fn missing(operation: &'static str, message: String) -> Error {
    Error::new(ErrorKind::NotFound, message).with_effect(Effect::NotApplied).during(operation)
}
