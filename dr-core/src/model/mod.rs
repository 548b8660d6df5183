//! The nouns: regions, planes, resources, services, objectives, and the names of things.

mod id;
mod objective;
mod plane;
mod region;
mod resource;

pub use id::{
    ApplicationId, Epoch, InvalidId, OwnerId, ProbeId, RegionId, RequestToken, ResourceId, RunId, SafetyRuleId,
    ServiceId, StepId, VantageId,
};
pub use objective::Objectives;
pub use plane::Plane;
pub use region::{Region, RegionRole};
pub use resource::{Resource, ResourceKind};
