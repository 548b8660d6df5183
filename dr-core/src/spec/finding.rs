//! What is wrong with a file, where, and what to write instead.

use std::fmt;

use serde::Serialize;

use super::node::Place;
use crate::error::{Effect, Error, ErrorKind};

/// One thing that is wrong with a `dr.yaml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SpecFinding {
    /// The file, as its reader named it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// Where in the document: `resources[2].spec.cluster_arns`; empty for the whole of it.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub remedy: String,
    /// Another place that belongs to it, such as the first of two equal keys: line and column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub related: Option<(usize, usize)>,
    /// The line of the file, for people.
    #[serde(skip)]
    pub(crate) source: String,
    /// How many characters the marker under the line covers.
    #[serde(skip)]
    pub(crate) width: usize,
}

impl fmt::Display for SpecFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, path, message, remedy, .. } = self;
        write!(f, "{file}:{line}:{column}: error: ")?;
        if !path.is_empty() {
            write!(f, "{path}: ")?;
        }
        writeln!(f, "{message}")?;
        let number = line.to_string();
        let gutter = " ".repeat(number.len());
        writeln!(f, "  {number} | {}", self.source)?;
        // Tabs stay tabs, so that the marker stands under what it means on any terminal.
        let indent: String =
            self.source.chars().take(column.saturating_sub(1)).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        writeln!(f, "  {gutter} | {indent}{}", "^".repeat(self.width.max(1)))?;
        writeln!(f, "  write: {remedy}")
    }
}

/// Everything that is wrong with a `dr.yaml`, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecErrors {
    file: String,
    findings: Vec<SpecFinding>,
}

impl SpecErrors {
    pub(crate) fn new(file: &str, findings: Vec<SpecFinding>) -> Self {
        Self { file: file.to_owned(), findings }
    }

    /// What is wrong, in the order of the file; never empty.
    #[must_use]
    pub fn findings(&self) -> &[SpecFinding] {
        &self.findings
    }

    /// The findings as a JSON array of `{file, line, column, path, message, remedy}`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!(self.findings)
    }
}

impl fmt::Display for SpecErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        let count = self.findings.len();
        write!(f, "{}: {count} {}", self.file, if count == 1 { "error" } else { "errors" })
    }
}

impl std::error::Error for SpecErrors {}

impl From<SpecErrors> for Error {
    fn from(errors: SpecErrors) -> Self {
        Self::new(ErrorKind::Invalid, errors.to_string()).with_effect(Effect::NotApplied)
    }
}

/// Where findings are collected while a file is read.
#[derive(Debug)]
pub(crate) struct Findings<'a> {
    file: &'a str,
    lines: Vec<&'a str>,
    found: Vec<SpecFinding>,
    /// How many findings the earlier stages made.
    earlier: usize,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, lines: lines(text), found: Vec::new(), earlier: 0 }
    }

    /// Begins the next stage of reading: it says nothing about a path that an earlier stage has found wrong, because
    /// that would be the same mistake told twice.
    pub(crate) fn next_stage(&mut self) {
        self.earlier = self.found.len();
    }

    pub(crate) fn push(&mut self, place: Place, path: &str, message: impl Into<String>, remedy: impl Into<String>) {
        self.push_related(place, path, None, message, remedy);
    }

    pub(crate) fn push_related(
        &mut self,
        place: Place,
        path: &str,
        related: Option<Place>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        if !path.is_empty() && self.found.iter().take(self.earlier).any(|finding| finding.path == path) {
            return;
        }
        // A parser's idea of the end of the file may lie behind it; a reader's may not.
        let line = place.line.clamp(1, self.lines.len().max(1));
        let source = self.lines.get(line - 1).copied().unwrap_or("");
        let length = source.chars().count();
        let column = if line < place.line { length + 1 } else { place.column.clamp(1, length + 1) };
        let width = place.width.clamp(1, (length + 1).saturating_sub(column).max(1));
        let (source, width) = match secret_from(path, source) {
            Some(shown) => (shown, 1),
            None => (source.to_owned(), width),
        };
        self.found.push(SpecFinding {
            file: self.file.to_owned(),
            line,
            column,
            path: path.to_owned(),
            message: message.into(),
            remedy: remedy.into(),
            related: related.map(|place| (place.line, place.column)),
            source,
            width,
        });
    }

    /// The line of the file at a place.
    pub(crate) fn line(&self, place: Place) -> &'a str {
        self.lines.get(place.line.saturating_sub(1)).copied().unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(crate) fn finish(mut self) -> SpecErrors {
        self.found
            .sort_by(|a, b| (a.line, a.column, &a.path, &a.message).cmp(&(b.line, b.column, &b.path, &b.message)));
        self.found.dedup();
        SpecErrors::new(self.file, self.found)
    }
}

/// Whether a key of that name holds something that must not be repeated.
pub(crate) fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    [
        "password",
        "passwd",
        "secret_key",
        "secret_access_key",
        "token",
        "credential",
        "authorization",
        "cookie",
        "api-key",
    ]
    .iter()
    .any(|word| key.contains(word))
}

/// The line without its value, when the path leads to a secret.
fn secret_from(path: &str, source: &str) -> Option<String> {
    let key = path.rsplit('.').next().unwrap_or(path);
    if !is_secret(key) {
        return None;
    }
    Some(source.split_once(':').map_or_else(String::new, |(key, _)| format!("{key}: ***")))
}

/// The lines of a YAML file, which break at LF, CR LF and CR.
fn lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(end) = rest.find(['\n', '\r']) {
        let (line, tail) = rest.split_at(end);
        lines.push(line);
        rest = tail.strip_prefix("\r\n").or_else(|| tail.strip_prefix(['\n', '\r'])).unwrap_or(tail);
    }
    // What follows the last break is a line only if there is something on it.
    if !rest.is_empty() || lines.is_empty() {
        lines.push(rest);
    }
    lines
}
