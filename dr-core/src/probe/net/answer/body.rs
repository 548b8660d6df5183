use super::{
    body_match::{BodyMatch, Matching, Progress},
    coding::{Coding, Decoded, Decoder},
    framing::Framing,
};

/// The most of a body that is taken from the wire beside what a rule looks at: chunk sizes, what compresses badly, and
/// what is read only so that the connection can be used again.
const OVERHEAD: usize = 64 * 1024;

/// A body on its way in.
#[derive(Debug)]
pub(super) struct Body<'r> {
    framing: Framing,
    decoder: Option<Decoder>,
    matching: Option<Matching<'r>>,
    /// What was found out, while the rest is still read.
    seen: Option<Seen>,
    /// Whether to read on to the end.
    whole: bool,
    /// How many more bytes may come.
    left: usize,
}

/// What a body turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Seen {
    /// Nobody asked.
    Unasked,
    /// The text is there.
    Found,
    /// It is not in what the rule looks at.
    Missing,
    /// The body ended, or was no longer read, before it was there: how.
    Short(&'static str),
    /// It is encoded in a way that cannot be undone.
    Encoded(&'static str),
}

/// How the reading of a body ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) seen: Seen,
    /// Whether it was read to its end, and nothing after it.
    pub(super) clean: bool,
}

impl<'r> Body<'r> {
    /// A body that `rule` looks at; read to its end if it is wanted `whole`.
    pub(super) fn new(framing: Framing, coding: &Coding, rule: Option<&'r BodyMatch>, whole: bool) -> Self {
        let window = rule.map_or(0, BodyMatch::window);
        let mut body = Self {
            framing,
            decoder: rule.and_then(|_| Decoder::new(coding, window)),
            matching: rule.map(BodyMatch::start),
            seen: rule.is_none().then_some(Seen::Unasked),
            whole,
            left: OVERHEAD.saturating_add(window.saturating_mul(8)),
        };
        if let (Coding::Other(name), Some(_)) = (coding, &body.matching) {
            body.seen = Some(Seen::Encoded(name));
        } else if let Some(matching) = &mut body.matching
            && matching.feed(b"") == Progress::Found
        {
            // Nothing was asked for, and nothing is there.
            body.seen = Some(Seen::Found);
        }
        body
    }

    /// Takes the next bytes from the wire; says how it ended, once it has.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) -> Option<Ended> {
        loop {
            if let Some(seen) = self.seen.as_ref().filter(|_| !self.whole) {
                return Some(Ended { seen: seen.clone(), clean: false });
            }
            if self.framing.ended() {
                return Some(self.end("the body ended", bytes.is_empty()));
            }
            if bytes.is_empty() {
                return None;
            }
            if self.left == 0 {
                return Some(self.end("too much came", false));
            }
            let allowed = bytes.get(..self.left).unwrap_or(bytes);
            let Ok(part) = self.framing.take(allowed) else {
                return Some(self.end("the body's chunks are broken", false));
            };
            self.left = self.left.saturating_sub(part.used);
            bytes = bytes.get(part.used..).unwrap_or_default();
            if self.seen.is_none() {
                self.seen = self.look(part.data);
            }
        }
    }

    /// The connection has ended.
    pub(super) fn close(&mut self) -> Ended {
        let how = match self.framing {
            Framing::UntilClose => "the body ended",
            Framing::Length(_) | Framing::Chunked(_) => "the body broke off",
        };
        self.end(how, false)
    }

    /// What is known so far, for who waits no longer.
    pub(super) fn so_far(&self) -> Option<&Seen> {
        self.seen.as_ref()
    }

    fn end(&mut self, how: &'static str, clean: bool) -> Ended {
        let seen = match (self.seen.take(), how) {
            (Some(seen), _) => seen,
            (None, "the body ended") => Seen::Missing,
            (None, how) => Seen::Short(how),
        };
        Ended { seen, clean }
    }

    fn look(&mut self, data: &[u8]) -> Option<Seen> {
        let matching = self.matching.as_mut()?;
        let Some(decoder) = &mut self.decoder else {
            return verdict(matching.feed(data));
        };
        let decoded = decoder.feed(data);
        let seen = verdict(matching.feed(&decoder.drain()));
        match decoded {
            Decoded::Garbage => seen.or(Some(Seen::Short("the body is not compressed as its head says"))),
            Decoded::Full => seen.or(Some(Seen::Missing)),
            Decoded::More => seen,
        }
    }

    /// How many bytes it holds.
    pub(super) fn held(&self) -> usize {
        self.matching.as_ref().map_or(0, Matching::held) + self.decoder.as_ref().map_or(0, Decoder::held)
    }
}

fn verdict(progress: Progress) -> Option<Seen> {
    match progress {
        Progress::Found => Some(Seen::Found),
        Progress::Missed => Some(Seen::Missing),
        Progress::NeedsMore => None,
    }
}
