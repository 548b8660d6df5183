//! dig: taken from the path, or unpacked out of the Debian packages that carry it, without installing anything.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::Context;
use crate::{
    run::{Failure, capture},
    workspace::on_path,
};

/// The package that carries dig.
const PACKAGE: &str = "bind9-dnsutils";
/// What every machine that runs Debian's programs has: these are not unpacked beside it.
const EVERYWHERE: &[&str] = &["libc6", "libgcc-s1", "libcrypt1"];

/// The dig that is on the path, or one out of the distribution's packages; none where neither is to be had, since the
/// tests have dnspython to ask in its place.
pub(super) fn find(context: &mut Context<'_>) -> Option<PathBuf> {
    on_path("dig").or_else(|| {
        on_path("apt-get")?;
        on_path("dpkg-deb")?;
        unpack(context).ok()
    })
}

fn unpack(context: &mut Context<'_>) -> Result<PathBuf, Failure> {
    let folder = context.workspace.target("xtask/dig");
    let program = folder.join("dig");
    if program.is_file() {
        return Ok(program);
    }
    let failed = |error: std::io::Error| Failure::new(format!("cannot write {}: {error}", folder.display()));
    let debs = folder.join("debs");
    fs::create_dir_all(&debs).map_err(failed)?;
    if download(context, &debs).is_err() {
        // A new machine has no lists yet; where we may not fetch them either, there is no dig to be had.
        let mut update = context.workspace.command("apt-get");
        context.run(update.args(["update", "-qq"]), "apt-get could not fetch its lists")?;
        download(context, &debs)?;
    }
    let root = folder.join("root");
    let mut libraries = vec![root.join("usr/lib"), root.join("lib")];
    for entry in fs::read_dir(&debs).map_err(failed)? {
        let mut unpack = context.workspace.command("dpkg-deb");
        unpack.arg("-x").arg(entry.map_err(failed)?.path()).arg(&root);
        context.run(&mut unpack, "a Debian package does not unpack")?;
    }
    for place in libraries.clone() {
        // The multiarch folder: usr/lib/x86_64-linux-gnu, and its like on other machines.
        for entry in fs::read_dir(place).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().ends_with("-linux-gnu") {
                libraries.push(entry.path());
            }
        }
    }
    let paths: Vec<String> = libraries.iter().map(|path| path.display().to_string()).collect();
    let real = root.join("usr/bin/dig");
    let script = format!("#!/bin/sh\nLD_LIBRARY_PATH='{}' exec '{}' \"$@\"\n", paths.join(":"), real.display());
    let beside = folder.join("dig.partial");
    fs::write(&beside, script).map_err(failed)?;
    fs::set_permissions(&beside, fs::Permissions::from_mode(0o755)).map_err(failed)?;
    capture(context.workspace.command(&beside).arg("-v"))?;
    fs::rename(&beside, &program).map_err(failed)?;
    Ok(program)
}

/// Downloads the package and what it needs. Needs no privilege, only the distribution's lists.
fn download(context: &mut Context<'_>, into: &Path) -> Result<(), Failure> {
    let mut list = context.workspace.command("apt-cache");
    list.args(["depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks"]);
    let listed = capture(list.args(["--no-replaces", "--no-enhances", "--no-pre-depends", PACKAGE]))?;
    // A line that begins in the first column names a package; `<...>` is a virtual one.
    let packages = listed.lines().filter(|line| !line.starts_with([' ', '<', '|']) && !EVERYWHERE.contains(line));
    let mut download = context.workspace.command("apt-get");
    download.args(["download", "-qq"]).args(packages).current_dir(into);
    context.run(&mut download, "apt-get could not download dig").map(drop)
}
