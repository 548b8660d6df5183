//! The verbs of an Aurora global database. Each looks before it acts, and never asks twice for the same thing.

mod await_rejoin;
mod detach;
mod fence;
mod progress;
mod promote;
mod route;
mod switchover;

pub use await_rejoin::{AwaitRejoin, Rejoined};
pub use detach::{Detach, Detached};
pub use fence::{Fence, FenceReport, FenceRung};
pub use promote::{Promote, Promoted};
pub use route::Route;
pub use switchover::Switchover;
