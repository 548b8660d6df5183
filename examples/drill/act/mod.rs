//! The acts of a drill, in order. Each can be begun again from its start, which is what a resume does.

mod break_region;
mod decide;
mod detect;
mod plan;
mod repair;
mod report;
mod run;
mod settle;
mod steady;
mod warm;

pub(crate) use break_region::{break_region, story};
pub(crate) use detect::detect;
pub(crate) use plan::{plan_failback, plan_failover};
pub(crate) use repair::repair;
pub(crate) use report::report;
pub(crate) use run::{failback, failover};
pub(crate) use settle::settle;
pub(crate) use steady::steady;
