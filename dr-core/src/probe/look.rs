use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;

use super::{HealthProbe, Outcome, ProbeCx};
use crate::error::{Effect, Error, ErrorKind};

/// Looks once, and says what came of it. A probe that panics could not look.
pub(crate) async fn look(probe: &dyn HealthProbe, cx: &ProbeCx) -> Outcome {
    match AssertUnwindSafe(probe.probe(cx)).catch_unwind().await {
        Ok(Ok(reading)) => Outcome::Looked(reading),
        Ok(Err(error)) => Outcome::CouldNotLook(error.into()),
        Err(_) => {
            let error = Error::new(ErrorKind::Internal, "the probe panicked").with_effect(Effect::NotApplied);
            Outcome::CouldNotLook(error.into())
        }
    }
}
