//! `runs checkpoint` and `runs verify --checkpoints`: what a chain of records cannot show by itself.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use dr_core::{
    journal::{Entry, Journal as _, Seq, SqliteJournal},
    model::{OwnerId, RunId},
    time::SystemClock,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Ended, OBSERVER, Program, RUNS};

const RUN: &str = "shop-failover-1";

/// A folder with journals, keys and checkpoints.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes notes after the records that are there.
    async fn write(&self, journal: &str, run: &str, after: u64, notes: &[&str]) {
        let journal = SqliteJournal::open(&self.at(journal), Arc::new(SystemClock::new())).await.unwrap();
        let run = RunId::new(run).unwrap();
        let lease = journal.acquire(&run, &OwnerId::new("a").unwrap(), Duration::from_secs(60)).await.unwrap();
        let notes = notes.iter().map(|note| Entry::Note { topic: "n".to_owned(), value: (*note).into() }).collect();
        journal.append(&lease, Seq(after), notes).await.unwrap();
        journal.release(lease).await.unwrap();
    }

    /// Makes a key; what is answered is its public half.
    async fn key(&self, name: &str) -> String {
        let file = self.at(name);
        let made = Program::start(OBSERVER, &["--new-key", text(&file)]).end().await;
        assert_eq!(made.code, Some(0), "{}", made.shown());
        made.out.trim().to_owned()
    }

    async fn runs(&self, journal: &str, rest: &[&str]) -> Ended {
        let journal = self.at(journal);
        Program::start(RUNS, &[&["--journal", text(&journal)], rest].concat()).end().await
    }

    /// As the shell's `>>` does it.
    async fn checkpoint(&self, journal: &str, key: &str, to: &str) {
        let made = self.runs(journal, &["checkpoint", RUN, "--key", text(&self.at(key))]).await;
        assert_eq!(made.code, Some(0), "{}", made.shown());
        let before = fs::read_to_string(self.at(to)).unwrap_or_default();
        fs::write(self.at(to), before + &made.out).unwrap();
    }

    async fn verify(&self, journal: &str, against: &str, key: &str) -> Ended {
        self.runs(journal, &["verify", RUN, "--checkpoints", text(&self.at(against)), "--key", key]).await
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test]
async fn a_journal_whose_end_is_missing_or_that_was_written_anew_shows_against_checkpoints_kept_elsewhere() {
    let desk = Desk::new();
    let public = desk.key("key").await;
    desk.write("journal", RUN, 0, &["one", "two", "three"]).await;
    desk.checkpoint("journal", "key", "kept").await;
    fs::copy(desk.at("journal"), desk.at("shorter")).unwrap();
    desk.write("journal", RUN, 3, &["four", "five"]).await;
    desk.checkpoint("journal", "key", "kept").await;
    desk.write("journal", RUN, 5, &["six"]).await;
    desk.write("anew", RUN, 0, &["one", "two", "another", "four", "five", "six"]).await;

    let whole = desk.verify("journal", "kept", &public).await;
    assert_eq!(whole.code, Some(0), "{}", whole.shown());
    let said = "6 records are what was written, up to record 5 those that 2 checkpoints saw";
    assert!(whole.out.contains(said), "{}", whole.shown());

    for (journal, what) in [
        ("shorter", "the records end at 3, and a checkpoint saw them go on to 5"),
        ("anew", "record 3 is not the one that a checkpoint saw"),
    ] {
        let alone = desk.runs(journal, &["verify", RUN]).await;
        assert_eq!(alone.code, Some(0), "its chain is whole: {}", alone.shown());
        let told = desk.verify(journal, "kept", &public).await;
        assert_eq!(told.code, Some(2), "{}", told.shown());
        assert!(told.err.contains(what), "{}", told.shown());
        let line = if journal == "shorter" { 2 } else { 1 };
        assert!(told.err.contains(&format!("kept line {line}, signed at ")), "{}", told.shown());
    }

    // A run that is gone altogether shows, too, also where none is named.
    desk.write("other", "shop-failover-2", 0, &["one"]).await;
    let (kept, file) = (desk.at("kept"), desk.at("public"));
    fs::write(&file, &public).unwrap();
    let gone = desk.runs("other", &["--json", "verify", "--checkpoints", text(&kept), "--key", text(&file)]).await;
    assert_eq!(gone.code, Some(2), "{}", gone.shown());
    assert!(gone.err.contains("the records end at 0, and a checkpoint saw them go on to 3"), "{}", gone.shown());
    let told: Value = serde_json::from_str(gone.out.trim()).unwrap();
    assert_eq!((&told["run"], &told["checkpoints"]), (&"shop-failover-2".into(), &0.into()));
    let named = ["verify", "shop-failover-2", "--checkpoints", text(&kept), "--key", &public];
    let unseen = desk.runs("other", &named).await;
    assert_eq!(unseen.code, Some(66), "{}", unseen.shown());
}

