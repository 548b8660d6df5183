use serde::{Deserialize, Serialize};

use crate::model::RegionId;

/// What a health check speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckProtocol {
    /// HTTP without encryption.
    Http,
    /// HTTP over TLS, whose certificate nobody looks at.
    Https,
    /// A connection, and nothing else.
    Tcp,
}

/// Who really answers a health check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum AnsweredBy {
    /// A region.
    Region {
        /// Which.
        region: RegionId,
    },
    /// A content distribution, which answers from its cache whatever the region does.
    Cdn,
}

/// A health check that polls an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheckFact {
    /// Its id.
    pub id: String,
    /// The region whose health it is meant to tell.
    pub judges: RegionId,
    /// What it speaks.
    pub protocol: CheckProtocol,
    /// The name that it polls; absent when it polls an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fqdn: Option<String>,
    /// The names that this name leads through.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resolves_through: Vec<String>,
    /// Whether it looks for a text in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches_text: Option<bool>,
    /// Whether its path is known to answer with a redirect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirects: Option<bool>,
    /// Who really answers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<AnsweredBy>,
    /// Whether its result is inverted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inverted: Option<bool>,
}

impl HealthCheckFact {
    /// A check of which nothing else is known yet.
    #[must_use]
    pub fn new(id: impl Into<String>, judges: RegionId, protocol: CheckProtocol) -> Self {
        Self {
            id: id.into(),
            judges,
            protocol,
            fqdn: None,
            resolves_through: Vec::new(),
            matches_text: None,
            redirects: None,
            answered_by: None,
            inverted: None,
        }
    }
}
