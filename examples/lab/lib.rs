//! The lab.
pub mod audit;
pub mod checkers;
pub mod clients;
pub mod dns;
pub mod front;
pub mod orders;
pub mod platform;
mod wire;
