use std::{fs, path::Path, sync::Arc};

use dr_aws::Clients;
use dr_core::{
    spec::{Spec, SpecLoader},
    time::{SharedClock, SystemClock},
};
use dr_lab::{LabClient, LabControl as _};

use crate::{
    cli::Cli,
    exit::{Exit, Stop},
};

/// Reads dr.yaml, and tells which time it is read for.
pub(crate) async fn load(cli: &Cli) -> Result<(Spec, SharedClock), Stop> {
    let Some(file) = &cli.lab else {
        let clock: SharedClock = Arc::new(SystemClock::new());
        let spec = spec(&cli.config, std::env::vars_os().filter_map(text), &clock)?;
        return Ok((spec, clock));
    };
    let lab = LabClient::from_env_file(file)
        .await
        .map_err(|e| Stop::new(Exit::Absent, format!("no lab stands behind {}: {e}", file.display())))?;
    // What the environment says besides may replace what the lab says: an observer can be told to look elsewhere.
    let variables = lab.endpoints().variables().into_iter().chain(std::env::vars_os().filter_map(text));
    let spec = spec(&cli.config, variables, &lab.clock())?;
    Ok((spec, lab.clock()))
}

/// A variable that is text; what is none cannot stand in dr.yaml.
fn text((name, value): (std::ffi::OsString, std::ffi::OsString)) -> Option<(String, String)> {
    Some((name.into_string().ok()?, value.into_string().ok()?))
}

fn spec(file: &Path, variables: impl IntoIterator<Item = (String, String)>, clock: &SharedClock) -> Result<Spec, Stop> {
    let shown = file.display();
    let bytes = fs::read(file)
        .map_err(|e| Stop::new(Exit::Absent, format!("{shown} cannot be read ({e}): name another with --config")))?;
    let mut loader = SpecLoader::new().variables(variables);
    // The kinds of resource are known, so that the file is judged as it is elsewhere; none of them is asked anything.
    for driver in dr_aws::drivers(&Clients::offline(clock.clone()))?.into_iter().chain(dr_k8s::drivers(clock)) {
        loader = loader.driver_schema(driver.kind(), driver.schema());
    }
    loader.load_bytes(&shown.to_string(), &bytes).map_err(|errors| Stop::new(Exit::Usage, errors.to_string()))
}
