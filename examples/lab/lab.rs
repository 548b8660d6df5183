use std::{collections::BTreeMap, fmt, sync::Arc};

use dr_aws::testing::{Endpoint, World};
use dr_core::{
    model::RegionId,
    testing::{EffectLog, FaultBoard},
    time::{Clock as _, ScaledClock},
};
use dr_k8s::testing::{Cluster, Serving};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    builder::LabBuilder,
    clients::{ClientReport, Ledger, Window},
    control::LabControl,
    dns::NameServer,
    endpoints::Endpoints,
    files::Files,
    inner::Inner,
    orders::Stores,
};

/// Everything that listens and was not given away yet.
pub(crate) struct Listeners {
    pub(crate) aws: BTreeMap<RegionId, Endpoint>,
    pub(crate) kubernetes: BTreeMap<RegionId, Serving>,
    pub(crate) fronts: BTreeMap<RegionId, TcpListener>,
    pub(crate) application_port: u16,
}

/// The platform in two regions and a witness, running in this process. It stops when dropped.
///
/// ```no_run
/// use dr_lab::{Lab, clients::Window};
///
/// # async fn example() -> dr_core::error::Result<()> {
/// let lab = Lab::builder().time_scale(20.0).seed(7).build().await?;
/// println!("dig @{} -p {} api.ecommerce.com", lab.endpoints().dns.ip(), lab.endpoints().dns.port());
/// let control = lab.control();
/// control.inject(&dr_lab::FaultPreset::Gray.into()).await?;
/// println!("{:?}", control.clients(Window::ALL).await?.failures);
/// lab.shutdown().await;
/// # Ok(())
/// # }
/// ```
pub struct Lab {
    core: Arc<Inner>,
    tasks: JoinSet<()>,
    cancel: CancellationToken,
    _listeners: (BTreeMap<RegionId, Endpoint>, BTreeMap<RegionId, Serving>, NameServer),
    _files: Files,
}

impl fmt::Debug for Lab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lab").field("endpoints", self.endpoints()).finish_non_exhaustive()
    }
}

impl Lab {
    pub(crate) fn new(
        core: Arc<Inner>,
        tasks: JoinSet<()>,
        cancel: CancellationToken,
        listeners: (BTreeMap<RegionId, Endpoint>, BTreeMap<RegionId, Serving>, NameServer),
        files: Files,
    ) -> Self {
        Self { core, tasks, cancel, _listeners: listeners, _files: files }
    }

    /// Begins a lab.
    #[must_use]
    pub fn builder() -> LabBuilder {
        LabBuilder::default()
    }

    /// The lab as a drill sees it, the same as a [`LabClient`](crate::LabClient) in another process.
    #[must_use]
    pub fn control(&self) -> Arc<dyn LabControl> {
        self.core.clone()
    }

    /// Where everything listens.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.core.endpoints
    }

    /// The lab's time.
    #[must_use]
    pub fn clock(&self) -> Arc<ScaledClock> {
        Arc::clone(&self.core.clock)
    }

    /// The AWS double.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.core.estate.world
    }

    /// The Kubernetes doubles.
    #[must_use]
    pub fn clusters(&self) -> &BTreeMap<RegionId, Cluster> {
        &self.core.estate.clusters
    }

    /// The switches that break the lab. [`LabControl::inject`] also marks the moment.
    #[must_use]
    pub fn faults(&self) -> &FaultBoard {
        &self.core.board
    }

    /// Every change that the doubles made because somebody asked them to.
    #[must_use]
    pub fn effects(&self) -> &EffectLog {
        &self.core.effects
    }

    /// The order volumes.
    #[must_use]
    pub fn stores(&self) -> &Stores {
        &self.core.stores
    }

    /// What the clients remember.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.core.ledger
    }

    /// What the clients felt in a window.
    #[must_use]
    pub fn client_report(&self, window: Window) -> ClientReport {
        ClientReport::of(&self.core.ledger.records(), self.core.clients, window, self.core.clock.monotonic())
    }

    /// Ends everything, and waits until it has ended.
    pub async fn shutdown(mut self) {
        self.cancel.cancel();
        self.tasks.shutdown().await;
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}
