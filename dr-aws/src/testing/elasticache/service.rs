use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use dr_core::model::{Plane, RegionId};
use http::{Request, Response};
use tokio::sync::watch;

use super::{Datastore, Filling, Group, Member, State, Timings, faults};
use crate::testing::{
    ApiFault, CallCx, Form, Operation, QueryProtocol, Refusal, Service, WorldCx, live_state::LiveState,
};

const PROTOCOL: QueryProtocol = QueryProtocol { namespace: "http://elasticache.amazonaws.com/doc/2015-02-02/" };

/// A new secondary follows this far behind.
const USUAL_LAG: Duration = Duration::from_millis(400);

/// The ElastiCache of a world. Clones share one.
///
/// ```
/// use std::sync::Arc;
/// use dr_aws::testing::{World, elasticache::DatastoreSetup};
/// use dr_core::{model::RegionId, time::ManualClock};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (us, eu) = (RegionId::new("us-east-1")?, RegionId::new("eu-west-1")?);
/// let world = World::builder(Arc::new(ManualClock::new())).region(us.clone()).region(eu.clone()).build();
/// let setup = DatastoreSetup::new("ldgnf-carts").member(us.clone(), "carts-use1").member(eu.clone(), "carts-euw1");
/// world.elasticache().create(&setup)?;
/// assert!(world.elasticache().is_writable(&us, "carts-use1"));
/// assert!(!world.elasticache().is_writable(&eu, "carts-euw1"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ElastiCache {
    live: LiveState<State>,
}

/// A Global Datastore to begin with, available at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatastoreSetup {
    /// Its identifier, with the prefix that AWS would have given it.
    pub id: String,
    /// Node type of all its nodes.
    pub node_type: String,
    /// Version of the engine.
    pub engine_version: String,
    /// Region and identifier of its replication groups; the first is the primary.
    pub members: Vec<(RegionId, String)>,
}

impl DatastoreSetup {
    /// A datastore, still without replication groups.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            node_type: "cache.r7g.large".to_owned(),
            engine_version: "7.1".to_owned(),
            members: Vec::new(),
        }
    }

    /// Adds a replication group; the first one added is the primary.
    #[must_use]
    pub fn member(mut self, region: RegionId, group: impl Into<String>) -> Self {
        self.members.push((region, group.into()));
        self
    }
}

impl ElastiCache {
    /// An ElastiCache without datastores, that lives by a world's clock, faults and effect log.
    #[must_use]
    pub fn new(cx: WorldCx) -> Self {
        let state = State::new(cx.account(), Timings::default());
        Self { live: LiveState::new(cx, state) }
    }

    /// The control plane's view at this moment.
    #[must_use]
    pub fn state(&self) -> Arc<State> {
        self.live.now()
    }

    /// Sees a new number whenever anything changes.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.live.changes()
    }

    /// Makes a datastore, available at once and without being counted as an effect.
    ///
    /// # Errors
    ///
    /// `InvalidParameterValue` for a name that is taken, two groups in one region, or more than three regions.
    pub fn create(&self, setup: &DatastoreSetup) -> Result<(), ApiFault> {
        self.live.change(|state, _, _| state.set_up(setup))
    }

    /// Sets how long things take from now on.
    pub fn set_timings(&self, timings: Timings) {
        let set = self.live.change(|state, _, _| {
            state.timings = timings;
            Ok::<(), std::convert::Infallible>(())
        });
        match set {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }

    /// Sets how far a region's secondary follows behind.
    ///
    /// # Errors
    ///
    /// `GlobalReplicationGroupNotFoundFault`, `ReplicationGroupNotFoundFault`.
    pub fn set_lag(&self, datastore: &str, secondary: &RegionId, lag: Duration) -> Result<(), ApiFault> {
        self.live.change(|state, _, _| {
            let found = state.datastore_mut(datastore)?;
            let member = found.members.iter_mut().find(|member| !member.is_primary && member.region == *secondary);
            member.ok_or_else(|| faults::group_not_found(secondary.as_str()))?.lag = lag;
            Ok(())
        })
    }

    /// The primary of a datastore, by role: whether it can be written to is [`is_writable`](Self::is_writable).
    #[must_use]
    pub fn primary(&self, datastore: &str) -> Option<(RegionId, String)> {
        let state = self.live.now();
        let primary = state.datastore(datastore).ok()?.primary()?;
        Some((primary.region.clone(), primary.group.clone()))
    }

    /// The seats of a datastore, and how many times its primary has changed.
    #[must_use]
    pub fn members(&self, datastore: &str) -> Option<(u64, Vec<Member>)> {
        let state = self.live.now();
        let found = state.datastore(datastore).ok()?;
        Some((found.epoch, found.members.clone()))
    }

    /// Whether a client that reaches a replication group in its region can write to it.
    #[must_use]
    pub fn is_writable(&self, region: &RegionId, group: &str) -> bool {
        self.live.serves(region, Plane::Data) && self.live.now().accepts_writes(region, group)
    }

    /// The `GlobalDatastoreReplicationLag` that a region publishes at this moment: the replication group and its lag.
    #[must_use]
    pub fn lag_metrics(&self, region: &RegionId) -> Vec<(String, Duration)> {
        self.live.now().lag_in(region, &|region, plane| self.live.serves(region, plane))
    }
}

