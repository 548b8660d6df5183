//! Judging a tree by a JSON Schema, in sentences that say what to write.

use jsonschema::{
    JsonType, ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind},
    paths::{Location, LocationSegment},
};
use serde_json::Value;

use super::{
    finding::{Findings, is_secret},
    nearest::nearest,
    node::{Node, NodeValue, Place},
    yaml::join,
};

/// A schema that is ready to judge.
#[derive(Debug)]
pub(crate) struct Judge {
    schema: Value,
    validator: Validator,
}

/// A value and where it stands: the key before it, if it has one, is what a missing part is reported at.
#[derive(Clone)]
struct Spot<'a> {
    node: &'a Node,
    label: Place,
    path: String,
}

impl Judge {
    /// Compiles a schema; the error is for its author.
    pub(crate) fn new(schema: Value) -> Result<Self, String> {
        let validator = jsonschema::draft202012::new(&schema).map_err(|error| error.to_string())?;
        Ok(Self { schema, validator })
    }

    /// Judges the tree below `node`, which stands at `path` and is labelled at `label`.
    pub(crate) fn judge(&self, node: &Node, label: Place, path: &str, findings: &mut Findings<'_>) {
        let json = node.to_json();
        let root = Spot { node, label, path: path.to_owned() };
        for error in self.validator.iter_errors(&json) {
            self.report(&root, &error, findings);
        }
    }

