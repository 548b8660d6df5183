//! The driver `k8s.deployments` against the double.

mod access;
mod breaker;
mod checks;
mod faults;
mod prewarm;
mod ready;
mod runs;
mod scale;
mod world;
