use httparse::{EMPTY_HEADER, Header, Status};

use super::{
    HEAD,
    coding::Coding,
    framing::{Chunk, Framing},
};

/// The head of an answer: what a look needs of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Head {
    pub(in super::super) status: u16,
    /// Where a redirect points.
    pub(in super::super) location: Option<String>,
    /// Whether the connection may be used again.
    pub(in super::super) keeps: bool,
    pub(super) framing: Framing,
    pub(super) coding: Coding,
}

/// The most lines that are looked at first, on the stack.
const USUAL: usize = 64;

/// The most lines that fit into a head.
const MOST: usize = HEAD / 4;

/// Looks for a whole head in `bytes`, the first `searched` of which are known to hold none. Gives it with its length.
///
/// # Errors
///
/// With what this is instead, in a person's words.
pub(super) fn read(bytes: &[u8], searched: &mut usize, asked_head: bool) -> Result<Option<(Head, usize)>, String> {
    const VERSION: &[u8] = b"HTTP/1.";
    if !bytes.iter().zip(VERSION).all(|(byte, expected)| byte == expected) {
        return Err(format!("answered something that is not HTTP/1.1{}", guess(bytes)));
    }
    let Some(length) = end(bytes, searched) else { return Ok(None) };
    let head = bytes.get(..length).unwrap_or(bytes);
    match parse(head, &mut [EMPTY_HEADER; USUAL], asked_head) {
        Err(httparse::Error::TooManyHeaders) => parse(head, &mut vec![EMPTY_HEADER; MOST], asked_head),
        parsed => parsed,
    }
    .map_err(|error| match error {
        httparse::Error::Status | httparse::Error::Token | httparse::Error::Version => {
            "answered something that is not HTTP/1.1".to_owned()
        }
        _ => "answered with a header that is none".to_owned(),
    })?
    .map(|head| Some((head, length)))
    .ok_or_else(|| "answered with two lengths that differ".to_owned())
}

/// Where the head ends: behind its first empty line.
fn end(bytes: &[u8], searched: &mut usize) -> Option<usize> {
    // The empty line may have begun before what is new.
    let from = searched.saturating_sub(3);
    let new = bytes.get(from..)?;
    let found = new.iter().enumerate().filter(|(_, byte)| **byte == b'\n').find_map(|(i, _)| {
        let rest = new.get(i + 1..)?;
        let skipped = usize::from(rest.first() == Some(&b'\r'));
        (rest.get(skipped) == Some(&b'\n')).then_some(from + i + 1 + skipped + 1)
    });
    *searched = bytes.len();
    found
}

/// `None` when its lengths contradict each other.
fn parse<'b>(bytes: &'b [u8], lines: &mut [Header<'b>], asked_head: bool) -> Result<Option<Head>, httparse::Error> {
    let mut answer = httparse::Response::new(lines);
    let Status::Complete(_) = answer.parse(bytes)? else { return Err(httparse::Error::NewLine) };
    let status = answer.code.unwrap_or_default();
    let mut length: Option<u64> = None;
    let (mut chunked, mut encoded) = (false, false);
    let mut keeps = answer.version == Some(1);
    let mut coding = Coding::Identity;
    let mut location = None;
    for line in answer.headers.iter() {
        let is = |name: &str| line.name.eq_ignore_ascii_case(name);
        if is("content-length") {
            for number in String::from_utf8_lossy(line.value).split(',') {
                let Ok(number) = number.trim().parse() else { return Ok(None) };
                if length.replace(number).is_some_and(|before| before != number) {
                    return Ok(None);
                }
            }
        } else if is("transfer-encoding") {
            let value = line.value.to_ascii_lowercase();
            chunked = value.trim_ascii_end().ends_with(b"chunked");
            encoded = true;
        } else if is("content-encoding") {
            coding = match coding {
                Coding::Identity => Coding::named(line.value),
                _ => Coding::SEVERAL,
            };
        } else if is("connection") {
            keeps &= !line.value.to_ascii_lowercase().split(|byte| *byte == b',').any(|v| v.trim_ascii() == b"close");
        } else if is("location") && (300..400).contains(&status) {
            location = std::str::from_utf8(line.value).ok().map(str::to_owned);
        }
    }
    let framing = match (length, status) {
        _ if asked_head || status < 200 || status == 204 || status == 304 => Framing::Length(0),
        _ if chunked => Framing::Chunked(Chunk::START),
        (Some(length), _) if !encoded => Framing::Length(length),
        _ => Framing::UntilClose,
    };
    let keeps = keeps && framing != Framing::UntilClose && !(encoded && length.is_some());
    Ok(Some(Head { status, location, keeps, framing, coding }))
}

