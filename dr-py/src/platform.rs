//! A platform as its `dr.yaml` describes it, and the drivers that act on it.

use std::{fs, path::Path, sync::Arc};

use dr_aws::{Clients, ClientsBuilder, Timeouts};
use dr_core::{
    driver::{Driver, DriverRegistry},
    error::{Effect, Error, ErrorKind},
    model::RegionId,
    spec::{Spec, SpecLoader},
    step::StepRegistry,
    time::SharedClock,
    topology::Topology,
    validation::{CheckCx, Finding, Severity},
};
use futures::future::join_all;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::{
    environment::{self, Variables},
    raise::Trouble,
};

/// A platform, shared by all that came from one `load`.
#[derive(Debug)]
pub(crate) struct Platform {
    pub(crate) spec: Spec,
    pub(crate) topology: Topology,
    pub(crate) clock: SharedClock,
    pub(crate) schema: Value,
    /// A lab's own; kept out of every `Debug` by the type itself.
    credentials: Option<aws_credential_types::Credentials>,
    acting: OnceCell<Acting>,
}

/// The drivers with credentials, made when first needed: to look at a file needs none.
#[derive(Debug)]
pub(crate) struct Acting {
    pub(crate) drivers: DriverRegistry,
    pub(crate) steps: StepRegistry,
}

impl Platform {
    pub(crate) fn load(path: &Path, variables: Variables) -> Result<Self, Trouble> {
        let shown = path.display().to_string();
        let text = fs::read(path).map_err(|e| {
            Error::new(ErrorKind::Storage, format!("{shown} cannot be read: {e}")).with_effect(Effect::NotApplied)
        })?;
        let clock = environment::clock(&variables);
        let credentials = environment::lab_credentials(&variables);
        let mut loader = SpecLoader::new().variables(variables);
        for driver in every_driver(&Clients::offline(clock.clone()), &clock)? {
            loader = loader.driver_schema(driver.kind(), driver.schema());
        }
        let schema = loader.json_schema();
        let spec = loader.load_bytes(&shown, &text)?;
        let topology = Topology::new(&spec).map_err(|e| Trouble::Value(e.to_string()))?;
        Ok(Self { spec, topology, clock, schema, credentials, acting: OnceCell::new() })
    }

    /// The drivers, ready to act.
    pub(crate) async fn acting(&self) -> Result<&Acting, Trouble> {
        self.acting.get_or_try_init(|| self.arm()).await
    }

    /// What clients of AWS begin with: the credentials, and how long a call may take.
    pub(crate) async fn clients(&self) -> ClientsBuilder {
        let timeouts = Timeouts { operation: self.spec.timeouts.call, ..Timeouts::default() };
        let builder = Clients::builder(self.clock.clone()).timeouts(timeouts);
        match &self.credentials {
            Some(credentials) => builder.credentials(credentials.clone()),
            None => builder.load_credentials().await,
        }
    }

    async fn arm(&self) -> Result<Acting, Trouble> {
        let clients = self.clients().await.endpoints_of(&self.spec).build();
        let mut drivers = DriverRegistry::new();
        for driver in every_driver(&clients, &self.clock)? {
            drivers.register(driver).map_err(internal)?;
        }
        let steps = drivers.steps().map_err(internal)?;
        Ok(Acting { drivers, steps })
    }

    /// Asks every validation of every driver, all at once. One that could not look is a finding of its own.
    pub(crate) async fn preflight(&self) -> Result<Vec<Finding>, Trouble> {
        let acting = self.acting().await?;
        let mut validations = Vec::new();
        for resource in self.topology.resources() {
            let Some(driver) = acting.drivers.get(&resource.kind) else { continue };
            validations.extend(driver.validations(resource)?.into_iter().map(|validation| (resource, validation)));
        }
        let cx = CheckCx { topology: &self.topology, clock: self.clock.clone() };
        let looks = validations.iter().map(|(resource, validation)| {
            let cx = &cx;
            async move {
                validation.check(cx).await.unwrap_or_else(|error| {
                    vec![Finding {
                        severity: Severity::Warning,
                        subject: resource.id.to_string(),
                        check: validation.id().to_owned(),
                        message: format!("could not look: {error}"),
                        evidence: Value::Null,
                        remedy: "see that its endpoint can be reached and its credentials are good, and look again"
                            .to_owned(),
                    }]
                })
            }
        });
        let mut found = join_all(looks).await.concat();
        found.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        Ok(found)
    }

    /// The region that serves in steady state.
    pub(crate) fn active(&self) -> Result<RegionId, Trouble> {
        let active = self.topology.active().map(|region| region.id.clone());
        active.ok_or_else(|| Trouble::Value("no region is active".to_owned()))
    }

    /// The region that takes over from the active one.
    pub(crate) fn standby(&self) -> Result<RegionId, Trouble> {
        let active = self.active()?;
        let first = self.topology.candidates(&active).first().map(|region| region.id.clone());
        first.ok_or_else(|| Trouble::Value(format!("no region can take over from {active}")))
    }

    /// The region of that name.
    pub(crate) fn region(&self, name: &str) -> Result<RegionId, Trouble> {
        let regions = self.topology.regions();
        regions.iter().find(|region| region.id == *name).map(|region| region.id.clone()).ok_or_else(|| {
            let known: Vec<&str> = regions.iter().map(|region| region.id.as_str()).collect();
            Trouble::Value(format!("dr.yaml has no region {name:?}: it has {}", known.join(", ")))
        })
    }
}

fn every_driver(clients: &Clients, clock: &SharedClock) -> Result<Vec<Arc<dyn Driver>>, Trouble> {
    let mut drivers = dr_aws::drivers(clients)?;
    drivers.extend(dr_k8s::drivers(clock));
    Ok(drivers)
}

fn internal(error: impl std::error::Error) -> Trouble {
    Error::new(ErrorKind::Internal, error.to_string()).with_effect(Effect::NotApplied).into()
}
