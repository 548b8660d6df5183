//! Validations: what must be true before anyone needs it, looked at while all is well.

mod finding;
mod validation;

pub use finding::{Finding, Severity};
pub use validation::{CheckCx, Validation};
