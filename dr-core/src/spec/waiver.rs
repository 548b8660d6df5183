//! Rules that somebody decided to break, with a name and an end.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::StepId;

/// A recorded decision to run although a rule of the lint objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The rule's number, such as `W32`.
    #[schemars(regex(pattern = "^[EW][0-9]{2}$"), extend("examples" = ["W32"]))]
    pub rule: String,
    /// The one step it covers; without it, every step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "StepId", extend("examples" = ["orders-db/promote"]))]
    pub step: Option<StepId>,
    /// Who decided.
    #[schemars(length(min = 1), extend("examples" = ["Ada Lovelace"]))]
    pub who: String,
    /// Why.
    #[schemars(length(min = 1), extend("examples" = ["the pool is drained by hand until the proxy is in place"]))]
    pub why: String,
    /// The last day on which it holds.
    #[schemars(with = "String", regex(pattern = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"), extend("examples" = ["2027-03-31"]))]
    pub until: Date,
}
