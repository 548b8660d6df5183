use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use dr_aws::testing::{
    World,
    elasticache::DatastoreSetup,
    rds::GlobalSetup,
    route53::{AliasTarget, CheckConfig, CheckResult, CheckType, FailoverRole, RecordSet},
};
use dr_core::{
    error::{Error, ErrorKind, Result},
    model::RegionId,
    testing::{EffectLog, FaultBoard},
    time::SharedClock,
};
use dr_k8s::testing::{Cluster, Workload};

use super::Aurora;
use crate::{
    checkers::CHECKERS,
    front::Platform,
    platform::{
        ACTIVE, GLOBAL_CLUSTER, GLOBAL_REPLICATION_GROUP, NAMESPACE, PLACES, PUBLIC_NAME, Place, SERVICES, STANDBY,
        SWITCH_BUCKET, SWITCH_KEY, WITNESS, ZONE,
    },
};

/// The hosted zone of every load balancer, in the double.
const LOAD_BALANCER_ZONE: &str = "Z35SXDOTRQ7X7K";

/// The platform on the doubles.
#[derive(Clone, Debug)]
pub struct Estate {
    /// The AWS double.
    pub world: World,
    /// The Kubernetes doubles.
    pub clusters: BTreeMap<RegionId, Cluster>,
    /// Where its regions are on this machine.
    pub places: BTreeMap<RegionId, Place>,
    pub(crate) aurora: Aurora,
    /// The zone of the public name.
    pub hosted_zone_id: String,
    /// The inverted check that looks at the switch; filled in by [`Estate::route`].
    pub switch_check: Option<String>,
}

impl Estate {
    /// Databases, caches, buckets and clusters, as they have been for long. Traffic is routed by [`Estate::route`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Internal`] when the doubles refuse what is asked of them.
    pub fn build(
        clock: &SharedClock,
        board: &FaultBoard,
        effects: &EffectLog,
        lag: Duration,
        pod_start: Duration,
    ) -> Result<Self> {
        let mut places = BTreeMap::new();
        let mut world = World::builder(clock.clone()).faults(board.clone()).effects(effects.clone());
        for place in PLACES {
            let region = RegionId::new(place.region).map_err(|e| trouble("a region's name", &e))?;
            world = world.region(region.clone());
            places.insert(region, place);
        }
        let world = world.build();
        // In the order of the platform, not of names: the first one is the primary.
        let in_order = || PLACES.iter().filter_map(|place| places.iter().find(|(_, p)| *p == place));
        let mut database = GlobalSetup::postgres(GLOBAL_CLUSTER);
        let mut cache = DatastoreSetup::new(GLOBAL_REPLICATION_GROUP);
        for (region, place) in in_order() {
            if let Some(cluster) = place.database {
                database = database.member(region.clone(), cluster);
            }
            if let Some(group) = place.cache {
                cache = cache.member(region.clone(), group);
            }
        }
        world.rds().create(&database).map_err(|e| trouble("the database", &e))?;
        world.elasticache().create(&cache).map_err(|e| trouble("the cache", &e))?;
        let databases = in_order().filter_map(|(region, place)| Some((region.clone(), place.database?))).collect();
        let aurora = Aurora::new(world.rds().clone(), databases);
        aurora.set_lag(lag);
        let clusters = in_order()
            .filter(|(_, place)| place.load_balancer.is_some())
            .map(|(region, place)| {
                let cluster = Cluster::builder(region.clone(), clock.clone(), board.clone(), effects.clone())
                    .pod_start(pod_start)
                    .build();
                deploy(&cluster, place.region == ACTIVE);
                (region.clone(), cluster)
            })
            .collect();
        let hosted_zone_id = world.route53().add_zone(ZONE);
        let estate = Self { world, clusters, places, aurora, hosted_zone_id, switch_check: None };
        estate.make_buckets()?;
        Ok(estate)
    }

