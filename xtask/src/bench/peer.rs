use std::path::PathBuf;

use crate::{
    run::{Failure, capture},
    workspace::Workspace,
};

/// Where a benchmark finds the program of its peer. Without it, a benchmark measures our side alone.
pub(super) const VARIABLE: &str = "DR_BENCH_PEER";

/// The peers that are programs in Rust: which benchmark, the folder under `xtask/peers`, the program.
///
/// Each is a workspace of its own with its own lock: what a peer brings is built by this command and by no other.
const PEERS: [(&str, &str, &str); 1] = [("engine", "steno", "peer-steno")];

/// Builds the peer of this benchmark; none when it has none.
///
/// # Errors
///
/// When it does not build.
pub(super) fn build(workspace: &Workspace, benchmark: &str) -> Result<Option<PathBuf>, Failure> {
    let Some((_, folder, program)) = PEERS.iter().find(|(name, ..)| *name == benchmark) else { return Ok(None) };
    let (manifest, target) = (workspace.path(&format!("xtask/peers/{folder}/Cargo.toml")), workspace.target("peers"));
    let mut cargo = workspace.cargo("build");
    cargo.args(["--quiet", "--locked", "--release"]).arg("--manifest-path").arg(manifest);
    cargo.arg("--target-dir").arg(&target);
    capture(&mut cargo)?;
    Ok(Some(target.join("release").join(format!("{program}{}", std::env::consts::EXE_SUFFIX))))
}
