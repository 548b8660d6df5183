//! The verbs of a global datastore. Each looks before it acts, and never asks twice for the same thing.

mod await_associated;
mod promote;
mod route;

pub use await_associated::AwaitAssociated;
pub use promote::{CachePromoted, PromoteCache};
pub use route::CacheRoute;