/// What a server seems to speak that does not speak HTTP/1: the likeliest mistakes of a configuration.
fn guess(bytes: &[u8]) -> &'static str {
    match bytes {
        // An alert of any version.
        [0x15, 0x03, ..] => ": it wants TLS, so ask with https://",
        // A frame of settings, which opens an HTTP/2 connection.
        [0, 0, _, 4, ..] => ": it speaks HTTP/2 alone",
        [b'S', b'S', b'H', b'-', ..] => ": it speaks SSH",
        [b'2', b'2', b'0', b' ' | b'-', ..] => ": it speaks FTP or SMTP",
        [b'-', b'E', b'R', b'R', ..] => ": it speaks Redis' protocol",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Result<Option<(Head, usize)>, String> {
        read(text.as_bytes(), &mut 0, false)
    }

    fn head(text: &str) -> Head {
        whole(text).unwrap().unwrap().0
    }

    #[test]
    fn a_head_is_found_wherever_it_is_cut() {
        for text in ["HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine", "HTTP/1.1 200 OK\ncontent-length: 4\n\nfine"] {
            let length = text.len() - 4;
            let mut searched = 0;
            for n in 0..length {
                assert_eq!(read(&text.as_bytes()[..n], &mut searched, false), Ok(None), "{n} bytes");
            }
            let (head, end) = read(text.as_bytes(), &mut searched, false).unwrap().unwrap();
            assert_eq!((head.status, head.framing, end), (200, Framing::Length(4), length));
        }
    }

    #[test]
    fn where_a_body_ends_follows_the_standard() {
        let framing = |lines: &str| head(&format!("HTTP/1.1 200 OK\r\n{lines}\r\n")).framing;
        assert_eq!(framing(""), Framing::UntilClose);
        assert_eq!(framing("Content-Length: 7\r\n"), Framing::Length(7));
        assert_eq!(framing("content-length: 7, 7\r\ncontent-length: 7\r\n"), Framing::Length(7));
        assert_eq!(
            framing("transfer-encoding: gzip, Chunked\r\ncontent-length: 7\r\n"),
            Framing::Chunked(Chunk::START)
        );
        assert_eq!(framing("transfer-encoding: gzip\r\n"), Framing::UntilClose);
        for status in ["204 No Content", "304 Not Modified"] {
            let text = format!("HTTP/1.1 {status}\r\ncontent-length: 9\r\n\r\n");
            assert_eq!(head(&text).framing, Framing::Length(0), "{status}");
        }
        let text = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n";
        let (answer, _) = read(text.as_bytes(), &mut 0, true).unwrap().unwrap();
        assert_eq!(answer.framing, Framing::Length(0), "an answer to HEAD has no body");
        for bad in ["content-length: 7\r\ncontent-length: 8\r\n", "content-length: -1\r\n", "content-length: x\r\n"] {
            let read = whole(&format!("HTTP/1.1 200 OK\r\n{bad}\r\n"));
            assert_eq!(read, Err("answered with two lengths that differ".to_owned()), "{bad}");
        }
    }

    #[test]
    fn whether_a_connection_can_be_used_again() {
        let keeps = |text: &str| head(text).keeps;
        assert!(keeps("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
        assert!(!keeps("HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n"));
        assert!(!keeps("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nConnection: x, Close\r\n\r\n"));
        assert!(!keeps("HTTP/1.1 200 OK\r\n\r\n"), "its body ends with the connection");
        assert!(!keeps("HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n"));
    }

    #[test]
    fn what_is_not_http_is_guessed_at_once() {
        let said = |bytes: &[u8]| read(bytes, &mut 0, false).unwrap_err();
        assert!(said(b"\x15\x03\x03\0\x02\x02\x46").ends_with("it wants TLS, so ask with https://"));
        assert!(said(b"\0\0\x12\x04\0\0\0\0\0").ends_with("it speaks HTTP/2 alone"));
        assert!(said(b"220 mail.example.com ESMTP\r\n").ends_with("it speaks FTP or SMTP"));
        assert_eq!(said(b"H T T P"), "answered something that is not HTTP/1.1");
        assert_eq!(said(b"HTTP/1.1 20 OK\r\n\r\n"), "answered something that is not HTTP/1.1");
        assert_eq!(said(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"), "answered with a header that is none");
    }

    #[test]
    fn a_thousand_short_lines_are_read() {
        let text = format!("HTTP/1.1 200 OK\r\n{}content-length: 3\r\n\r\n", "a:b\r\n".repeat(1_000));
        assert_eq!(head(&text).framing, Framing::Length(3));
    }
}
