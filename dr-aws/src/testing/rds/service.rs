use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use dr_core::model::RegionId;
use http::{Request, Response};
use std::sync::Arc;
use tokio::sync::watch;

use super::{LagMetric, State, Timings};
use crate::testing::{CallCx, Form, Operation, QueryProtocol, Refusal, Service, WorldCx, live_state::LiveState};

const PROTOCOL: QueryProtocol = QueryProtocol { namespace: "http://rds.amazonaws.com/doc/2014-10-31/" };

/// The RDS of a world. Clones share one.
///
/// ```
/// use std::sync::Arc;
/// use dr_aws::testing::{World, rds::GlobalSetup};
/// use dr_core::{model::RegionId, time::ManualClock};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (us, eu) = (RegionId::new("us-east-1")?, RegionId::new("eu-west-1")?);
/// let world = World::builder(Arc::new(ManualClock::new())).region(us.clone()).region(eu.clone()).build();
/// let setup = GlobalSetup::postgres("orders").member(us.clone(), "orders-use1").member(eu.clone(), "orders-euw1");
/// world.rds().create(&setup)?;
/// assert_eq!(world.rds().writer("orders").map(|(region, _)| region), Some(us.clone()));
/// assert!(world.rds().is_writable(&us, "orders-use1"));
/// assert!(!world.rds().is_writable(&eu, "orders-euw1"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Rds {
    live: LiveState<State>,
}

impl Rds {
    /// An RDS without databases, that lives by a world's clock, faults and effect log.
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

    /// Sees a new number whenever anything changes: follow it to play the database.
    ///
    /// A region's data plane can stop without a change of any state here; watch the fault board for that.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.live.changes()
    }

    /// The lag metrics that a region publishes at this moment: the metric, `DBClusterIdentifier`, and the lag.
    #[must_use]
    pub fn lag_metrics(&self, region: &RegionId) -> Vec<(LagMetric, String, Duration)> {
        let state = self.live.now();
        let rows = state.lag_in(region, &|region, plane| self.live.serves(region, plane));
        LagMetric::ALL
            .into_iter()
            .flat_map(|metric| rows.iter().map(move |(cluster, lag)| (metric, cluster.clone(), *lag)))
            .collect()
    }

    pub(super) fn live(&self) -> &LiveState<State> {
        &self.live
    }
}

#[async_trait]
impl Service for Rds {
    fn name(&self) -> &'static str {
        "rds"
    }

    fn identify(&self, request: &Request<Bytes>) -> Operation {
        Operation::control(Form::of(request).action().to_owned())
    }

    async fn call(&self, cx: &CallCx, request: Request<Bytes>) -> Response<Bytes> {
        let form = Form::of(&request);
        let wall = |moment| self.live.wall(moment);
        let state = if cx.age().is_some() { self.live.at(cx.now()) } else { self.live.now() };
        if let Some(described) = state.describe(cx.region(), &form, cx.now(), &wall) {
            return match described {
                Ok(result) => PROTOCOL.answer(cx, |_| result),
                Err(fault) => PROTOCOL.fault(&fault),
            };
        }
        let changed =
            self.live.change(|state, now, health| match state.change(cx.region(), &form, now, health, &wall) {
                Some(Ok(changed)) => {
                    cx.applied(changed.subject);
                    Ok(changed.result)
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
