//! An AWS of two or more regions that lives in this process, for tests, rehearsals and the lab.
//!
//! A [`World`] holds the few operations of Route 53, Aurora, ElastiCache, S3 and CloudWatch that a regional failover
//! turns on, with the semantics and the timings that AWS documents, over the services' own wire protocols. There are
//! two ways in, and both go through one dispatcher, faults included:
//!
//! - [`World::http_client`] gives the Rust SDK a connector, with no socket in between;
//! - [`World::serve`] listens on loopback, so that boto3, the AWS CLI or any other client is an ordinary one.
//!
//! The shared [`FaultBoard`](dr_core::testing::FaultBoard) decides before each call what goes wrong with it, and the
//! shared [`EffectLog`](dr_core::testing::EffectLog) receives each change at the moment at which it is applied.
//!
//! What it is not: signatures are read for the name of the service and are otherwise not verified (any credentials do,
//! and they are never logged); there is no IAM; an operation that is not here answers an error that says so by name.
//!
//! To add a service, implement [`Service`] and give the world its model; [`History`] answers stale reads.

mod api_fault;
mod call;
pub mod cloudwatch;
mod connector;
mod dispatch;
pub mod elasticache;
mod history;
mod live_state;
mod query;
mod query_params;
pub mod rds;
pub mod route53;
pub mod s3;
mod scope;
mod server;
mod service;
mod world;
mod xml;

pub use api_fault::ApiFault;
pub use call::{CallCx, WorldCx};
pub use connector::WorldHttpClient;
pub use history::History;
pub use live_state::Health;
pub use query::{Form, QueryProtocol};
pub use server::Endpoint;
pub use service::{Access, Operation, Refusal, Service};
pub use world::{World, WorldBuilder};
pub use xml::{Element, MalformedXml};
