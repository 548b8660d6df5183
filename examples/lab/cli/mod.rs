//! The command line.

mod arguments;
mod remote;
mod stand;

pub(crate) use arguments::Cli;
