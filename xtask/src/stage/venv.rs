use std::{env, fs, path::PathBuf};

use super::Context;
use crate::run::Failure;

/// A Python virtual environment under the target directory, made once for each list of requirements.
#[derive(Debug)]
pub(super) struct Venv {
    root: PathBuf,
}

impl Venv {
    /// The environment called `name` with what `requirements` (a file of the workspace) lists installed.
    ///
    /// # Errors
    ///
    /// When there is no Python 3, or pip cannot install the list.
    pub(super) fn with(context: &mut Context<'_>, name: &str, requirements: &str) -> Result<Self, Failure> {
        let list = context.workspace.path(requirements);
        let wanted = fs::read_to_string(&list)
            .map_err(|error| Failure::new(format!("cannot read {}: {error}", list.display())))?;
        let venv = Self { root: context.workspace.target(&format!("xtask/venv/{name}")) };
        let stamp = venv.root.join("installed.txt");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(venv);
        }
        let python = env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
        let mut make = context.workspace.command(python);
        make.args(["-m", "venv", "--clear"]).arg(&venv.root);
        context.run(&mut make, "cannot make a virtual environment (on Debian: apt-get install python3-venv)")?;
        let mut pip = context.workspace.command(venv.program("python"));
        pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "-r"]).arg(&list);
        context.run(&mut pip, &format!("pip could not install {requirements}"))?;
        fs::write(&stamp, wanted)
            .map_err(|error| Failure::new(format!("cannot write {}: {error}", stamp.display())))?;
        Ok(venv)
    }

    /// The root of the environment.
    pub(super) fn root(&self) -> &PathBuf {
        &self.root
    }

    /// A program installed in the environment.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        let folder = if cfg!(windows) { "Scripts" } else { "bin" };
        self.root.join(folder).join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }
}
