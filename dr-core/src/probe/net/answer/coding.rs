use std::io::{self, Write};

use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

/// How a body is encoded, by its `Content-Encoding`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// As it is.
    Identity,
    Gzip,
    /// zlib (RFC 1950), as the standard means; or bare deflate (RFC 1951), as some servers do.
    Deflate,
    /// Something that cannot be looked into: what it is, in our words. The far side's own could say anything.
    Other(&'static str),
}

impl Coding {
    /// Several, one over the other, which cannot be looked into.
    pub(super) const SEVERAL: Self = Self::Other("several encodings");

    /// As a header names it.
    pub(super) fn named(value: &[u8]) -> Self {
        let text = String::from_utf8_lossy(value).trim().to_ascii_lowercase();
        match text.as_str() {
            "" | "identity" => Self::Identity,
            "gzip" | "x-gzip" => Self::Gzip,
            "deflate" => Self::Deflate,
            "br" => Self::Other("br"),
            "zstd" => Self::Other("zstd"),
            "compress" | "x-compress" => Self::Other("compress"),
            several if several.contains(',') => Self::SEVERAL,
            _ => Self::Other("something that nobody knows"),
        }
    }
}

/// A body on its way out of its encoding. It puts out no more than was asked for, and stops there: a small body that
/// would become gigabytes costs as much as it is looked at.
#[derive(Debug)]
pub(super) enum Decoder {
    Gzip(Box<MultiGzDecoder<Window>>),
    /// The first byte tells which of the two it is.
    Deflate {
        window: usize,
    },
    Zlib(Box<ZlibDecoder<Window>>),
    Raw(Box<DeflateDecoder<Window>>),
}

/// What came of feeding a decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decoded {
    /// It wants more.
    More,
    /// It has put out all that was asked for.
    Full,
    /// This is not what the header called it.
    Garbage,
}

impl Decoder {
    /// For a body in `coding`, of whose content `window` bytes are wanted; `None` when it is not encoded, or in a way
    /// that cannot be undone.
    pub(super) fn new(coding: &Coding, window: usize) -> Option<Self> {
        match coding {
            Coding::Identity | Coding::Other(_) => None,
            Coding::Gzip => Some(Self::Gzip(Box::new(MultiGzDecoder::new(Window::new(window))))),
            Coding::Deflate => Some(Self::Deflate { window }),
        }
    }

    /// Takes the next bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Decoded {
        if let (Self::Deflate { window }, Some(first)) = (&*self, bytes.first()) {
            /// The method of a zlib header (RFC 1950, section 2.2). A bare deflate stream that begins so would be a stored
            /// block with padding that is not zero, which no compressor writes.
            const DEFLATE: u8 = 8;
            let window = Window::new(*window);
            *self = if first & 0x0F == DEFLATE {
                Self::Zlib(Box::new(ZlibDecoder::new(window)))
            } else {
                Self::Raw(Box::new(DeflateDecoder::new(window)))
            };
        }
        let fed = match self {
            Self::Deflate { .. } => Ok(()),
            Self::Gzip(decoder) => pour(decoder.as_mut(), bytes),
            Self::Zlib(decoder) => pour(decoder.as_mut(), bytes),
            Self::Raw(decoder) => pour(decoder.as_mut(), bytes),
        };
        match fed {
            _ if self.window().is_some_and(Window::is_full) => Decoded::Full,
            Ok(()) => Decoded::More,
            Err(_) => Decoded::Garbage,
        }
    }

    /// What it has put out since it was asked last.
    pub(super) fn drain(&mut self) -> Vec<u8> {
        let window = match self {
            Self::Deflate { .. } => return Vec::new(),
            Self::Gzip(decoder) => decoder.get_mut(),
            Self::Zlib(decoder) => decoder.get_mut(),
            Self::Raw(decoder) => decoder.get_mut(),
        };
        std::mem::take(&mut window.bytes)
    }

    fn window(&self) -> Option<&Window> {
        match self {
            Self::Deflate { .. } => None,
            Self::Gzip(decoder) => Some(decoder.get_ref()),
            Self::Zlib(decoder) => Some(decoder.get_ref()),
            Self::Raw(decoder) => Some(decoder.get_ref()),
        }
    }

    /// How many bytes it holds for whoever drains it.
    pub(super) fn held(&self) -> usize {
        self.window().map_or(0, |window| window.bytes.capacity())
    }
}

