//! What is read, and the laws of reading it.

use std::{fs, path::Path};

use dr_core::{
    engine::{RunView, decide},
    journal::{Digest, Entry, Record, Seq, read_jsonl, verify},
    model::{Epoch, OwnerId, RunId},
    plan::{Inventory, Plan, to_dot, to_text, to_timeline_text},
    spec::SpecLoader,
    time::Timestamp,
};

use super::harness::Target;

const SPEC: &str = include_str!("../../../../examples/ecommerce.dr.yaml");

/// The exports that later programs must still read.
fn exports() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/journal-v1");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| fs::read(path).unwrap()).collect()
}

/// An export: what is read is written again byte for byte, and whatever it says can be folded and decided upon.
fn journal(input: &[u8]) -> String {
    let records = match read_jsonl(input) {
        Ok(records) => records,
        Err(error) => return error.to_string(),
    };
    let again: String = records.iter().map(|record| record.to_line() + "\n").collect();
    assert_eq!(again.as_bytes(), input, "what was read is what is written");
    let whole = verify(&records);
    let view = fold(&records);
    format!("{} records, {whole:?}, {:?}", records.len(), view.map(|view| view.state()))
}

fn fold(records: &[Record]) -> Option<RunView> {
    let (first, rest) = records.split_first()?;
    let mut view = RunView::new(first.run.clone(), first.seq, first.at, &first.entry).ok()?;
    for record in rest {
        view.apply(record.seq, record.at, record.epoch, &record.entry);
    }
    for now in [first.at, view.last(), Timestamp::from_millis(i64::MAX)] {
        let _ = decide(view.plan(), &view, now);
    }
    let _ = (view.before_images(), view.past_return(), view.failed_for_good().count());
    Some(view)
}

/// A configuration: a spec, or findings that lie within the text.
fn spec(input: &[u8]) -> String {
    let loader = SpecLoader::new().variable("DR_JOURNAL", "journal.sqlite");
    match loader.load_bytes("dr.yaml", input) {
        Ok(spec) => format!("{} regions", spec.regions.len()),
        Err(errors) => {
            assert!(!errors.findings().is_empty());
            let lines = String::from_utf8_lossy(input).split(['\n', '\r']).count();
            for finding in errors.findings() {
                assert!((1..=lines).contains(&finding.line) && finding.column > 0, "{finding} of {lines} lines");
            }
            errors.findings().iter().map(|finding| finding.message.clone() + "\n").collect()
        }
    }
}

/// A plan: refused, or one that is the same after a trip through JSON, can be shown in every way, and can be begun.
fn plan(input: &[u8]) -> String {
    let plan: Plan = match serde_json::from_slice(input) {
        Ok(plan) => plan,
        Err(error) => return error.to_string(),
    };
    let again: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!(again.digest(), plan.digest());
    let shown = [to_text(&plan), to_dot(&plan), to_timeline_text(&plan)];
    let by = OwnerId::new("fuzz").unwrap();
    let entry = Entry::RunCreated {
        plan: Box::new(plan),
        inventory: Box::new(Inventory::default()),
        findings: Vec::new(),
        waivers: Vec::new(),
        unattended: None,
        by,
    };
    let run = RunId::new("fuzz").unwrap();
    let record = Record::write(&run, &Digest::START, Seq(1), Timestamp::UNIX_EPOCH, Epoch(1), entry).unwrap();
    let view = fold(&[record]).unwrap();
    format!(
        "{} steps, {} lines",
        view.plan().steps().len(),
        shown.iter().map(|text| text.lines().count()).sum::<usize>()
    )
}

/// The plans in the exports.
fn plans() -> Vec<Vec<u8>> {
    let plan = |export: Vec<u8>| match read_jsonl(export.as_slice()).ok()?.into_iter().next()?.entry {
        Entry::RunCreated { plan, .. } => Some(serde_json::to_vec(&plan).unwrap()),
        _ => None,
    };
    exports().into_iter().filter_map(plan).collect()
}

#[test]
fn no_journal_breaks_its_reader() {
    Target { name: "journal", seeds: exports(), short: 4_000, read: journal }.run();
}

#[test]
fn no_dr_yaml_breaks_its_loader() {
    Target { name: "spec", seeds: vec![SPEC.into()], short: 1_000, read: spec }.run();
}

#[test]
fn no_plan_breaks_its_reader() {
    let seeds = plans();
    assert!(!seeds.is_empty());
    Target { name: "plan", seeds, short: 4_000, read: plan }.run();
}
