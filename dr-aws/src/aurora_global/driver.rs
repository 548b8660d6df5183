use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use dr_core::{
    driver::{Driver, Operation, SurveyCx},
    error::{Effect, Error, ErrorKind, Result},
    model::{InvalidId, ProbeId, RegionId, Resource, ResourceKind, VantageId},
    plan::{Estimate, GoalKind, Inventory, LagSource, Mode, Phase, StoreFact, StoreKind, StoreMember, Ungraceful},
    planner::PlanDraft,
    probe::{HealthProbe, Subject},
    step::{DynStep, erase},
    time::Timestamp,
    validation::Validation,
};
use futures::future::join_all;
use schemars::Schema;

use super::{
    AssessFence, AuroraGlobalSpec, AwaitRejoin, Detach, HandOver, HeadlessTarget, LagProbe, LagWithinRpo, Promote,
    Route, StatusProbe, Switchover, Synchronized, VersionSkew, WhenUngraceful,
    api::Api,
    operations,
    validations::Checked,
    view::{GlobalView, major_minor},
};
use crate::{Clients, arn::Arn};

/// How often CloudWatch has a sample of the lag. A sample's time is the beginning of its period.
const LAG_PERIOD: Duration = Duration::from_secs(60);

/// The driver of `aws.aurora_global`.
///
/// ```
/// use std::sync::Arc;
/// use dr_aws::{Clients, aurora_global::AuroraGlobal};
/// use dr_core::{driver::{Driver, DriverRegistry}, time::SystemClock};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clients = Clients::builder(Arc::new(SystemClock::new())).build();
/// let mut drivers = DriverRegistry::new();
/// drivers.register(Arc::new(AuroraGlobal::new(clients)))?;
/// assert_eq!(drivers.steps()?.kinds().count(), 6);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct AuroraGlobal {
    clients: Clients,
    api: Api,
    vantage: Option<VantageId>,
}

