use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::workspace::on_path;

/// The lowest priority that this machine has for a program.
#[derive(Clone, Debug)]
pub(crate) struct Priority {
    program: PathBuf,
    arguments: &'static [&'static str],
}

impl Priority {
    /// What Linux gives to a program that runs when nothing else wants to; elsewhere the nicest. None where neither is to be
    /// had, since a program of ordinary priority would be in the way.
    pub(crate) fn lowest() -> Option<Self> {
        let known: [(&str, &[&str]); 2] = [("chrt", &["--idle", "0"]), ("nice", &["-n", "19"])];
        let mut there =
            known.into_iter().filter_map(|(name, arguments)| Some(Self { program: on_path(name)?, arguments }));
        // Some containers forbid it.
        there.find(|priority| {
            let mut nothing = priority.lower(&Command::new("true"));
            nothing.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            nothing.status().is_ok_and(|status| status.success())
        })
    }

    /// The same command with this priority.
    pub(crate) fn lower(&self, command: &Command) -> Command {
        let mut lowered = Command::new(&self.program);
        lowered.args(self.arguments).arg(command.get_program()).args(command.get_args());
        if let Some(folder) = command.get_current_dir() {
            lowered.current_dir(folder);
        }
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => lowered.env(name, value),
                None => lowered.env_remove(name),
            };
        }
        lowered
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::capture;

    #[test]
    fn a_command_keeps_its_arguments_its_folder_and_its_environment() {
        let Some(priority) = Priority::lowest() else { return };
        let mut command = Command::new("sh");
        command.args(["-c", "echo \"$1 $PWD $GIVEN ${HOME-none}\"", "sh", "one"]);
        command.current_dir("/").env("GIVEN", "two").env_remove("HOME");
        assert_eq!(capture(&mut priority.lower(&command)).unwrap(), "one / two none\n");
    }
}
