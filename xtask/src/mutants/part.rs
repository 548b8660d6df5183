/// Pure code that is changed, and the fast tests that must notice.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: &'static str,
    /// What is changed.
    pub(super) files: &'static [&'static str],
    /// What runs, and what does not, as arguments of the test program.
    pub(super) tests: &'static [&'static str],
}

/// The parts, in the order in which they run.
pub(crate) const PARTS: [Part; 4] = [
    Part {
        name: "journal",
        files: &[
            "dr-core/src/journal/chain.rs",
            "dr-core/src/journal/digest.rs",
            "dr-core/src/journal/entry.rs",
            "dr-core/src/journal/record.rs",
            "dr-core/src/journal/wire.rs",
        ],
        tests: &["journal::", "report::"],
    },
    Part {
        name: "engine",
        files: &[
            "dr-core/src/engine/backoff.rs",
            "dr-core/src/engine/control.rs",
            "dr-core/src/engine/decide.rs",
            "dr-core/src/engine/frontier.rs",
            "dr-core/src/engine/step_view.rs",
            "dr-core/src/engine/view/**",
            "dr-core/src/report/fold.rs",
        ],
        // The model of leases and epochs takes a minute, and knows nothing of decisions.
        tests: &["engine::", "report::", "--skip", "engine::tests::protocol"],
    },
    Part {
        name: "plan",
        files: &["dr-core/src/plan/**"],
        tests: &["plan::", "lint::", "journal::", "report::", "--skip", "lint::tests::scale"],
    },
    Part { name: "lint", files: &["dr-core/src/lint/**"], tests: &["lint::"] },
];

/// The part of this name.
pub(crate) fn find(name: &str) -> Option<&'static Part> {
    PARTS.iter().find(|part| part.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;

    #[test]
    fn every_file_that_is_to_be_changed_is_there() {
        let workspace = Workspace::find().unwrap();
        for file in PARTS.iter().flat_map(|part| part.files) {
            let path = workspace.path(file.trim_end_matches("/**"));
            assert!(path.exists(), "{} is not there", path.display());
        }
    }
}
