//! One engine at a time.

use super::{Evidence, Invariant, Violation};
use crate::sim::history::What;

pub(super) fn check(evidence: &Evidence<'_>, found: &mut Vec<Violation>) {
    for (at, what) in evidence.history {
        // A call that was sent while the lease ran may arrive when it does no more: it was one engine's all the same.
        // A call that is sent later is not.
        if let What::Called(call) = what
            && call.writes
            && call.epoch != call.current
        {
            let step = evidence.step_name(call.step);
            let what = format!(
                "{} changes the world for {step} under epoch {}, but the lease has epoch {}",
                call.who, call.epoch, call.current
            );
            found.push(Violation { invariant: Invariant::OneEngineActs, at: *at, what });
        }
    }
}
