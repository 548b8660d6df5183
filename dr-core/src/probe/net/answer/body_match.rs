use std::fmt;

/// Text that an answer's body must contain near its beginning, case-sensitive.
///
/// A body that is compressed with gzip or deflate is looked at as it was before; one that is encoded in another way
/// (brotli, zstd) cannot be looked at, and fails, as it does for Route 53.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyMatch {
    text: String,
    within: usize,
}

impl BodyMatch {
    /// Route 53's rule: the text lies whole within the first 5,120 bytes ("HTTP and HTTPS string matching").
    ///
    /// Its API takes 255 characters at most; here there is no such limit.
    #[must_use]
    pub fn route53(text: impl Into<String>) -> Self {
        Self::within(text, 5_120)
    }

    /// The text lies whole within the first `bytes` bytes, which is also all that is read.
    #[must_use]
    pub fn within(text: impl Into<String>, bytes: usize) -> Self {
        Self { text: text.into(), within: bytes }
    }

    /// How much of a body it looks at.
    pub(super) fn window(&self) -> usize {
        self.within
    }

    /// A reader of one body.
    pub(super) fn start(&self) -> Matching<'_> {
        Matching { rule: self, read: Vec::new() }
    }
}

impl fmt::Display for BodyMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} in the first {} bytes", self.text, self.within)
    }
}

/// A body on its way in. It keeps no more than the rule looks at.
#[derive(Debug)]
pub(super) struct Matching<'a> {
    rule: &'a BodyMatch,
    read: Vec<u8>,
}

/// How far the reading of a body has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// The text is there.
    Found,
    /// It is not, and it would be too late by now.
    Missed,
    /// More of the body has to come.
    NeedsMore,
}

impl Matching<'_> {
    /// How many bytes it holds.
    pub(super) fn held(&self) -> usize {
        self.read.capacity()
    }
}

impl Matching<'_> {
    /// Takes the next bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Progress {
        let BodyMatch { text, within } = self.rule;
        let text = text.as_bytes();
        let room = within.saturating_sub(self.read.len());
        self.read.reserve_exact(bytes.len().min(room));
        // The text may have begun before these bytes, by one byte less than it is long.
        let from = self.read.len().saturating_sub(text.len().saturating_sub(1));
        self.read.extend(bytes.iter().take(room));
        let unseen = self.read.get(from..).unwrap_or_default();
        if text.is_empty() || unseen.windows(text.len()).any(|window| window == text) {
            Progress::Found
        } else if self.read.len() >= *within {
            Progress::Missed
        } else {
            Progress::NeedsMore
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn the_text_must_end_within_5120_bytes() {
        let rule = BodyMatch::route53("\"writer\":true");
        let pad = |n: usize| [vec![b' '; n], b"\"writer\":true".to_vec()].concat();
        assert_eq!(rule.start().feed(&pad(5_120 - 13)), Progress::Found);
        assert_eq!(rule.start().feed(&pad(5_120 - 12)), Progress::Missed);
        assert_eq!(rule.start().feed(b"\"Writer\":true"), Progress::NeedsMore, "case counts");
    }

    proptest! {
        #[test]
        fn how_a_body_is_cut_up_does_not_matter(
            body in "[ab]{0,40}",
            text in "[ab]{1,4}",
            within in 0_usize..40,
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let rule = BodyMatch::within(text.clone(), within);
            let seen = &body[..within.min(body.len())];
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
            cuts.extend([0, body.len()]);
            cuts.sort_unstable();
            let mut matching = rule.start();
            let found = cuts.windows(2).any(|cut| matching.feed(&body.as_bytes()[cut[0]..cut[1]]) == Progress::Found);
            prop_assert_eq!(found, seen.contains(&text));
            prop_assert_eq!(matching.read.len() <= within, true);
        }
    }
}
