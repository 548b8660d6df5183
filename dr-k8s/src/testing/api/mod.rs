//! The API server proper: from a request's parts to an answer, with no network and no waiting in it.

mod call;
mod error;
mod metadata;
mod read;
mod scale;
mod table;
mod validate;
mod write;

pub(super) use call::{Call, Target, Verb};
pub(super) use error::ApiError;
pub(super) use metadata::{bump_generation, new_metadata};
pub(super) use read::{ListQuery, Reply};
pub(super) use table::Columns;
pub(super) use validate::set_defaults;
