use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Choice, Considered, Decider, Decision, Prewarm, Warming, decider::Came};
use crate::{
    detect::Standings,
    engine::RunView,
    error::{Error, ErrorKind, Result},
    model::RunId,
    probe::Spoken,
    time::Monotonic,
};

/// How often a decider looks at what others may have done: the kill switch, an answer, an acknowledgement, a run by hand.
const EVERY: Duration = Duration::from_secs(1);
/// How long after a run that was let go of it is taken up again, and how often it is said that a run waits for somebody.
const AGAIN: Duration = Duration::from_secs(60);

/// What a decider has in hand from one turn to the next.
#[derive(Default)]
struct Hand {
    warming: Warming,
    /// The run that came of a decision to act, while this process works on it.
    work: Option<(RunId, BoxFuture<'static, Came>)>,
    /// When a run that nobody works on is taken up.
    take_up: Monotonic,
    /// Since when a run waits for somebody, and when that is said again.
    waiting: Option<(RunId, Monotonic, Monotonic)>,
    /// What a dry decider has said last.
    said: Option<(Decision, bool)>,
}

impl Decider {
    /// Decides until stopped, about whatever the watch says, and carries out what it decides.
    ///
    /// It goes on looking while a run is under way, and says so again and again while one waits for somebody. Stopped, it lets
    /// go of a run as it is: the journal has it, and whoever decides next takes it up once the lease has lapsed.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](ErrorKind::Unavailable) when nobody watches any more. None that the next look may mend: what fails is
    /// told, and tried again.
    pub async fn run(mut self, mut standings: watch::Receiver<Standings>, stop: CancellationToken) -> Result<()> {
        let mut hand = Hand { take_up: self.clock.monotonic(), ..Hand::default() };
        loop {
            let seen = standings.borrow_and_update().clone();
            let turn = if self.dry { self.pretend(&seen, &mut hand).await } else { self.turn(&seen, &mut hand).await };
            if let Err(error) = turn {
                self.say(format!("nobody can decide: {error}"));
            }
            let sleep = self.clock.sleep(EVERY);
            tokio::select! {
                biased;
                () = stop.cancelled() => {
                    if let Some((run, _)) = &hand.work {
                        self.say(format!("told to stop while run {run} is under way: the journal has it, and whoever decides next takes it up"));
                    }
                    return Ok(());
                }
                came = under_way(&mut hand.work) => {
                    if let Some((run, _)) = hand.work.take() {
                        self.came(&run, came).await;
                    }
                }
                news = hand.warming.next() => self.go_on(news, &mut hand.warming).await,
                changed = standings.changed() => if changed.is_err() {
                    return Err(Error::new(ErrorKind::Unavailable, "nobody watches any more"));
                },
                () = sleep => {}
            }
        }
    }

    /// One look at everything, and what follows from it.
    async fn turn(&mut self, seen: &Standings, hand: &mut Hand) -> Result<()> {
        self.look(seen).await?;
        let now = self.clock.monotonic();
        let waits = self.ledger.waiting().map(|(run, what)| (run.clone(), what));
        let waited = hand.waiting.is_some();
        self.remind(waits.as_ref(), hand, now);
        if hand.work.is_none()
            && let Some(run) = self.ledger.open_act(self.log.view())
            // Somebody has decided on what it waited for.
            && (now >= hand.take_up || waited && waits.is_none())
        {
            hand.take_up = now + AGAIN;
            hand.work = Some((run.clone(), self.taking_up(run)));
        }
        // While a run of ours goes on there is nothing to decide. That it waits, and that it does no more, is for `runs why`.
        if hand.work.is_some() && waits.is_none() && !waited {
            return Ok(());
        }
        let Considered { decision, changed, run, prewarm } = self.settle_on().await?;
        if changed {
            self.say(decision.sentence());
        }
        match run {
            Some(run) if hand.work.is_none() => {
                self.keep_warm(&mut hand.warming).await;
                hand.take_up = now + AGAIN;
                hand.work = Some((run.clone(), self.beginning(&run, &decision)));
            }
            _ => self.tend(&prewarm, &mut hand.warming).await,
        }
        Ok(())
    }

    /// The same of a decider that writes nothing and starts nothing: it says what it would do.
    async fn pretend(&mut self, seen: &Standings, hand: &mut Hand) -> Result<()> {
        let Considered { decision, prewarm, .. } = self.consider(seen).await?;
        let warm = matches!(prewarm, Prewarm::Start { .. });
        let (said, warmed) = hand.said.take().map_or((None, false), |(said, warmed)| (Some(said), warmed));
        if !said.is_some_and(|said| decision.says_the_same_as(&said)) {
            let would = if matches!(decision.choice, Choice::Hold) { "" } else { "would " };
            self.say(format!("{would}{}", decision.sentence()));
        }
        if let (Prewarm::Start { why, .. }, false) = (&prewarm, warmed) {
            self.say(format!("would warm the standby: {why}"));
        }
        hand.said = Some((decision, warm));
        Ok(())
    }

    /// Says that a run waits for somebody, at once and then each minute: nobody else may have noticed.
    fn remind(&self, waits: Option<&(RunId, String)>, hand: &mut Hand, now: Monotonic) {
        let Some((run, what)) = waits else {
            hand.waiting = None;
            return;
        };
        let since = match &hand.waiting {
            Some((known, _, next)) if known == run && now < *next => return,
            Some((known, since, _)) if known == run => *since,
            _ => now,
        };
        let so_far = Spoken(now.since(since));
        self.say(match since == now {
            true => format!("run {run} waits for somebody: {what}"),
            false => format!("run {run} has waited for somebody for {so_far}, and goes no further by itself: {what}"),
        });
        hand.waiting = Some((run.clone(), since, now + AGAIN));
    }

    /// Takes up the run of an earlier decision to act.
    fn taking_up(&self, run: RunId) -> BoxFuture<'static, Came> {
        let engine = self.engine.clone();
        Box::pin(async move { Came::Run(engine.run(&run).await.map(Box::new)) })
    }

    async fn came(&mut self, run: &RunId, came: Came) {
        match came {
            Came::Run(Ok(view)) => self.told_of(&view),
            Came::Run(Err(error)) => self.say(format!("run {run} goes on elsewhere, or not at all: {error}")),
            Came::NotStarted(error) => {
                self.say(format!("run {run} did not start: {error}"));
                if let Err(error) = self.not_started(run, &error).await {
                    self.say(format!("that could not be written down: {error}"));
                }
            }
        }
    }

    /// Takes up the run of an earlier decision to act, when there is one that has not ended: that of a decider that died.
    ///
    /// # Errors
    ///
    /// As [`Engine::run`](crate::engine::Engine::run).
    pub async fn take_up(&mut self) -> Result<Option<RunView>> {
        self.ledger.read(&self.engine, &self.policy).await?;
        let log = self.log.read().await?;
        match self.ledger.open_act(log) {
            Some(run) => self.engine.run(&run).await.map(Some),
            None => Ok(None),
        }
    }
}

async fn under_way(work: &mut Option<(RunId, BoxFuture<'static, Came>)>) -> Came {
    match work {
        Some((_, work)) => work.await,
        None => std::future::pending().await,
    }
}
