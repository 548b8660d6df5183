//! Facts: what was seen of the world before planning, in words that lint understands whatever the provider.
//!
//! Absent means unknown, never zero: a rule that needs an absent fact says that it could not judge, and guesses nothing.
//! Drivers fill in what they see; an embedder adds what its own tools know. One family of facts a file.

mod access;
mod api_rate;
mod backup;
mod bucket;
mod capacity;
mod certificate;
mod dependency;
mod distribution;
mod health_check;
mod image;
mod inventory;
mod load_balancer;
mod store;
mod traffic;
mod workload;
mod zone;

pub use access::AccessFact;
pub use api_rate::ApiRateFact;
pub use backup::{BackupFact, ClusterFact, VolumeCopy};
pub use bucket::BucketFact;
pub use capacity::CapacityFact;
pub use certificate::CertificateFact;
pub use dependency::{DependencyFact, DependencyKind};
pub use distribution::{BehaviourFact, DistributionFact};
pub use health_check::{AnsweredBy, CheckProtocol, HealthCheckFact};
pub use image::ImageFact;
pub use inventory::Inventory;
pub use load_balancer::{ListenerFact, LoadBalancerFact, TargetGroupFact, TlsVersion};
pub use store::{LagSource, LossBound, RpoParameter, StoreFact, StoreKind, StoreMember};
pub use traffic::{AliasFact, CheckFact, RecordFact, RecordRole, TrafficFact};
pub use workload::{WorkloadFact, WorkloadOwner};
pub use zone::{ProtectedRecord, ZoneFact};
