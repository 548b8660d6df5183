//! What a drill asks of a lab, embedded in its process or standing in another.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use dr_core::{
    error::Result,
    testing::EffectRecord,
    time::{Monotonic, SharedClock},
};
use serde::{Deserialize, Serialize};

use crate::{
    audit::Audit,
    clients::{ClientReport, Window},
    endpoints::Endpoints,
    preset::FaultRequest,
    state::StackState,
};

/// A moment that somebody wanted to remember.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// What happened: `fault` and `heal` are set by the lab.
    pub label: String,
    /// When, in seconds of the lab's time since its start.
    pub at_s: f64,
}

impl Mark {
    /// When, on the lab's clock.
    #[must_use]
    pub fn at(&self) -> Monotonic {
        Monotonic::new(Duration::try_from_secs_f64(self.at_s).unwrap_or_default())
    }
}

/// The name of the mark that a fault leaves.
pub const FAULT: &str = "fault";
/// The name of the mark that healing leaves.
pub const HEAL: &str = "heal";

/// A lab: what to break, and what to read. [`Lab`](crate::Lab) is one in this process, [`LabClient`](crate::LabClient) one in another.
///
/// ```no_run
/// use dr_lab::{FaultPreset, Lab, LabControl, clients::Window};
///
/// async fn outage(lab: &dyn LabControl) -> dr_core::error::Result<f64> {
///     let fault = lab.inject(&FaultPreset::Blackhole.into()).await?;
///     // … the failover happens …
///     let felt = lab.clients(Window::since(fault.at_s)).await?;
///     Ok(felt.longest_gap.map_or(0.0, |gap| gap.seconds()))
/// }
/// ```
#[async_trait]
pub trait LabControl: fmt::Debug + Send + Sync + 'static {
    /// Where everything listens.
    fn endpoints(&self) -> &Endpoints;

    /// The lab's time.
    fn clock(&self) -> SharedClock;

    /// What the stack looks like now, to be compared with what it looked like before.
    async fn state(&self) -> Result<StackState>;

    /// What the clients felt in a window.
    async fn clients(&self, window: Window) -> Result<ClientReport>;

    /// The clients' ledger, from `since_s` on, against the surviving store. Ages are measured from the last fault.
    async fn audit(&self, since_s: Option<f64>) -> Result<Audit>;

    /// Every change that the doubles made because somebody asked them to.
    async fn effects(&self) -> Result<Vec<EffectRecord>>;

    /// Breaks things, and marks the moment as `fault`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](dr_core::error::ErrorKind::NotFound) when the lab has no such region.
    async fn inject(&self, request: &FaultRequest) -> Result<Mark>;

    /// Takes every fault back, and marks the moment as `heal`.
    async fn heal(&self) -> Result<Mark>;

    /// Sets the database's replication lag.
    async fn set_lag(&self, lag: Duration) -> Result<()>;

    /// Remembers a moment.
    async fn mark(&self, label: &str) -> Result<Mark>;

    /// The moments remembered, oldest first.
    async fn marks(&self) -> Result<Vec<Mark>>;
}
