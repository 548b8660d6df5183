//! `${NAME}` and `${NAME:-default}` in values.

use std::collections::BTreeMap;

use super::{
    finding::Findings,
    node::{Node, NodeValue, Scalar},
    yaml::join,
};

/// Puts variables into every value below `node`. What a variable held is never shown: messages use the text as written.
pub(crate) fn resolve(node: &mut Node, path: &str, variables: &BTreeMap<String, String>, findings: &mut Findings<'_>) {
    match &mut node.value {
        NodeValue::Scalar(scalar) => {
            if scalar.text.contains('$') {
                match expand(&scalar.text, variables) {
                    Ok(text) => {
                        let written = std::mem::replace(&mut scalar.text, text);
                        *scalar =
                            Scalar { text: std::mem::take(&mut scalar.text), plain: false, written: Some(written) };
                    }
                    Err(problem) => {
                        let (message, remedy) = problem.explain();
                        findings.push(node.place, path, message, remedy);
                        // The rest of the checks must not judge a text that will never be used.
                        scalar.plain = false;
                    }
                }
            }
        }
        NodeValue::Sequence(items) => {
            for (i, item) in items.iter_mut().enumerate() {
                resolve(item, &format!("{path}[{i}]"), variables, findings);
            }
        }
        NodeValue::Mapping(entries) => {
            for entry in entries {
                resolve(&mut entry.value, &join(path, &entry.key), variables, findings);
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Problem {
    Unset(String),
    Unclosed,
    BadName(String),
}

impl Problem {
    fn explain(&self) -> (String, String) {
        match self {
            Self::Unset(name) => (
                format!("the variable {name} has no value"),
                format!("`${{{name}:-default}}`, or set {name} in the environment"),
            ),
            Self::Unclosed => {
                ("`${` is not closed".to_owned(), "`${NAME}` or `${NAME:-default}`; `$$` is a dollar sign".to_owned())
            }
            Self::BadName(name) => (
                format!("`{name}` is not the name of a variable"),
                "a name of letters, digits and `_` between `${` and `}`; `$$` is a dollar sign".to_owned(),
            ),
        }
    }
}

/// `${NAME}`, `${NAME:-default}` (used when NAME is unset or empty, as in a shell) and `$$` for a dollar sign; any
/// other dollar sign stands for itself.
fn expand(text: &str, variables: &BTreeMap<String, String>) -> Result<String, Problem> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        let (before, tail) = rest.split_at(dollar);
        out.push_str(before);
        if let Some(after) = tail.strip_prefix("$$") {
            out.push('$');
            rest = after;
        } else if let Some(inside) = tail.strip_prefix("${") {
            let (inside, after) = inside.split_once('}').ok_or(Problem::Unclosed)?;
            let (name, default) = inside.split_once(":-").map_or((inside, None), |(name, or)| (name, Some(or)));
            let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            if !begins_well || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return Err(Problem::BadName(name.to_owned()));
            }
            let value = variables.get(name).map(String::as_str);
            let value = match default {
                Some(default) => value.filter(|value| !value.is_empty()).or(Some(default)),
                None => value,
            };
            out.push_str(value.ok_or_else(|| Problem::Unset(name.to_owned()))?);
            rest = after;
        } else {
            out.push('$');
            rest = tail.strip_prefix('$').unwrap_or(tail);
        }
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_defaults_and_dollars() {
        let variables = BTreeMap::from([("A".to_owned(), "1".to_owned()), ("EMPTY".to_owned(), String::new())]);
        let expand = |text: &str| expand(text, &variables);
        assert_eq!(expand("x${A}y${B:-2}$$${A:-3}$5").as_deref(), Ok("x1y2$1$5"));
        assert_eq!(expand("${EMPTY:-d}").as_deref(), Ok("d"));
        assert_eq!(expand("[${EMPTY}]").as_deref(), Ok("[]"));
        assert_eq!(expand("${B:-}").as_deref(), Ok(""));
        assert_eq!(expand("${B}"), Err(Problem::Unset("B".to_owned())));
        assert_eq!(expand("${A"), Err(Problem::Unclosed));
        assert_eq!(expand("${A B}"), Err(Problem::BadName("A B".to_owned())));
        assert_eq!(expand("a$"), Ok("a$".to_owned()));
    }
}
