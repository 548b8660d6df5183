use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Delivery, Exchange, Nonce, ObserverTransport, Reception};
use crate::{
    journal::Verifier,
    model::VantageId,
    probe::{Observation, Outcome, ProbeCx, Spoken, Subject},
    time::{SharedClock, timeout},
};

/// How often it is asked, unless told otherwise.
const EVERY: Duration = Duration::from_secs(1);
/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(4);
/// How many questions in a row must go without an answer before that is said. One that is lost on the way is no news.
const PATIENCE: u32 = 3;

/// An observer elsewhere, whose readings are pulled and go where those of a [`Sampler`](crate::probe::Sampler) go.
///
/// Whether it can judge, it says itself: it looks at its control target where it runs. An observer that does not
/// answer, or whose answer is [refused](super::Refusal), is emitted as
/// [`ObserverImpaired`](Outcome::ObserverImpaired), with the reason, for each subject that it was to look at; a reading
/// of anything else is dropped. Memory is bounded by one answer.
#[derive(Debug)]
#[must_use = "a remote observer does nothing until it runs"]
pub struct RemoteObserver {
    clock: SharedClock,
    observer: VantageId,
    subjects: BTreeSet<Subject>,
    transport: Arc<dyn ObserverTransport>,
    reception: Reception,
    every: Duration,
    limit: Duration,
}

impl RemoteObserver {
    /// The observer of that name, reached by `transport`, believed when `verifier` trusts its signature, and asked each
    /// second of `clock`.
    pub fn new(
        clock: SharedClock,
        observer: VantageId,
        transport: Arc<dyn ObserverTransport>,
        verifier: Arc<dyn Verifier>,
    ) -> Self {
        let reception = Reception::new(observer.clone(), verifier);
        Self { clock, observer, subjects: BTreeSet::new(), transport, reception, every: EVERY, limit: LIMIT }
    }

    /// One more subject that it is to look at.
    pub fn subject(mut self, subject: Subject) -> Self {
        self.subjects.insert(subject);
        self
    }

    /// Asks that often.
    pub fn every(mut self, every: Duration) -> Self {
        self.every = every;
        self
    }

    /// Waits so long for an answer.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Who it is.
    #[must_use]
    pub fn observer(&self) -> &VantageId {
        &self.observer
    }

    /// Pulls until `stop` is cancelled or nobody receives any more.
    pub async fn run(mut self, out: mpsc::Sender<Observation>, stop: CancellationToken) {
        let cx = ProbeCx::new(self.clock.clone()).with_cancel(stop.clone());
        let rounds = async {
            let mut trouble = Trouble::default();
            loop {
                let began = cx.clock().monotonic();
                let observations = match self.pull(&cx).await {
                    Ok(delivery) => {
                        trouble = Trouble::default();
                        let more = delivery.more;
                        for observation in delivery.observations {
                            if self.subjects.contains(&observation.subject) && out.send(observation).await.is_err() {
                                return;
                            }
                        }
                        if more {
                            continue;
                        }
                        Vec::new()
                    }
                    Err(why) => trouble.worth_telling(why).map(|why| self.impaired(&cx, &why)).unwrap_or_default(),
                };
                for observation in observations {
                    if out.send(observation).await.is_err() {
                        return;
                    }
                }
                cx.clock().sleep((began + self.every).since(cx.clock().monotonic())).await;
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = rounds => {}
        }
    }

    async fn pull(&mut self, cx: &ProbeCx) -> Result<Delivery, Why> {
        let nonce = Nonce::random().map_err(|error| Why::Silent(error.message().to_owned()))?;
        let question = self.reception.question(nonce);
        let clock = cx.clock();
        let asked = clock.monotonic();
        let answer = timeout(&**clock, self.limit, self.transport.ask(cx, &question))
            .await
            .map_err(|_| Why::Silent(format!("no answer within {}", Spoken(self.limit))))?
            .map_err(|error| Why::Silent(error.message().to_owned()))?;
        let exchange = Exchange { asked, answered: clock.monotonic(), wall: clock.wall() };
        self.reception.take(&question, &exchange, &answer).map_err(|refusal| Why::Refused(refusal.to_string()))
    }

    /// The same outcome for everything that it was to look at.
    fn impaired(&self, cx: &ProbeCx, reason: &str) -> Vec<Observation> {
        let (at, wall) = (cx.clock().monotonic(), cx.clock().wall());
        let impaired = |subject: &Subject| Observation {
            subject: subject.clone(),
            vantage: self.observer.clone(),
            at,
            wall,
            outcome: Outcome::ObserverImpaired { reason: reason.to_owned() },
        };
        self.subjects.iter().map(impaired).collect()
    }
}

/// Why nothing was learned.
enum Why {
    /// Nothing came.
    Silent(String),
    /// Something came that is not to be believed.
    Refused(String),
}

/// Pulls in a row that brought nothing.
#[derive(Debug, Default)]
struct Trouble {
    silent: u32,
    told: Option<String>,
}

impl Trouble {
    /// The reason, when it has to be told: it lasts, and it was not told before.
    fn worth_telling(&mut self, why: Why) -> Option<String> {
        let reason = match why {
            Why::Silent(why) => {
                self.silent = self.silent.saturating_add(1);
                format!("it cannot be reached: {why}")
            }
            Why::Refused(why) => format!("its answer was refused: {why}"),
        };
        let lasts = self.silent == 0 || self.silent >= PATIENCE || self.told.is_some();
        if !lasts || self.told.as_ref() == Some(&reason) {
            return None;
        }
        self.told = Some(reason.clone());
        Some(reason)
    }
}
