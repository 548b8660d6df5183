//! The engine on the journal in a file.

use std::sync::Arc;

use super::world::{TurnOn, World, builder, params, run_id};
use crate::{
    engine::{Engine, NewRun, RunState, RunView},
    journal::{Journal, SqliteJournal, audit},
    model::OwnerId,
    time::{SharedClock, SystemClock},
};

#[tokio::test]
async fn a_run_in_a_file_can_be_read_by_another_process_and_taken_up_by_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.sqlite");
    let clock: SharedClock = Arc::new(SystemClock::new());
    let world = World::new();
    let act = TurnOn(world.clone());
    let mut plan = builder();
    plan.step("a", &act, &params("a", 0));
    plan.step("b", &act, &params("b", 0)).after("a");
    let engine = |journal: SqliteJournal, owner: &str| {
        Engine::builder(Arc::new(journal) as Arc<dyn Journal>, world.registry(), clock.clone())
            .owner(OwnerId::new(owner).unwrap())
            .build()
    };
    let first = engine(SqliteJournal::open(&path, clock.clone()).await.unwrap(), "one");
    first.create(NewRun::new(run_id(), plan.build().unwrap())).await.unwrap();
    let reader = SqliteJournal::open(&path, clock.clone()).await.unwrap();
    assert_eq!(RunView::load(&reader, &run_id()).await.unwrap().state(), RunState::Pending);
    let second = engine(SqliteJournal::open(&path, clock.clone()).await.unwrap(), "two");
    let view = second.run(&run_id()).await.unwrap();
    assert_eq!(view.state(), RunState::Completed);
    // What the engine folded as it wrote is what the file says.
    let read = RunView::load(&reader, &run_id()).await.unwrap();
    assert_eq!((read.state(), read.seq(), read.before_images()), (view.state(), view.seq(), view.before_images()));
    // Created, taken up, two a step, ended.
    assert_eq!(audit(&reader, &run_id()).await.unwrap().records, 7);
    assert_eq!(first.run(&run_id()).await.unwrap().state(), RunState::Completed);
    assert!(first.open_runs().await.unwrap().is_empty());
}