impl AuroraGlobal {
    /// The kind that `dr.yaml` writes.
    pub const KIND: ResourceKind = ResourceKind::from_static("aws.aurora_global");

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
        arn: &Arn,
        global: Option<&GlobalView>,
        now: Timestamp,
    ) -> (StoreMember, Vec<String>) {
        let mut unknown = Vec::new();
        let mut note = |error: Error| unknown.push(format!("{arn}: {error}"));
        let cluster = self.api.cluster(region, arn).await.map_err(&mut note).ok();
        // A region that did not answer once is not asked again: each call would wait for its deadline.
        let (instances, lag) = match cluster {
            None => (None, None),
            Some(_) => (
                self.api.available_instances(region, arn).await.map_err(&mut note).ok(),
                self.api.last_lag(region, arn, now).await.map_err(&mut note).ok(),
            ),
        };
        let seat = global.and_then(|global| global.member(arn));
        let writer = seat.map(|seat| seat.is_writer);
        let follows = writer == Some(false);
        let member = StoreMember {
            writer,
            available_instances: instances,
            engine_version: cluster.and_then(|cluster| cluster.engine_version),
            synchronised: seat.and_then(|seat| seat.sync.as_deref().map(|sync| sync == "connected")),
            lag: lag.flatten().filter(|_| follows).map(|sample| sample.lag),
            lag_source: lag.filter(|_| follows).map(|sample| LagSource::Sampled {
                period: LAG_PERIOD,
                age: sample.map(|sample| now.since(sample.at).saturating_sub(LAG_PERIOD)),
            }),
            ..StoreMember::new(region.clone(), arn.as_str())
        };
        (member, unknown)
    }

    fn checked(&self, resource: &Resource) -> Result<Checked> {
        Ok(Checked { api: self.api.clone(), resource: resource.id.clone(), spec: AuroraGlobalSpec::of(resource)? })
    }

    fn fail_over(&self, resource: &Resource, route: &Route, draft: &mut PlanDraft<'_>) -> Result<()> {
        let skewed = skew(draft.inventory().store(&resource.id), route);
        let fence = AssessFence::new(self.clients.clone());
        draft
            .step("assess-fence", &fence, route)
            .title(format!("Establish what keeps {} from writing", name(&route.from)))
            // Not of the fence phase: it stops nobody, and must not pass for a step that does.
            .phase(Phase::Freeze)
            .region(&route.to_region)
            .timeout(Duration::from_secs(30))
            .estimate(Estimate::secs(1, 3));
        match skewed {
            None => {
                let promote = Promote::new(self.clients.clone());
                draft
                    .step("promote", &promote, route)
                    .title(format!(
                        "Promote {} in {}, losing what was not replicated",
                        name(&route.to),
                        route.to_region
                    ))
                    .phase(Phase::Promote)
                    .region(&route.to_region)
                    .timeout(Duration::from_secs(15 * 60))
                    .estimate(Estimate::secs(60, 120));
            }
            Some(why) => {
                let detach = Detach::new(self.clients.clone());
                draft
                    .step("detach", &detach, route)
                    .title(format!("Detach {} in {} from the global database: {why}", name(&route.to), route.to_region))
                    .phase(Phase::Promote)
                    .region(&route.to_region)
                    .timeout(Duration::from_secs(15 * 60))
                    .estimate(Estimate::secs(45, 120));
            }
        }
        Ok(())
    }

    fn switch_over(&self, resource: &Resource, route: &Route, failback: bool, draft: &mut PlanDraft<'_>) -> Result<()> {
        if let Some(why) = skew(draft.inventory().store(&resource.id), route) {
            return Err(unreachable_goal(format!("a switchover needs equal engine versions: {why}")));
        }
        if failback {
            let rejoin = AwaitRejoin::new(self.clients.clone());
            draft
                .step("await-rejoin", &rejoin, route)
                .title(format!("Wait until {} follows the primary again", name(&route.to)))
                .phase(Phase::Freeze)
                .region(&route.to_region)
                .timeout(Duration::from_secs(4 * 3600))
                .estimate(Estimate::secs(300, 3600));
        }
        let title = format!("Hand the writer over from {} to {}", route.from_region, route.to_region);
        let step = match AuroraGlobalSpec::of(resource)?.ungraceful {
            None => draft.step("switchover", &Switchover::new(self.clients.clone()), route),
            Some(WhenUngraceful::Failover) => {
                let hand_over = HandOver::new(self.clients.clone());
                draft.step("hand-over", &hand_over, route).ungraceful(Ungraceful::Force)
            }
        };
        step.title(title)
            .phase(Phase::Promote)
            .region(&route.from_region)
            .timeout(Duration::from_secs(15 * 60))
            .estimate(Estimate::secs(45, 120));
        Ok(())
    }
}

#[async_trait]
impl Driver for AuroraGlobal {
    fn kind(&self) -> ResourceKind {
        Self::KIND
    }

    fn schema(&self) -> Schema {
        schemars::schema_for!(AuroraGlobalSpec)
    }

