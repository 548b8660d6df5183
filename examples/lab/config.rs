//! A `dr.yaml` as the programs read it: with the variables, the time and the credentials of a lab, or of this machine.

use std::{ffi::OsString, fmt, fs, path::Path, sync::Arc};

use aws_credential_types::Credentials;
use dr_aws::{Clients, ClientsBuilder, Timeouts};
use dr_core::{
    driver::Driver,
    error::Result,
    spec::{Spec, SpecLoader},
    time::{SharedClock, SystemClock},
};

use crate::{LabClient, LabControl as _};

/// A `dr.yaml` that was read, and what acting on it begins with.
#[derive(Debug)]
pub struct Config {
    /// What it says.
    pub spec: Spec,
    /// The time that it is read for: the lab's, or this machine's.
    pub clock: SharedClock,
    /// Whether a lab stands behind it.
    lab: bool,
}

/// Why a `dr.yaml` was not read, for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// There is no such file, or no lab.
    Absent(String),
    /// It says what makes no sense.
    Wrong(String),
}

impl Config {
    /// Reads `file`; with `lab`, with the variables of the lab that wrote this env file.
    ///
    /// What the environment says besides may replace what the lab says: a mode, or where to look.
    ///
    /// # Errors
    ///
    /// [`Unread`], with every mistake of the file.
    pub async fn read(file: &Path, lab: Option<&Path>) -> std::result::Result<Self, Unread> {
        let environment = std::env::vars_os().filter_map(text);
        let Some(env_file) = lab else {
            let clock: SharedClock = Arc::new(SystemClock::new());
            return Ok(Self { spec: load(file, environment, &clock)?, clock, lab: false });
        };
        let lab = LabClient::from_env_file(env_file)
            .await
            .map_err(|e| Unread::Absent(format!("no lab stands behind {}: {e}", env_file.display())))?;
        let variables = lab.endpoints().variables().into_iter().chain(environment);
        Ok(Self { spec: load(file, variables, &lab.clock())?, clock: lab.clock(), lab: true })
    }

    /// What clients of AWS begin with: the lab's credentials or those of AWS's own chain, the timeouts and endpoints of the
    /// file.
    pub async fn clients(&self) -> ClientsBuilder {
        let timeouts = Timeouts { operation: self.spec.timeouts.call, ..Timeouts::default() };
        let builder = Clients::builder(self.clock.clone());
        let builder = match self.lab {
            // The doubles look at no signature; these credentials say by their name what they are.
            true => builder.credentials(Credentials::new(
                "LABONLYNOTAREALKEY00",
                "lab-only-not-a-secret",
                None,
                None,
                "lab",
            )),
            false => builder.load_credentials().await,
        };
        builder.timeouts(timeouts).endpoints_of(&self.spec)
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Absent(why) | Self::Wrong(why)) = self;
        f.write_str(why)
    }
}

impl std::error::Error for Unread {}

/// Every driver that this workspace has, acting through these clients.
///
/// # Errors
///
/// Never in practice: the names that drivers carry are literals.
pub fn every_driver(clients: &Clients, clock: &SharedClock) -> Result<Vec<Arc<dyn Driver>>> {
    let mut drivers = dr_aws::drivers(clients)?;
    drivers.extend(dr_k8s::drivers(clock));
    Ok(drivers)
}

fn load(
    file: &Path,
    variables: impl IntoIterator<Item = (String, String)>,
    clock: &SharedClock,
) -> std::result::Result<Spec, Unread> {
    let shown = file.display();
    let bytes = fs::read(file)
        .map_err(|e| Unread::Absent(format!("{shown} cannot be read ({e}): name another with --config")))?;
    let mut loader = SpecLoader::new().variables(variables);
    let drivers = every_driver(&Clients::offline(clock.clone()), clock).map_err(|e| Unread::Wrong(e.to_string()))?;
    for driver in drivers {
        loader = loader.driver_schema(driver.kind(), driver.schema());
    }
    loader.load_bytes(&shown.to_string(), &bytes).map_err(|errors| Unread::Wrong(errors.to_string()))
}

/// A variable that is text; what is none cannot stand in `dr.yaml`.
fn text((name, value): (OsString, OsString)) -> Option<(String, String)> {
    Some((name.into_string().ok()?, value.into_string().ok()?))
}
