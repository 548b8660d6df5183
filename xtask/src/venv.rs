use std::{env, fs, path::PathBuf, process::Command};

use crate::{run::Failure, workspace::Workspace};

/// A Python virtual environment under the target directory, made once for each list of requirements.
#[derive(Debug)]
pub(crate) struct Venv {
    root: PathBuf,
}

impl Venv {
    /// The environment called `name` with what `requirements` (a file of the workspace) lists installed. `run` runs what that
    /// takes; its text is the failure when it fails.
    ///
    /// # Errors
    ///
    /// When there is no Python 3, or pip cannot install the list.
    pub(crate) fn with(
        workspace: &Workspace,
        name: &str,
        requirements: &str,
        mut run: impl FnMut(&mut Command, &str) -> Result<(), Failure>,
    ) -> Result<Self, Failure> {
        let list = workspace.path(requirements);
        let wanted = fs::read_to_string(&list)
            .map_err(|error| Failure::new(format!("cannot read {}: {error}", list.display())))?;
        let venv = Self { root: workspace.target(&format!("xtask/venv/{name}")) };
        let stamp = venv.root.join("installed.txt");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(venv);
        }
        let python = env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
        let mut make = workspace.command(python);
        make.args(["-m", "venv", "--clear"]).arg(&venv.root);
        run(&mut make, "cannot make a virtual environment (on Debian: apt-get install python3-venv)")?;
        let mut pip = workspace.command(venv.program("python"));
        pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "-r"]).arg(&list);
        run(&mut pip, &format!("pip could not install {requirements}"))?;
        fs::write(&stamp, wanted)
            .map_err(|error| Failure::new(format!("cannot write {}: {error}", stamp.display())))?;
        Ok(venv)
    }

    /// The root of the environment.
    pub(crate) fn root(&self) -> &PathBuf {
        &self.root
    }

    /// A program installed in the environment.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        let folder = if cfg!(windows) { "Scripts" } else { "bin" };
        self.root.join(folder).join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }
}
