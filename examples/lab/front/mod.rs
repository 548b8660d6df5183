//! The application as its users meet it: one front per region, answering HTTP on that region's address.
//!
//! It serves as many requests as its deployments' ready replicas can carry, stores an order where the
//! database writes, in its own region or across, and fails as its region fails.

mod capacity;
mod health;
mod platform;
mod server;

pub use capacity::{Admission, capacity};
pub use health::Health;
pub use platform::Platform;
pub(crate) use server::Refused;
pub use server::{Front, Refusal};