/// Feeds a decoder and has it put out what it can.
fn pour(decoder: &mut dyn Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let n = decoder.write(bytes)?;
        if n == 0 {
            // The encoded body has ended, and something follows it.
            return Ok(());
        }
        bytes = bytes.get(n..).unwrap_or_default();
    }
    decoder.flush()
}

/// Takes what a decoder puts out, up to its size.
#[derive(Debug)]
pub(super) struct Window {
    bytes: Vec<u8>,
    left: usize,
}

impl Window {
    fn new(size: usize) -> Self {
        Self { bytes: Vec::new(), left: size }
    }

    fn is_full(&self) -> bool {
        self.left == 0
    }
}

impl Write for Window {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.left);
        if taken == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes.reserve_exact(taken);
        self.bytes.extend(bytes.iter().take(taken));
        self.left -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flate2::{
        Compression,
        write::{DeflateEncoder, GzEncoder, ZlibEncoder},
    };

    use super::*;

    fn all(coding: &Coding, window: usize, pieces: &[&[u8]]) -> (Vec<u8>, Decoded) {
        let mut decoder = Decoder::new(coding, window).unwrap();
        let (mut out, mut last) = (Vec::new(), Decoded::More);
        for piece in pieces {
            last = decoder.feed(piece);
            out.extend(decoder.drain());
            if last != Decoded::More {
                break;
            }
        }
        (out, last)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn what_was_compressed_comes_out_byte_by_byte_too() {
        let text = b"{\"writer\":true,\"region\":\"us-east-1\"}".repeat(20);
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(&text).unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
        raw.write_all(&text).unwrap();
        for (coding, wire) in [
            (Coding::Gzip, gzip(&text)),
            (Coding::Deflate, zlib.finish().unwrap()),
            (Coding::Deflate, raw.finish().unwrap()),
        ] {
            assert_eq!(all(&coding, 5_120, &[&wire]), (text.clone(), Decoded::More));
            let bytes: Vec<&[u8]> = wire.chunks(1).collect();
            assert_eq!(all(&coding, 5_120, &bytes).0, text);
        }
    }

    #[test]
    fn a_bomb_puts_out_what_was_asked_for_and_no_more() {
        let bomb = gzip(&vec![0; 16 << 20]);
        assert!(bomb.len() < 128 << 10, "{} bytes", bomb.len());
        let mut decoder = Decoder::new(&Coding::Gzip, 5_120).unwrap();
        assert_eq!(decoder.feed(&bomb), Decoded::Full);
        assert!(decoder.held() <= 5_120, "{}", decoder.held());
        assert_eq!(decoder.drain().len(), 5_120);
    }

    #[test]
    fn garbage_is_told() {
        assert_eq!(all(&Coding::Gzip, 100, &[b"this is no gzip at all"]).1, Decoded::Garbage);
        assert_eq!(all(&Coding::Deflate, 100, &[b"\x78\x9cno deflate at all"]).1, Decoded::Garbage);
    }

    #[test]
    fn what_cannot_be_looked_into_is_named() {
        assert_eq!(Coding::named(b" GZIP "), Coding::Gzip);
        assert_eq!(Coding::named(b"br"), Coding::Other("br"));
        assert_eq!(Coding::named(b"gzip, br\x1b[31m"), Coding::Other("several encodings"));
        assert_eq!(Coding::named(b"s3cret"), Coding::Other("something that nobody knows"));
        assert_eq!(Coding::named(b""), Coding::Identity);
    }
}
