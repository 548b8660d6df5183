use std::{sync::Arc, time::Duration};

use super::{watchdog::Mark, window::Packed};
use crate::{
    probe::{HealthProbe, Outcome, ProbeCx, control::Control, look},
    time::{Monotonic, Timestamp},
};

/// A target as the schedule sees it.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) probe: Arc<dyn HealthProbe>,
    pub(super) control: Arc<Control>,
    pub(super) interval: Duration,
    /// Its vantage and region, by number.
    pub(super) lane: usize,
    pub(super) state: State,
    /// Whether something of it waits to be taken by the receiver.
    pub(super) unsent: bool,
}

/// Where the look at a target stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum State {
    /// Until its next turn.
    Idle,
    /// Its turn has come, and no slot is free.
    Waiting { due: Monotonic, round: u32 },
    /// A look is under way.
    Looking { due: Monotonic, round: u32, mark: Mark },
    /// A look has failed, and the control target is asked whether the observer is well.
    Vouching,
}

/// A task that has ended.
#[derive(Debug)]
pub(super) enum Done {
    /// A look.
    Looked { target: u32, began: Monotonic, ended: Moment, outcome: Outcome },
    /// A question to the control target about a look that failed.
    Vouched { target: u32, ended: Moment, outcome: Outcome, sample: Packed },
}

/// One moment, on both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) at: Monotonic,
    pub(super) wall: Timestamp,
}

impl Moment {
    pub(super) fn now(cx: &ProbeCx) -> Self {
        Self { at: cx.clock().monotonic(), wall: cx.clock().wall() }
    }
}

/// Looks once.
pub(super) async fn look_at(target: u32, probe: Arc<dyn HealthProbe>, cx: Arc<ProbeCx>) -> Done {
    let began = cx.clock().monotonic();
    let outcome = look(probe.as_ref(), &cx).await;
    Done::Looked { target, began, ended: Moment::now(&cx), outcome }
}

/// A look that failed counts when the control target was well all the while.
pub(super) async fn vouch(
    target: u32,
    (began, ended): (Monotonic, Moment),
    (outcome, sample): (Outcome, Packed),
    control: Arc<Control>,
    cx: Arc<ProbeCx>,
) -> Done {
    let outcome = match control.impaired_since(&cx, began).await {
        Some(reason) => Outcome::ObserverImpaired { reason },
        None => outcome,
    };
    Done::Vouched { target, ended, outcome, sample }
}
