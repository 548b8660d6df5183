//! The journal in one SQLite file.

mod failure;
mod inbox;
mod journal;
mod rows;
mod tables;
mod thread;

pub use thread::SqliteJournal;
