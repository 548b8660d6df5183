use std::fmt;

use super::target::Target;

/// Where a redirect points, as a reason says it: the host, when it is another one, and the path. Never a query, which may
/// hold a token, and nothing that a terminal would obey.
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
            place.push_str(path);
        }
        Self(place.chars().filter(char::is_ascii_graphic).take(Self::LONGEST).collect())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
