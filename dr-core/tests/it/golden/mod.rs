//! The journal's stored form, as it was written and as it will be read forever.
//!
//! `tests/golden/journal-v1` holds one file for each [`Entry`], and one of a whole run. Nobody changes a file there: a journal
//! that somebody's failover wrote looks like this, and must be readable by every later program.

mod samples;

use std::{collections::BTreeSet, fs, path::PathBuf, sync::Once};

use dr_core::{
    engine::{RunState, RunView},
    error::ErrorKind,
    journal::{Digest, Entry, FORMAT, Record, read_jsonl, verify},
    model::{Epoch, RunId},
    time::Timestamp,
};

const HOW: &str = "\n\nThe journal's format is kept by golden files, one for each entry. To add one:
  1. put a sample of the entry, with every field filled, into tests/it/golden/samples.rs;
     a new optional field of an old entry gets a sample of its own, named `old-entry.what-is-new`
  2. run the tests once with DR_GOLDEN=write: this writes the missing files, and changes none
  3. commit tests/golden/journal-v1/<name>.jsonl; from then on it is never changed or removed\n";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/journal-v{FORMAT}"))
}

fn written() -> BTreeSet<String> {
    let files = fs::read_dir(folder()).map(|files| files.map(|file| file.unwrap().path()).collect::<Vec<_>>());
    let name = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    files.unwrap_or_default().into_iter().map(name).collect()
}

fn read(name: &str) -> Vec<Record> {
    let records = read_jsonl(fs::read(folder().join(format!("{name}.jsonl"))).unwrap().as_slice()).unwrap();
    assert_eq!(verify(&records), Ok(()), "{name}");
    records
}

fn sealed(name: &str, entries: Vec<Entry>) -> Vec<Record> {
    let run = RunId::new(format!("golden/{name}")).unwrap();
    let mut records: Vec<Record> = Vec::new();
    for entry in entries {
        let (before, seq) = records.last().map_or((Digest::START, Default::default()), |last| (last.digest, last.seq));
        let seq = dr_core::journal::Seq::next(seq);
        let at = Timestamp::from_millis(1_795_428_000_000 + i64::try_from(seq.0).unwrap() * 250);
        records.push(Record::write(&run, &before, seq, at, Epoch(7), entry).unwrap());
    }
    records
}

/// Writes the files that are missing, when that is asked for.
fn write_missing() {
    static ONCE: Once = Once::new();
    if std::env::var_os("DR_GOLDEN").is_some_and(|value| value == "write") {
        ONCE.call_once(write_all_missing);
    }
}

fn write_all_missing() {
    fs::create_dir_all(folder()).unwrap();
    let samples = samples::all().into_iter().map(|(name, entry)| (name, vec![entry]));
    for (name, entries) in samples.chain([("run-created", vec![samples::created()]), ("a-whole-run", samples::run())]) {
        let path = folder().join(format!("{name}.jsonl"));
        let lines: String = sealed(name, entries).iter().map(|record| record.to_line() + "\n").collect();
        if !path.exists() {
            fs::write(path, lines).unwrap();
        }
    }
}

/// The names of all entries, which serde lists when it meets one that it does not know.
fn entries() -> BTreeSet<String> {
    let refused = serde_json::from_str::<Entry>(r#"{"no-such-entry":{}}"#).unwrap_err().to_string();
    let (_, names) = refused.split_once("expected one of").unwrap();
    let names: BTreeSet<String> = names.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    assert!(names.contains("step-intent"), "{refused}");
    names
}

#[test]
fn every_entry_has_a_golden_file() {
    write_missing();
    let written = written();
    let missing: Vec<_> = entries().into_iter().filter(|name| !written.contains(name)).collect();
    assert!(missing.is_empty(), "no golden file for {}{HOW}", missing.join(", "));
}

#[test]
fn golden_files_read_as_what_they_were_written_from() {
    write_missing();
    let samples = samples::all();
    for (name, entry) in &samples {
        assert!(written().contains(*name), "no golden file for {name}{HOW}");
        assert_eq!(read(name)[0].entry, *entry, "{name} is read as something else than it was");
    }
    for name in written().into_iter().filter(|name| !["a-whole-run", "run-created"].contains(&name.as_str())) {
        assert!(samples.iter().any(|(sample, _)| *sample == name), "no sample says what {name} means{HOW}");
    }
}

#[test]
fn what_is_read_is_written_again_to_the_byte() {
    write_missing();
    for name in written() {
        let mut before = Digest::START;
        for record in read(&name) {
            let again =
                Record::write(&record.run, &before, record.seq, record.at, record.epoch, record.entry.clone()).unwrap();
            assert_eq!(again.text(), record.text(), "{name}: a field is not read, or is written otherwise");
            before = record.digest;
        }
    }
}

#[test]
fn a_whole_run_of_the_first_format_folds_to_its_end() {
    write_missing();
    let records = read("a-whole-run");
    let mut view = RunView::new(records[0].run.clone(), records[0].seq, records[0].at, &records[0].entry).unwrap();
    for record in &records[1..] {
        view.apply(record.seq, record.at, record.epoch, &record.entry);
    }
    assert_eq!(view.state(), RunState::CompletedWithExceptions);
    assert_eq!(view.plan().steps().len(), 3);
    assert!(view.approved());
    assert_eq!(view.step("promote").unwrap().attempts, 2);
    assert_eq!(
        view.step("promote").unwrap().output(),
        Some(&serde_json::json!({ "writer": "eu-west-1", "lag_s": 0.1 }))
    );
    assert_eq!(view.before_images().0.len(), 2);
}

#[test]
fn an_unknown_field_is_kept_in_the_bytes_and_passed_over() {
    write_missing();
    let line = read("resumed")[0].text().replace(r#""why":"#, r#""until":"tomorrow","why":"#);
    let record = Record::read(line.as_str(), Digest::START.then(line.as_bytes())).unwrap();
    assert_eq!(record.entry, read("resumed")[0].entry);
    assert!(record.to_line().contains("tomorrow"));
    let line = line.replace(r#""run":"#, r#""host":"a","run":"#);
    assert_eq!(Record::read(line, record.digest).unwrap().entry, record.entry);
}

#[test]
fn what_is_not_known_is_refused() {
    write_missing();
    let text = read("paused")[0].text().to_owned();
    for (from, to, told) in [
        (r#"{"paused":"#, r#"{"postponed":"#, "unknown variant `postponed`"),
        (r#"{"v":1,"#, r#"{"v":2,"#, "version 2 of the journal's format"),
        (r#"{"v":1,"#, r#"{"v":40000000000,"#, "version 40000000000 of the journal's format"),
        (r#""reason":"#, r#""because":"#, "missing field `reason`"),
    ] {
        let changed = text.replace(from, to);
        assert_ne!(changed, text);
        let error = Record::read(changed, Digest::START).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.message().contains(told), "{error}");
    }
    // A version that is newer in everything.
    let error = Record::read(r#"{"v":2,"entry":["paused"],"chapter":3}"#, Digest::START).unwrap_err();
    assert!(error.message().contains("version 2"), "{error}");
    let error = Record::read(&text[..40], Digest::START).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.message().contains("at byte 40"), "{error}");
}
