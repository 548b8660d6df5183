//! What regions show and where a name leads, against real sockets on the loopback, the hostile kinds included.
//!
//! Nothing here measures time: limits that have to pass are short, limits that must not pass are long, and what is judged
//! by the calendar is judged on a clock that the test sets.

mod certificate;
mod dns;
mod name_server;
mod transaction;
mod watched;

use std::{sync::Arc, time::Duration};

use dr_core::{
    model::VantageId,
    probe::{HealthProbe, ProbeCx, Reading, Subject},
    time::{ManualClock, SystemClock, Timestamp},
};
use serde_json::json;

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(300);

fn subject() -> Subject {
    Subject::infrastructure("names".parse().unwrap(), "us-east-1".parse().unwrap())
}

fn office() -> VantageId {
    "office".parse().unwrap()
}

/// On a clock whose time passes.
async fn look(probe: &dyn HealthProbe) -> Reading {
    probe.probe(&ProbeCx::new(Arc::new(SystemClock::new()))).await.unwrap()
}

/// At a moment of the calendar, at which time stands still.
async fn look_at(probe: &dyn HealthProbe, moment: &str) -> Reading {
    let moment: Timestamp = serde_json::from_value(json!(moment)).unwrap();
    let clock = ManualClock::new();
    clock.advance(moment.since(Timestamp::UNIX_EPOCH));
    probe.probe(&ProbeCx::new(Arc::new(clock))).await.unwrap()
}
