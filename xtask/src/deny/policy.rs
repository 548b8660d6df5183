use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use super::toml::{self, Value};
use crate::run::Failure;

/// What `deny.toml` allows and bans, as far as it can be checked offline.
#[derive(Debug)]
pub(crate) struct Policy {
    /// `[licenses] allow`: SPDX identifiers.
    pub(super) licences: BTreeSet<String>,
    /// `[bans] deny`: crate and reason.
    pub(super) banned: BTreeMap<String, String>,
    /// `[sources] allow-registry`: registries beside crates.io.
    pub(super) registries: BTreeSet<String>,
}

impl Policy {
    /// Reads a `deny.toml`.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or lacks the list of licences or of bans.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let source = fs::read_to_string(path)
            .map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))?;
        Self::parse(&source).map_err(|problem| Failure::new(format!("deny.toml: {problem}")))
    }

    pub(super) fn parse(source: &str) -> Result<Self, String> {
        let document = toml::parse(source).map_err(|error| error.to_string())?;
        let at = |table: &str, key: &str| document.get(table)?.get(key);
        let texts = |list: &Value| list.items().iter().filter_map(|item| item.text().map(str::to_owned)).collect();
        let licences: BTreeSet<String> = at("licenses", "allow").map(texts).unwrap_or_default();
        if licences.is_empty() {
            return Err("`[licenses] allow` lists no licence".to_owned());
        }
        let mut banned = BTreeMap::new();
        for entry in at("bans", "deny").map(Value::items).unwrap_or_default() {
            let name = entry.get("crate").and_then(Value::text).ok_or("a ban names no `crate`")?;
            let reason = entry.get("reason").and_then(Value::text).ok_or("a ban gives no `reason`")?;
            banned.insert(name.to_owned(), reason.to_owned());
        }
        if banned.is_empty() {
            return Err("`[bans] deny` lists no crate".to_owned());
        }
        let registries = at("sources", "allow-registry").map(texts).unwrap_or_default();
        Ok(Self { licences, banned, registries })
    }
}
