use std::{fmt, sync::Arc};

use dr_core::{
    model::RegionId,
    testing::{EffectLog, FaultBoard},
    time::SharedClock,
};

use super::{
    Service, WorldCx,
    cloudwatch::{CloudWatch, CloudWatchService, Datum, MetricId},
    elasticache::ElastiCache,
    rds::Rds,
    route53::{Route53, Route53Service},
    s3::{S3, S3Service},
};

/// An AWS of some regions and one account. Clones share one world.
///
/// ```
/// use std::sync::Arc;
/// use dr_aws::testing::World;
/// use dr_core::{model::RegionId, time::ManualClock};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let world = World::builder(Arc::new(ManualClock::new()))
///     .region(RegionId::new("us-east-1")?)
///     .region(RegionId::new("eu-west-1")?)
///     .build();
/// assert_eq!(world.regions().len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct World {
    inner: Arc<Inner>,
}

struct Inner {
    cx: WorldCx,
    rds: Rds,
    elasticache: ElastiCache,
    route53: Route53,
    cloudwatch: CloudWatch,
    s3: S3,
    services: Vec<Arc<dyn Service>>,
}

impl World {
    /// Begins a world that lives by `clock`.
    #[must_use]
    pub fn builder(clock: SharedClock) -> WorldBuilder {
        WorldBuilder {
            clock,
            account: "111122223333".to_owned(),
            regions: Vec::new(),
            faults: FaultBoard::new(),
            effects: EffectLog::new(),
            services: Vec::new(),
        }
    }

    /// What the services of this world share.
    #[must_use]
    pub fn cx(&self) -> &WorldCx {
        &self.inner.cx
    }

    /// The world's time.
    #[must_use]
    pub fn clock(&self) -> &SharedClock {
        self.inner.cx.clock()
    }

    /// The switches that break this world.
    #[must_use]
    pub fn faults(&self) -> &FaultBoard {
        self.inner.cx.faults()
    }

    /// Every change that was applied.
    #[must_use]
    pub fn effects(&self) -> &EffectLog {
        self.inner.cx.effects()
    }

    /// The regions there are.
    #[must_use]
    pub fn regions(&self) -> &[RegionId] {
        self.inner.cx.regions()
    }

    /// The number of the one account.
    #[must_use]
    pub fn account(&self) -> &str {
        self.inner.cx.account()
    }

    /// Its Aurora databases.
    #[must_use]
    pub fn rds(&self) -> &Rds {
        &self.inner.rds
    }

    /// Its ElastiCache datastores.
    #[must_use]
    pub fn elasticache(&self) -> &ElastiCache {
        &self.inner.elasticache
    }

    /// Route 53's model.
    #[must_use]
    pub fn route53(&self) -> &Route53 {
        &self.inner.route53
    }

    /// The metrics of its regions.
    #[must_use]
    pub fn cloudwatch(&self) -> &CloudWatch {
        &self.inner.cloudwatch
    }

    /// Its buckets.
    #[must_use]
    pub fn s3(&self) -> &S3 {
        &self.inner.s3
    }

    /// The service that signatures call by this name.
    pub(super) fn service_signed_as(&self, name: &str) -> Option<Arc<dyn Service>> {
        self.inner.services.iter().find(|service| service.signing_name() == name).cloned()
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("account", &self.account())
            .field("regions", &self.regions())
            .finish_non_exhaustive()
    }
}

/// Sets up a [`World`].
#[derive(Debug)]
pub struct WorldBuilder {
    clock: SharedClock,
    account: String,
    regions: Vec<RegionId>,
    faults: FaultBoard,
    effects: EffectLog,
    services: Vec<Arc<dyn Service>>,
}

impl WorldBuilder {
    /// Adds a region.
    #[must_use]
    pub fn region(mut self, region: RegionId) -> Self {
        self.regions.push(region);
        self
    }

    /// Sets the number of the account, twelve digits; `111122223333` by default.
    #[must_use]
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account = account.into();
        self
    }

    /// Shares a fault board with other doubles.
    #[must_use]
    pub fn faults(mut self, faults: FaultBoard) -> Self {
        self.faults = faults;
        self
    }

    /// Shares an effect log with other doubles.
    #[must_use]
    pub fn effects(mut self, effects: EffectLog) -> Self {
        self.effects = effects;
        self
    }

    /// Adds a service of the embedder's own; it wins over one of ours that signs by the same name.
    #[must_use]
    pub fn service(mut self, service: Arc<dyn Service>) -> Self {
        self.services.push(service);
        self
    }

    /// The world.
    #[must_use]
    pub fn build(self) -> World {
        let cx = WorldCx::new(self.clock, &self.account, self.regions, self.faults, self.effects);
        let (rds, elasticache) = (Rds::new(cx.clone()), ElastiCache::new(cx.clone()));
        let route53 = Route53::new(cx.clone());
        let cloudwatch = CloudWatch::new(cx.clone());
        publish_metrics(&cloudwatch, &rds, &elasticache, &route53);
        let s3 = S3::new(cx.clone());
        let mut services = self.services;
        services.extend([
            Arc::new(S3Service::new(s3.clone())) as Arc<dyn Service>,
            Arc::new(CloudWatchService::new(cloudwatch.clone())),
            Arc::new(rds.clone()),
            Arc::new(elasticache.clone()),
            Arc::new(Route53Service::new(route53.clone(), north_virginia())),
        ]);
        World { inner: Arc::new(Inner { cx, rds, elasticache, route53, cloudwatch, s3, services }) }
    }
}

/// What AWS's services publish of themselves, once a minute.
fn publish_metrics(cloudwatch: &CloudWatch, rds: &Rds, elasticache: &ElastiCache, route53: &Route53) {
    let (rds, elasticache, route53) = (rds.clone(), elasticache.clone(), route53.clone());
    cloudwatch.add_source(move |region| {
        let lags = rds.lag_metrics(region).into_iter().map(|(lag, cluster, value)| Datum {
            metric: MetricId::new("AWS/RDS", lag.as_str(), [("DBClusterIdentifier", cluster.as_str())]),
            value: value.as_secs_f64() * 1000.0,
        });
        lags.collect()
    });
    cloudwatch.add_source(move |region| {
        let lags = elasticache.lag_metrics(region).into_iter().map(|(group, lag)| Datum {
            metric: MetricId::new(
                "AWS/ElastiCache",
                "GlobalDatastoreReplicationLag",
                [("ReplicationGroupId", group.as_str())],
            ),
            value: lag.as_secs_f64(),
        });
        lags.collect()
    });
    // Route 53 publishes in us-east-1 and nowhere else, so its metrics are gone with that region.
    cloudwatch.add_source(move |region| {
        let checks = route53.checks().into_iter().filter(|_| *region == north_virginia());
        let statuses = checks.map(|check| Datum {
            metric: MetricId::new("AWS/Route53", "HealthCheckStatus", [("HealthCheckId", check.id.as_str())]),
            value: if route53.health(&check.id).unwrap_or(true) { 1.0 } else { 0.0 },
        });
        statuses.collect()
    });
}

/// The region that holds the control planes of the global services.
#[expect(clippy::expect_used, reason = "the name is a constant, and a good one")]
fn north_virginia() -> RegionId {
    RegionId::new("us-east-1").expect("us-east-1 is a name")
}