    fn report(&self, root: &Spot<'_>, error: &ValidationError<'_>, findings: &mut Findings<'_>) {
        let spot = descend(root, error.instance_path());
        let around = self.around(error.schema_path());
        let here = spot.node.place;
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                let known = property_names(around);
                for key in unexpected {
                    let place = spot.node.entry(key).map_or(here, |entry| entry.key_place);
                    let remedy = match nearest(key, known.iter().copied()) {
                        Some(near) => format!("`{near}`; known here: {}", list(&known)),
                        None if known.is_empty() => "nothing here".to_owned(),
                        None => format!("one of the keys known here: {}", list(&known)),
                    };
                    findings.push(place, &join(&spot.path, key), format!("`{key}` is not known here"), remedy);
                }
            }
            ValidationErrorKind::Required { property } => {
                let key = property.as_str().unwrap_or_default();
                let schema = around.and_then(|schema| schema.get("properties")).and_then(|keys| keys.get(key));
                let remedy = match schema.and_then(|schema| self.sample(schema)) {
                    Some(sample) => format!("`{key}: {sample}`, with your own value"),
                    None => format!("the key `{key}` with its value"),
                };
                findings.push(spot.label, &join(&spot.path, key), format!("`{key}` is missing"), remedy);
            }
            ValidationErrorKind::Type { kind } => {
                let expected = match kind {
                    TypeKind::Single(one) => type_name(*one).to_owned(),
                    TypeKind::Multiple(several) => several.iter().map(type_name).collect::<Vec<_>>().join(" or "),
                };
                let text_expected = match kind {
                    TypeKind::Single(one) => *one == JsonType::String,
                    TypeKind::Multiple(several) => several.contains(JsonType::String),
                };
                let message = format!("this should be {expected}, and is {}", described(&spot));
                let remedy = self.instead(around, &spot, text_expected).unwrap_or(expected);
                findings.push(here, &spot.path, message, remedy);
            }
            ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
                self.report_alternatives(root, &spot, context, findings);
            }
            ValidationErrorKind::Enum { options } => {
                let options: Vec<&Value> = options.as_array().into_iter().flatten().collect();
                report_choice(&spot, &options, findings);
            }
            ValidationErrorKind::Constant { expected_value } => {
                report_choice(&spot, &[expected_value.as_ref()], findings)
            }
            kind => {
                let (message, remedy) = self.bound(kind, &spot, around);
                findings.push(here, &spot.path, message, remedy);
            }
        }
    }

    /// Reports the alternative that was most likely meant, or what the alternatives are.
    fn report_alternatives(
        &self,
        root: &Spot<'_>,
        spot: &Spot<'_>,
        context: &[Vec<ValidationError<'static>>],
        findings: &mut Findings<'_>,
    ) {
        // Alternatives that are single values are a choice of words.
        let constants: Vec<&Value> = context
            .iter()
            .flatten()
            .flat_map(|error| match error.kind() {
                ValidationErrorKind::Constant { expected_value } => vec![expected_value.as_ref()],
                ValidationErrorKind::Enum { options } => options.as_array().into_iter().flatten().collect(),
                _ => Vec::new(),
            })
            .collect();
        let here = |error: &ValidationError<'_>| descend(root, error.instance_path()).path == spot.path;
        let only_constants = context.iter().flatten().all(|error| {
            matches!(
                error.kind(),
                ValidationErrorKind::Constant { .. }
                    | ValidationErrorKind::Enum { .. }
                    | ValidationErrorKind::Type { .. }
            ) && here(error)
        });
        if only_constants && !constants.is_empty() {
            return report_choice(spot, &constants, findings);
        }
        // Otherwise the alternative of the right type, with the right discriminator, and with the fewest mistakes.
        let wrong_type = |errors: &[ValidationError<'_>]| {
            errors.iter().any(|error| matches!(error.kind(), ValidationErrorKind::Type { .. }) && here(error))
        };
        let wrong_word = |errors: &[ValidationError<'_>]| {
            errors.iter().any(|error| matches!(error.kind(), ValidationErrorKind::Constant { .. }))
        };
        let meant = context
            .iter()
            .filter(|errors| !errors.is_empty())
            .min_by_key(|errors| (wrong_type(errors), wrong_word(errors), errors.len()));
        match meant {
            Some(errors) if wrong_type(errors) && context.len() > 1 => {
                let mut types: Vec<String> = context
                    .iter()
                    .flatten()
                    .filter(|error| here(error))
                    .filter_map(|error| match error.kind() {
                        ValidationErrorKind::Type { kind: TypeKind::Single(one) } => Some(type_name(*one).to_owned()),
                        _ => None,
                    })
                    .collect();
                types.sort();
                types.dedup();
                let message = format!("this should be {}, and is {}", types.join(" or "), described(spot));
                findings.push(spot.node.place, &spot.path, message, types.join(" or "));
            }
            Some(errors) if wrong_word(errors) && !constants.is_empty() => {
                let discriminator = errors.iter().find(|e| matches!(e.kind(), ValidationErrorKind::Constant { .. }));
                let spot = discriminator.map_or_else(|| spot.clone(), |error| descend(root, error.instance_path()));
                report_choice(&spot, &constants, findings);
            }
            Some(errors) => errors.iter().for_each(|error| self.report(root, error, findings)),
            None => findings.push(
                spot.node.place,
                &spot.path,
                "this fits none of the forms that are possible here",
                "one of the forms that the schema of this block describes",
            ),
        }
    }

    /// A value outside its bounds.
    fn bound(&self, kind: &ValidationErrorKind, spot: &Spot<'_>, around: Option<&Value>) -> (String, String) {
        let shown = described(spot);
        let sample = self.instead(around, spot, false);
        match kind {
            ValidationErrorKind::Pattern { pattern } => (
                format!("{shown} does not have the form that is needed here"),
                sample.unwrap_or_else(|| format!("text of the form {pattern}")),
            ),
            ValidationErrorKind::Minimum { limit } => {
                (format!("{shown} is too small"), format!("{} or more", inline(limit)))
            }
            ValidationErrorKind::ExclusiveMinimum { limit } => {
                (format!("{shown} is too small"), format!("more than {}", inline(limit)))
            }
            ValidationErrorKind::Maximum { limit } => {
                (format!("{shown} is too large"), format!("{} or less", inline(limit)))
            }
            ValidationErrorKind::ExclusiveMaximum { limit } => {
                (format!("{shown} is too large"), format!("less than {}", inline(limit)))
            }
            ValidationErrorKind::MinItems { limit } => {
                let items = if *limit == 1 { "entry" } else { "entries" };
                ("this list is too short".to_owned(), format!("at least {limit} {items}"))
            }
            ValidationErrorKind::MaxItems { limit } => {
                ("this list is too long".to_owned(), format!("at most {limit} entries"))
            }
            ValidationErrorKind::MinProperties { limit } => {
                ("this has too few keys".to_owned(), format!("at least {limit} keys"))
            }
            ValidationErrorKind::MaxProperties { limit } => {
                ("this has too many keys".to_owned(), format!("at most {limit} keys"))
            }
            ValidationErrorKind::MinLength { .. } => {
                (format!("{shown} is too short"), sample.unwrap_or_else(|| "more text".to_owned()))
            }
            ValidationErrorKind::MaxLength { limit } => {
                (format!("{shown} is too long"), format!("at most {limit} characters"))
            }
            ValidationErrorKind::UniqueItems => {
                ("this list has an entry twice".to_owned(), "each entry once".to_owned())
            }
            ValidationErrorKind::Format { format } => {
                (format!("{shown} is not a valid {format}"), sample.unwrap_or_else(|| format!("a valid {format}")))
            }
            // The library's own words would repeat the value, which may have come from a variable.
            other => (
                format!("{shown} breaks the rule `{}` of the schema", other.keyword()),
                sample.unwrap_or_else(|| "what the schema of this block describes".to_owned()),
            ),
        }
    }

    /// The schema around a keyword.
    fn around(&self, keyword: &Location) -> Option<&Value> {
        let (parent, _) = keyword.as_str().rsplit_once('/')?;
        self.schema.pointer(parent)
    }

    /// What to write instead, from the schema's examples.
    fn instead(&self, schema: Option<&Value>, spot: &Spot<'_>, text_expected: bool) -> Option<String> {
        let examples: Vec<String> =
            schema?.get("examples").and_then(Value::as_array).into_iter().flatten().map(inline).collect();
        if !examples.is_empty() {
            return Some(format!("a value such as {}", list(&examples)));
        }
        match &spot.node.value {
            NodeValue::Scalar(_) if is_secret(last_key(&spot.path)) => Some("the value in quotes".to_owned()),
            NodeValue::Scalar(scalar) if text_expected && !scalar.text.is_empty() => {
                Some(format!("the value in quotes: {:?}", scalar.shown()))
            }
            _ => None,
        }
    }

    /// A value that fits a schema, as YAML on one line.
    fn sample(&self, schema: &Value) -> Option<String> {
        let example = schema.get("examples").and_then(|examples| examples.get(0));
        if let Some(example) = example.or_else(|| schema.get("const")) {
            return Some(inline(example));
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            return self.sample(self.schema.pointer(target.strip_prefix('#')?)?);
        }
        let word =
            |options: &Value| options.as_array()?.first().map(|first| first.get("const").unwrap_or(first)).map(inline);
        if let Some(options) = schema.get("enum").or_else(|| schema.get("oneOf").or_else(|| schema.get("anyOf"))) {
            return word(options);
        }
        match schema.get("type").and_then(Value::as_str)? {
            "object" => {
                let keys = schema.get("required").and_then(Value::as_array)?;
                let parts = keys.iter().filter_map(Value::as_str).map(|key| {
                    let value = schema.get("properties").and_then(|all| all.get(key)).and_then(|key| self.sample(key));
                    format!("{key}: {}", value.unwrap_or_else(|| "...".to_owned()))
                });
                Some(format!("{{ {} }}", parts.collect::<Vec<_>>().join(", ")))
            }
            "array" => Some(format!("[{}]", self.sample(schema.get("items")?)?)),
            "boolean" => Some("true".to_owned()),
            _ => None,
        }
    }
}

