use std::fmt;

/// A request refused in the words of a service's own API model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiFault {
    /// The error code that SDKs match on: `InvalidGlobalClusterStateFault`.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// Why, for people.
    pub message: String,
}

impl ApiFault {
    /// A fault.
    #[must_use]
    pub fn new(code: &'static str, status: u16, message: impl Into<String>) -> Self {
        Self { code, status, message: message.into() }
    }

    /// `InvalidParameterValue`, status 400.
    #[must_use]
    pub fn invalid_value(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterValue", 400, message)
    }

    /// `InvalidParameterCombination`, status 400.
    #[must_use]
    pub fn invalid_combination(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterCombination", 400, message)
    }
}

impl fmt::Display for ApiFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.code, self.status, self.message)
    }
}

impl std::error::Error for ApiFault {}
