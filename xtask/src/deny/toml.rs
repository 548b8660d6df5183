use std::{collections::BTreeMap, fmt};

/// A value of the part of TOML that `deny.toml` uses: strings, whole numbers and decimals as text, booleans, arrays
/// and tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A basic or literal string on one line.
    Text(String),
    /// `true`, `false` or a number, as written.
    Bare(String),
    /// An array.
    List(Vec<Value>),
    /// A table, inline or under a header.
    Table(Table),
}

/// Keys and values.
pub(super) type Table = BTreeMap<String, Value>;

impl Value {
    /// The string, when it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The elements, none when it is no array.
    pub(super) fn items(&self) -> &[Value] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The value at `key`, when this is a table that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Self::Table(table) => table.get(key),
            _ => None,
        }
    }
}

/// What could not be read, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    line: usize,
    what: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// Reads a document.
///
/// # Errors
///
/// The first line that is outside this part of TOML.
pub(super) fn parse(source: &str) -> Result<Value, Malformed> {
    let mut reader = Reader { rest: source, line: 1 };
    let mut root = Table::new();
    let mut header: Vec<String> = Vec::new();
    loop {
        reader.skip_blank();
        if reader.rest.is_empty() {
            return Ok(Value::Table(root));
        }
        if reader.eat("[[") {
            return Err(reader.malformed("arrays of tables are not read here: write `key = [{ .. }]`"));
        }
        if reader.eat("[") {
            header = reader.path()?;
            reader.want("]")?;
            table_at(&mut root, &header).ok_or_else(|| reader.malformed("the header names a value"))?;
        } else {
            let key = reader.path()?;
            reader.want("=")?;
            let value = reader.value()?;
            let Some((last, folders)) = key.split_last() else { return Err(reader.malformed("a key is empty")) };
            let path: Vec<String> = header.iter().chain(folders).cloned().collect();
            let table = table_at(&mut root, &path).ok_or_else(|| reader.malformed("the key is inside a value"))?;
            if table.insert(last.clone(), value).is_some() {
                return Err(reader.malformed(&format!("`{last}` is given twice")));
            }
        }
        reader.skip_spaces();
        if !(reader.rest.is_empty() || reader.rest.starts_with(['\n', '\r', '#'])) {
            return Err(reader.malformed("a line holds one entry"));
        }
    }
}

fn table_at<'t>(root: &'t mut Table, path: &[String]) -> Option<&'t mut Table> {
    path.iter().try_fold(root, |table, key| {
        match table.entry(key.clone()).or_insert_with(|| Value::Table(Table::new())) {
            Value::Table(inner) => Some(inner),
            _ => None,
        }
    })
}

#[derive(Debug)]
struct Reader<'s> {
    rest: &'s str,
    line: usize,
}

