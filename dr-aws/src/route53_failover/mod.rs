//! `aws.route53_failover`: a public name with a PRIMARY and a SECONDARY record, and the switch that moves it.
//!
//! Route 53 answers the secondary when the primary's health check is unhealthy, so whoever can flip that check moves
//! traffic. Two switches are offered:
//!
//! - **standby takes over** (the default): the primary's check is *inverted* and looks at an S3 object in the *standby*
//!   region. No object: primary. Object: secondary, until somebody deletes it. Throwing it is one `PutObject` in a
//!   healthy region: no control plane, nothing in the failed region, and it stays thrown (it is its own latch). AWS
//!   describes it as "standby takes over primary" (Networking blog, "Creating disaster recovery mechanisms using Amazon
//!   Route 53").
//! - **check inversion**: `UpdateHealthCheck` with `Disabled` *and* `Inverted`. Route 53's API lives in us-east-1, so it
//!   suits rehearsals with that region healthy; lint rule E02 refuses it in a plan that leaves us-east-1.
//!
//! Traps that the driver knows: `Disabled` alone makes a check *healthy*; `Inverted` alone depends on what the checkers
//! see at that moment; when both records are unhealthy Route 53 answers the *primary*; an alias record takes no TTL.

mod dns;
mod driver;
mod probe;
mod spec;
mod steps;
mod switch;
mod validations;
mod visit;

pub use dns::{Answer, DnsQuery};
pub use driver::Route53Failover;
pub use probe::PublicName;
pub use spec::{ConfirmSpec, FailoverRole, MemberSpec, RecordType, Route53FailoverSpec, SwitchSpec};
pub use steps::{
    AnswerEvidence, AwaitAnswer, AwaitAnswerParams, CheckImage, ConfirmWrite, ConfirmWriteParams, DrainCaches,
    DrainCachesParams, HoldLatch, InvertCheck, InvertCheckParams, ReleaseSwitch, StandbyServes, StandbyServesParams,
    SwitchParams, ThrowSwitch, WriteEvidence,
};
pub use validations::{PairIsWhole, SwitchIsArmed};
