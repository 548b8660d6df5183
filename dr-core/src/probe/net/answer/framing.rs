/// Where a body ends (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// After so many more bytes.
    Length(u64),
    /// After the last chunk.
    Chunked(Chunk),
    /// Where the connection ends.
    UntilClose,
}

/// Where in a chunked body the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    /// In the size of a chunk, of which so many digits have come.
    Size { size: u64, digits: u8 },
    /// In what may follow the size, up to the end of the line.
    Extension { size: u64 },
    /// In a chunk, of which so much is to come.
    Data(u64),
    /// In the line end after a chunk.
    AfterData,
    /// In the lines after the last chunk; `empty` while the present one is.
    Trailer { empty: bool },
    /// Behind it all.
    End,
}

impl Chunk {
    pub(super) const START: Self = Self::Size { size: 0, digits: 0 };
}

/// A body's framing is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadChunk;

/// One step through a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part<'b> {
    /// What of the bytes is the body's own.
    pub(super) data: &'b [u8],
    /// How many bytes were used up, the data included.
    pub(super) used: usize,
}

impl Framing {
    /// Whether the body has ended.
    pub(super) fn ended(self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(Chunk::End))
    }

    /// Takes the next part from `bytes`. It uses up at least one of them, unless there is none or the body has ended.
    pub(super) fn take<'b>(&mut self, bytes: &'b [u8]) -> Result<Part<'b>, BadChunk> {
        let upto = |left: u64| bytes.get(..usize::try_from(left).unwrap_or(usize::MAX)).unwrap_or(bytes);
        Ok(match self {
            Self::UntilClose => Part { data: bytes, used: bytes.len() },
            Self::Length(left) => {
                let data = upto(*left);
                *left = left.saturating_sub(data.len() as u64);
                Part { data, used: data.len() }
            }
            Self::Chunked(Chunk::Data(left)) => {
                let data = upto(*left);
                *left = left.saturating_sub(data.len() as u64);
                if *left == 0 {
                    *self = Self::Chunked(Chunk::AfterData);
                }
                Part { data, used: data.len() }
            }
            Self::Chunked(chunk) => {
                let mut used = 0;
                for byte in bytes {
                    if matches!(chunk, Chunk::Data(_) | Chunk::End) {
                        break;
                    }
                    *chunk = chunk.after(*byte)?;
                    used += 1;
                }
                Part { data: &[], used }
            }
        })
    }
}

impl Chunk {
    /// Where the byte after `byte` stands, outside of data.
    fn after(self, byte: u8) -> Result<Self, BadChunk> {
        /// A size of more digits than this is nothing that anybody sends.
        const DIGITS: u8 = 15;
        let line_of = |size: u64| match size {
            0 => Self::Trailer { empty: true },
            size => Self::Data(size),
        };
        Ok(match (self, byte) {
            (Self::Size { size, digits }, byte) => match char::from(byte).to_digit(16) {
                Some(digit) if digits < DIGITS => Self::Size { size: size << 4 | u64::from(digit), digits: digits + 1 },
                None if digits == 0 => return Err(BadChunk),
                None => match byte {
                    b'\n' => line_of(size),
                    b'\r' | b';' | b' ' | b'\t' => Self::Extension { size },
                    _ => return Err(BadChunk),
                },
                Some(_) => return Err(BadChunk),
            },
            (Self::Extension { size }, b'\n') => line_of(size),
            (Self::AfterData, b'\r') => Self::AfterData,
            (Self::AfterData, b'\n') => Self::START,
            (Self::AfterData, _) => return Err(BadChunk),
            (Self::Trailer { empty: true }, b'\n') => Self::End,
            (Self::Trailer { empty: false }, b'\n') => Self::Trailer { empty: true },
            (Self::Trailer { empty: true }, b'\r') => Self::Trailer { empty: true },
            (Self::Trailer { .. }, _) => Self::Trailer { empty: false },
            (same @ (Self::Extension { .. } | Self::Data(_) | Self::End), _) => same,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert_eq, proptest};

    use super::*;

    fn body(mut framing: Framing, pieces: &[&[u8]]) -> Result<(Vec<u8>, bool), BadChunk> {
        let mut data = Vec::new();
        for piece in pieces {
            let mut rest = *piece;
            while !rest.is_empty() && !framing.ended() {
                let part = framing.take(rest)?;
                data.extend_from_slice(part.data);
                rest = &rest[part.used..];
            }
        }
        Ok((data, framing.ended()))
    }

    fn chunked(text: &[u8]) -> Result<(Vec<u8>, bool), BadChunk> {
        body(Framing::Chunked(Chunk::START), &[text])
    }

    #[test]
    fn chunks_extensions_and_trailers_are_told_from_the_body() {
        let whole = b"4;name=\"a\"\r\nwrit\r\n0B\r\ner\":true,\r\n\r\n0\r\nx-sum: 1\r\n\r\nnext";
        assert_eq!(chunked(whole), Ok((b"writer\":true,\r\n".to_vec(), true)));
        assert_eq!(chunked(b"3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n"), Ok((b"abc".to_vec(), true)));
        assert_eq!(chunked(b"3\nabc\n0\n\n"), Ok((b"abc".to_vec(), true)), "bare line feeds");
        assert_eq!(chunked(b"3\r\nab"), Ok((b"ab".to_vec(), false)));
        for bad in ["\r\n", "g\r\n", "3\r\nabcd\r\n", "3x\r\n", "1111111111111111\r\n", "-1\r\n"] {
            assert_eq!(chunked(bad.as_bytes()), Err(BadChunk), "{bad:?}");
        }
    }

    #[test]
    fn a_length_ends_where_it_says() {
        assert_eq!(body(Framing::Length(3), &[b"ab", b"cd"]), Ok((b"abc".to_vec(), true)));
        assert_eq!(body(Framing::Length(5), &[b"ab", b"cd"]), Ok((b"abcd".to_vec(), false)));
        assert_eq!(body(Framing::UntilClose, &[b"ab", b"cd"]), Ok((b"abcd".to_vec(), false)));
    }

    proptest! {
        #[test]
        fn how_chunks_are_cut_up_does_not_matter(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..30), 0..6),
            cut in 1_usize..9,
        ) {
            let mut wire = Vec::new();
            for chunk in &chunks {
                wire.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                wire.extend_from_slice(chunk);
                wire.extend_from_slice(b"\r\n");
            }
            wire.extend_from_slice(b"0\r\n\r\n");
            let pieces: Vec<&[u8]> = wire.chunks(cut).collect();
            prop_assert_eq!(body(Framing::Chunked(Chunk::START), &pieces), Ok((chunks.concat(), true)));
        }
    }
}
