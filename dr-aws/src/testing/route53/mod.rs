//! Route 53: hosted zones, failover records and health checks, with their data plane.
//!
//! The API ([`Route53Service`]) has its control plane in `us-east-1`, wherever it is called from. Answers and health
//! ([`Route53`]) need no API: a DNS server asks [`Route53::answer`], and health checkers report to
//! [`Route53::observe`], as Route 53's data planes go on when its control plane is gone.
//!
//! Traps that are modelled, because plans fall into them: a disabled check counts as healthy; inverting a check that is
//! truly unhealthy makes it healthy; both records unhealthy answers the primary; a record change is not visible before
//! it is `INSYNC`; and the API takes five requests a second, per account.

mod answer;
mod change;
mod check;
mod health;
mod model;
mod record;
mod service;
mod state;
mod throttle;
mod wire;

pub use answer::{Answer, Resolution};
pub use change::{Change, ChangeAction, InvalidBatch};
pub use check::{CheckConfig, CheckConfigError, CheckType, HealthCheck};
pub use health::CheckResult;
pub use model::Route53;
pub use record::{AliasTarget, FailoverRole, RecordSet, domain_name};
pub use service::Route53Service;
pub use state::HostedZone;
