use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use super::{
    found::Found,
    part::{PARTS, Part},
};
use crate::{
    run::Failure,
    workspace::{Workspace, on_path},
};

/// The version that is installed where there is none: another may make other mutants.
const VERSION: &str = "27.1.0";
/// Of the mutants that build, the share in per cent that the tests must notice.
const WANTED: f64 = 90.0;

/// Changes the places of one shard (`k/n`, counted from 0; all of them without one) of a part, or of each part in turn,
/// and keeps what was found.
///
/// # Errors
///
/// When cargo-mutants cannot be had, or could not begin, or fewer mutants were noticed than must be.
pub(crate) fn run(workspace: &Workspace, part: Option<&Part>, shard: Option<&str>) -> Result<(), Failure> {
    let program = installed(workspace)?;
    let mut all = Found::default();
    for part in PARTS.iter().filter(|one| part.is_none_or(|part| part == *one)) {
        all.add(change(workspace, &program, part, shard.unwrap_or("0/1"))?);
    }
    show(&all)
}

fn change(workspace: &Workspace, program: &Path, part: &Part, shard: &str) -> Result<Found, Failure> {
    let folder = workspace.target(&format!("mutants/{}-{}", part.name, shard.replace('/', "-of-")));
    fs::create_dir_all(&folder).map_err(|error| Failure::new(format!("cannot make {}: {error}", folder.display())))?;
    let mut command = workspace.command(program);
    command.args(["mutants", "--no-shuffle", "--sharding", "round-robin", "--shard", shard, "--output"]).arg(&folder);
    // Every shard is changed in a copy of its own; what is no part of the change is built once for all of them.
    command.env("CARGO_TARGET_DIR", workspace.target("mutants-build"));
    command.args(part.files.iter().flat_map(|file| ["--file", file])).args(["--", "--lib", "--"]).args(part.tests);
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|error| Failure::new(format!("cannot start cargo-mutants: {error}")))?;
    // 2 and 3 say that mutants were missed or ran into the time limit, which the report weighs.
    match status.code() {
        Some(0 | 2 | 3) => {}
        Some(4) => return Err(Failure::new("the tests fail before anything is changed")),
        _ => return Err(Failure::new(format!("cargo-mutants ended with {status}"))),
    }
    Found::read(&folder)
}

/// Adds up what the shards found that were run since they were last cleared away.
///
/// # Errors
///
/// When no shard was run, or fewer mutants were noticed than must be.
pub(crate) fn report(workspace: &Workspace) -> Result<(), Failure> {
    let folder = workspace.target("mutants");
    let shards =
        fs::read_dir(&folder).map_err(|_| Failure::new("no shard was run: cargo xtask mutants lint --shard 0/8"))?;
    let mut all = Found::default();
    for shard in shards {
        let shard = shard.map_err(|error| Failure::new(format!("cannot read {}: {error}", folder.display())))?;
        all.add(Found::read(&shard.path())?);
    }
    show(&all)
}

fn show(found: &Found) -> Result<(), Failure> {
    for missed in found.missed() {
        println!("  not noticed: {missed}");
    }
    for hung in found.timed_out() {
        println!("  time limit:  {hung}");
    }
    let share = found.caught_percent();
    println!("{found}");
    if share < WANTED {
        return Err(Failure::new(format!("{share:.1} % of the mutants were noticed; {WANTED} % must be")));
    }
    Ok(())
}

/// cargo-mutants, from the path or from the target directory, where it is installed when it is in neither.
fn installed(workspace: &Workspace) -> Result<PathBuf, Failure> {
    if let Some(program) = on_path("cargo-mutants") {
        return Ok(program);
    }
    let root = workspace.target("tools");
    let program = root.join("bin").join(format!("cargo-mutants{}", std::env::consts::EXE_SUFFIX));
    if !program.is_file() {
        let mut cargo = workspace.cargo("install");
        cargo.args(["--quiet", "--locked", "cargo-mutants", "--version", VERSION, "--root"]).arg(&root);
        // Not in the machine's temporary folder, which others clear.
        cargo.env("CARGO_TARGET_DIR", root.join("build"));
        let status = cargo.status().map_err(|error| Failure::new(format!("cannot start cargo: {error}")))?;
        if !status.success() {
            return Err(Failure::new("cargo-mutants could not be installed"));
        }
    }
    Ok(program)
}