impl Reader<'_> {
    fn malformed(&self, what: &str) -> Malformed {
        Malformed { line: self.line, what: what.to_owned() }
    }

    fn advance(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.line += passed.matches('\n').count();
        self.rest = rest;
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    /// Skips spaces, line ends and comments.
    fn skip_blank(&mut self) {
        loop {
            let blank = self.rest.len() - self.rest.trim_start().len();
            self.advance(blank);
            if !self.rest.starts_with('#') {
                return;
            }
            self.advance(self.rest.find('\n').unwrap_or(self.rest.len()));
        }
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest.starts_with(token);
        if found {
            self.advance(token.len());
        }
        found
    }

    fn want(&mut self, token: &str) -> Result<(), Malformed> {
        self.skip_spaces();
        if self.eat(token) { Ok(()) } else { Err(self.malformed(&format!("`{token}` was expected"))) }
    }

    fn path(&mut self) -> Result<Vec<String>, Malformed> {
        let mut path = Vec::new();
        loop {
            self.skip_spaces();
            path.push(if self.rest.starts_with(['"', '\'']) { self.string()? } else { self.word()? });
            self.skip_spaces();
            if !self.eat(".") {
                return Ok(path);
            }
        }
    }

    fn word(&mut self) -> Result<String, Malformed> {
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '.' | ':')))
            .unwrap_or(self.rest.len());
        // A key stops at its dot; a number or a date keeps it.
        let word = self.rest.get(..end).unwrap_or_default();
        let word =
            if word.starts_with(|c: char| c.is_ascii_digit()) { word } else { word.split('.').next().unwrap_or(word) };
        if word.is_empty() {
            return Err(self.malformed("a key or a value was expected"));
        }
        let word = word.to_owned();
        self.advance(word.len());
        Ok(word)
    }

    fn string(&mut self) -> Result<String, Malformed> {
        let literal = self.rest.starts_with('\'');
        let quote = if literal { '\'' } else { '"' };
        let mut text = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '\n' => break,
                c if c == quote => {
                    self.advance(at + 1);
                    return Ok(text);
                }
                '\\' if !literal => match chars.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, c @ ('"' | '\\'))) => text.push(c),
                    _ => return Err(self.malformed("this escape is not read here")),
                },
                c => text.push(c),
            }
        }
        Err(self.malformed("a string is not closed on its line"))
    }

    fn value(&mut self) -> Result<Value, Malformed> {
        self.skip_spaces();
        if self.rest.starts_with(['"', '\'']) {
            return Ok(Value::Text(self.string()?));
        }
        if self.eat("[") {
            return self.list();
        }
        if self.eat("{") {
            return self.inline_table();
        }
        Ok(Value::Bare(self.word()?))
    }

    fn list(&mut self) -> Result<Value, Malformed> {
        let mut items = Vec::new();
        loop {
            self.skip_blank();
            if self.eat("]") {
                return Ok(Value::List(items));
            }
            items.push(self.value()?);
            self.skip_blank();
            if !self.eat(",") {
                self.want("]")?;
                return Ok(Value::List(items));
            }
        }
    }

    fn inline_table(&mut self) -> Result<Value, Malformed> {
        let mut table = Table::new();
        loop {
            self.skip_spaces();
            if self.eat("}") {
                return Ok(Value::Table(table));
            }
            let key = self.path()?.join(".");
            self.want("=")?;
            table.insert(key, self.value()?);
            self.skip_spaces();
            if !self.eat(",") {
                self.want("}")?;
                return Ok(Value::Table(table));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_deny_toml_is_made_of() {
        let source = r#"
            top = true
            [licenses] # a comment
            allow = [
              "MIT", # another
              'Apache-2.0',
            ]
            confidence-threshold = 0.9
            [bans]
            deny = [{ crate = "a", reason = "it \"links\" C" }, { crate = "b" }]
        "#;
        let document = parse(source).unwrap();
        assert_eq!(document.get("top"), Some(&Value::Bare("true".into())));
        let licenses = document.get("licenses").unwrap();
        let allowed: Vec<_> = licenses.get("allow").unwrap().items().iter().filter_map(Value::text).collect();
        assert_eq!(allowed, ["MIT", "Apache-2.0"]);
        assert_eq!(licenses.get("confidence-threshold"), Some(&Value::Bare("0.9".into())));
        let deny = document.get("bans").unwrap().get("deny").unwrap().items();
        assert_eq!(deny[0].get("reason").and_then(Value::text), Some("it \"links\" C"));
        assert_eq!(deny[1].get("crate").and_then(Value::text), Some("b"));
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        assert_eq!(parse("a = 1\nb = \"open\n").unwrap_err().to_string(), "line 2: a string is not closed on its line");
        assert_eq!(parse("a = 1\na = 2\n").unwrap_err().to_string(), "line 2: `a` is given twice");
        assert_eq!(parse("a 1").unwrap_err().to_string(), "line 1: `=` was expected");
        assert_eq!(parse("[a]\nb = [1,\n\n 2").unwrap_err().line, 4);
        assert!(parse("[[a]]").is_err());
        assert!(parse("a = 1 b = 2").is_err());
    }
}
