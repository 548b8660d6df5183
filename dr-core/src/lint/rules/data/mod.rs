//! Data: that it is where clients are sent, and that nobody else writes it.

mod buckets;
mod cache;
mod dependency;
mod detach;
mod engine_skew;
mod fencing;
mod headless;
mod order;
mod promotion;
mod rpo;

pub(super) use buckets::OneWayS3;
pub(super) use cache::CacheReadonly;
pub(super) use dependency::FailedRegionDataDependency;
pub(super) use detach::DetachWithoutOldPrimaryGuard;
pub(super) use engine_skew::EngineSkew;
pub(super) use fencing::NoFenceBeforePromote;
pub(super) use headless::HeadlessTarget;
pub(super) use order::TrafficBeforeData;
pub(super) use promotion::{SwitchoverInDisaster, TargetNotArn, WrongEndpointRegion};
pub(super) use rpo::{RpoBudget, RpoParamOnSecondary};