impl State {
    /// Makes a datastore, available at once.
    ///
    /// # Errors
    ///
    /// `InvalidParameterValue` for a name that is taken, two groups in one region, or more than three regions.
    pub fn set_up(&mut self, setup: &DatastoreSetup) -> Result<(), ApiFault> {
        let id = setup.id.to_ascii_lowercase();
        let distinct: std::collections::BTreeSet<_> = setup.members.iter().map(|(region, _)| region).collect();
        if self.datastores.contains_key(&id) || distinct.len() != setup.members.len() || distinct.len() > 3 {
            return Err(ApiFault::invalid_value(format!(
                "Global datastore {id} exists already, or does not have one group in each of at most three Regions."
            )));
        }
        let mut members = Vec::new();
        for (index, (region, group)) in setup.members.iter().enumerate() {
            let group = group.to_ascii_lowercase();
            self.groups.insert(
                (region.clone(), group.clone()),
                Group { id: group.clone(), region: region.clone(), node_type: setup.node_type.clone(), nodes: 2 },
            );
            members.push(Member {
                region: region.clone(),
                group,
                is_primary: index == 0,
                lag: USUAL_LAG,
                filling: Filling::Done,
                wiped: 0,
            });
        }
        let datastore = Datastore {
            id: id.clone(),
            node_type: setup.node_type.clone(),
            engine_version: setup.engine_version.clone(),
            members,
            change: None,
            epoch: 0,
        };
        self.datastores.insert(id, datastore);
        Ok(())
    }
}

#[async_trait]
impl Service for ElastiCache {
    fn name(&self) -> &'static str {
        "elasticache"
    }

    fn identify(&self, request: &Request<Bytes>) -> Operation {
        Operation::control(Form::of(request).action().to_owned())
    }

    async fn call(&self, cx: &CallCx, request: Request<Bytes>) -> Response<Bytes> {
        let form = Form::of(&request);
        let state = if cx.age().is_some() { self.live.at(cx.now()) } else { self.live.now() };
        if let Some(described) = state.describe(cx.region(), &form) {
            return match described {
                Ok(result) => PROTOCOL.answer(cx, |_| result),
                Err(fault) => PROTOCOL.fault(&fault),
            };
        }
        let changed = self.live.change(|state, now, health| match state.change(cx.region(), &form, now, health) {
            Some(Ok((result, subject))) => {
                cx.applied(subject);
                Ok(result)
            }
            Some(Err(fault)) => Err(Some(fault)),
            None => Err(None),
        });
        match changed {
            Ok(result) => PROTOCOL.answer(cx, |_| result),
            Err(Some(fault)) => PROTOCOL.fault(&fault),
            Err(None) => PROTOCOL.refuse(&Refusal::NotImplemented(cx.operation().to_owned())),
        }
    }

    fn refuse(&self, _request: &Request<Bytes>, why: &Refusal) -> Response<Bytes> {
        PROTOCOL.refuse(why)
    }
}
