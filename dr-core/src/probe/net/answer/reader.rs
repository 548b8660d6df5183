use super::{
    HEAD,
    body::{Body, Ended, Seen},
    body_match::BodyMatch,
    head::{self, Head},
};

/// What of an answer is wanted.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Wanted<'r> {
    /// What the body must hold.
    pub(in super::super) body: Option<&'r BodyMatch>,
    /// Whether to read it to its end, so that the connection can be used again.
    pub(in super::super) whole: bool,
    /// Whether a HEAD was sent, whose answer has no body.
    pub(in super::super) head: bool,
}

/// One answer on its way in.
#[derive(Debug)]
pub(in super::super) struct Reader<'r> {
    wanted: Wanted<'r>,
    /// What has been read and not yet used up is its beginning.
    buffer: Vec<u8>,
    filled: usize,
    searched: usize,
    /// What the heads of interim answers took.
    interim: usize,
    body: Option<Body<'r>>,
}

/// How far an answer has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Come {
    /// More of it has to come.
    More,
    /// Its head is there.
    Head(Head),
    /// It has been read as far as it was wanted.
    Done {
        seen: Seen,
        /// Whether the connection now stands where the next answer begins.
        clean: bool,
    },
    /// It is no answer: what instead.
    Nonsense(String),
}

impl<'r> Reader<'r> {
    /// The buffer at first: most answers fit.
    const START: usize = 2 * 1024;

    /// The buffer at most. A head of 16 KiB, and the byte by which it is seen to be too long.
    const BUFFER: usize = HEAD + 1;

    pub(in super::super) fn new(wanted: Wanted<'r>) -> Self {
        Self { wanted, buffer: Vec::new(), filled: 0, searched: 0, interim: 0, body: None }
    }

    /// Where the next bytes go. It is never empty.
    pub(in super::super) fn room(&mut self) -> &mut [u8] {
        if self.filled >= self.buffer.len() {
            let size = (self.buffer.len() * 2).clamp(Self::START, Self::BUFFER).max(self.filled + 1);
            self.buffer.reserve_exact(size - self.buffer.len());
            self.buffer.resize(size, 0);
        }
        self.buffer.get_mut(self.filled..).unwrap_or_default()
    }

    /// `n` bytes have come into the room. Called until it gives [`Come::More`], with 0 after the first time.
    pub(in super::super) fn took(&mut self, n: usize) -> Come {
        self.filled = self.filled.saturating_add(n).min(self.buffer.len());
        let new = self.buffer.get(..self.filled).unwrap_or_default();
        if let Some(body) = &mut self.body {
            let ended = body.feed(new);
            self.filled = 0;
            return ended.map_or(Come::More, Come::from);
        }
        match head::read(new, &mut self.searched, self.wanted.head) {
            Err(reason) => Come::Nonsense(reason),
            Ok(Some((_, length))) if self.interim + length > HEAD => Self::too_long(),
            Ok(None) if self.interim + new.len() > HEAD => Self::too_long(),
            Ok(None) => Come::More,
            Ok(Some((head, length))) => {
                self.buffer.copy_within(length..self.filled, 0);
                self.filled -= length;
                self.searched = 0;
                if (100..200).contains(&head.status) && head.status != 101 {
                    // An interim answer; the one that counts follows.
                    self.interim += length;
                    return self.took(0);
                }
                self.body = Some(Body::new(head.framing, &head.coding, self.wanted.body, self.wanted.whole));
                Come::Head(head)
            }
        }
    }

    /// The connection has ended.
    pub(in super::super) fn close(&mut self) -> Come {
        match &mut self.body {
            Some(body) => body.close().into(),
            None if self.filled == 0 => Come::Nonsense("closed the connection without an answer".to_owned()),
            None => Come::Nonsense("closed the connection within the head of its answer".to_owned()),
        }
    }

    /// What is known of the body so far, for who waits no longer.
    pub(in super::super) fn so_far(&self) -> Option<&Seen> {
        self.body.as_ref().and_then(Body::so_far)
    }

    /// How many bytes of the head have come.
    pub(in super::super) fn saw(&self) -> usize {
        self.interim + self.filled
    }

    fn too_long() -> Come {
        Come::Nonsense(format!("answered with a head of more than {} KiB", HEAD / 1024))
    }

    /// How many bytes it holds, beside the state of a decoder.
    pub(in super::super) fn held(&self) -> usize {
        self.buffer.capacity() + self.body.as_ref().map_or(0, Body::held)
    }

    /// The most that it ever holds.
    pub(in super::super) fn bound(&self) -> usize {
        Self::BUFFER + 2 * self.wanted.body.map_or(0, BodyMatch::window)
    }
}

