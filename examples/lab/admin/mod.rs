//! The lab over HTTP on loopback, for a drill in another process, for Python and for `curl`.
//!
//! | request | answer |
//! |---|---|
//! | `GET /endpoints` | where everything listens |
//! | `GET /state` | [`StackState`](crate::state::StackState) |
//! | `GET /clients?from_s=&to_s=` | [`ClientReport`](crate::clients::ClientReport) |
//! | `GET /audit?since_s=` | [`Audit`](crate::audit::Audit) |
//! | `GET /effects` | every change that the doubles made |
//! | `GET /faults`, `POST /faults`, `DELETE /faults` | rules and switches; [`FaultRequest`](crate::preset::FaultRequest); none |
//! | `POST /lag` | `{"lag_ms":900}` |
//! | `GET /marks`, `POST /marks` | moments; `{"label":"..."}` |

mod client;
mod query;
mod server;

pub use client::LabClient;
pub(crate) use server::AdminDoor;
