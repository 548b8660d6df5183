use std::{env, fs, path::PathBuf};

use crate::{
    run::{Failure, capture},
    workspace::{Workspace, on_path},
};

/// A program of a Debian package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packaged {
    pub(super) package: &'static str,
    /// Where it is, from the root.
    pub(super) program: &'static str,
}

/// The programs of Debian packages, taken out of them under the target directory. Nothing is installed, so that nobody needs to be
/// root; what the packages need and the machine does not have is taken out beside them.
#[derive(Debug)]
pub(super) struct Debian {
    folder: PathBuf,
}

impl Debian {
    pub(super) fn new(workspace: &Workspace) -> Self {
        Self { folder: workspace.target("peers/debian") }
    }

    /// Where the program is: installed, taken out before, or taken out now.
    ///
    /// # Errors
    ///
    /// When there is no apt or no dpkg here, or they do not find the package.
    pub(super) fn program(&self, workspace: &Workspace, wanted: Packaged) -> Result<PathBuf, Failure> {
        let name = wanted.program.rsplit_once('/').map_or(wanted.program, |(_, name)| name);
        if let Some(installed) = on_path(name) {
            return Ok(installed);
        }
        let program = self.root().join(wanted.program);
        if !program.is_file() {
            self.take_out(workspace, wanted.package)?;
        }
        if program.is_file() {
            return Ok(program);
        }
        Err(Failure::new(format!("the package {} holds no {}", wanted.package, wanted.program)))
    }

    /// Where the libraries are that were taken out.
    pub(super) fn libraries(&self) -> Vec<PathBuf> {
        ["usr/lib", "lib"]
            .iter()
            .filter_map(|folder| fs::read_dir(self.root().join(folder)).ok())
            .flat_map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())))
            .filter(|path| path.is_dir())
            .collect()
    }

    fn root(&self) -> PathBuf {
        self.folder.join("root")
    }

    fn take_out(&self, workspace: &Workspace, package: &str) -> Result<(), Failure> {
        let packages = self.folder.join(package);
        let cannot = |error| Failure::new(format!("cannot make {}: {error}", packages.display()));
        fs::create_dir_all(&packages).map_err(cannot)?;
        fs::create_dir_all(self.root()).map_err(cannot)?;
        let mut apt = workspace.command("apt-cache");
        apt.args(["depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks"]);
        apt.args(["--no-replaces", "--no-enhances", package]);
        let missing = named(&capture(&mut apt)?).into_iter().filter(|name| !is_installed(workspace, name));
        let mut apt = workspace.command("apt-get");
        apt.args(["--quiet", "download"]).args(missing).current_dir(&packages);
        capture(&mut apt)?;
        let archives = fs::read_dir(&packages).map_err(cannot)?.filter_map(|entry| Some(entry.ok()?.path()));
        for archive in archives.filter(|path| path.extension().is_some_and(|extension| extension == "deb")) {
            capture(workspace.command("dpkg").arg("-x").arg(archive).arg(self.root()))?;
        }
        Ok(())
    }
}

/// The packages that `apt-cache depends` tells of: each begins a line, where its own dependencies are indented. Those in angle
/// brackets are names that several packages may stand for.
fn named(told: &str) -> Vec<String> {
    let names = told.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_alphanumeric()));
    names.map(|name| name.trim().to_owned()).collect()
}

fn is_installed(workspace: &Workspace, package: &str) -> bool {
    let mut query = workspace.command("dpkg-query");
    query.args(["--show", "--showformat=${db:Status-Status}", package]);
    capture(&mut query).is_ok_and(|status| status.split_whitespace().any(|word| word.starts_with("installed")))
}

/// Folders as the dynamic linker reads them.
pub(super) fn path_list(folders: &[PathBuf]) -> Result<std::ffi::OsString, Failure> {
    env::join_paths(folders).map_err(|error| Failure::new(format!("a folder cannot be named: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_told_from_their_dependencies_and_from_names_that_many_share() {
        let told = "haproxy\n  PreDepends: init-system-helpers\n  Depends: libc6\n |Depends: debconf\n\
                    \x20 Depends: <debconf-2.0>\ninit-system-helpers\nlibc6\n<debconf-2.0>\n";
        assert_eq!(named(told), ["haproxy", "init-system-helpers", "libc6"]);
    }
}
