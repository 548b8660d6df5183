use std::{fmt, ops::RangeInclusive};

/// The statuses that count as healthy. 200 to 299 unless said otherwise: a redirect is not health.
///
/// Route 53 also takes 300 to 399, so that a redirect to a maintenance page passes there
/// ("How Amazon Route 53 determines whether a health check is healthy").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusSet(Vec<RangeInclusive<u16>>);

impl StatusSet {
    /// 2xx and 3xx, as Route 53 counts.
    #[must_use]
    pub fn route53() -> Self {
        Self(vec![200..=399])
    }

    /// Whether `status` is one of them.
    #[must_use]
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }
}

impl Default for StatusSet {
    fn default() -> Self {
        Self(vec![200..=299])
    }
}

impl From<u16> for StatusSet {
    fn from(status: u16) -> Self {
        Self(vec![status..=status])
    }
}

impl From<RangeInclusive<u16>> for StatusSet {
    fn from(range: RangeInclusive<u16>) -> Self {
        Self(vec![range])
    }
}

impl FromIterator<u16> for StatusSet {
    fn from_iter<I: IntoIterator<Item = u16>>(statuses: I) -> Self {
        Self(statuses.into_iter().map(|status| status..=status).collect())
    }
}

impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, range) in self.0.iter().enumerate() {
            let between = if i == 0 { "" } else { " or " };
            match (range.start(), range.end()) {
                (one, same) if one == same => write!(f, "{between}{one}")?,
                (from, to) => write!(f, "{between}{from}-{to}")?,
            }
        }
        if self.0.is_empty() { f.write_str("nothing") } else { Ok(()) }
    }
}
