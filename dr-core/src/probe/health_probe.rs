use std::fmt;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{Reading, Subject};
use crate::{error::Result, model::VantageId, time::SharedClock};

/// What a probe is given to look with.
#[derive(Clone, Debug)]
pub struct ProbeCx {
    clock: SharedClock,
    cancel: CancellationToken,
}

impl ProbeCx {
    /// A context on `clock` that nobody cancels.
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        Self { clock, cancel: CancellationToken::new() }
    }

    /// The same, cancelled by `cancel`.
    #[must_use]
    pub fn with_cancel(mut self, cancel: CancellationToken) -> Self {
        self.cancel = cancel;
        self
    }

    /// The clock: every wait and every measurement of the probe goes through it.
    #[must_use]
    pub fn clock(&self) -> &SharedClock {
        &self.clock
    }

    /// Fires when the observer stops. A probe that is dropped at an `await` need not watch it.
    #[must_use]
    pub fn cancel(&self) -> &CancellationToken {
        &self.cancel
    }
}

/// A look at one subject from one place.
///
/// A probe carries its own timeouts, so that a target which never answers costs a known time and gives an unhealthy
/// reading. Looking twice must be as harmless as looking once.
///
/// ```
/// use std::sync::Arc;
/// use async_trait::async_trait;
/// use dr_core::{
///     error::Result,
///     model::VantageId,
///     probe::{HealthProbe, Latency, ProbeCx, Reading, Subject},
///     time::ManualClock,
/// };
///
/// #[derive(Debug)]
/// struct QueueDepth { subject: Subject, vantage: VantageId, depth: u32 }
///
/// #[async_trait]
/// impl HealthProbe for QueueDepth {
///     fn subject(&self) -> &Subject { &self.subject }
///     fn vantage(&self) -> &VantageId { &self.vantage }
///     async fn probe(&self, cx: &ProbeCx) -> Result<Reading> {
///         let started = cx.clock().monotonic();
///         let latency = Latency::of(cx.clock().monotonic().since(started));
///         Ok(match self.depth {
///             0..100 => Reading::healthy(latency, format!("{} orders wait", self.depth)),
///             _ => Reading::unhealthy(latency, format!("{} orders wait, expected under 100", self.depth)),
///         })
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let probe: Arc<dyn HealthProbe> = Arc::new(QueueDepth {
///     subject: Subject::infrastructure("orders/queue".parse()?, "us-east-1".parse()?),
///     vantage: "eu-central-1".parse()?,
///     depth: 250,
/// });
/// let cx = ProbeCx::new(Arc::new(ManualClock::new()));
/// let reading = futures::executor::block_on(probe.probe(&cx))?;
/// assert_eq!(reading.reason, "250 orders wait, expected under 100");
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait HealthProbe: fmt::Debug + Send + Sync + 'static {
    /// What it looks at.
    fn subject(&self) -> &Subject;

    /// Where it looks from.
    fn vantage(&self) -> &VantageId;

    /// Looks once.
    ///
    /// # Errors
    ///
    /// An error says that the probe *could not look*: no file descriptors left, no permission to read the status. It
    /// makes the opinion unknown, and is never held against the region. A target that refuses, hangs or answers
    /// nonsense was looked at: that is an unhealthy [`Reading`].
    async fn probe(&self, cx: &ProbeCx) -> Result<Reading>;
}
