//! A journal has what its kind of store needs, and nothing that belongs to another.

use super::super::{cursor::At, finding::Findings};

/// Each key of one store only: the store, the key, whether that store needs it, and what to write.
const KEYS: [(&str, &str, bool, &str); 3] = [
    ("sqlite", "path", true, "`path:` with the file, such as `journal.sqlite`"),
    ("s3", "bucket", true, "`bucket:` with the name of a bucket in the journal's region"),
    ("s3", "prefix", false, ""),
];

pub(super) fn check(root: &At<'_>, findings: &mut Findings<'_>) {
    let Some(journal) = root.get("journal") else { return };
    let Some(store) = journal.get("store") else { return };
    let Some(kind) = store.text().filter(|kind| KEYS.iter().any(|(of, ..)| of == kind)) else { return };
    for (of, key, needed, remedy) in KEYS {
        match journal.get(key) {
            None if needed && of == kind => {
                let path = format!("{}.{key}", journal.path());
                let message = format!("a journal in {kind} needs a `{key}`, which is missing");
                findings.push(store.label(), &path, message, remedy);
            }
            Some(at) if of != kind => {
                let message = format!("`{key}` belongs to `store: {of}`, and this journal is in {kind}");
                findings.push(at.label(), at.path(), message, format!("no `{key}`, or `store: {of}`"));
            }
            _ => {}
        }
    }
}
