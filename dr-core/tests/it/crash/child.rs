//! The process that may die: one engine that creates the run, or takes it up, and goes on to its end.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    future::Future,
    path::{Path, PathBuf},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use dr_core::{
    engine::{Engine, NewRun, OnPause, RunView},
    error::{ErrorKind, Result},
    journal::{Journal, SqliteJournal, audit},
    model::{OwnerId, RunId},
    step::{StepRegistry, erase},
    time::{Clock as _, ManualClock, SharedClock},
};
use serde::{Deserialize, Serialize};

use super::{
    death::Death,
    journal::MortalJournal,
    story::Story,
    world::{Blind, Look, Promote, TurnOn, World},
};

/// The variable that holds a child's [`Order`].
pub(super) const ORDER: &str = "DR_CRASH_ORDER";
/// The name of the child's test, as the harness knows it.
pub(super) const TEST: &str = "crash::child::lives_and_dies_as_it_is_told";

/// What a child is told.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    /// Where its files are.
    pub(super) folder: PathBuf,
    pub(super) story: Story,
    /// The engine's name: one that differs from the dead one's must wait until the lease has lapsed.
    pub(super) owner: String,
    pub(super) death: Option<Death>,
}

/// What a child says that came to the end.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Report {
    pub(super) state: String,
    /// How each step ended.
    pub(super) steps: BTreeMap<String, String>,
    /// Steps whose before-image is not what stood before the run.
    pub(super) wrong_images: Vec<String>,
    /// How many records the journal has, and that they are whole.
    pub(super) records: u64,
    pub(super) writes: u32,
    pub(super) calls: u32,
}

/// The files of a run.
#[derive(Debug)]
pub(super) struct Files(pub(super) PathBuf);

impl Files {
    pub(super) fn database(&self) -> PathBuf {
        self.0.join("journal.sqlite")
    }

    pub(super) fn world(&self) -> PathBuf {
        self.0.join("world")
    }

    pub(super) fn acknowledged(&self) -> PathBuf {
        self.0.join("acknowledged")
    }

    /// The time at which the last process died, in milliseconds.
    pub(super) fn clock(&self) -> PathBuf {
        self.0.join("clock")
    }

    /// Where the log ended before the write whose sync never happened.
    pub(super) fn synced(&self) -> PathBuf {
        self.0.join("synced")
    }

    pub(super) fn report(&self) -> PathBuf {
        self.0.join("report.json")
    }
}

#[test]
#[ignore = "the program of the processes that the other tests start"]
fn lives_and_dies_as_it_is_told() {
    let order: Order = serde_json::from_str(&std::env::var(ORDER).expect("started by another test")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let report = runtime.block_on(live(&order));
    fs::write(Files(order.folder).report(), serde_json::to_string(&report).unwrap()).unwrap();
}

async fn live(order: &Order) -> Report {
    let files = Files(order.folder.clone());
    let clock = ManualClock::new();
    clock.advance(Duration::from_millis(read_number(&files.clock())));
    let last_words: Arc<dyn Fn() + Send + Sync> = {
        let (clock, path) = (clock.clone(), files.clock());
        Arc::new(move || fs::write(&path, clock.monotonic().since_origin().as_millis().to_string()).unwrap())
    };
    let world = World::open(&files.world(), clock.clone(), order.death, Arc::clone(&last_words));
    let shared: SharedClock = Arc::new(clock.clone());
    let sqlite = SqliteJournal::open(files.database(), shared.clone()).await.unwrap();
    let acknowledged = File::options().create(true).append(true).open(files.acknowledged()).unwrap();
    let journal = Arc::new(MortalJournal::new(sqlite, order.death, acknowledged, files.synced(), last_words));
    let mut steps = StepRegistry::new();
    steps.register(erase(TurnOn(world.clone()))).unwrap();
    steps.register(erase(Promote(world.clone()))).unwrap();
    steps.register(erase(Look(world.clone()))).unwrap();
    steps.register(erase(Blind(world.clone()))).unwrap();
    let engine = Engine::builder(Arc::clone(&journal) as Arc<dyn Journal>, steps, shared)
        .owner(OwnerId::new(order.owner.clone()).unwrap())
        .patience(Duration::from_secs(120))
        .on_pause(OnPause::Return)
        .build();
    let run = RunId::new("run-1").unwrap();
    let told = last_acknowledged(&files);
    let found = engine.view(&run).await.map_or(0, |view| view.seq().0);
    assert!(found >= told, "record {told} was acknowledged, and the journal ends at {found}");
    let view = drive(&clock, to_the_end(&engine, order.story, &world, &clock, &run)).await.unwrap();
    let image = serde_json::json!(false);
    let changes = |kind: &str| kind != "crash.look";
    let wrong = |(planned, step): (&dr_core::plan::PlanStep, &dr_core::engine::StepView)| {
        let wrong = changes(&planned.kind) && step.attempts > 0 && step.before.as_ref() != Some(&image);
        wrong.then(|| planned.id.to_string())
    };
    Report {
        state: view.state().to_string(),
        steps: view.steps().map(|(planned, step)| (planned.id.to_string(), step.state.as_str().to_owned())).collect(),
        wrong_images: view.steps().filter_map(wrong).collect(),
        records: audit(&*journal, &run).await.unwrap().records,
        writes: journal.writes(),
        calls: world.calls(),
    }
}

/// Creates the run unless somebody has, and works on it until it has ended.
async fn to_the_end(engine: &Engine, story: Story, world: &World, clock: &ManualClock, run: &RunId) -> Result<RunView> {
    loop {
        match engine.view(run).await {
            Ok(_) => break,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        match engine.create(NewRun::new(run.clone(), story.plan(world))).await {
            Ok(()) => break,
            // Whoever held the creation is dead, and its lease lapses.
            Err(error) if error.kind() == ErrorKind::Conflict => clock.sleep(Duration::from_secs(5)).await,
            Err(error) => return Err(error),
        }
    }
    loop {
        let view = engine.run(run).await?;
        if view.state().is_end() {
            return Ok(view);
        }
        let control = story.decide(&view).unwrap_or_else(|| panic!("nobody knows what to do: {view:?}"));
        engine.control(run, control).await?;
    }
}

/// Polls a future and moves the clock to the next sleeper whenever nothing else can happen.
async fn drive<F: Future>(clock: &ManualClock, future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        for _ in 0..32 {
            if let Poll::Ready(output) = futures::poll!(&mut future) {
                return output;
            }
            tokio::task::yield_now().await;
        }
        assert!(clock.advance_to_next(), "nothing can happen any more");
    }
}

pub(super) fn read_number(path: &Path) -> u64 {
    fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// The last record that a process was told is durable.
fn last_acknowledged(files: &Files) -> u64 {
    fs::read_to_string(files.acknowledged())
        .unwrap_or_default()
        .lines()
        .filter_map(|n| n.parse().ok())
        .max()
        .unwrap_or(0)
}
