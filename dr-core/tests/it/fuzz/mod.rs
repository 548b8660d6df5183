//! Mutated inputs for everything that reads what somebody else wrote: journal exports, `dr.yaml`, plans as JSON, a
//! server's answer to a probe.
//!
//! Each target starts from well-formed seeds and what `tests/corpus` keeps, changes them at random (the seed of chance is
//! printed, and `DR_FUZZ_SEED` repeats it), and goes on from every input that is answered in a way not seen before. A
//! target fails when the reader panics or breaks one of its laws; the input is then left beside the test's program, to be
//! looked at and, once mended, kept in the corpus.
//!
//! A short run goes with the other tests. A long one: `cargo xtask fuzz journal --minutes 20` (or `spec`, `plan`, `dns`, `answer`).

#[cfg(feature = "net")]
mod answers;
#[cfg(feature = "net")]
mod dns;
mod harness;
mod mutate;
mod targets;
