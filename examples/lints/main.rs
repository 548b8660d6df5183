//! Prints `docs/lints.md`: every rule that plans are judged by, with a plan that breaks it and one that does not.
//!
//! `cargo xtask docs` writes it to the file, and CI checks that the file is what this prints.

fn main() {
    print!("{}", dr_core::lint::fixtures::page());
}
