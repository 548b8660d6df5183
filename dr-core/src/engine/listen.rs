use std::{sync::Arc, time::Duration};

use super::{
    announce::Announcer,
    mail::{Mail, Mailbox},
};
use crate::{
    error::Result,
    event::EventKind,
    journal::{Journal, RequestId, Submitted},
    model::RunId,
    time::{SharedClock, timeout},
};

/// How long a look may take. A store that is slow at answering is no reason to say that it cannot be read.
const PATIENCE: Duration = Duration::from_secs(30);

/// An engine's ear for what others put into its run's inbox.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) journal: Arc<dyn Journal>,
    pub(super) run: RunId,
    pub(super) clock: SharedClock,
    pub(super) every: Duration,
    pub(super) announcer: Arc<Announcer>,
    /// The last request that was heard: each is passed on once.
    pub(super) heard: RequestId,
    /// Whether it was told that the inbox cannot be read.
    pub(super) deaf: bool,
}

impl Listener {
    /// What has come since the last look. An inbox that cannot be read is told of, and looked into again later: losing it
    /// loses no run.
    pub(super) async fn look(&mut self) -> Vec<Submitted> {
        let looked = timeout(&*self.clock, PATIENCE, self.journal.requests(&self.run, self.heard)).await;
        let looked: Result<Vec<Submitted>, String> = match looked {
            Ok(looked) => looked.map_err(|error| error.to_string()),
            Err(elapsed) => Err(elapsed.to_string()),
        };
        match looked {
            Ok(asked) => {
                self.deaf = false;
                self.heard = asked.last().map_or(self.heard, |last| last.id);
                asked
            }
            Err(why) => {
                if !std::mem::replace(&mut self.deaf, true) {
                    let message = format!("the inbox of run {} cannot be read: {why}", self.run);
                    self.announcer.emit(EventKind::Said { who: "engine".to_owned(), message });
                }
                Vec::new()
            }
        }
    }

    /// Looks again and again, and passes on what has come.
    pub(super) async fn listen(mut self, mail: Mailbox) {
        loop {
            self.clock.sleep(self.every).await;
            let asked = self.look().await;
            if !asked.is_empty() {
                mail.send(Mail::Asked(asked));
            }
        }
    }
}
