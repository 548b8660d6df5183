use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::{Answer, Control, HealthReading, attempt::Ended};
use crate::{
    error::{Error, Result},
    journal::{Entry, Submitted},
    model::{SafetyRuleId, StepId},
};

/// What a running engine is told.
#[derive(Debug)]
pub(super) enum Mail {
    /// An attempt wants its intent written; the answer is whether it is durable and the attempt may act.
    Begin { intent: Entry, durable: oneshot::Sender<bool> },
    /// An attempt ended.
    Ended { step: StepId, attempt: u32, ended: Ended },
    /// Somebody answered the gates.
    Answered(Answer),
    /// Somebody wants something of the run.
    Control { control: Control, taken: oneshot::Sender<Result<()>> },
    /// Somebody asked something through the inbox.
    Asked(Vec<Submitted>),
    /// Somebody measured or noticed something worth keeping.
    Note { topic: String, value: Value, taken: oneshot::Sender<Result<()>> },
    /// A safety rule does not hold before an attempt that was about to begin.
    Refused { step: StepId, rule: SafetyRuleId, why: String },
    /// Somebody looked at the application's health.
    Health(HealthReading),
    /// The lease is gone.
    LeaseLost(Error),
}

/// Where a running engine is told things. An engine that is gone is no error: what it would have done, another will.
#[derive(Clone, Debug)]
pub(super) struct Mailbox(pub(super) mpsc::UnboundedSender<Mail>);

impl Mailbox {
    pub(super) fn send(&self, mail: Mail) {
        let _ = self.0.send(mail);
    }

    pub(super) fn begin(&self, intent: Entry, durable: oneshot::Sender<bool>) {
        self.send(Mail::Begin { intent, durable });
    }
}
