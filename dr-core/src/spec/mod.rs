//! `dr.yaml`, the one file a user writes.
//!
//! Text becomes a tree in which every key and value knows its place; variables (`${NAME}`, `${NAME:-default}`) are put
//! in; the tree is judged by the JSON Schema that is generated from the very types below, and each resource's `spec:`
//! by its driver's; then come the checks that no schema can express. Whatever is wrong is reported at once, in the
//! order of the file, each with line, column and what to write instead, and a [`Spec`] comes out only when nothing is.
//!
//! Durations are whole numbers with the units `d`, `h`, `m`, `s`, `ms`, longest first: `10s`, `5m`, `1h30m`.

mod asking;
mod check;
mod conform;
mod cursor;
mod decision;
mod detection;
mod document;
pub(crate) mod duration;
mod environment;
mod finding;
mod loader;
mod nearest;
mod node;
mod objective;
mod operation;
mod opinion;
mod place;
mod probe;
mod read_as;
mod resource;
mod schema;
mod service;
#[cfg(test)]
mod tests;
mod waiver;
mod yaml;

pub use asking::{LikeSpec, MethodSpec, RedirectScope, RedirectsSpec, RequestSpec, TlsSpec};
pub use decision::{ConditionKind, ConditionSpec, DecisionSpec, PrewarmSpec, WindowSpec};
pub use detection::{DampingSpec, DetectionSpec, ObserverSpec, SuspicionSpec};
pub use document::Spec;
pub use duration::{InvalidDuration, format_duration, parse_duration};
pub use finding::{SpecErrors, SpecFinding};
pub use loader::SpecLoader;
pub use objective::{ObjectivesSpec, RecoveredSpec};
pub use operation::{Approval, ApprovalsSpec, JournalPlace, JournalSpec, JournalStore, RunnerSpec, TimeoutsSpec};
pub use opinion::OpinionSpec;
pub use place::{APPLICATION_ENDPOINT, RegionSpec};
#[cfg(feature = "net")]
pub(crate) use probe::host_of;
pub use probe::{ExpectSpec, ProbeKind, ProbeSpec, ProbeTarget, ReadBackSpec, ThresholdSpec};
pub(crate) use read_as::read_as;
pub use resource::ResourceSpec;
pub use schema::json_schema;
pub use service::{ReplicasSpec, ServiceSpec};
pub use waiver::Waiver;
