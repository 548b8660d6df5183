//! The documentation that people read: its links lead somewhere, and the rooms it names are in the tree.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Context, Outcome};
use crate::{run::Failure, workspace::Workspace};

/// Folders whose Markdown is checked, beside the root's own files.
const FOLDERS: &[&str] = &["docs", "dr-core", "dr-aws", "dr-k8s", "dr-py", "examples"];

pub(super) fn run(context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let pages = pages(context.workspace);
    let mut found = Vec::new();
    for page in &pages {
        let text = fs::read_to_string(page)
            .map_err(|error| Failure::new(format!("cannot read {}: {error}", page.display())))?;
        let name = page.strip_prefix(context.workspace.path("")).unwrap_or(page).display();
        let folder = page.parent().unwrap_or(page);
        for target in links(&text).filter(|target| !folder.join(target).exists()) {
            found.push(format!("{name}: the link to {target} leads nowhere"));
        }
        for room in rooms(&text).filter(|room| !context.workspace.path(room).exists()) {
            found.push(format!("{name}: `{room}` is not in the tree"));
        }
    }
    if found.is_empty() {
        return Ok(Outcome::noted(format!("{} pages", pages.len())));
    }
    Err(Failure::new("the documentation names what is not there").with_output(found))
}

fn pages(workspace: &Workspace) -> Vec<PathBuf> {
    let mut pages = Vec::new();
    collect(&workspace.path(""), false, &mut pages);
    for folder in FOLDERS {
        collect(&workspace.path(folder), true, &mut pages);
    }
    pages.sort();
    pages
}

fn collect(folder: &Path, deep: bool, pages: &mut Vec<PathBuf>) {
    // A folder that is not there holds no page.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        } else if deep && path.is_dir() {
            collect(&path, deep, pages);
        }
    }
}

/// The files that a page links to, without their fragments.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| {
        let target = rest.split(')').next()?.split('#').next()?;
        let elsewhere = target.is_empty() || target.contains("://") || target.starts_with("mailto:");
        (!elsewhere).then_some(target)
    })
}

/// Backquoted paths into the sources of a member.
fn rooms(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2).filter(|word| {
        let path = word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.'));
        let member = word.split_once('/').is_some_and(|(first, rest)| FOLDERS.contains(&first) && !rest.is_empty());
        path && member
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_inside_the_repository_are_found() {
        let page = "see [a](docs/a.md), [b](../b.md#top), [c](https://example.com/c) and [d](#here)";
        assert_eq!(links(page).collect::<Vec<_>>(), ["docs/a.md", "../b.md"]);
    }

    #[test]
    fn rooms_are_backquoted_paths_of_members() {
        let page = "`dr-core/src/time/` and `docs/adr/` but not `a/b`, `dr-core` or `dr-core/src <x>`";
        assert_eq!(rooms(page).collect::<Vec<_>>(), ["dr-core/src/time/", "docs/adr/"]);
    }
}
