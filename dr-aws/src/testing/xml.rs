use std::fmt::Write as _;

use quick_xml::{
    Reader,
    escape::{escape, resolve_predefined_entity},
    events::Event,
};

/// An element of an XML document as the AWS protocols use them: either text or children, no mixture.
///
/// ```
/// use dr_aws::testing::Element;
///
/// let zone = Element::new("HostedZone").leaf("Id", "/hostedzone/Z1").leaf("Name", "example.com.");
/// assert_eq!(zone.render(), "<HostedZone><Id>/hostedzone/Z1</Id><Name>example.com.</Name></HostedZone>");
/// assert_eq!(Element::parse(zone.render().as_bytes()).unwrap().text_of("Name"), Some("example.com."));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    name: String,
    namespace: Option<&'static str>,
    text: String,
    children: Vec<Element>,
}

/// A document that is not well-formed.
#[derive(Debug, thiserror::Error)]
#[error("the XML is not well-formed: {0}")]
pub struct MalformedXml(String);

impl Element {
    /// An empty element.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Sets the default namespace (`xmlns`).
    #[must_use]
    pub fn namespace(mut self, uri: &'static str) -> Self {
        self.namespace = Some(uri);
        self
    }

    /// Sets the text.
    #[must_use]
    pub fn text(mut self, text: impl ToString) -> Self {
        self.text = text.to_string();
        self
    }

    /// Adds a child.
    #[must_use]
    pub fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// Adds children.
    #[must_use]
    pub fn children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// Adds a child that holds only text.
    #[must_use]
    pub fn leaf(self, name: impl Into<String>, text: impl ToString) -> Self {
        self.child(Self::new(name).text(text))
    }

    /// Adds a child that holds only text, when there is a text.
    #[must_use]
    pub fn leaf_if(self, name: &str, text: Option<impl ToString>) -> Self {
        match text {
            Some(text) => self.leaf(name, text),
            None => self,
        }
    }

    /// Adds a child named `name` that holds one `member` for each item, as the protocols write lists.
    #[must_use]
    pub fn list(self, name: &str, items: impl IntoIterator<Item = Self>) -> Self {
        self.child(Self::new(name).children(items))
    }

    /// The local name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text.
    #[must_use]
    pub fn as_text(&self) -> &str {
        &self.text
    }

    /// The first child of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of this name.
    #[must_use]
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.get(name).map(Self::as_text)
    }

    /// The children.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        &self.children
    }

    /// The element as text, without a declaration.
    #[must_use]
    pub fn render(&self) -> String {
        let mut out = String::new();
        self.render_into(&mut out);
        out
    }

    /// The document that this element is the root of.
    #[must_use]
    pub fn document(&self) -> String {
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", self.render())
    }

    fn render_into(&self, out: &mut String) {
        // Writing to a String does not fail.
        let _ = write!(out, "<{}", self.name);
        if let Some(uri) = self.namespace {
            let _ = write!(out, " xmlns=\"{uri}\"");
        }
        out.push('>');
        out.push_str(&escape(self.text.as_str()));
        for child in &self.children {
            child.render_into(out);
        }
        let _ = write!(out, "</{}>", self.name);
    }

    /// Reads a document.
    ///
    /// # Errors
    ///
    /// [`MalformedXml`] when it is not well-formed.
    pub fn parse(document: &[u8]) -> Result<Self, MalformedXml> {
        let malformed = |error: &dyn std::fmt::Display| MalformedXml(error.to_string());
        let document = std::str::from_utf8(document).map_err(|error| malformed(&error))?;
        let mut reader = Reader::from_str(document);
        let mut open: Vec<Self> = Vec::new();
        loop {
            let event = reader.read_event().map_err(|error| malformed(&error))?;
            let closed = match event {
                Event::Start(tag) => {
                    open.push(Self::new(String::from_utf8_lossy(tag.local_name().as_ref())));
                    None
                }
                Event::Empty(tag) => Some(Self::new(String::from_utf8_lossy(tag.local_name().as_ref()))),
                Event::End(_) => open.pop(),
                Event::Text(text) => {
                    if let Some(element) = open.last_mut() {
                        element.text.push_str(&text.decode().map_err(|error| malformed(&error))?);
                    }
                    None
                }
                Event::CData(text) => {
                    if let Some(element) = open.last_mut() {
                        element.text.push_str(&text.decode().map_err(|error| malformed(&error))?);
                    }
                    None
                }
                Event::GeneralRef(reference) => {
                    let character = reference.resolve_char_ref().map_err(|error| malformed(&error))?;
                    let name = reference.decode().map_err(|error| malformed(&error))?;
                    if let Some(element) = open.last_mut() {
                        match (character, resolve_predefined_entity(&name)) {
                            (Some(character), _) => element.text.push(character),
                            (None, Some(text)) => element.text.push_str(text),
                            (None, None) => return Err(MalformedXml(format!("unknown entity &{name};"))),
                        }
                    }
                    None
                }
                Event::Eof => return Err(MalformedXml("the document ends early".to_owned())),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => None,
            };
            if let Some(mut element) = closed {
                if !element.children.is_empty() {
                    // The white space between children means nothing.
                    element.text.clear();
                }
                match open.last_mut() {
                    Some(parent) => parent.children.push(element),
                    None => return Ok(element),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let element = Element::new("A").namespace("urn:x").leaf("B", "a < b & \"c\" 'd'").child(Element::new("C"));
        let read = Element::parse(element.document().as_bytes()).unwrap();
        assert_eq!(read.text_of("B"), Some("a < b & \"c\" 'd'"));
        assert!(read.get("C").is_some());
    }

    #[test]
    fn white_space_between_elements_and_character_references_are_understood() {
        let read = Element::parse(b"<A>\n  <B>x&#45;y</B>\n</A>").unwrap();
        assert_eq!(read.text_of("B"), Some("x-y"));
        assert_eq!(read.as_text(), "");
    }

    #[test]
    fn a_broken_document_is_refused() {
        assert!(Element::parse(b"<A><B></A>").is_err());
        assert!(Element::parse(b"<A>").is_err());
        assert!(Element::parse(b"").is_err());
        assert!(Element::parse(b"<A>&nope;</A>").is_err());
    }
}
