//! The stages that are one cargo command each.
//!
//! All of them name the whole workspace with all features, so that dependencies are compiled with one set of features:
//! once to check (clippy, rustdoc) and once to run (tests, doctests, the Python package).

use super::{Context, Outcome, closing, foreign};
use crate::{run::Failure, workspace::on_path};

const WHOLE: [&str; 3] = ["--workspace", "--all-features", "--locked"];

pub(super) fn fmt(context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let mut cargo = context.workspace.cargo("fmt");
    context.run(cargo.args(["--all", "--check"]), "the sources are not formatted: run `cargo fmt --all`")?;
    Ok(Outcome::default())
}

pub(super) fn clippy(context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let mut cargo = context.workspace.cargo("clippy");
    cargo.args(WHOLE).args(["--all-targets", "--", "-D", "warnings"]);
    context.run(&mut cargo, "clippy has something to say")?;
    Ok(Outcome::default())
}

pub(super) fn rustdoc(context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let mut cargo = context.workspace.cargo("doc");
    cargo.args(WHOLE).arg("--no-deps").env("RUSTDOCFLAGS", "-D warnings");
    context.run(&mut cargo, "the documentation does not build cleanly")?;
    Ok(Outcome::default())
}

pub(super) fn test(context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let clients = foreign::prepare(context)?;
    let nextest = on_path("cargo-nextest").is_some();
    let mut cargo = context.workspace.cargo(if nextest { "nextest" } else { "test" });
    if nextest {
        cargo.args(["run", "--no-tests", "fail"]);
    }
    cargo.args(WHOLE).arg("--no-fail-fast").envs(clients.env());
    let finished = context.run(&mut cargo, "tests failed")?;
    let note = if nextest { "nextest" } else { "cargo test, with the doctests" };
    Ok(Outcome { note: note.to_owned(), closing: closing::lines(&finished.lines) })
}

pub(super) fn doctest(context: &mut Context<'_>) -> Result<Outcome, Failure> {
    if on_path("cargo-nextest").is_none() {
        return Ok(Outcome::noted("they ran with the tests"));
    }
    let mut cargo = context.workspace.cargo("test");
    cargo.arg("--doc").args(WHOLE).arg("--no-fail-fast");
    let finished = context.run(&mut cargo, "an example in the documentation failed")?;
    Ok(Outcome { note: String::new(), closing: closing::lines(&finished.lines) })
}
