//! The verbs of an Aurora global database. Each looks before it acts, and never asks twice for the same thing.

mod assess_fence;
mod await_rejoin;
mod detach;
mod hand_over;
mod progress;
mod promote;
mod route;
mod switchover;

pub use assess_fence::{AssessFence, FenceReport, FenceRung};
pub use await_rejoin::{AwaitRejoin, Rejoined};
pub use detach::{Detach, Detached};
pub use hand_over::HandOver;
pub use promote::{Promote, Promoted};
pub use route::Route;
pub use switchover::Switchover;
