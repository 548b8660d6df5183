use std::{fs, path::Path, sync::Arc};

use aws_credential_types::Credentials;
use dr_aws::{
    Clients, ClientsBuilder, Timeouts,
    opinion::{AskedOpinion, opinions},
};
use dr_core::{
    driver::{Driver, DriverRegistry},
    error::{Error, ErrorKind},
    spec::{Spec, SpecLoader},
    step::StepRegistry,
    time::{SharedClock, SystemClock},
    topology::Topology,
};
use dr_lab::{LabClient, LabControl as _};

use crate::{
    cli::Cli,
    exit::{Exit, Stop},
};

/// The platform as `dr.yaml` describes it, with the drivers that act on it.
#[derive(Debug)]
pub(crate) struct Platform {
    pub(crate) spec: Spec,
    pub(crate) topology: Topology,
    pub(crate) drivers: DriverRegistry,
    pub(crate) steps: StepRegistry,
    pub(crate) opinions: Vec<AskedOpinion>,
    pub(crate) clock: SharedClock,
    /// A lab's own; AWS's own chain finds them otherwise.
    credentials: Option<Credentials>,
}

impl Platform {
    pub(crate) async fn load(cli: &Cli) -> Result<Self, Stop> {
        let Some(file) = &cli.lab else {
            let clock: SharedClock = Arc::new(SystemClock::new());
            let spec = read(&cli.config, std::env::vars_os().filter_map(text), &clock)?;
            let clients = Clients::builder(clock.clone()).load_credentials().await;
            return Self::acting(spec, clients, None, clock);
        };
        let lab = LabClient::from_env_file(file)
            .await
            .map_err(|e| Stop::new(Exit::Absent, format!("no lab stands behind {}: {e}", file.display())))?;
        // What the environment says besides may replace what the lab says: the mode, or where to look.
        let variables = lab.endpoints().variables().into_iter().chain(std::env::vars_os().filter_map(text));
        let clock = lab.clock();
        let spec = read(&cli.config, variables, &clock)?;
        // The doubles look at no signature; these credentials say by their name what they are.
        let credentials = Credentials::new("LABONLYNOTAREALKEY00", "lab-only-not-a-secret", None, None, "lab");
        let clients = Clients::builder(clock.clone()).credentials(credentials.clone());
        Self::acting(spec, clients, Some(credentials), clock)
    }

    /// The clients of a journal in S3, which are its own.
    pub(crate) async fn journal_clients(&self) -> ClientsBuilder {
        let builder = Clients::builder(self.clock.clone());
        match &self.credentials {
            Some(credentials) => builder.credentials(credentials.clone()),
            None => builder.load_credentials().await,
        }
    }

    fn acting(
        spec: Spec,
        builder: ClientsBuilder,
        credentials: Option<Credentials>,
        clock: SharedClock,
    ) -> Result<Self, Stop> {
        let timeouts = Timeouts { operation: spec.timeouts.call, ..Timeouts::default() };
        let clients = builder.timeouts(timeouts).endpoints_of(&spec).build();
        let topology = Topology::new(&spec).map_err(|e| Stop::new(Exit::Usage, e.to_string()))?;
        let mut drivers = DriverRegistry::new();
        for driver in every_driver(&clients, &clock)? {
            drivers.register(driver).map_err(internal)?;
        }
        let steps = drivers.steps().map_err(internal)?;
        let opinions = opinions(&spec, &clients)?;
        Ok(Self { spec, topology, drivers, steps, opinions, clock, credentials })
    }
}

/// A variable that is text; what is none cannot stand in dr.yaml.
fn text((name, value): (std::ffi::OsString, std::ffi::OsString)) -> Option<(String, String)> {
    Some((name.into_string().ok()?, value.into_string().ok()?))
}

fn read(file: &Path, variables: impl IntoIterator<Item = (String, String)>, clock: &SharedClock) -> Result<Spec, Stop> {
    let shown = file.display();
    let bytes = fs::read(file)
        .map_err(|e| Stop::new(Exit::Absent, format!("{shown} cannot be read ({e}): name another with --config")))?;
    let mut loader = SpecLoader::new().variables(variables);
    for driver in every_driver(&Clients::offline(clock.clone()), clock)? {
        loader = loader.driver_schema(driver.kind(), driver.schema());
    }
    loader.load_bytes(&shown.to_string(), &bytes).map_err(|errors| Stop::new(Exit::Usage, errors.to_string()))
}

fn every_driver(clients: &Clients, clock: &SharedClock) -> Result<Vec<Arc<dyn Driver>>, Stop> {
    let mut drivers = dr_aws::drivers(clients)?;
    drivers.extend(dr_k8s::drivers(clock));
    Ok(drivers)
}

fn internal(error: impl std::error::Error) -> Stop {
    Stop::from(Error::new(ErrorKind::Internal, error.to_string()))
}
