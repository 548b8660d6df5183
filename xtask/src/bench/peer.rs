use std::{env, fs, path::PathBuf, process::Command};

use crate::{
    run::{Failure, capture},
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

/// A virtual environment with the folder's requirements, made once for each list of them.
fn python(workspace: &Workspace, folder: &str) -> Result<PathBuf, Failure> {
    let list = workspace.path(&format!("xtask/peers/{folder}/requirements.txt"));
    let failed = |what: String| move |error: std::io::Error| Failure::new(format!("{what}: {error}"));
    let wanted = fs::read_to_string(&list).map_err(failed(format!("cannot read {}", list.display())))?;
    let root = workspace.target(&format!("peers/{folder}"));
    let python =
        root.join(if cfg!(windows) { "Scripts" } else { "bin" }).join(format!("python{}", env::consts::EXE_SUFFIX));
    let stamp = root.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    let mut make = workspace.command(env::var_os("PYTHON").unwrap_or_else(|| "python3".into()));
    capture(make.args(["-m", "venv", "--clear"]).arg(&root))?;
    let mut pip = workspace.command(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "-r"]).arg(&list);
    capture(&mut pip)?;
    fs::write(&stamp, wanted).map_err(failed(format!("cannot write {}", stamp.display())))?;
    Ok(python)
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
