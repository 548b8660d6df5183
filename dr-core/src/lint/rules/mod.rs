//! The rules, one file a family.

mod budget;
mod control_plane;
mod data_first;
mod executor;
mod fencing;
mod health_check;
mod latch;
mod observers;
mod promotion;
mod unbounded;

use std::sync::Arc;

use super::Rule;

/// Every rule, by number.
pub(super) fn all() -> Vec<Arc<dyn Rule>> {
    vec![
        Arc::new(control_plane::ControlPlaneInFailedRegion),
        Arc::new(control_plane::Route53WhenUsEast1Fails),
        Arc::new(health_check::DisableMeansHealthy),
        Arc::new(health_check::BareInvert),
        Arc::new(data_first::TrafficBeforeData),
        Arc::new(latch::AutoDnsWithoutPromotion),
        Arc::new(latch::NoLatch),
        Arc::new(fencing::NoFenceBeforePromote),
        Arc::new(promotion::WrongEndpointRegion),
        Arc::new(promotion::SwitchoverInDisaster),
        Arc::new(promotion::TargetNotArn),
        Arc::new(executor::ExecutorInFailedRegion),
        Arc::new(budget::RtoBudget),
        Arc::new(unbounded::UnboundedStep),
        Arc::new(observers::ObserverQuorum),
    ]
}
