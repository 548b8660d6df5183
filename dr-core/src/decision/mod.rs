//! The decision to fail over: a policy between a verdict and a run.
//!
//! [`decide`] is a pure function of a [`Policy`], of what is seen ([`Facts`]) and of what has happened ([`History`]). Its
//! [`Decision`] says what to do and, whatever that is, everything that spoke against acting, each condition, and the readings
//! behind it: the answer to "why did you (not) fail over?". The [`Decider`] asks it again and again, and writes each change of
//! the answer into the application's decision log, a run of the journal, before anything comes of it.
//!
//! Rules that no policy can lift: nothing starts toward a region that is unhealthy or unknown, nothing on a verdict that too
//! few observers hold at this moment, nothing while the kill switch is on or another run of the application is open, and
//! nothing ever goes back by itself to a region that was left.

mod acting;
mod ages;
mod decide;
mod decider;
mod decision;
mod entry;
mod facts;
mod history;
mod hold;
mod kill_switch;
mod lag_feed;
mod ledger;
mod log;
mod plans;
mod policy;
mod prewarm;
#[cfg(test)]
mod tests;
mod text;
mod view;
mod warming;
mod window;

pub use decide::decide;
pub use decider::{Considered, Decider};
pub use decision::{Blocker, Choice, ConditionState, Decision, RegionReading};
pub use entry::LogEntry;
pub use facts::{Facts, LagSamples, Now, Signal, Told};
pub use history::{Answered, Attempt, FailedStart, History, Moved, OpenRun, Warmed};
pub use hold::KeepWarm;
pub use kill_switch::KillSwitch;
pub use lag_feed::LagFeed;
pub use log::DecisionLog;
pub use plans::{Plans, SurveyedPlans};
pub use policy::{Condition, Gray, InvalidDecisionPolicy, MOST_CONDITIONS, Mode, Need, Policy, PrewarmPolicy};
pub use prewarm::{Prewarm, is_suspected, prewarm};
pub use view::{Act, DecisionView, Recorded};
pub use warming::{WarmNews, Warming};
pub use window::{Weekday, When, Window};
pub(crate) use window::{clock_time, utc_offset};
