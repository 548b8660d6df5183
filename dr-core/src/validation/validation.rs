use std::fmt::Debug;

use async_trait::async_trait;

use super::Finding;
use crate::{error::Result, time::SharedClock, topology::Topology};

/// What a validation is given.
#[derive(Clone, Debug)]
pub struct CheckCx<'a> {
    /// The regions and everything in them.
    pub topology: &'a Topology,
    /// Time, for the deadline on every call.
    pub clock: SharedClock,
}

/// Something that must be true before anyone needs it.
///
/// ```
/// use async_trait::async_trait;
/// use dr_core::{error::Result, validation::{CheckCx, Finding, Validation}};
///
/// #[derive(Debug)]
/// struct AlwaysWell;
///
/// #[async_trait]
/// impl Validation for AlwaysWell {
///     fn id(&self) -> &str { "example/always-well" }
///     async fn check(&self, _: &CheckCx<'_>) -> Result<Vec<Finding>> { Ok(Vec::new()) }
/// }
/// ```
#[async_trait]
pub trait Validation: Debug + Send + Sync + 'static {
    /// Its name, `<resource kind>/<what>`.
    fn id(&self) -> &str;

    /// Looks. An empty answer means that all is well.
    ///
    /// # Errors
    ///
    /// When it could not look, which says nothing of what it would have found.
    async fn check(&self, cx: &CheckCx<'_>) -> Result<Vec<Finding>>;
}
