//! The Python package: built as its users get it (a wheel, by maturin), installed, and tested from outside.

use std::{fs, path::PathBuf};

use super::{Context, Outcome, closing, foreign};
use crate::run::Failure;
use crate::venv::Venv;

pub(super) fn run(context: &mut Context<'_>) -> Result<Outcome, Failure> {
    if !context.workspace.path("dr-py/pyproject.toml").is_file() {
        return Ok(Outcome::noted("there is no dr-py/pyproject.toml to build"));
    }
    let clients = foreign::prepare(context)?;
    let venv = context.venv("package", "xtask/python/package.txt")?;
    let wheel = build(context, &venv)?;
    let mut pip = context.workspace.command(venv.program("python"));
    pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--force-reinstall"]).arg(&wheel);
    context.run(&mut pip, "the wheel does not install")?;

    // The package's tests drive a lab of their own; it is the one that the Rust tests have built already.
    let mut cargo = context.workspace.cargo("build");
    cargo.args(["--workspace", "--all-features", "--locked", "--bin", "lab", "--bin", "drill"]);
    context.run(&mut cargo, "the lab does not build")?;

    let mut closing = Vec::new();
    if context.workspace.path("dr-py/python/dr/_dr.pyi").is_file() {
        let mut stubtest = context.workspace.command(venv.program("python"));
        stubtest.args(["-m", "mypy.stubtest", "dr", "--ignore-disjoint-bases"]);
        context.run(&mut stubtest, "the type stubs do not say what the package is")?;
    }
    let mut pytest = context.workspace.command(venv.program("python"));
    pytest
        .args(["-m", "pytest", "-q", "dr-py/tests"])
        .env("DR_LAB", context.workspace.target("debug/lab"))
        .env("DR_DRILL", context.workspace.target("debug/drill"))
        .envs(clients.env());
    closing.extend(closing::lines(&context.run(&mut pytest, "pytest failed")?.lines));
    Ok(Outcome { note: String::new(), closing })
}

/// Builds the wheel with the features of the workspace build, so that it shares its dependencies.
fn build(context: &mut Context<'_>, venv: &Venv) -> Result<PathBuf, Failure> {
    let wheels = context.workspace.target("xtask/wheels");
    // An older wheel must not be taken for the new one; that there is none is as good.
    let _ = fs::remove_dir_all(&wheels);
    let mut maturin = context.workspace.command(venv.program("maturin"));
    maturin
        .args(["build", "--profile", "dev", "--locked", "--all-features", "--manifest-path", "dr-py/Cargo.toml"])
        .arg("--interpreter")
        .arg(venv.program("python"))
        .arg("--out")
        .arg(&wheels)
        .env("VIRTUAL_ENV", venv.root());
    context.run(&mut maturin, "maturin could not build the wheel")?;
    let built = fs::read_dir(&wheels).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    built
        .filter(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .max()
        .ok_or_else(|| Failure::new(format!("maturin left no wheel in {}", wheels.display())))
}
