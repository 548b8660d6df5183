//! The rules, a folder a subject.

mod backup;
mod capacity;
mod control_plane;
mod data;
mod run;
mod traffic;

use std::sync::Arc;

use super::Rule;

/// Every rule, by number.
pub(super) fn all() -> Vec<Arc<dyn Rule>> {
    vec![
        Arc::new(control_plane::ControlPlaneInFailedRegion),
        Arc::new(control_plane::Route53WhenUsEast1Fails),
        Arc::new(traffic::DisableMeansHealthy),
        Arc::new(traffic::BareInvert),
        Arc::new(data::TrafficBeforeData),
        Arc::new(traffic::AutoDnsWithoutPromotion),
        Arc::new(traffic::NoLatch),
        Arc::new(data::NoFenceBeforePromote),
        Arc::new(data::WrongEndpointRegion),
        Arc::new(data::SwitchoverInDisaster),
        Arc::new(data::TargetNotArn),
        Arc::new(data::HeadlessTarget),
        Arc::new(data::EngineSkew),
        Arc::new(data::DetachWithoutOldPrimaryGuard),
        Arc::new(control_plane::CreatesDnsDuringFailover),
        Arc::new(control_plane::IamMutationInPlan),
        Arc::new(data::FailedRegionDataDependency),
        Arc::new(run::ExecutorInFailedRegion),
        Arc::new(traffic::SecondaryIneligible),
        Arc::new(traffic::SelfReferentialCheck),
        Arc::new(traffic::ProtectedRecords),
        Arc::new(control_plane::DiscoveryAtFailover),
        Arc::new(data::CacheReadonly),
        Arc::new(backup::RestoreSource),
        Arc::new(backup::PvCrossRegion),
        Arc::new(run::NoBeforeImage),
        Arc::new(capacity::HpaOwnerConflict),
        Arc::new(capacity::HpaZero),
        Arc::new(traffic::SharedAlbBlastRadius),
        Arc::new(traffic::CertBlind),
        Arc::new(traffic::ShallowOrRedirectHealth),
        Arc::new(run::RtoBudget),
        Arc::new(data::RpoBudget),
        Arc::new(data::RpoParamOnSecondary),
        Arc::new(control_plane::ApiRate),
        Arc::new(run::UnboundedStep),
        Arc::new(run::ObserverQuorum),
        Arc::new(run::AutoFailback),
        Arc::new(traffic::WriteBehaviourBehindOriginGroup),
        Arc::new(capacity::CapacityNotReserved),
        Arc::new(capacity::ImageMissing),
        Arc::new(data::OneWayS3),
        Arc::new(traffic::DrillDiffers),
    ]
}
