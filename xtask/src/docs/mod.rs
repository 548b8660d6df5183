//! `cargo xtask docs`: the files that are generated from the code, written or compared.

mod generated;

pub(crate) use generated::{run, stale};
