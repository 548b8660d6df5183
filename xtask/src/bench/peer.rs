use std::{env, path::PathBuf, process::Command};

use super::debian::{Debian, Packaged, path_list};
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
    /// Programs of Debian packages, each with the word for it in the environment. They may be absent: not every machine is a Debian.
    Packages(&'static [(&'static str, Packaged)]),
}

const PROBERS: [(&str, Packaged); 2] = [
    ("HAPROXY", Packaged { package: "haproxy", program: "usr/sbin/haproxy" }),
    ("BLACKBOX", Packaged { package: "prometheus-blackbox-exporter", program: "usr/bin/prometheus-blackbox-exporter" }),
];

/// The peer of each benchmark that has one.
const PEERS: [(&str, Peer); 3] = [
    ("engine", Peer::Program { folder: "steno", name: "peer-steno" }),
    ("probe", Peer::Packages(&PROBERS)),
    ("sim", Peer::Script { folder: "simpy", name: "sim.py" }),
];

/// Makes the benchmark's peer ready and tells the benchmark where it is: the program in `DR_BENCH_PEER`, and what it has to run in
/// `DR_BENCH_PEER_SCRIPT`. A packaged program is in a variable of its own, or that with `_ABSENT` says why it is not here. Without
/// them, a benchmark measures our side alone.
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
        Peer::Packages(packages) => {
            let debian = Debian::new(workspace);
            for (word, packaged) in *packages {
                match debian.program(workspace, *packaged) {
                    Ok(program) => cargo.env(format!("DR_BENCH_{word}"), program),
                    Err(why) => cargo.env(format!("DR_BENCH_{word}_ABSENT"), one_line(&why)),
                };
            }
            let libraries = debian.libraries();
            if !libraries.is_empty() {
                cargo.env("DR_BENCH_LIBRARIES", path_list(&libraries)?);
            }
        }
    }
    Ok(())
}

fn one_line(why: &Failure) -> String {
    why.to_string().lines().map(str::trim).collect::<Vec<_>>().join("; ")
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
                Peer::Packages(_) => continue,
            };
            assert!(peers.join(folder).join(file).is_file(), "{folder}/{file}");
        }
    }
}
