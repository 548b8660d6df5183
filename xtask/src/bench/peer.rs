use std::{env, path::PathBuf, process::Command};

use crate::{
    run::{Failure, capture},
    venv::Venv,
    workspace::Workspace,
};

/// The peer of a benchmark: what other people built for the same work. Each is a folder under `xtask/peers` that nothing else
/// builds or installs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peer {
    /// A program in Rust, in a workspace of its own with its own lock.
    Program { folder: &'static str, name: &'static str },
    /// A script for a Python that has the folder's `requirements.txt` installed.
    Script { folder: &'static str, name: &'static str },
}

/// The peer of each benchmark that has one.
const PEERS: [(&str, Peer); 2] = [
    ("engine", Peer::Program { folder: "steno", name: "peer-steno" }),
    ("sim", Peer::Script { folder: "simpy", name: "sim.py" }),
];

/// Makes the benchmark's peer ready and tells the benchmark where it is: the program in `DR_BENCH_PEER`, and what it has to run in
/// `DR_BENCH_PEER_SCRIPT`. Without them, a benchmark measures our side alone.
///
/// # Errors
///
/// When it does not build or install.
pub(super) fn tell(workspace: &Workspace, benchmark: &str, cargo: &mut Command) -> Result<(), Failure> {
    let Some((_, peer)) = PEERS.iter().find(|(name, ..)| *name == benchmark) else { return Ok(()) };
    match peer {
        Peer::Program { folder, name } => {
            cargo.env("DR_BENCH_PEER", built(workspace, folder, name)?);
        }
        Peer::Script { folder, name } => {
            cargo.env("DR_BENCH_PEER", python(workspace, folder)?);
            cargo.env("DR_BENCH_PEER_SCRIPT", workspace.path(&format!("xtask/peers/{folder}/{name}")));
        }
    }
    Ok(())
}

fn built(workspace: &Workspace, folder: &str, name: &str) -> Result<PathBuf, Failure> {
    let (manifest, target) = (workspace.path(&format!("xtask/peers/{folder}/Cargo.toml")), workspace.target("peers"));
    let mut cargo = workspace.cargo("build");
    cargo.args(["--quiet", "--locked", "--release"]).arg("--manifest-path").arg(manifest);
    cargo.arg("--target-dir").arg(&target);
    capture(&mut cargo)?;
    Ok(target.join("release").join(format!("{name}{}", env::consts::EXE_SUFFIX)))
}

/// A Python that has what the folder requires.
fn python(workspace: &Workspace, folder: &str) -> Result<PathBuf, Failure> {
    let requirements = format!("xtask/peers/{folder}/requirements.txt");
    let venv = Venv::with(workspace, folder, &requirements, |command, _| capture(command).map(drop))?;
    Ok(venv.program("python"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_peer_is_in_the_tree() {
        let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
        for (_, peer) in PEERS {
            let (folder, file) = match peer {
                Peer::Program { folder, .. } => (folder, "Cargo.lock"),
                Peer::Script { folder, name } => (folder, name),
            };
            assert!(peers.join(folder).join(file).is_file(), "{folder}/{file}");
        }
    }
}
