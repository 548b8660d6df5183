use dr_aws::opinion::{AskedOpinion, opinions};
use dr_core::{
    driver::DriverRegistry,
    error::{Error, ErrorKind},
    spec::Spec,
    step::StepRegistry,
    time::SharedClock,
    topology::Topology,
};
use dr_lab::config::{Config, every_driver};

use crate::{
    cli::Cli,
    exit::{Exit, Stop},
};

/// The platform as `dr.yaml` describes it, with the drivers that act on it.
#[derive(Debug)]
pub(crate) struct Platform {
    pub(crate) config: Config,
    pub(crate) topology: Topology,
    pub(crate) drivers: DriverRegistry,
    pub(crate) steps: StepRegistry,
    pub(crate) opinions: Vec<AskedOpinion>,
}

impl Platform {
    pub(crate) async fn load(cli: &Cli) -> Result<Self, Stop> {
        let config = Config::read(&cli.config, cli.lab.as_deref()).await?;
        let clients = config.clients().await.build();
        let topology = Topology::new(&config.spec).map_err(|e| Stop::new(Exit::Usage, e.to_string()))?;
        let mut drivers = DriverRegistry::new();
        for driver in every_driver(&clients, &config.clock)? {
            drivers.register(driver).map_err(internal)?;
        }
        let steps = drivers.steps().map_err(internal)?;
        let opinions = opinions(&config.spec, &clients)?;
        Ok(Self { config, topology, drivers, steps, opinions })
    }

    pub(crate) fn spec(&self) -> &Spec {
        &self.config.spec
    }

    pub(crate) fn clock(&self) -> SharedClock {
        self.config.clock.clone()
    }
}

fn internal(error: impl std::error::Error) -> Stop {
    Stop::from(Error::new(ErrorKind::Internal, error.to_string()))
}
