use std::{fs, path::Path, sync::Arc};

use dr_core::{
    engine::{NewRun, RunState},
    journal::SqliteJournal,
    time::{SharedClock, SystemClock},
};

use crate::{Outcome, dag::Layers, measure::Measure, noop};

/// Syncs a step, counted: how many more a run of a hundred more steps makes.
///
/// With `synchronous=FULL` SQLite syncs its write-ahead log once at each commit, and the log itself says where each
/// commit is: the last frame of a transaction carries the size of the database after it
/// (<https://www.sqlite.org/fileformat2.html#walformat>). What is counted is therefore what reached the file, not what
/// the engine believes it asked for.
pub(crate) fn measure() -> Outcome {
    let (short, long) = (commits(&Layers::chain(20))?, commits(&Layers::chain(120))?);
    let a_step = (long as f64 - short as f64) / 100.0;
    Measure::lower("syncs a step, chain", a_step, "syncs").goal(2.0).print();
    // Steps that are ready together share their syncs.
    let (narrow, wide) = (commits(&Layers::fan(20))?, commits(&Layers::fan(120))?);
    Measure::lower("syncs a step, fan", (wide as f64 - narrow as f64) / 100.0, "syncs").goal(2.0).print();
    Ok(())
}

/// The commits of a whole run.
fn commits(layers: &Layers) -> Outcome<usize> {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("journal.sqlite");
    let plan = noop::plan(&layers.after(), |_| 0)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let clock: SharedClock = Arc::new(SystemClock::new());
        let journal = Arc::new(SqliteJournal::open(&file, clock.clone()).await?);
        let before = logged(&file)?;
        let engine = noop::engine(journal, clock)?;
        let run = noop::run_id()?;
        engine.create(NewRun::new(run.clone(), plan)).await?;
        let view = engine.run(&run).await?;
        if view.state() != RunState::Completed {
            return Err(format!("the run is {}", view.state()).into());
        }
        // Counted while the journal is open: closing it copies the log into the database and removes it.
        logged(&file)?.checked_sub(before).ok_or_else(|| "the log was begun anew while it was counted".into())
    })
}

/// The commits in the write-ahead log beside this database.
fn logged(database: &Path) -> Outcome<usize> {
    const HEADER: usize = 32;
    const FRAME_HEADER: usize = 24;
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    let log = fs::read(name)?;
    let word = |at: usize| -> Option<u32> { Some(u32::from_be_bytes(log.get(at..at + 4)?.try_into().ok()?)) };
    let page = word(8).and_then(|size| usize::try_from(size).ok()).ok_or("the log has no header")?;
    let salt = (word(16), word(20));
    let frames = (HEADER..log.len()).step_by(FRAME_HEADER + page);
    // A frame of an earlier round of the log has other salts.
    Ok(frames
        .take_while(|at| (word(at + 8), word(at + 12)) == salt)
        .filter(|at| word(at + 4).is_some_and(|size| size > 0))
        .count())
}
