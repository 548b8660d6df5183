//! Validations: what must be true before anyone needs it, looked at while all is well.

mod finding;
mod findings_digest;
mod validation;

pub use finding::{Finding, Severity};
pub use findings_digest::FindingsDigest;
pub use validation::{CheckCx, Validation};
