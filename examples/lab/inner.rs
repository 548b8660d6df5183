use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    testing::{EffectLog, EffectRecord, FaultBoard},
    time::{Clock as _, Monotonic, ScaledClock, SharedClock},
};

use crate::{
    audit::Audit,
    clients::{ClientReport, Ledger, Window},
    control::{FAULT, HEAL, LabControl, Mark},
    endpoints::Endpoints,
    estate::Estate,
    orders::Stores,
    preset::FaultRequest,
    state::StackState,
};

/// What a lab knows and can do, without its listeners and tasks.
pub(crate) struct Inner {
    pub(crate) clock: Arc<ScaledClock>,
    pub(crate) board: FaultBoard,
    pub(crate) effects: EffectLog,
    pub(crate) estate: Estate,
    pub(crate) stores: Stores,
    pub(crate) ledger: Ledger,
    pub(crate) clients: u32,
    pub(crate) endpoints: Endpoints,
    pub(crate) lag: Mutex<Duration>,
    pub(crate) marks: Mutex<Vec<Mark>>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}

impl Inner {
    fn all_marks(&self) -> MutexGuard<'_, Vec<Mark>> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, label: &str, at: Monotonic) -> Mark {
        let mark = Mark { label: label.to_owned(), at_s: at.since_origin().as_secs_f64() };
        self.all_marks().push(mark.clone());
        mark
    }

    /// Keeps the volumes in step with the world: what has crossed before a fault has crossed, and whoever comes to follow does so with the lag
    /// that was asked for.
    pub(crate) async fn follow(self: Arc<Self>) {
        let mut faults = self.board.watch();
        let mut roles = self.estate.world.rds().changes();
        loop {
            let changed = tokio::select! {
                changed = faults.changed() => changed,
                changed = roles.changed() => changed,
            };
            if changed.is_err() {
                return;
            }
            self.stores.advance();
            let lag = *self.lag.lock().unwrap_or_else(PoisonError::into_inner);
            self.estate.aurora.set_lag(lag);
        }
    }
}

#[async_trait]
impl LabControl for Inner {
    fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    fn clock(&self) -> SharedClock {
        self.clock.clone()
    }

    async fn state(&self) -> Result<StackState> {
        Ok(self.estate.snapshot(&self.board))
    }

    async fn clients(&self, window: Window) -> Result<ClientReport> {
        Ok(ClientReport::of(&self.ledger.records(), self.clients, window, self.clock.monotonic()))
    }

    async fn audit(&self, since_s: Option<f64>) -> Result<Audit> {
        // The ledger first: see `Audit::of`.
        let acknowledged = self.ledger.records().acknowledged;
        let surviving = self.stores.surviving();
        let since = Monotonic::new(Duration::try_from_secs_f64(since_s.unwrap_or(0.0)).unwrap_or_default());
        let fault = self.all_marks().iter().rfind(|mark| mark.label == FAULT).map(Mark::at).filter(|at| *at >= since);
        Ok(Audit::of(&acknowledged, &surviving, since, fault))
    }

    async fn effects(&self) -> Result<Vec<EffectRecord>> {
        Ok(self.effects.all())
    }

    async fn inject(&self, request: &FaultRequest) -> Result<Mark> {
        let region = match &request.region {
            Some(region) if self.estate.places.contains_key(region) => region,
            Some(region) => {
                let message = format!("the lab has no region {region}");
                return Err(Error::new(ErrorKind::NotFound, message).with_effect(Effect::NotApplied));
            }
            None => self.estate.active()?,
        };
        let at = self.stores.at_once(|now| {
            if let Some(preset) = request.preset {
                preset.apply(&self.board, region);
            }
            for rule in &request.rules {
                self.board.add(rule.clone());
            }
            now
        });
        Ok(self.remember(FAULT, at))
    }

    async fn heal(&self) -> Result<Mark> {
        let at = self.stores.at_once(|now| {
            self.board.clear();
            now
        });
        Ok(self.remember(HEAL, at))
    }

    async fn set_lag(&self, lag: Duration) -> Result<()> {
        *self.lag.lock().unwrap_or_else(PoisonError::into_inner) = lag;
        // What had crossed under the old lag has crossed.
        self.stores.at_once(|_| self.estate.aurora.set_lag(lag));
        Ok(())
    }

    async fn mark(&self, label: &str) -> Result<Mark> {
        Ok(self.remember(label, self.clock.monotonic()))
    }

    async fn marks(&self) -> Result<Vec<Mark>> {
        Ok(self.all_marks().clone())
    }
}
