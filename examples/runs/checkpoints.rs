//! Signed checkpoints: printed, and read from where they were kept.

use std::{collections::BTreeMap, fs, io::Write as _, path::Path};

use dr_core::{
    error::ErrorKind,
    journal::{Checkpoint, Ed25519Verifier, PublicKey, Signature, SignedCheckpoint, Verifier, checkpoint},
    model::RunId,
};
use dr_lab::signing_key::SigningKey;
use serde_json::json;

use crate::{
    exit::{Exit, Stop},
    store::Store,
};

/// Prints a checkpoint of the run, or of every one.
pub(crate) async fn print(store: &Store, named: Option<RunId>, key: &Path) -> Result<(), Stop> {
    let SigningKey { signer, warning, .. } = SigningKey::read(key)?;
    if let Some(warning) = warning {
        eprintln!("runs: {warning}");
    }
    let journal = &**store.engine.journal();
    let runs = match named {
        Some(run) => vec![run],
        None => journal.runs().await?,
    };
    let mut altered = Vec::new();
    for run in runs {
        match checkpoint(journal, &run, &signer, &*store.clock).await {
            Ok(signed) => keep(&json!(signed).to_string())?,
            // The others are as good as before, and worth a checkpoint all the more.
            Err(error) if error.kind() == ErrorKind::Corrupt => altered.push(error.to_string()),
            Err(error) => return Err(error.into()),
        }
    }
    if altered.is_empty() { Ok(()) } else { Err(Stop::new(Exit::Altered, altered.join("; "))) }
}

/// Prints a line that somebody means to keep: that it cannot be written is a failure here.
fn keep(line: &str) -> Result<(), Stop> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|e| {
        Stop::new(
            Exit::Failed,
            format!("the checkpoint was not written ({e}): make room, cut off a line that has no end"),
        )
    })
}

/// A checkpoint of a file, and the line that it stands in.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) line: usize,
    pub(crate) checkpoint: Checkpoint,
}

/// The checkpoints of a file, those of each run by how far they go, when one of the keys has signed every one.
pub(crate) fn read(file: &Path, keys: &[String]) -> Result<BTreeMap<RunId, Vec<Kept>>, Stop> {
    let trusted = AnyOf(keys.iter().enumerate().map(|(n, key)| public(n + 1, key)).collect::<Result<_, _>>()?);
    let shown = file.display();
    let bytes = fs::read(file).map_err(|e| {
        Stop::new(Exit::Absent, format!("no checkpoints can be read at {shown} ({e}): `runs checkpoint` prints them"))
    })?;
    let mut found: BTreeMap<RunId, Vec<Kept>> = BTreeMap::new();
    for (n, text) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = n + 1;
        if text.trim_ascii().is_empty() {
            continue;
        }
        // What stands there instead may be anything, a key too: it is not repeated.
        let signed: SignedCheckpoint = serde_json::from_slice(text).map_err(|e| {
            let column = e.column();
            Stop::new(
                Exit::Usage,
                format!(
                    "{shown} line {line}, column {column}: this is no signed checkpoint. Cut the line off if writing it was \
                     interrupted; otherwise fetch the file again from where it is kept"
                ),
            )
        })?;
        let checkpoint = signed.open(&trusted).map_err(|e| {
            let why = e.message();
            Stop::new(
                Exit::Refused,
                format!(
                    "{shown} line {line}: {why}. If its key is one of yours, give its public half with --key as well; \
                     otherwise somebody changed the line: fetch the file again from where it is kept"
                ),
            )
        })?;
        found.entry(checkpoint.run.clone()).or_default().push(Kept { line, checkpoint: checkpoint.clone() });
    }
    // So that what is told first is the earliest place that differs.
    found.values_mut().for_each(|kept| kept.sort_by_key(|kept| kept.checkpoint.count));
    Ok(found)
}

/// The key of the n-th `--key`: itself, or in a file. Whoever gives a private one by mistake does not find it in the message.
fn public(n: usize, text: &str) -> Result<PublicKey, Stop> {
    if let Ok(key) = text.parse() {
        return Ok(key);
    }
    let file = Path::new(text);
    if !file.is_file() {
        let message = format!(
            "--key, the one in place {n}: it is neither an Ed25519 public key (hexadecimal, base64 or PEM) nor a file with \
             one: `observer --show-key FILE` prints the public half of a key"
        );
        return Err(Stop::new(Exit::Usage, message));
    }
    let shown = file.display();
    let read = fs::read_to_string(file)
        .map_err(|e| Stop::new(Exit::Usage, format!("no public key can be read at {shown}: {e}")))?;
    read.parse().map_err(|_| {
        let message = format!(
            "{shown} is no Ed25519 public key in hexadecimal, base64 or PEM: `observer --show-key FILE` prints the public \
             half of a key"
        );
        Stop::new(Exit::Usage, message)
    })
}

/// Trusts these keys, whatever a checkpoint calls the one that signed it.
#[derive(Debug)]
struct AnyOf(Vec<PublicKey>);

impl Verifier for AnyOf {
    fn trusts(&self, key: &str, message: &[u8], signature: &Signature) -> bool {
        let signed_by =
            |public: &PublicKey| Ed25519Verifier::new().trust(key, public.as_bytes()).trusts(key, message, signature);
        self.0.iter().any(signed_by)
    }
}
