use async_trait::async_trait;
use dr_core::{
    detect::Standings,
    engine::{HealthReading, HealthSource, WatchedHealth},
    error::Result,
    model::RegionId,
    plan::Plan,
};
use tokio::sync::watch;

/// The application's health after a run, as the drill's observers judge it.
///
/// The run's last step is done when it is asked for, so the region that it leads to takes the writes from then on, and is
/// judged by them.
#[derive(Debug)]
pub(crate) struct Recovery {
    watched: WatchedHealth,
    writer: watch::Sender<RegionId>,
}

impl Recovery {
    pub(crate) fn new(standings: watch::Receiver<Standings>, writer: watch::Sender<RegionId>) -> Self {
        Self { watched: WatchedHealth::new(standings), writer }
    }
}

#[async_trait]
impl HealthSource for Recovery {
    async fn look(&self, plan: &Plan) -> Result<HealthReading> {
        let to = &plan.goal().to;
        self.writer.send_if_modified(|writer| {
            let moved = writer != to;
            writer.clone_from(to);
            moved
        });
        self.watched.look(plan).await
    }
}