/// One of several words was needed.
fn report_choice(spot: &Spot<'_>, options: &[&Value], findings: &mut Findings<'_>) {
    let words: Vec<String> = options.iter().map(|option| inline(option)).collect();
    let near = match &spot.node.value {
        NodeValue::Scalar(scalar) => nearest(scalar.shown(), words.iter().map(String::as_str)),
        _ => None,
    };
    let remedy = match (near, words.as_slice()) {
        (Some(near), [_, _, ..]) => format!("`{near}`; possible here: {}", list(&words)),
        (_, [one]) => format!("`{one}`"),
        _ => format!("one of {}", list(&words)),
    };
    findings.push(spot.node.place, &spot.path, format!("{} is not possible here", described(spot)), remedy);
}

/// The value that a location of the validator means.
fn descend<'a>(root: &Spot<'a>, location: &Location) -> Spot<'a> {
    let mut spot = root.clone();
    for segment in location.segments() {
        match (segment, &spot.node.value) {
            (LocationSegment::Property(key), NodeValue::Mapping(entries)) => {
                let Some(entry) = entries.iter().find(|entry| entry.key == key) else { break };
                let path = join(&spot.path, &entry.key);
                spot = Spot { node: &entry.value, label: entry.key_place, path };
            }
            (LocationSegment::Index(i), NodeValue::Sequence(items)) => {
                let Some(item) = items.get(i) else { break };
                spot = Spot { node: item, label: item.place, path: format!("{}[{i}]", spot.path) };
            }
            // The validator writes an index for a key that is a number.
            (LocationSegment::Index(i), NodeValue::Mapping(entries)) => {
                let key = i.to_string();
                let Some(entry) = entries.iter().find(|entry| entry.key == key) else { break };
                let path = join(&spot.path, &entry.key);
                spot = Spot { node: &entry.value, label: entry.key_place, path };
            }
            _ => break,
        }
    }
    spot
}

