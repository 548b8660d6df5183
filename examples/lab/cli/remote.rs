use std::time::Duration;

use dr_core::{
    error::{Error, ErrorKind, Result},
    model::RegionId,
};
use dr_lab::{FaultRequest, LabClient, LabControl as _, clients::Window};
use serde::Serialize;

use super::arguments::{Command, Standing};

impl Command {
    pub(super) async fn run(self) -> Result<()> {
        match self {
            Self::Fault { preset, region, standing } => {
                let region = region.map(RegionId::new).transpose();
                let region = region.map_err(|e| Error::new(ErrorKind::Invalid, e.to_string()))?;
                let request = FaultRequest { region, ..FaultRequest::from(preset) };
                let mark = standing.lab().await?.inject(&request).await?;
                println!("{preset} at {:.1} s of the lab's time", mark.at_s);
            }
            Self::Heal(standing) => {
                let mark = standing.lab().await?.heal().await?;
                println!("healed at {:.1} s of the lab's time", mark.at_s);
            }
            Self::Lag { ms, standing } => {
                standing.lab().await?.set_lag(Duration::from_millis(ms)).await?;
                println!("replication lag {ms} ms");
            }
            Self::State(standing) => print(&standing.lab().await?.state().await?)?,
            Self::Clients { since, standing } => {
                let window = Window { from_s: since, to_s: None };
                print(&standing.lab().await?.clients(window).await?)?;
            }
            Self::Audit(standing) => print(&standing.lab().await?.audit(None).await?)?,
            Self::Effects(standing) => print(&standing.lab().await?.effects().await?)?,
        }
        Ok(())
    }
}

impl Standing {
    async fn lab(&self) -> Result<LabClient> {
        LabClient::from_env_file(&self.env_file).await
    }
}

fn print<T: Serialize>(value: &T) -> Result<()> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| Error::new(ErrorKind::Internal, "the answer does not serialise").with_source(e))?;
    println!("{text}");
    Ok(())
}