impl From<Ended> for Come {
    fn from(Ended { seen, clean }: Ended) -> Self {
        Self::Done { seen, clean }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

    use super::*;

    /// Feeds `wire` in pieces of up to `cut` bytes, then closes. Gives the status, how it ended, and what was read.
    fn read(wanted: Wanted<'_>, wire: &[u8], cut: usize) -> (Option<u16>, Come, usize) {
        let mut reader = Reader::new(wanted);
        let (mut status, mut at) = (None, 0);
        loop {
            let room = reader.room();
            let n = room.len().min(cut).min(wire.len() - at);
            room[..n].copy_from_slice(&wire[at..at + n]);
            at += n;
            let mut come = if n == 0 { reader.close() } else { reader.took(n) };
            if let Come::Head(head) = &come {
                status = Some(head.status);
                come = reader.took(0);
            }
            assert!(reader.held() <= reader.bound(), "{} > {}", reader.held(), reader.bound());
            if come != Come::More {
                return (status, come, at);
            }
        }
    }

    const ANY: Wanted<'static> = Wanted { body: None, whole: false, head: false };

    fn done(seen: Seen, clean: bool) -> Come {
        Come::Done { seen, clean }
    }

    #[test]
    fn interim_answers_are_passed_over() {
        let wire = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
        for cut in [1, 7, 1_000] {
            let (status, come, _) = read(Wanted { whole: true, ..ANY }, wire, cut);
            assert_eq!((status, come), (Some(204), done(Seen::Unasked, true)));
        }
        let endless = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(100_000);
        let (_, come, taken) = read(ANY, &endless, 1_000);
        assert_eq!(come, Come::Nonsense("answered with a head of more than 16 KiB".to_owned()));
        assert!(taken <= HEAD + 1_000, "{taken} bytes were read");
    }

    #[test]
    fn endless_heads_and_bodies_are_left_after_a_counted_number_of_bytes() {
        let head = [b"HTTP/1.1 200 OK\r\n".to_vec(), b"x-more: of the same\r\n".repeat(50_000)].concat();
        let (_, come, taken) = read(ANY, &head, 4_096);
        assert_eq!(come, Come::Nonsense("answered with a head of more than 16 KiB".to_owned()));
        assert!(taken <= HEAD + 4_096, "{taken} bytes were read");
        let rule = BodyMatch::route53("token");
        let wanted = Wanted { body: Some(&rule), ..ANY };
        let body = [b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n".to_vec(), vec![b'x'; 1 << 20]].concat();
        let (_, come, taken) = read(wanted, &body, 4_096);
        assert_eq!(come, done(Seen::Missing, false));
        assert!(taken <= 5_120 + 2 * 4_096, "{taken} bytes were read");
        // Chunks of one byte, with an extension that never ends.
        let ext = [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;".to_vec(), vec![b'x'; 1 << 20]].concat();
        let (_, come, taken) = read(wanted, &ext, 4_096);
        assert_eq!(come, done(Seen::Short("too much came"), false));
        assert!(taken <= (64 << 10) + 8 * 5_120 + 2 * 4_096, "{taken} bytes were read");
        let whole = Wanted { whole: true, ..ANY };
        let (_, come, taken) = read(whole, &body, 4_096);
        assert_eq!(come, done(Seen::Unasked, false), "too long to be worth a kept connection");
        assert!(taken <= (64 << 10) + 2 * 4_096, "{taken} bytes were read");
    }

    #[test]
    fn a_connection_is_clean_only_behind_a_whole_answer_and_nothing_else() {
        let whole = Wanted { whole: true, ..ANY };
        let wire = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine";
        assert_eq!(read(whole, wire.as_bytes(), 9).1, done(Seen::Unasked, true));
        assert_eq!(read(whole, format!("{wire}!").as_bytes(), 1_000).1, done(Seen::Unasked, false));
        assert_eq!(read(ANY, wire.as_bytes(), 1_000).1, done(Seen::Unasked, false));
        assert_eq!(read(whole, &wire.as_bytes()[..wire.len() - 1], 9).1, done(Seen::Unasked, false));
    }

    #[test]
    fn a_body_that_cannot_be_looked_into_says_so() {
        let rule = BodyMatch::route53("token");
        let wanted = Wanted { body: Some(&rule), ..ANY };
        let wire = b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 5\r\n\r\ntoken";
        assert_eq!(read(wanted, wire, 100).1, done(Seen::Encoded("br"), false));
        let wire = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 20\r\n\r\ntoken, in plain text";
        let garbage = done(Seen::Short("the body is not compressed as its head says"), false);
        assert_eq!(read(wanted, wire, 100).1, garbage);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_end_in_something_and_stay_within_bounds(
            start in prop::sample::select(vec!["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
                "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n\u{1f}"]),
            bytes in prop::collection::vec(any::<u8>(), 0..400),
            whole in any::<bool>(),
            cut in 1_usize..50,
        ) {
            let rule = BodyMatch::within("ab", 40);
            let wanted = Wanted { body: Some(&rule), whole, head: false };
            let wire = [start.as_bytes(), &bytes].concat();
            let (status, come, taken) = read(wanted, &wire, cut);
            prop_assert!(taken <= wire.len());
            // Cut up in another way, it says the same.
            let (again, other, _) = read(wanted, &wire, 1_000);
            prop_assert_eq!(status, again);
            match (come, other) {
                (Come::Done { seen, .. }, Come::Done { seen: same, .. }) => prop_assert_eq!(seen, same),
                (come, other) => prop_assert_eq!(come, other),
            }
        }
    }
}