/// What stands there, in words, without what a variable held or a secret.
fn described(spot: &Spot<'_>) -> String {
    match &spot.node.value {
        NodeValue::Sequence(_) => "a list".to_owned(),
        NodeValue::Mapping(_) => "a mapping of keys".to_owned(),
        NodeValue::Scalar(_) if is_secret(last_key(&spot.path)) => "another value".to_owned(),
        NodeValue::Scalar(scalar) => match scalar.to_json() {
            Value::Null => "nothing".to_owned(),
            Value::String(_) => format!("the text `{}`", shortened(scalar.shown())),
            _ => format!("`{}`", shortened(scalar.shown())),
        },
    }
}

fn last_key(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// No more of a value than fits in a sentence.
pub(crate) fn shortened(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(61).collect();
    if line.chars().count() > 60 { format!("{}...", line.chars().take(57).collect::<String>()) } else { line }
}

fn property_names(schema: Option<&Value>) -> Vec<&str> {
    schema
        .and_then(|schema| schema.get("properties"))
        .and_then(Value::as_object)
        .map(|keys| keys.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

fn type_name(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Null => "nothing",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Number => "a number",
        JsonType::String => "text",
        JsonType::Array => "a list",
        JsonType::Object => "a mapping of keys",
    }
}

/// A value as YAML on one line.
fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let bare = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
                && text.chars().all(|c| c.is_ascii_alphanumeric() || " -_./:".contains(c))
                && !text.contains(": ")
                && !["true", "false", "null"].contains(&text.as_str());
            let duration = super::parse_duration(text).is_ok();
            if bare || duration { text.clone() } else { format!("{value}") }
        }
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Object(keys) => {
            let parts = keys.iter().map(|(key, value)| format!("{key}: {}", inline(value)));
            format!("{{ {} }}", parts.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// `a, b, c`.
pub(crate) fn list<T: AsRef<str>>(words: &[T]) -> String {
    words.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")
}
