//! Simulates failovers by seed: `cargo xtask sim` is how people run it.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    panic::{self, AssertUnwindSafe},
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use dr_core::sim::{Mutant, Simulated, VirtualTime, simulate, simulate_mutant};
use sha2::{Digest as _, Sha256};

const HELP: &str = "\
sim [--seeds N] [--from S] [--jobs J]   run N seeds from S on J threads (100000 from 0 on 2)
sim --seed S [--shrink]                 run one seed and tell its story; the smallest like it that still fails
sim --mutants [--seeds N]               run engines that are wrong on purpose, until each is noticed

DR_COMMIT names the commit in what is printed.";

/// Seeds whose event logs are digested.
const DIGESTED: u64 = 1_000;
/// Failing seeds whose stories are told.
const STORIES: usize = 3;

/// What was asked for.
#[derive(Debug)]
struct Wanted {
    seeds: u64,
    from: u64,
    jobs: u64,
    one: Option<u64>,
    shrink: bool,
    mutants: bool,
}

/// What came of many seeds.
#[derive(Debug, Default)]
struct Sum {
    passed: u64,
    failed: Vec<u64>,
    ends: BTreeMap<String, u64>,
    records: u64,
    events: u64,
    digests: BTreeMap<u64, String>,
}

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let wanted = match wanted(std::env::args().skip(1)) {
        Ok(Some(wanted)) => wanted,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("{problem}\n\n{HELP}");
            return ExitCode::from(64);
        }
    };
    let outcome = match (wanted.one, wanted.mutants) {
        (Some(seed), _) => one(seed, wanted.shrink),
        (None, true) => mutants(wanted.seeds, wanted.from),
        (None, false) => many(&wanted),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn wanted(args: impl Iterator<Item = String>) -> Result<Option<Wanted>, String> {
    let mut wanted = Wanted { seeds: 100_000, from: 0, jobs: 2, one: None, shrink: false, mutants: false };
    let mut args = args.peekable();
    while let Some(arg) = args.next() {
        let mut number = || {
            let value = args.next().ok_or_else(|| format!("`{arg}` wants a number"))?;
            value.parse::<u64>().map_err(|_| format!("`{arg}` wants a number, not `{value}`"))
        };
        match arg.as_str() {
            "--seeds" => wanted.seeds = number()?,
            "--from" => wanted.from = number()?,
            "--jobs" => wanted.jobs = number()?.clamp(1, 256),
            "--seed" => wanted.one = Some(number()?),
            "--shrink" => wanted.shrink = true,
            "--mutants" => wanted.mutants = true,
            "--help" | "-h" => return Ok(None),
            other => return Err(format!("there is no option `{other}`")),
        }
    }
    Ok(Some(wanted))
}

fn commit() -> String {
    std::env::var("DR_COMMIT").unwrap_or_else(|_| "unknown".to_owned())
}

fn one(seed: u64, shrink: bool) -> Fallible<bool> {
    let time = VirtualTime::new()?;
    let mut run = simulate(&time, seed)?;
    let passed = run.violations().is_empty();
    if shrink {
        run = run.shrink(&time)?;
    }
    println!("{}\nCommit {}; event log {}", run.story(), commit(), run.digest());
    Ok(passed)
}

fn many(wanted: &Wanted) -> Fallible<bool> {
    let next = AtomicU64::new(wanted.from);
    let end = wanted.from.saturating_add(wanted.seeds);
    let sum = Mutex::new(Sum::default());
    let outcomes: Vec<Fallible<()>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..wanted.jobs).map(|_| scope.spawn(|| work(&next, end, &sum))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| Err("a worker fell over".into()))).collect()
    });
    outcomes.into_iter().collect::<Fallible<Vec<()>>>()?;
    let mut sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    sum.failed.sort_unstable();
    tell_failures(&sum.failed)?;
    let ends: Vec<String> = sum.ends.iter().map(|(end, count)| format!("{count} {end}")).collect();
    println!("{}; {} records, {} events", ends.join(", "), sum.records, sum.events);
    if !sum.digests.is_empty() {
        let mut hash = Sha256::new();
        sum.digests.values().for_each(|digest| hash.update(digest));
        let hex = hash.finalize().iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        println!("event logs of the first {} seeds: {hex}", sum.digests.len());
    }
    let failed = sum.failed.len();
    println!("{} passed, {failed} failed", sum.passed);
    Ok(failed == 0)
}

/// Takes seeds until there are none left.
fn work(next: &AtomicU64, end: u64, sum: &Mutex<Sum>) -> Fallible<()> {
    let mut time = VirtualTime::new()?;
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end {
            return Ok(());
        }
        let Some(run) = unless_it_panics(|| simulate(&time, seed)) else {
            // Whatever the seed left on this runtime is not the next one's.
            time = VirtualTime::new()?;
            sum.lock().unwrap_or_else(PoisonError::into_inner).failed.push(seed);
            continue;
        };
        let run = run?;
        let digest = (seed < DIGESTED).then(|| run.digest());
        add(&mut sum.lock().unwrap_or_else(PoisonError::into_inner), &run, digest);
    }
}

/// A panic is the failure of one seed, which is named, and not the end of the others. The panic's own words are on standard error.
fn unless_it_panics<T>(work: impl FnOnce() -> T) -> Option<T> {
    panic::catch_unwind(AssertUnwindSafe(work)).ok()
}

fn add(sum: &mut Sum, run: &Simulated, digest: Option<String>) {
    if run.violations().is_empty() {
        sum.passed += 1;
    } else {
        sum.failed.push(run.seed());
    }
    let end = run.state().map_or_else(|| "unreadable".to_owned(), |state| state.to_string());
    *sum.ends.entry(end).or_default() += 1;
    sum.records += u64::try_from(run.records()).unwrap_or(0);
    sum.events += u64::try_from(run.events()).unwrap_or(0);
    sum.digests.extend(digest.map(|digest| (run.seed(), digest)));
}

fn tell_failures(failed: &[u64]) -> Fallible<()> {
    for (told, seed) in failed.iter().enumerate() {
        let time = VirtualTime::new()?;
        let Some(run) = unless_it_panics(|| simulate(&time, *seed)) else {
            println!("seed {seed} (commit {}) failed: it panicked", commit());
            continue;
        };
        let run = run?;
        let first = run.violations().first().map(ToString::to_string).unwrap_or_default();
        println!("seed {seed} (commit {}) failed: {first}", commit());
        if told < STORIES {
            println!("\n{}", run.shrink(&time)?.story());
        }
    }
    Ok(())
}

fn mutants(seeds: u64, from: u64) -> Fallible<bool> {
    let time = VirtualTime::new()?;
    let mut survivors = 0;
    for mutant in Mutant::ALL {
        let mut noticed = BTreeMap::new();
        let killed = (from..from.saturating_add(seeds)).find(|&seed| match simulate_mutant(&time, seed, mutant) {
            Ok(run) => {
                for violation in run.violations() {
                    noticed.entry(violation.invariant).or_insert(seed);
                }
                run.violations().iter().any(|violation| violation.invariant == mutant.killed_by())
            }
            Err(_) => false,
        });
        match killed {
            Some(seed) => {
                println!("{mutant:?}: killed by {:?} with seed {seed} (noticed: {noticed:?})", mutant.killed_by())
            }
            None => {
                survivors += 1;
                println!("{mutant:?}: ALIVE, {:?} did not notice (noticed: {noticed:?})", mutant.killed_by());
            }
        }
    }
    println!("{} passed, {survivors} failed", Mutant::ALL.len() - survivors);
    Ok(survivors == 0)
}
