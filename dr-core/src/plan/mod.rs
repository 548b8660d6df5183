//! Plans: immutable, serialisable, content-addressed descriptions of everything a run will do.
//!
//! A plan made by the planner, by hand or in Python is the same type. It is checked when it is built
//! ([`PlanBuilder::build`] reports every problem at once) and judged by [`crate::lint`] before it runs.

mod arg;
mod builder;
mod call;
mod canonical;
mod check;
mod child;
mod diff;
mod digest;
mod gate;
mod goal;
mod group;
mod group_draft;
mod invalid;
mod inventory;
mod membership;
mod names;
mod order;
mod phase;
mod plan;
mod prewarm;
mod recovery;
mod render;
mod return_point;
mod safety;
#[cfg(test)]
mod tests;
mod timeline;
mod ungraceful;

pub use arg::{Arg, OUTPUT_KEY, OutputOf, references, resolve};
pub use builder::{PlanBuilder, StepDraft};
pub use call::Call;
pub(crate) use canonical::canonical;
pub use diff::{Change, Changed, PlanDiff, diff};
pub use digest::PlanDigest;
pub use gate::Gate;
pub use goal::{Goal, GoalKind, Mode};
pub use group::{Group, GroupKind};
pub use group_draft::GroupDraft;
pub use invalid::{InvalidPlan, PlanProblem};
pub use inventory::{
    AccessFact, AliasFact, AnsweredBy, ApiRateFact, BackupFact, BehaviourFact, BucketFact, CapacityFact,
    CertificateFact, CheckFact, CheckProtocol, ClusterFact, DependencyFact, DependencyKind, DistributionFact,
    HealthCheckFact, ImageFact, Inventory, LagSource, ListenerFact, LoadBalancerFact, LossBound, ProtectedRecord,
    RecordFact, RecordRole, RpoParameter, StoreFact, StoreKind, StoreMember, TargetGroupFact, TlsVersion, TrafficFact,
    VolumeCopy, WorkloadFact, WorkloadOwner, ZoneFact,
};
pub use phase::Phase;
pub use plan::{Estimate, Plan, PlanStep, RetryPolicy};
pub use recovery::RecoveryGoal;
pub use render::{to_dot, to_text};
pub use safety::{SafetyKind, SafetyRule, Selection};
pub use timeline::{Expected, ExpectedTimeline, to_timeline_text};
pub use ungraceful::Ungraceful;
