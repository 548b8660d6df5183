use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt as _;
use tokio::sync::oneshot;

use super::Runner;
use crate::{
    engine::{
        Answer, ApplicationHealth, ApprovalRequest, Control, HealthReading, RunState, control::accept, mail::Mail,
    },
    error::{Error, Result},
    event::EventKind,
    journal::Entry,
    model::StepId,
    time::timeout,
};

/// How often an approver is asked for its answer.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How often health is looked at, and how long a look may take.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const LOOK_FOR: Duration = Duration::from_secs(10);

impl Runner {
    pub(super) fn question(&self, step: StepId) -> Entry {
        let gate = self.view.find(step.as_str()).and_then(|(planned, _)| planned.gate.as_ref());
        let question = gate.map(|gate| gate.question.clone()).unwrap_or_default();
        let due = gate.and_then(|gate| gate.expires).map(|expires| self.elapsed() + expires);
        Entry::ApprovalRequested { step, question, due }
    }

    /// Looks at the application's health about once a second, from the last step on.
    pub(super) fn watch_health(&mut self) {
        if self.watching || self.view.state() != RunState::MonitoringHealth {
            return;
        }
        let Some(source) = self.core.health.clone() else { return };
        self.watching = true;
        let (plan, mail, clock) = (Arc::clone(&self.plan), self.mail.clone(), self.core.clock.clone());
        self.tasks.spawn(async move {
            loop {
                let look = AssertUnwindSafe(source.look(&plan)).catch_unwind();
                let reading = match timeout(&*clock, LOOK_FOR, look).await {
                    Ok(Ok(Ok(reading))) => reading,
                    Ok(Ok(Err(error))) => unknown(error.to_string()),
                    Ok(Err(_)) => unknown("the health source panicked".to_owned()),
                    Err(elapsed) => unknown(elapsed.to_string()),
                };
                mail.send(Mail::Health(reading));
                clock.sleep(LOOK_EVERY).await;
            }
        });
    }

    /// The record of a look at the application's health, when it says something new.
    pub(super) fn health(&self, reading: HealthReading) -> Option<Entry> {
        let (goal, elapsed) = (self.plan.recovery()?, self.elapsed());
        let news = self.view.monitoring()?.news(goal, &reading, elapsed)?;
        Some(Entry::Health { news, elapsed, why: reading.why })
    }

    /// Asks the approver when gates wait; again after each take-up, and when more gates are reached.
    pub(super) fn ask_approver(&mut self) {
        let gates = self.view.asked().len();
        let Some(approver) = self.core.approver.clone() else { return };
        if gates <= self.asked || !self.view.waits_at_gate() || self.view.cancel().is_some() {
            return;
        }
        // Somebody who may not decide has answered: the next one is not asked at once, for it may be the same.
        let pause = if std::mem::take(&mut self.ask_again) { ASK_EVERY } else { Duration::ZERO };
        self.asked = gates;
        let (request, mail, clock) = (ApprovalRequest::of(&self.view), self.mail.clone(), self.core.clock.clone());
        let announcer = Arc::clone(&self.announcer);
        self.tasks.spawn(async move {
            let say = |error: Error| {
                let message = format!("the approver cannot be reached: {error}");
                announcer.emit(EventKind::Said { who: "engine".to_owned(), message });
            };
            let mut put = false;
            if !pause.is_zero() {
                clock.sleep(pause).await;
            }
            loop {
                if !put {
                    put = approver.request(&request).await.map_err(say).is_ok();
                }
                if put
                    && let Some(answer) = approver.poll(&request).await.unwrap_or_else(|e| {
                        say(e);
                        None
                    })
                {
                    return mail.send(Mail::Answered(answer));
                }
                clock.sleep(ASK_EVERY).await;
            }
        });
    }

    /// Takes the approver's answer for what it is: a control of somebody who saw what was asked.
    pub(super) async fn answered(&mut self, answer: Answer) -> Result<()> {
        match accept(&self.view, &ApprovalRequest::of(&self.view).decide(answer)) {
            Ok(entries) => self.append(entries).await,
            Err(error) => {
                let message = format!("the approver's answer is refused: {error}");
                self.announcer.emit(EventKind::Said { who: "engine".to_owned(), message });
                (self.asked, self.ask_again) = (0, true);
                Ok(())
            }
        }
    }

    pub(super) async fn obey(&mut self, control: &Control, taken: Option<oneshot::Sender<Result<()>>>) -> Result<()> {
        let answer = match accept(&self.view, control) {
            Ok(entries) => {
                self.append(entries).await?;
                Ok(())
            }
            Err(error) => Err(error),
        };
        if let Some(taken) = taken {
            // Whoever asked may be gone; what was asked is journalled all the same.
            let _ = taken.send(answer);
        }
        Ok(())
    }
}

fn unknown(why: String) -> HealthReading {
    HealthReading { health: ApplicationHealth::Unknown, why }
}
