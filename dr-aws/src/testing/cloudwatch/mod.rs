//! CloudWatch metrics: a store for each region, and the three wire protocols in which clients ask for them.
//!
//! A metric lives in its region and can be read at that region's endpoint only: when the region is gone, its lag
//! metrics are gone with it. Metrics come from `PutMetricData`, from [`CloudWatch::put_metric`], or from a source
//! ([`CloudWatch::add_source`]) that is asked once a minute, when somebody reads.
//!
//! The Rust SDK and boto3 speak Smithy's RPC v2 in CBOR; older clients speak JSON 1.0 or the query protocol.

mod alarm;
mod metric;
mod model;
mod protocol;
mod service;
mod store;

pub use alarm::{Alarm, AlarmValue};
pub use metric::{Datum, MetricId};
pub use model::CloudWatch;
pub use service::CloudWatchService;
