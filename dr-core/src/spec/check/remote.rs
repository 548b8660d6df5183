//! Observers elsewhere: each with an address and a key of its own.

use std::collections::BTreeMap;

use super::super::{cursor::At, finding::Findings, node::Place};
use crate::journal::PublicKey;

pub(super) fn check(root: &At<'_>, findings: &mut Findings<'_>) {
    let (mut urls, mut keys) = (BTreeMap::new(), BTreeMap::new());
    for observer in root.list("observers") {
        match (observer.get("url"), observer.get("key")) {
            (Some(url), None) => {
                let path = format!("{}.key", observer.path());
                let message = "anybody could answer at this `url`: a `key` is missing";
                findings.push(url.label(), &path, message, "`key:` with the public key that the observer signs with");
            }
            (None, Some(key)) => {
                let message = "an observer without `url` runs in the process that decides, and signs nothing";
                findings.push(key.label(), key.path(), message, "`url:` as well, or no `key`");
            }
            _ => {}
        }
        if let Some(url) = observer.get("url") {
            once(&mut urls, url.text().map(str::to_owned), &url, "is where another observer is asked", findings);
        }
        if let Some(key) = observer.get("key") {
            // The same key has several texts; a file's name is its own.
            let text = key.text().map(|text| text.parse::<PublicKey>().map_or(text.to_owned(), |key| key.to_string()));
            once(&mut keys, text, &key, "is another observer's: one could speak for the other", findings);
        }
    }
}

fn once(
    seen: &mut BTreeMap<String, Place>,
    text: Option<String>,
    at: &At<'_>,
    message: &str,
    findings: &mut Findings<'_>,
) {
    let Some(text) = text else { return };
    match seen.get(&text) {
        None => {
            seen.insert(text, at.place());
        }
        Some(first) => {
            let message = format!("this {message} (line {})", first.line);
            findings.push_related(at.place(), at.path(), Some(*first), message, "one of its own");
        }
    }
}
