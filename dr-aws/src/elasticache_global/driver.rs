use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use dr_core::{
    driver::{Driver, Operation, SurveyCx},
    error::{Effect, Error, ErrorKind, Result},
    model::{InvalidId, ProbeId, RegionId, Resource, ResourceKind, VantageId},
    plan::{Estimate, GoalKind, Inventory, LagSource, Mode, Phase, StoreFact, StoreKind, StoreMember},
    planner::PlanDraft,
    probe::{HealthProbe, Subject},
    step::{DynStep, erase},
    validation::Validation,
};
use futures::future::join_all;
use schemars::Schema;

use super::{
    AwaitAssociated, CacheLag, CacheLagProbe, CacheRoute, ElastiCacheGlobalSpec, MembersAssociated, PromoteCache,
    api::Api, operations, validations::Checked, view::DatastoreView,
};
use crate::Clients;

/// How often CloudWatch has a sample of the lag. A sample's time is the beginning of its period.
const LAG_PERIOD: Duration = Duration::from_secs(60);

/// The driver of `aws.elasticache_global`.
///
/// ```
/// use std::sync::Arc;
/// use dr_aws::{Clients, elasticache_global::ElastiCacheGlobal};
/// use dr_core::{driver::{Driver, DriverRegistry}, time::SystemClock};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clients = Clients::builder(Arc::new(SystemClock::new())).build();
/// let mut drivers = DriverRegistry::new();
/// drivers.register(Arc::new(ElastiCacheGlobal::new(clients)))?;
/// assert_eq!(drivers.steps()?.kinds().count(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ElastiCacheGlobal {
    clients: Clients,
    api: Api,
    vantage: Option<VantageId>,
}

impl ElastiCacheGlobal {
    /// The kind that `dr.yaml` writes.
    pub const KIND: ResourceKind = ResourceKind::from_static("aws.elasticache_global");

    /// A driver over these clients.
    #[must_use]
    pub fn new(clients: Clients) -> Self {
        Self { api: Api::new(clients.clone()), clients, vantage: None }
    }

    /// The same, whose probes say that they look from `vantage` instead of from `here`.
    #[must_use]
    pub fn seen_from(mut self, vantage: VantageId) -> Self {
        self.vantage = Some(vantage);
        self
    }

    /// One region's part, with whatever could be seen of it.
    async fn member(
        &self,
        region: &RegionId,
        group: &str,
        datastore: Option<&DatastoreView>,
        cx: &SurveyCx<'_>,
    ) -> (StoreMember, Vec<String>) {
        let mut unknown = Vec::new();
        let mut note = |error: Error| unknown.push(format!("{group} in {region}: {error}"));
        let found = self.api.group(region, group).await.map_err(&mut note).ok();
        // A region that did not answer once is not asked again: each call would wait for its deadline.
        let now = cx.clock.wall();
        let lag = match found {
            None => None,
            Some(_) => self.api.last_lag(region, group, now).await.map_err(&mut note).ok(),
        };
        let seat = datastore.and_then(|datastore| datastore.member(region, group));
        let writer = seat.map(|seat| seat.is_primary);
        let follows = writer == Some(false);
        let member = StoreMember {
            writer,
            available_instances: found.as_ref().map(|(_, nodes)| *nodes),
            engine_version: datastore.and_then(|datastore| datastore.engine_version.clone()),
            synchronised: seat.map(|seat| seat.status == "associated"),
            lag: lag.flatten().filter(|_| follows).map(|sample| sample.lag),
            lag_source: lag.filter(|_| follows).map(|sample| LagSource::Sampled {
                period: LAG_PERIOD,
                age: sample.map(|sample| now.since(sample.at).saturating_sub(LAG_PERIOD)),
            }),
            ..StoreMember::new(region.clone(), group)
        };
        (member, unknown)
    }
}

#[async_trait]
impl Driver for ElastiCacheGlobal {
    fn kind(&self) -> ResourceKind {
        Self::KIND
    }

    fn schema(&self) -> Schema {
        schemars::schema_for!(ElastiCacheGlobalSpec)
    }

