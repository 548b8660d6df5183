//! The loop: choose an input, change it, try it, keep it when it is answered in a new way.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::Duration,
};

use dr_core::time::{Clock as _, SystemClock};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::mutate::mutate;

/// No more inputs are gone on from.
const MOST: usize = 4096;

/// Something that reads, and says in a few words how it answered.
pub(super) struct Target {
    pub(super) name: &'static str,
    pub(super) seeds: Vec<Vec<u8>>,
    /// How many inputs a run with the other tests tries.
    pub(super) short: u64,
    pub(super) read: fn(&[u8]) -> String,
}

/// The inputs that are kept in the tree.
fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name);
    let files = fs::read_dir(folder).map(|files| files.map(|file| file.unwrap().path()).collect::<Vec<_>>());
    let mut files = files.unwrap_or_default();
    files.sort();
    files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// The shape of an answer: without what differs from input to input. What is quoted was the input's, numbers and digests are
/// its too, and what is not a word of a sentence was never ours; an input with fifty mistakes is no more news than one with four.
fn shape(answer: &str) -> String {
    let mut kinds = BTreeSet::new();
    for line in answer.lines() {
        let quote = |letter: char| matches!(letter, '`' | '"' | '\'');
        let ours = match (line.find(quote), line.rfind(quote)) {
            (Some(from), Some(to)) if from < to => format!("{} {}", &line[..from], &line[to + 1..]),
            _ => line.to_owned(),
        };
        let word = |word: &&str| {
            word.len() < 16 && word.trim_end_matches([',', '.', ':', ';']).chars().all(char::is_alphabetic)
        };
        kinds.insert(ours.split(' ').filter(word).take(12).collect::<Vec<_>>().join(" "));
        if kinds.len() == 4 {
            break;
        }
    }
    kinds.into_iter().collect::<Vec<_>>().join("\n")
}

fn attempt(target: &Target, input: &[u8]) -> String {
    let read = target.read;
    match catch_unwind(AssertUnwindSafe(|| read(input))) {
        Ok(answer) => answer,
        Err(_) => {
            let path = env::temp_dir().join(format!("dr-fuzz-{}-{}", target.name, std::process::id()));
            fs::write(&path, input).unwrap();
            panic!("{} breaks on {}:\n{}", target.name, path.display(), String::from_utf8_lossy(input));
        }
    }
}

impl Target {
    /// Tries the seeds and the corpus as they are, then as many changes of them as a short run or `DR_FUZZ_MINUTES` allows.
    pub(super) fn run(&self) {
        let minutes: Option<u64> = env::var("DR_FUZZ_MINUTES").ok().and_then(|n| n.parse().ok());
        let seed = env::var("DR_FUZZ_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or_else(|| match minutes {
            Some(_) => rand::random(),
            None => 1,
        });
        let clock = SystemClock::new();
        let end = minutes.map(|minutes| clock.monotonic() + Duration::from_secs(minutes * 60));
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        // For each shape of an answer, the shortest input that was answered so.
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut pool = self.seeds.clone();
        pool.extend(corpus(self.name).into_iter().map(|(_, input)| input));
        for (at, input) in pool.iter().enumerate() {
            seen.entry(shape(&attempt(self, input))).or_insert(at);
        }
        let begun = pool.len();
        let mut tried = 0_u64;
        while end.map_or(tried < self.short, |end| clock.monotonic() < end) {
            tried += 1;
            let (input, other) = (&pool[chance.random_range(0..pool.len())], &pool[chance.random_range(0..pool.len())]);
            let input = mutate(&mut chance, input, other);
            match seen.entry(shape(&attempt(self, &input))) {
                Entry::Occupied(at) if *at.get() >= begun && input.len() < pool[*at.get()].len() => {
                    pool[*at.get()] = input
                }
                Entry::Occupied(_) => {}
                Entry::Vacant(new) => {
                    // A reader whose answers repeat what it was given must not fill the memory.
                    if pool.len() < begun + MOST {
                        new.insert(pool.len());
                        pool.push(input);
                    }
                }
            }
        }
        println!("{}: seed {seed}, {tried} inputs, {} answers, none of them a panic", self.name, seen.len());
        if let Some(folder) = env::var_os("DR_FUZZ_KEEP") {
            let folder = PathBuf::from(folder).join(self.name);
            fs::create_dir_all(&folder).unwrap();
            for (n, input) in pool.iter().enumerate().skip(begun) {
                fs::write(folder.join(format!("{n:05}")), input).unwrap();
            }
        }
    }
}
