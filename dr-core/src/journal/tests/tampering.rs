//! Whatever happens to a journal's bytes is seen, and its place is told.

use std::sync::Arc;

use futures::TryStreamExt as _;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    model::{Epoch, OwnerId, RunId},
    time::{ManualClock, Timestamp},
};

/// What a disk, a person or a program can do to an export.
#[derive(Clone, Debug)]
enum Harm {
    /// One bit of one byte is another.
    Flip { byte: usize, bit: u8 },
    /// A record is gone.
    Drop(usize),
    /// Two records have changed places.
    Swap(usize, usize),
    /// A record is there twice.
    Repeat(usize),
    /// The file ends early.
    Cut(usize),
}

fn harm() -> impl Strategy<Value = Harm> {
    let any = || any::<proptest::sample::Index>().prop_map(|index| index.index(usize::MAX));
    prop_oneof![
        4 => (any(), 0..8_u8).prop_map(|(byte, bit)| Harm::Flip { byte, bit }),
        1 => any().prop_map(Harm::Drop),
        1 => (any(), any()).prop_map(|(a, b)| Harm::Swap(a, b)),
        1 => any().prop_map(Harm::Repeat),
        2 => any().prop_map(Harm::Cut),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<f64>().prop_map(|number| json!(number)),
        any::<u64>().prop_map(|number| json!(number)),
        ".{0,12}".prop_map(|text| json!({ "text": text, "more": [null, true] })),
    ]
}

/// A run of these values, exported, and how far it went.
async fn exported(values: Vec<Value>) -> (Vec<String>, Checkpoint) {
    let clock = ManualClock::new();
    let journal = MemoryJournal::new(Arc::new(clock));
    let run = RunId::new("run-1").unwrap();
    let lease = journal.acquire(&run, &OwnerId::new("a").unwrap(), std::time::Duration::from_secs(9)).await.unwrap();
    let entries = values.into_iter().map(|value| Entry::Note { topic: "n".to_owned(), value }).collect();
    journal.append(&lease, Seq(0), entries).await.unwrap();
    let lines: Vec<String> = export_jsonl(&journal, &run).try_collect().await.unwrap();
    let found = audit(&journal, &run).await.unwrap();
    let at = Timestamp::UNIX_EPOCH;
    (lines, Checkpoint { run, count: found.records, head: found.head.unwrap(), at })
}

/// What is said of the file.
fn judged(file: &[u8], checkpoint: &Checkpoint) -> Result<(), String> {
    let records = read_jsonl(file).map_err(|e| e.message().to_owned())?;
    verify_against(&records, std::slice::from_ref(checkpoint)).map_err(|broken| broken.to_string())
}

/// The file after the harm, and the words that must be in what is said of it; none when it is as it was.
fn harmed(lines: &[String], harm: &Harm) -> (Vec<u8>, Option<Vec<String>>) {
    let named = |record: usize| Some(vec![format!("line {record} "), format!("record {record} ")]);
    let n = lines.len();
    let mut lines = lines.to_vec();
    match *harm {
        Harm::Flip { byte, bit } => {
            let mut file = lines.concat().into_bytes();
            let byte = byte % file.len();
            let line = file[..byte].iter().filter(|byte| **byte == b'\n').count() + 1;
            file[byte] ^= 1 << bit;
            (file, named(line))
        }
        Harm::Drop(at) => {
            let at = at % n;
            lines.remove(at);
            let told = if at + 1 == n { Some(vec![format!("the records end at {at}, ")]) } else { named(at + 1) };
            (lines.concat().into_bytes(), told)
        }
        Harm::Swap(a, b) => {
            let (a, b) = (a % n, b % n);
            lines.swap(a, b);
            (lines.concat().into_bytes(), if a == b { None } else { named(a.min(b) + 1) })
        }
        Harm::Repeat(at) => {
            let at = at % n;
            lines.insert(at, lines[at].clone());
            (lines.concat().into_bytes(), named(at + 2))
        }
        Harm::Cut(at) => {
            let file = lines.concat().into_bytes();
            let at = at % (file.len() + 1);
            let whole = file[..at].iter().filter(|byte| **byte == b'\n').count();
            let told = match file[..at].last() {
                _ if at == file.len() => None,
                None | Some(b'\n') => Some(vec![format!("the records end at {whole}, ")]),
                Some(_) => Some(vec![format!("line {} ", whole + 1)]),
            };
            (file[..at].to_vec(), told)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn any_harm_is_seen_and_its_place_is_told(values in proptest::collection::vec(value(), 1..9), harm in harm()) {
        let (lines, checkpoint) = futures::executor::block_on(exported(values));
        prop_assert_eq!(judged(lines.concat().as_bytes(), &checkpoint), Ok(()));
        let (file, told) = harmed(&lines, &harm);
        let said = judged(&file, &checkpoint);
        match told {
            None => prop_assert_eq!(said, Ok(())),
            Some(words) => {
                let said = said.expect_err("the harm is not seen");
                prop_assert!(words.iter().any(|word| said.contains(word.as_str())), "{said:?} says none of {words:?}");
            }
        }
    }
}

#[tokio::test]
async fn an_end_that_is_missing_shows_against_a_checkpoint_only() {
    let (lines, checkpoint) = exported(vec![json!(1), json!(2), json!(3)]).await;
    let records = read_jsonl(lines[..2].concat().as_bytes()).unwrap();
    assert_eq!(verify(&records), Ok(()), "what is left is a whole chain");
    let told = verify_against(&records, &[checkpoint]).unwrap_err();
    assert_eq!(told, ChainBreak::Truncated { ends: Seq(2), signed: Seq(3) });
}

#[tokio::test]
async fn a_story_that_was_written_anew_shows_against_a_checkpoint_only() {
    let (_, checkpoint) = exported(vec![json!(1), json!(2)]).await;
    let (lines, _) = exported(vec![json!(1), json!(9), json!(3)]).await;
    let records = read_jsonl(lines.concat().as_bytes()).unwrap();
    assert_eq!(verify(&records), Ok(()));
    assert_eq!(verify_against(&records, std::slice::from_ref(&checkpoint)), Err(ChainBreak::Rewritten { seq: Seq(2) }));
    // One that has only gone on is the same run.
    let (lines, later) = exported(vec![json!(1), json!(2), json!(3)]).await;
    let records = read_jsonl(lines.concat().as_bytes()).unwrap();
    assert_eq!(verify_against(&records, &[checkpoint, later]), Ok(()));
}

#[test]
fn a_checkpoint_of_an_empty_journal_asks_for_nothing() {
    let (run, at) = (RunId::new("run-1").unwrap(), Timestamp::UNIX_EPOCH);
    let entry = Entry::Note { topic: "n".to_owned(), value: json!(1) };
    let record = Record::write(&run, &Digest::START, Seq(1), at, Epoch(1), entry).unwrap();
    let seen = |count, head: Digest| Checkpoint { run: run.clone(), count, head, at };
    let records = std::slice::from_ref(&record);
    assert_eq!(verify_against(records, &[seen(0, Digest::START), seen(1, record.digest)]), Ok(()));
    assert_eq!(verify_against(&[], &[seen(0, Digest::START)]), Ok(()));
    assert_eq!(
        verify_against(&[], &[seen(1, record.digest)]),
        Err(ChainBreak::Truncated { ends: Seq(0), signed: Seq(1) })
    );
}
