use std::{path::Path, sync::Arc};

use dr_core::time::SharedClock;
use dr_lab::{Lab, LabBuilder, LabClient, LabControl};

use crate::exit::Stop;

/// What the drill breaks: a lab in this process, or one that stands in another.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) lab: Arc<dyn LabControl>,
    embedded: Option<Lab>,
}

impl Scene {
    /// Stands a lab up in this process.
    pub(crate) async fn embedded(time_scale: f64, seed: u64) -> Result<Self, Stop> {
        Self::built(Lab::builder().time_scale(time_scale).seed(seed)).await
    }

    /// Stands this lab up in this process.
    pub(crate) async fn built(lab: LabBuilder) -> Result<Self, Stop> {
        let lab = lab.build().await?;
        Ok(Self { lab: lab.control(), embedded: Some(lab) })
    }

    /// Finds a lab in another process.
    pub(crate) async fn standing(env_file: &Path) -> Result<Self, Stop> {
        let lab = LabClient::from_env_file(env_file).await.map_err(|e| {
            Stop::usage(format!(
                "no lab stands behind {}: {e}; start one with `cargo run --bin lab -- --env-file FILE`",
                env_file.display()
            ))
        })?;
        Ok(Self { lab: Arc::new(lab), embedded: None })
    }

    pub(crate) fn is_embedded(&self) -> bool {
        self.embedded.is_some()
    }

    pub(crate) fn clock(&self) -> SharedClock {
        self.lab.clock()
    }

    /// Takes an embedded lab down.
    pub(crate) async fn leave(self) {
        if let Some(lab) = self.embedded {
            lab.shutdown().await;
        }
    }
}
