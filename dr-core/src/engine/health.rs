use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{error::Result, plan::Plan};

/// What is known of an application's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApplicationHealth {
    /// Users are served.
    Green,
    /// They are not.
    Red,
    /// Nobody can say. It counts as not green.
    Unknown,
}

/// One look at an application's health.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthReading {
    /// What was found.
    pub health: ApplicationHealth,
    /// What was seen, for a person.
    pub why: String,
}

/// Says how an application is: alarms, probes, a detector's verdict. Not what triggers a failover, but what ends one.
///
/// ```
/// use async_trait::async_trait;
/// use dr_core::{
///     engine::{ApplicationHealth, HealthReading, HealthSource},
///     error::Result,
///     plan::Plan,
/// };
/// use tokio::sync::watch;
///
/// /// The error rate that somebody else measures.
/// #[derive(Debug)]
/// struct ErrorRate(watch::Receiver<Option<f64>>);
///
/// #[async_trait]
/// impl HealthSource for ErrorRate {
///     async fn look(&self, _: &Plan) -> Result<HealthReading> {
///         let (health, why) = match *self.0.borrow() {
///             None => (ApplicationHealth::Unknown, "nothing was measured yet".to_owned()),
///             Some(rate) if rate < 0.01 => (ApplicationHealth::Green, format!("{rate} of requests fail")),
///             Some(rate) => (ApplicationHealth::Red, format!("{rate} of requests fail")),
///         };
///         Ok(HealthReading { health, why })
///     }
/// }
/// ```
#[async_trait]
pub trait HealthSource: fmt::Debug + Send + Sync + 'static {
    /// How the application of this plan is now. Asked about once a second while a run monitors health.
    ///
    /// # Errors
    ///
    /// When nobody could look: health is unknown then, which is not green.
    async fn look(&self, plan: &Plan) -> Result<HealthReading>;
}
