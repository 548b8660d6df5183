//! Starts the processes, kills them everywhere, and compares the ends.

use std::{
    env, fs,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::{
    child::{Files, ORDER, Order, Report, TEST, read_number},
    death::{Death, Loss, Moment},
    story::Story,
    wal, world,
};

/// How many pairs of deaths are tried when nobody says otherwise in `DR_CRASH_PAIRS`.
const PAIRS: usize = 10_000;
const SIGKILL: i32 = 9;
const SIGXFSZ: i32 = 25;

/// A directory in memory when the machine has one, so that a sync costs nothing.
fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir()
        && let Ok(folder) = tempfile::Builder::new().prefix("dr-crash").tempdir_in(memory)
    {
        return folder;
    }
    tempfile::tempdir().unwrap()
}

/// Runs one process on the files in `folder`.
fn process(folder: &Path, story: Story, owner: &str, death: Option<Death>) -> Output {
    let order = Order { folder: folder.to_path_buf(), story, owner: owner.to_owned(), death };
    Command::new(env::current_exe().unwrap())
        .args([TEST, "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(ORDER, serde_json::to_string(&order).unwrap())
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Runs a process that dies; on a power loss takes away what it takes.
fn kill(folder: &Path, story: Story, owner: &str, death: Death) -> Result<(), String> {
    let output = process(folder, story, owner, Some(death));
    match output.status.signal() {
        Some(SIGKILL) => {}
        Some(SIGXFSZ) if matches!(death, Death::Write(_, Moment::Torn(_))) => {}
        _ => return Err(format!("it did not die but {}: {}", output.status, said(&output))),
    }
    if let Death::Write(_, Moment::Written(loss)) = death {
        let files = Files(folder.to_path_buf());
        wal::lose(&files.database(), read_number(&files.synced()), loss);
    }
    Ok(())
}

/// Runs a process that nobody kills, and compares its end with that of a run that nobody disturbed.
fn finish(folder: &Path, story: Story, owner: &str) -> Result<Report, String> {
    let output = process(folder, story, owner, None);
    if !output.status.success() {
        return Err(format!("it did not come to an end but {}: {}", output.status, said(&output)));
    }
    let files = Files(folder.to_path_buf());
    let report: Report = serde_json::from_str(&fs::read_to_string(files.report()).unwrap()).unwrap();
    let mut effects = world::effects(&files.world());
    effects.sort();
    if effects != story.effects() {
        return Err(format!("the world saw {:?}", world::history(&files.world())));
    }
    if report.state != story.end().to_string() || !report.wrong_images.is_empty() {
        return Err(format!("{report:?}"));
    }
    Ok(report)
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The end of a run that nobody disturbs.
fn undisturbed(story: Story) -> Report {
    let folder = scratch();
    finish(folder.path(), story, "engine-1").unwrap()
}

/// A run that died once: what it left behind, and what the process does that takes it up.
struct Orphan {
    story: Story,
    death: Death,
    /// The folder as the dead left it.
    remains: PathBuf,
    /// The engine that takes it up: another one makes other writes.
    heir: &'static str,
    /// How many writes and calls its recovery makes.
    recovery: (u32, u32),
}

/// The engine that takes a run up: the dead one again at once, or another one, which must wait for the lease to lapse.
fn heir(n: usize) -> &'static str {
    if n.is_multiple_of(2) { "engine-1" } else { "engine-2" }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Kills a run once and lets it recover.
fn single(root: &Path, n: usize, story: Story, death: Death, whole: &Report) -> Result<Orphan, String> {
    let remains = root.join(format!("{story:?}-{n}"));
    fs::create_dir_all(&remains).unwrap();
    kill(&remains, story, "engine-1", death)?;
    let recovered = root.join(format!("{story:?}-{n}-recovered"));
    copy(&remains, &recovered);
    let report = finish(&recovered, story, heir(n));
    fs::remove_dir_all(&recovered).unwrap();
    let report = report?;
    if report.steps != whole.steps {
        return Err(format!("the steps ended as {:?}", report.steps));
    }
    Ok(Orphan { story, death, remains, heir: heir(n), recovery: (report.writes, report.calls) })
}

/// Kills the recovery of a run that died once, and lets it recover again.
fn pair(root: &Path, n: usize, orphan: &Orphan, second: Death, whole: &Report) -> Result<(), String> {
    let folder = root.join(format!("pair-{n}"));
    copy(&orphan.remains, &folder);
    let ended = kill(&folder, orphan.story, orphan.heir, second).and_then(|()| {
        let report = finish(&folder, orphan.story, heir(n / 2))?;
        if report.steps == whole.steps { Ok(()) } else { Err(format!("the steps ended as {:?}", report.steps)) }
    });
    fs::remove_dir_all(&folder).unwrap();
    ended
}

/// Does `work` for every item on every processor, and gives back the results in order.
fn on_all_processors<T: Sync, R: Send>(items: &[T], work: impl Fn(usize, &T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    let workers = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(n) else { break };
                    let result = work(n, item);
                    results.lock().unwrap().push((n, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort_by_key(|(n, _)| *n);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Every run that dies once, of one story.
fn singles(root: &Path, story: Story, whole: &Report) -> (Vec<Orphan>, Vec<String>) {
    let deaths = Death::all(whole.writes, whole.calls);
    let ends = on_all_processors(&deaths, |n, death| {
        single(root, n, story, *death, whole).map_err(|why| format!("{story:?}, {death:?}: {why}"))
    });
    let (mut orphans, mut failures) = (Vec::new(), Vec::new());
    for end in ends {
        match end {
            Ok(orphan) => orphans.push(orphan),
            Err(failure) => failures.push(failure),
        }
    }
    (orphans, failures)
}

fn told(failures: &[String]) -> String {
    let first: Vec<_> = failures.iter().take(5).map(String::as_str).collect();
    format!("{} failed, the first of them:\n{}", failures.len(), first.join("\n"))
}

#[test]
fn a_kill_at_any_write_and_at_any_call_changes_nothing_in_the_end() {
    let root = scratch();
    for story in Story::ALL {
        let whole = undisturbed(story);
        assert!(whole.writes > 15 && whole.calls > 5, "{whole:?}");
        let (orphans, failures) = singles(root.path(), story, &whole);
        assert!(failures.is_empty(), "{}", told(&failures));
        assert_eq!(orphans.len(), Death::all(whole.writes, whole.calls).len());
    }
}

#[test]
fn a_step_that_does_not_look_is_caught() {
    let root = scratch();
    let whole = undisturbed(Story::Blind);
    let (_, failures) = singles(root.path(), Story::Blind, &whole);
    // Between the effect and its outcome's record lies every death by which it is made again.
    assert!(failures.len() >= 6, "{}", told(&failures));
    assert!(failures.iter().all(|failure| failure.matches("on fence").count() == 2), "{}", told(&failures));
}

#[test]
fn a_journal_that_forgets_what_it_acknowledged_is_caught() {
    let root = scratch();
    let whole = undisturbed(Story::Blind);
    let mut caught = 0;
    for n in 2..=whole.writes {
        let folder = root.path().join(n.to_string());
        fs::create_dir_all(&folder).unwrap();
        kill(&folder, Story::Blind, "engine-1", Death::Write(n, Moment::Before)).unwrap();
        let database = Files(folder.clone()).database();
        wal::lose(&database, wal::start_of_last(&database), Loss::All);
        caught +=
            usize::from(finish(&folder, Story::Blind, "engine-1").is_err_and(|why| why.contains("was acknowledged")));
    }
    // The run's five appends, but for its end, after which nothing is acknowledged any more than the lease's return.
    assert!(caught >= 4, "{caught}");
}

#[test]
#[ignore = "the stage `crash` runs it: cargo xtask test --only crash"]
fn a_second_kill_during_the_recovery_changes_nothing_either() {
    let wanted = env::var("DR_CRASH_PAIRS").ok().and_then(|n| n.parse().ok()).unwrap_or(PAIRS);
    let root = scratch();
    let (mut passed, mut failures) = (0, Vec::new());
    for story in Story::ALL {
        let whole = undisturbed(story);
        let (orphans, failed) = singles(root.path(), story, &whole);
        passed += orphans.len();
        failures.extend(failed);
        println!("{story:?}: {} single kills", orphans.len());
        // Every first death with some second ones, and over all of them every second one.
        let seconds = |orphan: &Orphan| {
            let (writes, calls) = orphan.recovery;
            Death::all(writes, calls)
        };
        let all: usize = orphans.iter().map(|orphan| seconds(orphan).len()).sum();
        // Without a factor in common with the moments of a write: no orphan meets the same moment each time.
        let stride =
            (1..=(all * Story::ALL.len() / wanted).max(1)).rev().find(|n| n % 2 != 0 && n % 3 != 0 && n % 5 != 0);
        let stride = stride.unwrap_or(1);
        let mut at = 0;
        let mut pairs = Vec::new();
        for orphan in &orphans {
            for second in seconds(orphan) {
                if at % stride == 0 {
                    pairs.push((orphan, second));
                }
                at += 1;
            }
        }
        let ends = on_all_processors(&pairs, |n, (orphan, second)| {
            pair(root.path(), n, orphan, *second, &whole)
                .map_err(|why| format!("{story:?}, {:?}, then {second:?}: {why}", orphan.death))
        });
        println!("{story:?}: {} of {all} pairs", pairs.len());
        passed += ends.iter().filter(|end| end.is_ok()).count();
        failures.extend(ends.into_iter().filter_map(Result::err));
        orphans.iter().for_each(|orphan| fs::remove_dir_all(&orphan.remains).unwrap());
    }
    println!("{passed} passed, {} failed", failures.len());
    assert!(failures.is_empty(), "{}", told(&failures));
}
