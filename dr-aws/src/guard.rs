use std::time::Duration;

use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    },
    orchestrator::HttpRequest,
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use dr_core::{
    driver::{Admitted, Breakers, CallEnd},
    model::{Plane, RegionId},
    time::{Monotonic, SharedClock},
};

/// An HTTP client that asks a circuit breaker before each request and tells it how the request ended.
///
/// It sits beneath the SDK, so that no call can forget it. A refused request never leaves, and the SDK does not repeat
/// it: [`classify`](crate::classify) makes of it an error that says when to come back.
#[derive(Clone, Debug)]
pub(crate) struct Guarded<T> {
    pub(crate) inner: T,
    pub(crate) guard: Guard,
}

/// Whom a guarded client asks, and about what.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    pub(crate) breakers: Breakers,
    pub(crate) region: RegionId,
    pub(crate) plane: Plane,
    pub(crate) clock: SharedClock,
    /// When the SDK gives an attempt up.
    pub(crate) limit: Duration,
}

impl HttpClient for Guarded<SharedHttpClient> {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Guarded { inner, guard: self.guard.clone() })
    }
}

impl HttpConnector for Guarded<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Guard { breakers, region, plane, clock, limit } = &self.guard;
        let admitted = match breakers.admit(region, *plane) {
            Ok(admitted) => admitted,
            // Of no kind that the SDK repeats by itself.
            Err(open) => return HttpConnectorFuture::ready(Err(ConnectorError::other(open.into(), None))),
        };
        let waiting =
            Waiting { admitted: Some(admitted), clock: clock.clone(), began: clock.monotonic(), limit: *limit };
        let answer = self.inner.call(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await;
            waiting.ended(match &answer {
                Ok(_) => CallEnd::Answered,
                Err(error) if error.is_io() || error.is_timeout() => CallEnd::Silent,
                Err(_) => CallEnd::Unknown,
            });
            answer
        })
    }
}

/// A request that waits for its answer. The SDK's deadlines end it by dropping it.
struct Waiting {
    admitted: Option<Admitted>,
    clock: SharedClock,
    began: Monotonic,
    limit: Duration,
}

impl Waiting {
    fn ended(mut self, end: CallEnd) {
        if let Some(admitted) = self.admitted.take() {
            admitted.ended(end);
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // The deadline began a moment before the request did. A request that was dropped long before it was cancelled.
        let waited = self.clock.monotonic().since(self.began);
        let end = if waited >= self.limit.mul_f64(0.9) { CallEnd::Silent } else { CallEnd::Unknown };
        if let Some(admitted) = self.admitted.take() {
            admitted.ended(end);
        }
    }
}
