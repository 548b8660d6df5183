use std::{sync::Arc, time::Duration};

use super::{Approver, Engine, HealthSource, TrafficSource, engine::Core};
use crate::{
    event::{EventSink, NullSink},
    journal::Journal,
    model::OwnerId,
    step::StepRegistry,
    time::SharedClock,
};

/// What an engine does when its run waits for a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnPause {
    /// It listens until somebody decides, through [`Engine::control`] or its approver.
    #[default]
    Wait,
    /// It gives the lease back and returns, once nothing is under way; the run is taken up again later. With an approver,
    /// a gate is waited for all the same.
    Return,
}

/// Collects what an engine works with.
#[derive(Debug)]
pub struct EngineBuilder {
    core: Core,
}

impl EngineBuilder {
    pub(super) fn new(journal: Arc<dyn Journal>, steps: StepRegistry, clock: SharedClock) -> Self {
        Self {
            core: Core {
                journal,
                steps,
                clock,
                events: Arc::new(NullSink),
                owner: anonymous(),
                approver: None,
                health: None,
                traffic: None,
                ttl: Duration::from_secs(30),
                patience: Duration::ZERO,
                listen_every: Duration::from_secs(1),
                answer_within: Duration::from_secs(30),
                on_pause: OnPause::default(),
                active: std::sync::Mutex::default(),
                #[cfg(feature = "sim")]
                meddle: None,
            },
        }
    }

    /// Who is told what happens; nobody by default.
    #[must_use]
    pub fn events(mut self, events: Arc<dyn EventSink>) -> Self {
        self.core.events = events;
        self
    }

    /// The engine's name in leases and records; a random one by default. Two engines must not share a name: whoever
    /// holds a lease may take it again at once.
    #[must_use]
    pub fn owner(mut self, owner: OwnerId) -> Self {
        self.core.owner = owner;
        self
    }

    /// Who is asked at a gate. Without one, a gate waits for [`Control::Approve`](super::Control::Approve).
    #[must_use]
    pub fn approver(mut self, approver: Arc<dyn Approver>) -> Self {
        self.core.approver = Some(approver);
        self
    }

    /// Who says how the application is once the last step is done. A plan with a recovery goal needs one.
    #[must_use]
    pub fn health(mut self, health: Arc<dyn HealthSource>) -> Self {
        self.core.health = Some(health);
        self
    }

    /// Who says which regions hold traffic. Without one, every safety rule that counts them refuses.
    #[must_use]
    pub fn traffic(mut self, traffic: Arc<dyn TrafficSource>) -> Self {
        self.core.traffic = Some(traffic);
        self
    }

    /// How long a lease lasts unless renewed, on the clock; 30 s by default. It is renewed three times in that time.
    /// The engine acts on five sixths of it: by a sixth the walls of two machines may differ.
    #[must_use]
    pub fn lease(mut self, ttl: Duration) -> Self {
        self.core.ttl = ttl;
        self
    }

    /// How long to wait for another engine's lease to lapse when a run is taken up, on the clock; not at all by default.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.core.patience = patience;
        self
    }

    /// How often the inbox of a run is looked into, and its journal by whoever waits for an answer or follows; every second
    /// of the clock by default.
    #[must_use]
    pub fn listen_every(mut self, every: Duration) -> Self {
        self.core.listen_every = every;
        self
    }

    /// How long a control waits for the answer of the engine that holds the run, on the clock; 30 s by default. What is
    /// not answered by then stays in the run's inbox.
    #[must_use]
    pub fn answer_within(mut self, patience: Duration) -> Self {
        self.core.answer_within = patience;
        self
    }

    /// What to do when the run waits for a person; to wait, by default.
    #[must_use]
    pub fn on_pause(mut self, on_pause: OnPause) -> Self {
        self.core.on_pause = on_pause;
        self
    }

    /// Changes what the engine decides: how the simulation makes an engine that is wrong on purpose.
    #[cfg(feature = "sim")]
    #[must_use]
    pub(crate) fn meddle(mut self, meddle: Option<super::Meddle>) -> Self {
        self.core.meddle = meddle;
        self
    }

    /// The engine.
    #[must_use]
    pub fn build(self) -> Engine {
        Engine::from_core(self.core)
    }
}

#[expect(clippy::expect_used, reason = "a literal and eight hexadecimal digits follow the rules of names")]
fn anonymous() -> OwnerId {
    OwnerId::new(format!("engine-{:08x}", rand::random::<u32>())).expect("the rules of names")
}
