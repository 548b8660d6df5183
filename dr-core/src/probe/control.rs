use std::sync::{Arc, Mutex, PoisonError};

use super::{HealthProbe, Outcome, ProbeCx, look};
use crate::time::Monotonic;

/// An observer's control target: something known to be well, and in neither of the regions judged.
///
/// An observer that cannot reach it is impaired: what it fails to see elsewhere says nothing of elsewhere.
#[derive(Debug)]
pub(super) struct Control {
    probe: Arc<dyn HealthProbe>,
    /// Held during a look, so that many who ask share one.
    latest: tokio::sync::Mutex<Latest>,
    /// Why the last look failed, for who does not wait.
    impaired: Mutex<Option<String>>,
}

#[derive(Debug, Default)]
struct Latest {
    /// When the latest look began, and why it failed.
    look: Option<(Monotonic, Option<String>)>,
    /// When the first good look after a bad one began, and why the bad one had failed.
    recovered: Option<(Monotonic, String)>,
}

impl Control {
    pub(super) fn new(probe: Arc<dyn HealthProbe>) -> Self {
        Self { probe, latest: tokio::sync::Mutex::default(), impaired: Mutex::new(None) }
    }

    /// Why the observer was impaired when its control target was last looked at.
    pub(super) fn impaired(&self) -> Option<String> {
        self.impaired.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why the observer was impaired at some moment from `since` on, as far as a look that began no earlier can tell.
    pub(super) async fn impaired_since(&self, cx: &ProbeCx, since: Monotonic) -> Option<String> {
        let mut latest = self.latest.lock().await;
        if latest.look.as_ref().is_none_or(|(began, _)| *began < since) {
            let began = cx.clock().monotonic();
            let impaired = match look(self.probe.as_ref(), cx).await {
                Outcome::Looked(reading) if reading.is_healthy() => None,
                outcome => Some(format!("cannot reach its control target {}: {outcome}", self.probe.subject().probe)),
            };
            if let (Some((_, Some(before))), None) = (&latest.look, &impaired) {
                latest.recovered = Some((began, before.clone()));
            }
            self.impaired.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&impaired);
            latest.look = Some((began, impaired));
        }
        let now = latest.look.as_ref().and_then(|(_, impaired)| impaired.clone());
        // What began while the observer was still cut off proves nothing either.
        now.or_else(|| latest.recovered.as_ref().filter(|(began, _)| since < *began).map(|(_, why)| why.clone()))
    }
}
