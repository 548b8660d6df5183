//! `cargo xtask bench`: the one way to run a benchmark.
//!
//! A benchmark is a `[[bench]]` target with `harness = false` in the crate it measures; cargo's own list of targets is
//! the register. It prints one JSON object a line for each measure (see [`measure`]); this command adds what follows
//! from it (the ratio to the peer, whether the goal is met) and shows it to people or to programs. A peer is another
//! program that does the same work; it is built or fetched here and run by the benchmark (see [`peer`]).

mod command;
mod debian;
mod measure;
mod peer;

pub(crate) use command::run;
