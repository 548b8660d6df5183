//! The verbs: see that the standby serves, throw or release the switch, wait for the answer, prove it with a write, hold.

mod await_answer;
mod confirm_write;
mod drain_caches;
mod hold_latch;
mod invert_check;
mod release_switch;
mod standby_serves;
mod throw_switch;

pub use await_answer::{AnswerEvidence, AwaitAnswer, AwaitAnswerParams};
pub use confirm_write::{ConfirmWrite, ConfirmWriteParams, WriteEvidence};
pub use drain_caches::{DrainCaches, DrainCachesParams};
pub use hold_latch::HoldLatch;
pub use invert_check::{CheckImage, InvertCheck, InvertCheckParams};
pub use release_switch::ReleaseSwitch;
pub use standby_serves::{StandbyServes, StandbyServesParams};
pub use throw_switch::{SwitchParams, ThrowSwitch};
