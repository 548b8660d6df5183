use std::{fs, path::Path, sync::Arc};

use aws_credential_types::Credentials;
use dr_aws::{
    Clients, Timeouts,
    opinion::{AskedOpinion, opinions},
};
use dr_core::{
    driver::{Driver, DriverRegistry},
    error::{Error, ErrorKind},
    model::RegionId,
    spec::{Spec, SpecLoader},
    step::StepRegistry,
    time::SharedClock,
    topology::Topology,
};
use dr_lab::Endpoints;

use crate::exit::Stop;

/// The platform as `dr.yaml` describes it, with the drivers that act on it.
#[derive(Clone, Debug)]
pub(crate) struct Platform {
    pub(crate) spec: Spec,
    pub(crate) topology: Topology,
    pub(crate) drivers: DriverRegistry,
    pub(crate) steps: StepRegistry,
    pub(crate) opinions: Vec<AskedOpinion>,
    pub(crate) clock: SharedClock,
}

impl Platform {
    /// Reads the file, with the lab's endpoints for its variables.
    pub(crate) fn load(file: &Path, endpoints: &Endpoints, clock: &SharedClock) -> Result<Self, Stop> {
        let spec = read(file, SpecLoader::new().variables(endpoints.variables()), clock)?;
        let topology = Topology::new(&spec).map_err(|e| Stop::usage(e.to_string()))?;
        // The doubles look at no signature; these credentials say by their name what they are.
        let credentials = Credentials::new("LABONLYNOTAREALKEY00", "lab-only-not-a-secret", None, None, "lab");
        let timeouts = Timeouts { operation: spec.timeouts.call, ..Timeouts::default() };
        let clients =
            Clients::builder(clock.clone()).credentials(credentials).timeouts(timeouts).endpoints_of(&spec).build();
        let mut drivers = DriverRegistry::new();
        for driver in all_drivers(&clients, clock)? {
            drivers.register(driver).map_err(internal)?;
        }
        let steps = drivers.steps().map_err(internal)?;
        let opinions = opinions(&spec, &clients)?;
        Ok(Self { spec, topology, drivers, steps, opinions, clock: clock.clone() })
    }

    /// The region that serves in steady state.
    pub(crate) fn active(&self) -> Result<RegionId, Stop> {
        let active = self.topology.active().map(|region| region.id.clone());
        active.ok_or_else(|| Stop::usage("no region is active"))
    }

    /// The region that takes over from the active one.
    pub(crate) fn standby(&self) -> Result<RegionId, Stop> {
        let active = self.active()?;
        let first = self.topology.candidates(&active).first().map(|region| region.id.clone());
        first.ok_or_else(|| Stop::usage(format!("no region can take over from {active}")))
    }
}

/// Reads the file, with every driver's part of it.
pub(crate) fn read(file: &Path, mut loader: SpecLoader, clock: &SharedClock) -> Result<Spec, Stop> {
    let text = fs::read(file)
        .map_err(|e| Stop::usage(format!("{} cannot be read: {e}; name another with --spec", file.display())))?;
    for driver in all_drivers(&Clients::offline(clock.clone()), clock)? {
        loader = loader.driver_schema(driver.kind(), driver.schema());
    }
    loader.load_bytes(&file.display().to_string(), &text).map_err(|errors| Stop::usage(errors.to_string()))
}

fn all_drivers(clients: &Clients, clock: &SharedClock) -> Result<Vec<Arc<dyn Driver>>, Stop> {
    let mut drivers = dr_aws::drivers(clients)?;
    drivers.extend(dr_k8s::drivers(clock));
    Ok(drivers)
}

fn internal(error: impl std::error::Error) -> Stop {
    Stop::from(Error::new(ErrorKind::Internal, error.to_string()))
}
