//! Drivers: everything the project knows of one kind of resource, and the only thing a newcomer has to write to teach it another.

mod breaker;
mod driver;
mod operation;
mod registry;

pub use breaker::{Admitted, Breaker, BreakerOpen, BreakerPolicy, Breakers, CallEnd};
pub use driver::{Driver, SurveyCx};
pub use operation::{Host, Operation, Permission};
pub use registry::{DriverRegistry, DuplicateDriver};
