use serde::{Deserialize, Serialize};

/// How often an API is called by others than the plan: pollers, controllers, other tools.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiRateFact {
    /// The service, as operations write it: `route53`.
    pub service: String,
    /// Calls a second in the account.
    pub per_second: f64,
}