    fn operations(&self) -> &'static [Operation] {
        &operations::ALL
    }

    fn probes(&self, resource: &Resource) -> Result<Vec<Arc<dyn HealthProbe>>> {
        let spec = ElastiCacheGlobalSpec::of(resource)?;
        let invalid =
            |error: InvalidId| Error::new(ErrorKind::Invalid, error.to_string()).with_effect(Effect::NotApplied);
        let vantage = match &self.vantage {
            Some(vantage) => vantage.clone(),
            None => "here".parse().map_err(invalid)?,
        };
        let mut probes: Vec<Arc<dyn HealthProbe>> = Vec::new();
        for (region, group) in &spec.members {
            let id = ProbeId::new(format!("{}/lag", resource.id)).map_err(invalid)?;
            probes.push(Arc::new(CacheLagProbe {
                api: self.api.clone(),
                subject: Subject::infrastructure(id, region.clone()),
                vantage: vantage.clone(),
                datastore: spec.global_replication_group.clone(),
                group: group.clone(),
                max_lag: spec.max_lag(),
            }));
        }
        Ok(probes)
    }

    fn validations(&self, resource: &Resource) -> Result<Vec<Arc<dyn Validation>>> {
        let spec = ElastiCacheGlobalSpec::of(resource)?;
        let checked = Checked { api: self.api.clone(), resource: resource.id.clone(), spec };
        Ok(vec![Arc::new(MembersAssociated(checked.clone())), Arc::new(CacheLag(checked))])
    }

    async fn survey(&self, resource: &Resource, cx: &SurveyCx<'_>) -> Result<Inventory> {
        let spec = ElastiCacheGlobalSpec::of(resource)?;
        let mut inventory = Inventory::default();
        let regions = spec.members.keys();
        let looks = join_all(regions.map(|region| self.api.datastore(region, &spec.global_replication_group))).await;
        let mut datastore = None;
        for (region, look) in spec.members.keys().zip(looks) {
            match look {
                Ok(view) => datastore = datastore.or(Some(view)),
                Err(error) => {
                    inventory.unknown.push(format!("{} from {region}: {error}", spec.global_replication_group))
                }
            }
        }
        let members =
            join_all(spec.members.iter().map(|(region, group)| self.member(region, group, datastore.as_ref(), cx)))
                .await;
        let mut store = StoreFact::new(resource.id.clone(), spec.writable_required);
        store.kind = Some(StoreKind::Cache);
        for (member, unknown) in members {
            store.members.push(member);
            inventory.unknown.extend(unknown);
        }
        inventory.stores.push(store);
        Ok(inventory)
    }

    fn tells_lag(&self) -> bool {
        true
    }

    fn contribute(&self, resource: &Resource, draft: &mut PlanDraft<'_>) -> Result<()> {
        let spec = ElastiCacheGlobalSpec::of(resource)?;
        let goal = draft.goal().clone();
        // A rehearsal must leave the primary where it is.
        if goal.kind == GoalKind::Rehearsal {
            return Ok(());
        }
        let route = CacheRoute {
            datastore: spec.global_replication_group.clone(),
            from: spec.member(&goal.from)?.to_owned(),
            from_region: goal.from.clone(),
            to: spec.member(&goal.to)?.to_owned(),
            to_region: goal.to.clone(),
        };
        if goal.mode == Mode::Graceful {
            let wait = AwaitAssociated::new(self.clients.clone());
            draft
                .step("await-associated", &wait, &route)
                .title(format!("Wait until {} holds the primary's data", route.to))
                .phase(Phase::Freeze)
                .region(&route.to_region)
                .timeout(Duration::from_secs(2 * 3600))
                .estimate(Estimate::secs(60, 900));
        }
        let promote = PromoteCache::new(self.clients.clone());
        draft
            .step("promote", &promote, &route)
            .title(format!("Make {} in {} the primary of {}", route.to, route.to_region, route.datastore))
            .phase(Phase::Promote)
            .region(&route.to_region)
            .timeout(Duration::from_secs(10 * 60))
            .estimate(Estimate::secs(40, 120));
        Ok(())
    }

    fn steps(&self) -> Vec<Arc<dyn DynStep>> {
        vec![erase(PromoteCache::new(self.clients.clone())), erase(AwaitAssociated::new(self.clients.clone()))]
    }
}
