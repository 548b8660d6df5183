//! From YAML text to a tree with places.

use std::{collections::BTreeMap, ops::ControlFlow};

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, Tag, options};

use super::{
    finding::Findings,
    node::{Entry, Node, NodeValue, Place, Scalar},
};

/// Deeper than any sensible file; it keeps every walk over the tree within the stack.
const DEPTH_LIMIT: usize = 64;
/// More values than any sensible file; it stops aliases that multiply.
const SIZE_LIMIT: usize = 100_000;

/// Reads `text`; `None` when there is no tree to go on with. What is wrong goes to `findings`.
pub(crate) fn read(text: &str, findings: &mut Findings<'_>) -> Option<Node> {
    let options = options! {
        emit_comments: false,
        emit_unresolved_aliases: true,
        flow_nesting_limit: DEPTH_LIMIT,
        block_nesting_limit: DEPTH_LIMIT,
    };
    let mut reader = Reader { findings, open: Vec::new(), anchors: BTreeMap::new(), root: None, size: 0, documents: 0 };
    for next in Parser::new_from_str_with_options(text, options) {
        match next {
            Ok((event, span)) => {
                if reader.take(event, span).is_break() {
                    break;
                }
            }
            Err(error) => {
                reader.broken(&error);
                return None;
            }
        }
    }
    reader.root
}

struct Reader<'a, 'f> {
    findings: &'f mut Findings<'a>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    root: Option<Node>,
    size: usize,
    documents: usize,
}

/// A collection whose end has not been read.
struct Open {
    place: Place,
    anchor: usize,
    path: String,
    content: Content,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping { entries: Vec<Entry>, key: Option<(String, Place)> },
}

fn place(span: Span) -> Place {
    let (start, end) = (span.start, span.end);
    let width = if end.line() == start.line() { end.col().saturating_sub(start.col()) } else { 1 };
    Place { line: start.line(), column: start.col() + 1, width: width.max(1) }
}

