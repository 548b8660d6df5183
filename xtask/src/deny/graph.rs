use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    run::{Failure, capture},
    workspace::Workspace,
};

/// One package of the dependency tree.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    /// Its name.
    pub(super) name: String,
    /// Its version.
    pub(super) version: String,
    /// Its licence expression; `None` when the manifest has none.
    pub(super) licence: Option<String>,
    /// Where it comes from; `None` for a member of the workspace.
    pub(super) source: Option<String>,
}

/// Every package of the workspace's dependency tree, on every platform and with all features.
#[derive(Debug)]
pub(crate) struct Graph {
    /// All packages.
    pub(super) packages: Vec<Package>,
    /// The names that the members' manifests ask for themselves, members left out.
    pub(super) direct: BTreeSet<String>,
}

impl Graph {
    /// Asks cargo.
    ///
    /// # Errors
    ///
    /// When cargo fails, or answers in a shape that is not known here.
    pub(crate) fn of(workspace: &Workspace) -> Result<Self, Failure> {
        let mut cargo = workspace.cargo("metadata");
        let printed = capture(cargo.args(["--format-version", "1", "--all-features", "--locked"]))?;
        let metadata: Value = serde_json::from_str(&printed)
            .map_err(|error| Failure::new(format!("cargo metadata did not print JSON: {error}")))?;
        Self::parse(&metadata).ok_or_else(|| Failure::new("cargo metadata has a shape that is not known here"))
    }

    pub(super) fn parse(metadata: &Value) -> Option<Self> {
        let text = |value: &Value, key: &str| value.get(key)?.as_str().map(str::to_owned);
        let mut packages = Vec::new();
        let mut direct = BTreeSet::new();
        for package in metadata.get("packages")?.as_array()? {
            let source = text(package, "source");
            if source.is_none() {
                for dependency in package.get("dependencies")?.as_array()? {
                    // A path dependency is another member.
                    if dependency.get("path").is_none_or(Value::is_null) {
                        direct.insert(text(dependency, "name")?);
                    }
                }
            }
            packages.push(Package {
                name: text(package, "name")?,
                version: text(package, "version")?,
                licence: text(package, "license"),
                source,
            });
        }
        Some(Self { packages, direct })
    }

    /// The versions of the package called `name`, none when it is not in the tree.
    pub(crate) fn versions(&self, name: &str) -> Vec<&str> {
        self.packages.iter().filter(|package| package.name == name).map(|package| package.version.as_str()).collect()
    }

    /// How many packages there are.
    pub(crate) fn len(&self) -> usize {
        self.packages.len()
    }
}
