use std::fs;

use crate::{
    run::{Failure, capture},
    workspace::Workspace,
};

/// A file that a program of the workspace prints.
#[derive(Debug)]
struct Generated {
    /// Where it is kept, from the root of the workspace.
    path: &'static str,
    /// The binary that prints it.
    binary: &'static str,
}

const GENERATED: &[Generated] =
    &[Generated { path: "dr.schema.json", binary: "schema" }, Generated { path: "docs/lints.md", binary: "lints" }];

/// Writes the generated files, or only checks them.
///
/// # Errors
///
/// When a generator fails, a file cannot be written, or, checking, one is stale.
pub(crate) fn run(workspace: &Workspace, check: bool) -> Result<(), Failure> {
    if check {
        let stale = stale(workspace)?;
        return if stale.is_empty() {
            Ok(())
        } else {
            Err(Failure::new("generated files are stale: run `cargo xtask docs`").with_output(stale))
        };
    }
    for file in GENERATED {
        let path = workspace.path(file.path);
        fs::write(&path, print(workspace, file)?)
            .map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display())))?;
        println!("wrote {}", file.path);
    }
    Ok(())
}

/// The generated files that differ from what would be written, a sentence each.
///
/// # Errors
///
/// When a generator fails.
pub(crate) fn stale(workspace: &Workspace) -> Result<Vec<String>, Failure> {
    let mut stale = Vec::new();
    for file in GENERATED {
        let wanted = print(workspace, file)?;
        // A file that cannot be read is as stale as one that says something else.
        let kept = fs::read_to_string(workspace.path(file.path)).unwrap_or_default();
        if let Some(line) = first_difference(&kept, &wanted) {
            stale.push(format!("{}: differs from line {line} on", file.path));
        }
    }
    Ok(stale)
}

fn print(workspace: &Workspace, file: &Generated) -> Result<String, Failure> {
    let mut cargo = workspace.cargo("run");
    capture(cargo.args(["--quiet", "--locked", "--all-features", "--bin", file.binary]))
}

/// The number of the first line that is not the same, counted from one.
fn first_difference(kept: &str, wanted: &str) -> Option<usize> {
    if kept == wanted {
        return None;
    }
    let same = kept.lines().zip(wanted.lines()).take_while(|(kept, wanted)| kept == wanted).count();
    Some(same + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_different_line_is_named() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), Some(2));
        assert_eq!(first_difference("a\n", "a\nb\n"), Some(2));
        assert_eq!(first_difference("", "a\n"), Some(1));
    }
}
