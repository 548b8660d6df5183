use serde::{Deserialize, Serialize};

/// How a person or a program that runs plans comes by its rights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessFact {
    /// Who: `on-call`, `runner`.
    pub who: String,
    /// Whether single sign-on is the only way in.
    pub single_sign_on_only: Option<bool>,
    /// The host of the token service that gives the role: `sts.eu-west-1.amazonaws.com`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint: Option<String>,
}
