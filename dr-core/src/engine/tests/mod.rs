//! The engine in a small world on a clock that tests move.

mod runs;
mod world;
