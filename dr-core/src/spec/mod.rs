//! `dr.yaml`, the one file a user writes.
mod detection;
mod document;
mod duration;
mod objective;
mod operation;
mod place;
mod probe;
mod resource;
mod service;
mod waiver;

pub use detection::{DetectionSpec, ObserverSpec};
pub use document::Spec;
pub use duration::{InvalidDuration, format_duration, parse_duration};
pub use objective::ObjectivesSpec;
pub use operation::{Approval, ApprovalsSpec, JournalSpec, JournalStore, RunnerSpec, TimeoutsSpec};
pub use place::{APPLICATION_ENDPOINT, RegionSpec};
pub use probe::{ExpectSpec, ProbeKind, ProbeSpec, ProbeTarget, ThresholdSpec};
pub use resource::ResourceSpec;
pub use service::{ReplicasSpec, ServiceSpec};
pub use waiver::Waiver;
