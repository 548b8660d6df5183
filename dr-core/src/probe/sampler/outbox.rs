use std::{collections::VecDeque, sync::Arc};

use tokio::sync::mpsc::{
    self, Permit,
    error::{SendError, TrySendError},
};

use super::target::Moment;
use crate::{
    probe::{HealthProbe, Observation, Outcome},
    time::Monotonic,
};

/// What goes to the receiver: at once while it takes, later otherwise. Nothing waits for it, and each target has at most one
/// observation here.
#[derive(Debug)]
pub(super) struct Outbox {
    out: mpsc::Sender<Observation>,
    backlog: VecDeque<Letter>,
}

/// An observation that is not sent yet.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) target: u32,
    pub(super) of: Moment,
    pub(super) content: Content,
    /// Since when it is here.
    pub(super) since: Monotonic,
}

/// What it says. Many targets may share one excuse.
#[derive(Debug)]
pub(super) enum Content {
    Outcome(Outcome),
    Impaired(Arc<str>),
}

impl Letter {
    fn observation(self, probe: &dyn HealthProbe) -> Observation {
        let outcome = match self.content {
            Content::Outcome(outcome) => outcome,
            Content::Impaired(reason) => Outcome::ObserverImpaired { reason: reason.as_ref().to_owned() },
        };
        let (subject, vantage) = (probe.subject().clone(), probe.vantage().clone());
        Observation { subject, vantage, at: self.of.at, wall: self.of.wall, outcome }
    }
}

impl Outbox {
    pub(super) fn new(out: mpsc::Sender<Observation>) -> Self {
        Self { out, backlog: VecDeque::new() }
    }

    /// The other end, to see whether anybody is there.
    pub(super) fn sender(&self) -> mpsc::Sender<Observation> {
        self.out.clone()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.backlog.is_empty()
    }

    /// Sends, or keeps for later; whether it was sent.
    pub(super) fn post(&mut self, letter: Letter, probe: &dyn HealthProbe) -> bool {
        if !self.backlog.is_empty() {
            self.backlog.push_back(letter);
            return false;
        }
        match self.out.try_reserve() {
            Ok(room) => room.send(letter.observation(probe)),
            Err(TrySendError::Full(())) => self.backlog.push_back(letter),
            // Nobody is there any more: the schedule ends with its next turn.
            Err(TrySendError::Closed(())) => {}
        }
        self.backlog.is_empty()
    }

    /// The oldest letter that waits.
    pub(super) fn oldest(&mut self) -> Option<Letter> {
        self.backlog.pop_front()
    }
}

/// Sends a letter that waited.
pub(super) fn send(room: Permit<'_, Observation>, letter: Letter, probe: &dyn HealthProbe) {
    room.send(letter.observation(probe));
}

/// Room for one more; never when nothing waits for it.
pub(super) async fn room<'a>(
    out: &'a mpsc::Sender<Observation>,
    wanted: bool,
) -> Result<Permit<'a, Observation>, SendError<()>> {
    if wanted { out.reserve().await } else { std::future::pending().await }
}
