use std::fmt;

use super::target::Target;

/// Where a redirect points, as a reason says it: the host, when it is another one, and the words of the path. Never a
/// query or a part of the path that is no word, which may be a token, and nothing that a terminal would obey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place(String);

impl Place {
    /// The most of it that is said.
    const LONGEST: usize = 80;

    pub(super) fn of(target: &Target, seen_from: &Target) -> Self {
        let path = target.path.split(['?', '#']).next().unwrap_or_default();
        let mut place = String::new();
        if !target.is_at(seen_from) {
            if seen_from.tls && !target.tls {
                place.push_str("http://");
            }
            place.push_str(&target.authority);
        }
        if path != "/" || place.is_empty() {
            let said = |part| if is_word(part) { part } else { "..." };
            place.push_str(&path.split('/').map(said).collect::<Vec<_>>().join("/"));
        }
        Self(place.chars().filter(char::is_ascii_graphic).take(Self::LONGEST).collect())
    }
}

/// Whether a part of a path tells nothing but a place: letters, as in `maintenance.html`, a short number, or a version such
/// as `v2`.
fn is_word(part: &str) -> bool {
    let letters = part.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_' | b'.'));
    let number = part.strip_prefix('v').unwrap_or(part);
    (letters && part.len() <= 24) || (number.len() <= 3 && number.bytes().all(|byte| byte.is_ascii_digit()))
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_token_is_not_said() {
        for (part, said) in [
            ("", true),
            ("login", true),
            ("maintenance.html", true),
            ("v2", true),
            ("10", true),
            ("v1234", false),
            ("s3cret", false),
            ("reset=abc", false),
            ("eyJhbGciOiJIUzIiLCJ0eXAiOiJKVQ", false),
            ("2f6b9c", false),
            ("%61", false),
        ] {
            assert_eq!(is_word(part), said, "{part:?}");
        }
    }
}