#[tokio::test]
async fn a_checkpoint_that_the_key_has_not_signed_is_refused_with_its_line() {
    let desk = Desk::new();
    let (public, other) = (desk.key("key").await, desk.key("other-key").await);
    desk.write("journal", RUN, 0, &["one", "two", "three"]).await;
    desk.checkpoint("journal", "key", "kept").await;
    desk.checkpoint("journal", "other-key", "kept").await;

    let refused = desk.verify("journal", "kept", &public).await;
    assert_eq!(refused.code, Some(3), "{}", refused.shown());
    assert!(refused.err.contains("kept line 2: "), "{}", refused.shown());
    let kept = desk.at("kept");
    let both = ["verify", RUN, "--checkpoints", text(&kept), "--key", &public, "--key", &other];
    let trusted = desk.runs("journal", &both).await;
    assert_eq!(trusted.code, Some(0), "{}", trusted.shown());

    // Somebody makes a checkpoint fit a journal that ends sooner.
    let kept = fs::read_to_string(desk.at("kept")).unwrap().replacen("\"count\":3", "\"count\":2", 1);
    fs::write(desk.at("kept"), kept).unwrap();
    let changed = desk.verify("journal", "kept", &public).await;
    assert_eq!(changed.code, Some(3), "{}", changed.shown());
    assert!(changed.err.contains("kept line 1: "), "{}", changed.shown());

    fs::write(desk.at("torn"), "\n{\"checkpoint\":{\"run\"").unwrap();
    let torn = desk.verify("journal", "torn", &public).await;
    assert_eq!(torn.code, Some(64), "{}", torn.shown());
    assert!(torn.err.contains("torn line 2, column "), "{}", torn.shown());
    let absent = desk.verify("journal", "nowhere", &public).await;
    assert_eq!(absent.code, Some(66), "{}", absent.shown());
}

#[tokio::test]
async fn a_private_key_is_never_repeated() {
    const SECRET: &str = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
    let desk = Desk::new();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n");
    fs::write(desk.at("key"), &pem).unwrap();
    fs::write(desk.at("broken"), pem.replace("MC4CAQAw", "MC4CAQAx")).unwrap();
    fs::write(desk.at("quoted"), format!("\"{SECRET}\"")).unwrap();
    desk.write("journal", RUN, 0, &["one"]).await;
    desk.checkpoint("journal", "key", "kept").await;
    let (key, kept) = (desk.at("key"), desk.at("kept"));
    let given = |key| ["verify", RUN, "--checkpoints", text(&kept), "--key", key];
    let ended = [
        (0, desk.runs("journal", &["checkpoint", "--key", text(&key)]).await),
        (64, desk.runs("journal", &["checkpoint", RUN, "--key", text(&desk.at("broken"))]).await),
        (64, desk.runs("journal", &given(text(&key))).await),
        (64, desk.runs("journal", &given(SECRET)).await),
        (64, desk.verify("journal", "key", &"0".repeat(64)).await),
        (64, desk.verify("journal", "quoted", &"0".repeat(64)).await),
        (66, desk.runs("journal", &["checkpoint", "no-such-run", "--key", text(&key)]).await),
    ];
    for (code, ended) in ended {
        assert_eq!(ended.code, Some(code), "{}", ended.shown());
        let shown = ended.shown();
        let secret = SECRET.trim_start_matches("MC4CAQAwBQYDK2VwBCIEI");
        assert!(!shown.contains(secret), "{shown}");
        assert!(!shown.contains("d4ee72dbf913584ad5b6d8f1f769f8ad"), "{shown}");
    }
}
