//! Traffic: what moves it, what keeps it there, and what clients find.

mod blast_radius;
mod certificate;
mod distribution;
mod drill;
mod eligibility;
mod health_check;
mod latch;
mod protection;
mod self_reference;
mod shallow;

pub(super) use blast_radius::SharedAlbBlastRadius;
pub(super) use certificate::CertBlind;
pub(super) use distribution::WriteBehaviourBehindOriginGroup;
pub(super) use drill::DrillDiffers;
pub(super) use eligibility::SecondaryIneligible;
pub(super) use health_check::{BareInvert, DisableMeansHealthy};
pub(super) use latch::{AutoDnsWithoutPromotion, NoLatch};
pub(super) use protection::ProtectedRecords;
pub(super) use self_reference::SelfReferentialCheck;
pub(super) use shallow::ShallowOrRedirectHealth;
