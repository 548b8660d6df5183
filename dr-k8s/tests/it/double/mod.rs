//! The Kubernetes double, called by real clients.

mod api;
mod controllers;
mod faults;
mod kubectl;
mod watch;
mod world;
