use std::collections::BTreeSet;

use super::{Graph, Policy, spdx};

/// The name under which cargo records crates.io as a source, whatever mirror stands in for it.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Everything in `graph` that `policy` forbids, a sentence each; also what the policy allows and nothing needs.
pub(crate) fn violations(policy: &Policy, graph: &Graph) -> Vec<String> {
    let mut found = Vec::new();
    let mut used = BTreeSet::new();
    for package in &graph.packages {
        let who = format!("{} {}", package.name, package.version);
        match &package.licence {
            Some(expression) if spdx::permitted(expression, &policy.licences, &mut used) => {}
            Some(expression) => found.push(format!("{who}: its licence `{expression}` is not allowed")),
            None => found.push(format!("{who}: its manifest names no licence")),
        }
        if let Some(reason) = policy.banned.get(&package.name) {
            found.push(format!("{who}: banned: {reason}"));
        }
        let known = |source: &str| {
            source == CRATES_IO
                || source.strip_prefix("registry+").is_some_and(|registry| policy.registries.contains(registry))
        };
        if let Some(source) = package.source.as_deref().filter(|source| !known(source)) {
            found.push(format!("{who}: comes from {source}, which is not an allowed source"));
        }
    }
    for unused in policy.licences.difference(&used) {
        found.push(format!("deny.toml allows the licence `{unused}`, which no dependency needs"));
    }
    found
}

/// Direct dependencies that `page` (docs/dependencies.md) does not name in backquotes, a sentence each.
pub(crate) fn undocumented(page: &str, graph: &Graph) -> Vec<String> {
    graph
        .direct
        .iter()
        .filter(|name| !page.contains(&format!("`{name}`")))
        .map(|name| format!("{name}: docs/dependencies.md gives no reason for it"))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const POLICY: &str = r#"
        [licenses]
        allow = ["MIT"]
        [bans]
        deny = [{ crate = "openssl-sys", reason = "it links C" }]
    "#;

    fn graph(packages: serde_json::Value) -> Graph {
        Graph::parse(&json!({ "packages": packages })).unwrap()
    }

    #[test]
    fn a_clean_tree_has_no_violations() {
        let graph = graph(json!([
            { "name": "ours", "version": "1.0.0", "license": "MIT", "source": null, "dependencies": [{ "name": "theirs" }] },
            { "name": "theirs", "version": "2.0.0", "license": "GPL-3.0-only OR MIT", "source": CRATES_IO },
        ]));
        assert_eq!(violations(&Policy::parse(POLICY).unwrap(), &graph), Vec::<String>::new());
        assert_eq!(undocumented("We need `theirs`.", &graph), Vec::<String>::new());
        assert_eq!(undocumented("", &graph), ["theirs: docs/dependencies.md gives no reason for it"]);
    }

    #[test]
    fn every_kind_of_violation_is_found_at_once() {
        let graph = graph(json!([
            { "name": "a", "version": "1.0.0", "license": "GPL-3.0-only", "source": CRATES_IO },
            { "name": "b", "version": "1.0.0", "license": null, "source": CRATES_IO },
            { "name": "openssl-sys", "version": "0.9.0", "license": "MIT", "source": CRATES_IO },
            { "name": "c", "version": "1.0.0", "license": "MIT", "source": "git+https://example.com/c" },
        ]));
        let found = violations(&Policy::parse(POLICY).unwrap(), &graph);
        assert_eq!(
            found,
            [
                "a 1.0.0: its licence `GPL-3.0-only` is not allowed",
                "b 1.0.0: its manifest names no licence",
                "openssl-sys 0.9.0: banned: it links C",
                "c 1.0.0: comes from git+https://example.com/c, which is not an allowed source",
            ]
        );
    }

    #[test]
    fn a_licence_that_nothing_needs_is_taken_off_the_list() {
        let graph = graph(json!([]));
        assert_eq!(violations(&Policy::parse(POLICY).unwrap(), &graph).len(), 1);
    }

    #[test]
    fn a_policy_without_lists_is_refused() {
        assert!(Policy::parse("[licenses]\nallow = []").is_err());
        assert!(Policy::parse("[licenses]\nallow = [\"MIT\"]").is_err());
        assert!(Policy::parse("[licenses]\nallow = [\"MIT\"]\n[bans]\ndeny = [{ crate = \"a\" }]").is_err());
    }
}