impl Reader<'_, '_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> ControlFlow<()> {
        let place = place(span);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.findings.push(
                        place,
                        "",
                        "a second document begins here",
                        "one document: take out this `---` and what follows, or move it to a file of its own",
                    );
                    return ControlFlow::Break(());
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                self.refuse_tag(tag.as_deref(), place);
                // The parser writes `~` for a value that is not there.
                let text = if plain && span.is_empty() { String::new() } else { text.into_owned() };
                let scalar = Scalar { text, plain, written: None };
                self.size += 1;
                self.put(Node::new(place, NodeValue::Scalar(scalar)), anchor)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), place);
                self.start(place, anchor, Content::Sequence(Vec::new()));
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), place);
                self.start(place, anchor, Content::Mapping { entries: Vec::new(), key: None });
            }
            Event::SequenceEnd | Event::MappingEnd => self.end()?,
            Event::Alias(id) => match self.anchors.get(&id).cloned() {
                Some(node) => {
                    self.size = self.size.saturating_add(node.size);
                    self.put(node, 0)?;
                }
                None => {
                    self.findings.push(
                        place,
                        &self.path(),
                        "this alias stands inside the value that it names",
                        "the value itself instead of the alias",
                    );
                    self.put(empty(place), 0)?;
                }
            },
            Event::UnresolvedAlias(name) => {
                self.findings.push(
                    place,
                    &self.path(),
                    format!("no anchor `&{name}` stands before this alias"),
                    format!(
                        "`&{name}` before the value that is meant, or the value itself, or quotes around `*{name}`"
                    ),
                );
                self.put(empty(place), 0)?;
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn refuse_tag(&mut self, tag: Option<&Tag>, place: Place) {
        let Some(tag) = tag else { return };
        if !["str", "seq", "map"].iter().any(|known| tag.is_yaml_core_schema_tag(known)) {
            let path = self.path();
            self.findings.push(
                place,
                &path,
                format!("the tag `{tag}` means nothing here"),
                "the value without the tag",
            );
        }
    }

    fn start(&mut self, place: Place, anchor: usize, content: Content) {
        let path = self.path();
        self.size += 1;
        self.open.push(Open { place, anchor, path, content });
    }

    fn end(&mut self) -> ControlFlow<()> {
        let Some(Open { place, anchor, content, .. }) = self.open.pop() else { return ControlFlow::Continue(()) };
        let value = match content {
            Content::Sequence(items) => NodeValue::Sequence(items),
            Content::Mapping { entries, .. } => NodeValue::Mapping(entries),
        };
        self.put(Node::new(place, value), anchor)
    }

    /// The path of the value that comes next.
    fn path(&self) -> String {
        match self.open.last() {
            None => String::new(),
            Some(Open { path, content: Content::Sequence(items), .. }) => format!("{path}[{}]", items.len()),
            Some(Open { path, content: Content::Mapping { key, .. }, .. }) => match key {
                Some((key, _)) => join(path, key),
                None => path.clone(),
            },
        }
    }

    /// Puts a finished value where it belongs.
    fn put(&mut self, mut node: Node, anchor: usize) -> ControlFlow<()> {
        if self.size > SIZE_LIMIT || node.depth + self.open.len() > DEPTH_LIMIT {
            let path = self.path();
            self.findings.push(
                node.place,
                &path,
                format!("this holds more than {SIZE_LIMIT} values or goes deeper than {DEPTH_LIMIT} levels"),
                "a smaller file, with fewer aliases",
            );
            return ControlFlow::Break(());
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let path = self.path();
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open { content: Content::Sequence(items), .. }) => items.push(node),
            Some(Open { content: Content::Mapping { entries, key }, .. }) => match key.take() {
                None => {
                    let name = match &node.value {
                        NodeValue::Scalar(scalar) => scalar.text.clone(),
                        _ => {
                            self.findings.push(node.place, &path, "a key has to be text", "a word as the key");
                            "?".to_owned()
                        }
                    };
                    if name == "<<" {
                        let remedy = "the keys themselves; aliases of whole values (`key: *name`) do work";
                        self.findings.push(node.place, &path, "merge keys (`<<`) are not part of YAML 1.2", remedy);
                    }
                    *key = Some((name, node.place));
                }
                Some((name, key_place)) => {
                    // A value that is not written stands, for a reader, where its key stands.
                    if matches!(&node.value, NodeValue::Scalar(scalar) if scalar.plain && scalar.text.is_empty()) {
                        node.place = key_place;
                    }
                    match entries.iter().find(|entry| entry.key == name) {
                        None if name == "<<" || name == "?" => {}
                        None => entries.push(Entry { key: name, key_place, value: node }),
                        Some(first) => {
                            let Place { line, column, .. } = first.key_place;
                            self.findings.push_related(
                                key_place,
                                &path,
                                Some(first.key_place),
                                format!("`{name}` is written twice: first on line {line}, column {column}"),
                                format!("`{name}` once"),
                            );
                        }
                    }
                }
            },
        }
        ControlFlow::Continue(())
    }

    fn broken(&mut self, error: &ScanError) {
        let marker = error.marker();
        let place = Place { line: marker.line(), column: marker.col() + 1, width: 1 };
        let remedy = match error.kind() {
            ErrorKind::TabNotAllowed | ErrorKind::TabInBlockIndentation => "spaces instead of the tab",
            _ if self.findings.line(place).contains("${") => {
                "quotes around a value with a variable where it stands between braces or brackets: `{ key: \"${NAME}\" }`"
            }
            ErrorKind::InvalidIndentation => "the same number of spaces before the keys of one mapping",
            _ => {
                "valid YAML: look for a missing quote, bracket or colon, or a wrong indent, here or on the lines before"
            }
        };
        let path = self.path();
        self.findings.push(place, &path, format!("this is not YAML: {}", error.info()), remedy);
    }
}

fn empty(place: Place) -> Node {
    Node::new(place, NodeValue::Scalar(Scalar { text: String::new(), plain: true, written: None }))
}

/// A path with one more key.
pub(crate) fn join(path: &str, key: &str) -> String {
    let simple = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    match (simple, path.is_empty()) {
        (true, true) => key.to_owned(),
        (true, false) => format!("{path}.{key}"),
        (false, _) => format!("{path}[{key:?}]"),
    }
}
