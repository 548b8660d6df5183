use bytes::{Bytes, BytesMut};

/// Takes the `aws-chunked` framing off a body: `SIZE[;chunk-signature=…]\r\nDATA\r\n…0\r\nTRAILERS\r\n`.
///
/// Signatures and trailing checksums are read past, as all signatures are here. Nothing comes of a broken framing.
pub(super) fn unframe(body: &Bytes) -> Option<Bytes> {
    let mut rest: &[u8] = body;
    let mut data = BytesMut::new();
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
        let (head, after) = rest.split_at(end);
        let digits = head.split(|byte| *byte == b';').next()?;
        let size = usize::from_str_radix(std::str::from_utf8(digits).ok()?.trim(), 16).ok()?;
        let after = after.get(2..)?;
        if size == 0 {
            return Some(data.freeze());
        }
        data.extend_from_slice(after.get(..size)?);
        rest = after.get(size..)?.strip_prefix(b"\r\n")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &'static str) -> Option<Bytes> {
        unframe(&Bytes::from_static(body.as_bytes()))
    }

    #[test]
    fn frames_signatures_and_trailers_come_off() {
        let signed = "5;chunk-signature=ab\r\nhello\r\n1;chunk-signature=cd\r\n!\r\n0;chunk-signature=ef\r\n\r\n";
        assert_eq!(of(signed).as_deref(), Some(b"hello!".as_slice()));
        assert_eq!(of("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n").as_deref(), Some(b"hello".as_slice()));
        assert_eq!(of("0\r\n\r\n").as_deref(), Some(b"".as_slice()));
    }

    #[test]
    fn a_broken_framing_is_refused() {
        assert_eq!(of(""), None);
        assert_eq!(of("5\r\nhel"), None);
        assert_eq!(of("zz\r\nhello\r\n0\r\n"), None);
        assert_eq!(of("2\r\nhello\r\n0\r\n"), None);
        assert_eq!(of("ffffffffffffffff\r\nhello\r\n0\r\n"), None);
    }
}
