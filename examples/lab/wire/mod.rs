//! Sockets: one small HTTP client whose every wait has a limit on the lab's clock, one small HTTP server, and loopback ports.

mod client;
mod ports;
mod server;

pub(crate) use client::{CallError, Connection};
pub(crate) use ports::{bind_dns, bind_everywhere};
pub(crate) use server::{Answer, Door, serve};
