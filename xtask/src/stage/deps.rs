//! What the crates may depend on: the promises of the architecture, and `deny.toml`.

use std::fs;

use super::{Context, Outcome};
use crate::{
    deny::{self, Graph, Policy},
    run::{Failure, capture},
};

/// Crates that talk to a network, a cloud, a database or Python: dr-core without default features holds none of them.
/// A star at the end stands for any rest.
const NOT_IN_CORE: &[&str] = &[
    "aws-*",
    "kube",
    "kube-*",
    "k8s-openapi",
    "hyper",
    "hyper-*",
    "reqwest",
    "rusqlite",
    "libsqlite3-sys",
    "pyo3",
    "pyo3-*",
    "rustls",
    "tokio-rustls",
    "hickory-*",
    "h2",
    "tower",
    "mio",
    "socket2",
    "ring",
];

/// Crates that are, or bring, an implementation of TLS's cryptography.
const TLS_PROVIDERS: &[&str] = &[
    "ring",
    "aws-lc-rs",
    "aws-lc-sys",
    "aws-lc-fips-sys",
    "openssl-sys",
    "openssl",
    "native-tls",
    "boring",
    "boring-sys",
    "rustls-openssl",
    "rustls-graviola",
    "rustls-mbedcrypto-provider",
    "rustls-symcrypt",
];

pub(super) fn run(context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let workspace = context.workspace;
    let mut found = Vec::new();

    let mut tree = workspace.cargo("tree");
    tree.args(["--locked", "-p", "dr-core", "--no-default-features", "--edges", "normal,build", "--target", "all"]);
    let tree = capture(tree.args(["--prefix", "none", "--format", "{p}"]))?;
    for name in tree.lines().filter_map(|line| line.split_whitespace().next()) {
        if let Some(pattern) = NOT_IN_CORE.iter().find(|pattern| matches(pattern, name)) {
            found.push(format!("dr-core --no-default-features depends on {name} (`{pattern}` must stay out)"));
        }
    }

    let graph = Graph::of(workspace)?;
    let providers: Vec<String> = TLS_PROVIDERS
        .iter()
        .flat_map(|name| graph.versions(name).into_iter().map(move |version| format!("{name} {version}")))
        .collect();
    match providers.as_slice() {
        [one] if one.starts_with("ring ") => {}
        others => found.push(format!("one TLS provider, ring, is wanted; there is: {}", others.join(", "))),
    }

    let policy = Policy::read(&workspace.path("deny.toml"))?;
    found.extend(deny::violations(&policy, &graph));

    let page = workspace.path("docs/dependencies.md");
    let page =
        fs::read_to_string(&page).map_err(|error| Failure::new(format!("cannot read {}: {error}", page.display())))?;
    found.extend(deny::undocumented(&page, &graph));

    if found.is_empty() {
        return Ok(Outcome::noted(format!("{} packages", graph.len())));
    }
    found.sort();
    found.dedup();
    Err(Failure::new(format!("the dependencies break {} rules", found.len())).with_output(found))
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_rest() {
        assert!(matches("aws-*", "aws-sdk-s3"));
        assert!(matches("kube", "kube"));
        assert!(!matches("kube", "kubernetes"));
        assert!(!matches("hyper-*", "hyper"));
    }
}
