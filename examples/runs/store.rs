use std::{path::Path, sync::Arc, time::Duration};

use dr_aws::s3_journal::S3Journal;
use dr_core::{
    decision::DecisionLog,
    engine::{Engine, RunView},
    journal::{Journal, SqliteJournal},
    model::{ApplicationId, OwnerId, RunId},
    spec::JournalPlace,
    step::StepRegistry,
    time::{SharedClock, SystemClock},
};
use dr_lab::{LabClient, LabControl as _, config::Config};

use crate::{
    cli::Cli,
    exit::{Exit, Stop},
};

/// How often the journal is looked into for an answer or for what happens, in this machine's time.
const LOOK: Duration = Duration::from_millis(250);

/// A journal that this program looks into, and an engine that knows no steps: it writes down decisions and runs nothing.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) engine: Engine,
    pub(crate) clock: SharedClock,
    pub(crate) json: bool,
    /// The application of the `dr.yaml` that was named, if one was.
    pub(crate) application: Option<ApplicationId>,
}

impl Store {
    pub(crate) async fn open(cli: &Cli) -> Result<Self, Stop> {
        let (journal, clock, application) = match &cli.config {
            Some(file) => {
                let config = Config::read(file, cli.lab.as_deref()).await?;
                (named(file, &config).await?, config.clock.clone(), Some(config.spec.application))
            }
            None => {
                let clock: SharedClock = match &cli.lab {
                    None => Arc::new(SystemClock::new()),
                    Some(file) => LabClient::from_env_file(file)
                        .await
                        .map_err(|e| Stop::new(Exit::Absent, format!("no lab stands behind {}: {e}", file.display())))?
                        .clock(),
                };
                (existing(&cli.journal, &clock).await?, clock, None)
            }
        };
        let owner = OwnerId::of_process("runs").map_err(|e| Stop::new(Exit::Failed, e.to_string()))?;
        let engine = Engine::builder(journal, StepRegistry::new(), clock.clone())
            .owner(owner)
            .listen_every(LOOK)
            .answer_within(cli.wait)
            .build();
        Ok(Self { engine, clock, json: cli.json, application })
    }

    /// The run that is meant: the one that was named, or the only one that has not ended.
    pub(crate) async fn run(&self, named: Option<&RunId>) -> Result<RunId, Stop> {
        if let Some(run) = named {
            return Ok(run.clone());
        }
        let mut open = self.engine.open_runs().await?;
        match (open.pop(), open.len()) {
            (Some(run), 0) => Ok(run),
            (None, _) => Err(Stop::new(Exit::Absent, "no run of this journal is open: name one, as `runs list` does")),
            (Some(last), _) => {
                let names: Vec<&str> = open.iter().chain([&last]).map(RunId::as_str).collect();
                Err(Stop::new(Exit::Usage, format!("several runs are open, name one of them: {}", names.join(", "))))
            }
        }
    }

    /// The same, or the run that was created last when every one has ended: for those who only look.
    pub(crate) async fn run_to_look_at(&self, named: Option<&RunId>) -> Result<RunId, Stop> {
        match self.run(named).await {
            Err(Stop { exit: Exit::Absent, message }) if named.is_none() => {
                let mut runs = self.engine.journal().runs().await?;
                runs.retain(|run| !DecisionLog::is_one(run));
                let last = runs.pop();
                last.ok_or(Stop { exit: Exit::Absent, message })
            }
            other => other,
        }
    }

    pub(crate) async fn view(&self, run: &RunId) -> Result<RunView, Stop> {
        Ok(self.engine.view(run).await?)
    }
}

/// The journal that a `dr.yaml` names.
async fn named(file: &Path, config: &Config) -> Result<Arc<dyn Journal>, Stop> {
    if let Some(JournalPlace::File(file)) = config.spec.journal.place() {
        return existing(file, &config.clock).await;
    }
    let found = S3Journal::of(&config.spec, config.clients().await, config.clock.clone());
    let nowhere = || Stop::new(Exit::Usage, format!("{} does not say where its journal is", file.display()));
    Ok(Arc::new(found.ok_or_else(nowhere)?))
}

/// The journal in a file that is there.
async fn existing(file: &Path, clock: &SharedClock) -> Result<Arc<dyn Journal>, Stop> {
    // Opening would make the file.
    if !file.is_file() {
        return Err(Stop::new(Exit::Absent, format!("there is no journal at {}", file.display())));
    }
    Ok(Arc::new(SqliteJournal::open(file, clock.clone()).await?))
}