    fn operations(&self) -> &'static [Operation] {
        &operations::ALL
    }

    fn probes(&self, resource: &Resource) -> Result<Vec<Arc<dyn HealthProbe>>> {
        let spec = AuroraGlobalSpec::of(resource)?;
        let invalid =
            |error: InvalidId| Error::new(ErrorKind::Invalid, error.to_string()).with_effect(Effect::NotApplied);
        let probe_id = |what: &str| ProbeId::new(format!("{}/{what}", resource.id)).map_err(invalid);
        let vantage = match &self.vantage {
            Some(vantage) => vantage.clone(),
            None => "here".parse().map_err(invalid)?,
        };
        let mut probes: Vec<Arc<dyn HealthProbe>> = Vec::new();
        for (region, cluster) in &spec.clusters {
            probes.push(Arc::new(StatusProbe {
                api: self.api.clone(),
                subject: Subject::infrastructure(probe_id("status")?, region.clone()),
                vantage: vantage.clone(),
                cluster: cluster.clone(),
            }));
            probes.push(Arc::new(LagProbe {
                api: self.api.clone(),
                subject: Subject::infrastructure(probe_id("lag")?, region.clone()),
                vantage: vantage.clone(),
                global_cluster: spec.global_cluster.clone(),
                cluster: cluster.clone(),
                max_lag: spec.max_lag(),
            }));
        }
        Ok(probes)
    }

    fn validations(&self, resource: &Resource) -> Result<Vec<Arc<dyn Validation>>> {
        let checked = self.checked(resource)?;
        Ok(vec![
            Arc::new(HeadlessTarget(checked.clone())),
            Arc::new(VersionSkew(checked.clone())),
            Arc::new(Synchronized(checked.clone())),
            Arc::new(LagWithinRpo(checked)),
        ])
    }

    async fn survey(&self, resource: &Resource, cx: &SurveyCx<'_>) -> Result<Inventory> {
        let spec = AuroraGlobalSpec::of(resource)?;
        let now = cx.clock.wall();
        let mut inventory = Inventory::default();
        let regions = spec.clusters.keys();
        let looks = join_all(regions.map(|region| self.api.global(region, &spec.global_cluster))).await;
        let mut global = None;
        for (region, look) in spec.clusters.keys().zip(looks) {
            match look {
                Ok(view) => global = global.or(Some(view)),
                Err(error) => inventory.unknown.push(format!("{} from {region}: {error}", spec.global_cluster)),
            }
        }
        let members =
            join_all(spec.clusters.iter().map(|(region, arn)| self.member(region, arn, global.as_ref(), now))).await;
        let mut store = StoreFact::new(resource.id.clone(), true);
        store.kind = Some(StoreKind::Database);
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
        let spec = AuroraGlobalSpec::of(resource)?;
        let goal = draft.goal().clone();
        let route = Route {
            global_cluster: spec.global_cluster.clone(),
            from: spec.cluster(&goal.from)?.clone(),
            from_region: goal.from.clone(),
            to: spec.cluster(&goal.to)?.clone(),
            to_region: goal.to.clone(),
        };
        let store = draft.inventory().store(&resource.id);
        if store.and_then(|store| store.member(&goal.to)).is_some_and(|member| member.available_instances == Some(0)) {
            return Err(unreachable_goal(format!("{} has no available instance to promote: add one first", route.to)));
        }
        match (goal.kind, goal.mode) {
            // A rehearsal must leave the writer where it is.
            (GoalKind::Rehearsal, _) => Ok(()),
            (_, Mode::Ungraceful) => self.fail_over(resource, &route, draft),
            (kind, Mode::Graceful) => self.switch_over(resource, &route, kind == GoalKind::Failback, draft),
        }
    }

    fn steps(&self) -> Vec<Arc<dyn DynStep>> {
        vec![
            erase(AssessFence::new(self.clients.clone())),
            erase(Promote::new(self.clients.clone())),
            erase(Switchover::new(self.clients.clone())),
            erase(HandOver::new(self.clients.clone())),
            erase(Detach::new(self.clients.clone())),
            erase(AwaitRejoin::new(self.clients.clone())),
        ]
    }
}

/// Why a managed switchover or failover would be refused; none when the versions agree or are unknown.
fn skew(store: Option<&StoreFact>, route: &Route) -> Option<String> {
    let version = |region: &RegionId| store?.member(region)?.engine_version.as_deref();
    let (from, to) = (version(&route.from_region)?, version(&route.to_region)?);
    (major_minor(from) != major_minor(to))
        .then(|| format!("{} runs {from} and {} runs {to}", name(&route.from), name(&route.to)))
}

fn name(arn: &Arn) -> &str {
    arn.id_of("cluster").unwrap_or(arn.as_str())
}

fn unreachable_goal(message: String) -> Error {
    Error::new(ErrorKind::PreconditionFailed, message).with_effect(Effect::NotApplied)
}