    /// Health checks and records, now that it is known which ports listen.
    ///
    /// The primary record answers by the switch alone. Were it to evaluate its load balancer as well, DNS would
    /// lead clients to a standby whose database and cache nobody has promoted yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Internal`] when the doubles refuse what is asked of them.
    pub fn route(
        &mut self,
        application_port: u16,
        s3_port: u16,
        is_healthy: impl Fn(&RegionId) -> Box<dyn Fn() -> bool + Send + Sync>,
    ) -> Result<()> {
        let route53 = self.world.route53().clone();
        let refused = |e: &dyn std::error::Error| trouble("the records", e);
        let add_check = |config| route53.add_check(config).map_err(|e| trouble("a health check", &e));
        let switch = add_check(CheckConfig {
            fully_qualified_domain_name: Some(format!("{SWITCH_BUCKET}.s3.{STANDBY}.amazonaws.com")),
            port: Some(s3_port),
            resource_path: Some(format!("/{SWITCH_KEY}")),
            inverted: Some(true),
            ..every_ten_seconds(CheckType::Http)
        })?;
        for (region, place) in &self.places {
            let (Some(load_balancer), Some(name)) = (place.load_balancer, place.name) else { continue };
            route53.set_alias_target(load_balancer, [IpAddr::V4(place.address)], is_healthy(region));
            let alias = |evaluate_target_health| AliasTarget {
                hosted_zone_id: LOAD_BALANCER_ZONE.to_owned(),
                dns_name: format!("{load_balancer}."),
                evaluate_target_health,
            };
            let regional = RecordSet::alias(name, "A", alias(false));
            route53.add_record(&self.hosted_zone_id, regional).map_err(|e| refused(&e))?;
            let endpoint = add_check(CheckConfig {
                fully_qualified_domain_name: Some(name.to_owned()),
                port: Some(application_port),
                resource_path: Some("/health".to_owned()),
                search_string: Some(format!(r#""region":"{region}""#)),
                ..every_ten_seconds(CheckType::HttpStrMatch)
            })?;
            let public = if place.region == ACTIVE {
                RecordSet::alias(PUBLIC_NAME, "A", alias(false))
                    .failover(FailoverRole::Primary, "primary")
                    .checked_by(switch.clone())
            } else {
                RecordSet::alias(PUBLIC_NAME, "A", alias(true))
                    .failover(FailoverRole::Secondary, "secondary")
                    .checked_by(endpoint)
            };
            route53.add_record(&self.hosted_zone_id, public).map_err(|e| refused(&e))?;
        }
        self.grow_old(&switch);
        self.switch_check = Some(switch);
        Ok(())
    }

    /// Gives every check the opinions that its checkers have long had: the switch is not thrown, and both regions are well.
    /// A check that is new and inverted counts as unhealthy until it has been polled.
    fn grow_old(&self, switch: &str) {
        let route53 = self.world.route53();
        for check in route53.checks() {
            for checker in CHECKERS {
                for _ in 0..check.config.threshold() {
                    route53.observe(
                        &check.id,
                        checker,
                        if check.id == switch {
                            CheckResult::failure("HTTP Status Code 403 Forbidden")
                        } else {
                            CheckResult::success("HTTP Status Code 200 OK")
                        },
                    );
                }
            }
        }
        route53.settle();
    }

    /// The region that serves in steady state.
    pub(crate) fn active(&self) -> Result<&RegionId> {
        self.region(ACTIVE)
    }

    /// The warm standby, which holds the switch.
    pub(crate) fn standby(&self) -> Result<&RegionId> {
        self.region(STANDBY)
    }

    /// The witness region, which holds the journal.
    pub(crate) fn witness(&self) -> Result<&RegionId> {
        self.region(WITNESS)
    }

    fn region(&self, name: &str) -> Result<&RegionId> {
        self.places
            .get_key_value(name)
            .map(|(region, _)| region)
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("the lab has no region {name}")))
    }
}

impl Platform for Estate {
    fn ready_replicas(&self, region: &RegionId, service: &str) -> u32 {
        self.clusters.get(region).map_or(0, |cluster| cluster.ready_replicas(NAMESPACE, service))
    }

    fn cache_is_writable(&self, region: &RegionId) -> bool {
        let group = self.places.get(region).and_then(|place| place.cache);
        group.is_some_and(|group| self.world.elasticache().is_writable(region, group))
    }
}

fn every_ten_seconds(kind: CheckType) -> CheckConfig {
    CheckConfig { request_interval: Some(10), failure_threshold: Some(3), ..CheckConfig::new(kind) }
}

fn deploy(cluster: &Cluster, full: bool) {
    for service in &SERVICES {
        let replicas = if full { service.full } else { service.standby };
        let image = format!("111122223333.dkr.ecr.{}.amazonaws.com/ecommerce/{}:1.7.2", cluster.region(), service.name);
        cluster.deploy(&Workload::new(NAMESPACE, service.name).replicas(replicas).image(image));
        if let Some(most) = service.autoscaled_to {
            cluster.hpa(NAMESPACE, service.name, replicas, most);
        }
    }
    cluster.finish_starting();
}

fn trouble(what: &str, error: &dyn std::error::Error) -> Error {
    Error::new(ErrorKind::Internal, format!("the lab cannot set up {what}: {error}"))
}
