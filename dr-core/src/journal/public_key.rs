use std::{fmt, str::FromStr};

use sha2::{Digest as _, Sha256};

use super::hex;

/// The 12 bytes before the key itself in a `SubjectPublicKeyInfo` of Ed25519 (RFC 8410).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// An Ed25519 public key (RFC 8032), as people and files write it: 64 hexadecimal digits, base64, or the PEM that
/// `openssl pkey -pubout` prints.
///
/// ```
/// use dr_core::journal::PublicKey;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let hex: PublicKey = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a".parse()?;
/// let base64: PublicKey = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=".parse()?;
/// assert_eq!(hex, base64);
/// assert!(hex.fingerprint().starts_with("sha256:"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

/// Text that is no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an Ed25519 public key is 32 bytes, in hexadecimal, base64 or PEM")]
pub struct InvalidPublicKey;

impl PublicKey {
    /// The key of these bytes: 32 of them.
    ///
    /// # Errors
    ///
    /// [`InvalidPublicKey`] when they are not 32.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidPublicKey> {
        bytes.try_into().map(Self).map_err(|_| InvalidPublicKey)
    }

    /// Its 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What people compare, and what names the key: the SHA-256 of its bytes.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        struct Hex<'a>(&'a [u8]);
        impl fmt::Display for Hex<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                hex::write(f, self.0)
            }
        }
        format!("sha256:{}", Hex(&Sha256::digest(self.0)))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write(f, &self.0)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl FromStr for PublicKey {
    type Err = InvalidPublicKey;

    fn from_str(text: &str) -> Result<Self, InvalidPublicKey> {
        let text = text.trim();
        if text.len() == 64
            && let Some(bytes) = hex::read(&text.to_ascii_lowercase())
        {
            return Self::from_bytes(&bytes);
        }
        let armoured = text.strip_prefix("-----BEGIN PUBLIC KEY-----");
        let body = match armoured {
            Some(rest) => rest.strip_suffix("-----END PUBLIC KEY-----").ok_or(InvalidPublicKey)?,
            None => text,
        };
        let bytes = base64(body).ok_or(InvalidPublicKey)?;
        Self::from_bytes(bytes.strip_prefix(&SPKI).unwrap_or(&bytes))
    }
}

/// Reads base64 (RFC 4648), in lines or in one, with or without its padding. A key is short: this need not be fast.
fn base64(text: &str) -> Option<Vec<u8>> {
    const LONGEST: usize = 256;
    let digits = text.trim_end().trim_end_matches('=');
    let (mut bits, mut held, mut bytes) = (0_u32, 0_u8, Vec::new());
    for digit in digits.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xff_ffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).ok()?);
        }
        if bytes.len() > LONGEST {
            return None;
        }
    }
    // What is left over of the last digit must say nothing: the same bytes have one text.
    (held < 6 && bits & ((1 << held) - 1) == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEX: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

    #[test]
    fn a_key_is_read_in_every_usual_form() {
        let key: PublicKey = HEX.parse().unwrap();
        let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
        for text in [
            "D75A980182B10AB7D54BFED3C964073A0EE172F3DAA62325AF021A68F707511A",
            "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
            " 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\n",
            pem,
        ] {
            assert_eq!(text.parse(), Ok(key), "{text}");
        }
        assert_eq!(key.to_string(), HEX);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in [
            "",
            "observer.pub",
            "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHUR",
            "-----BEGIN PUBLIC KEY-----\n",
            &HEX[1..],
        ] {
            assert_eq!(text.parse::<PublicKey>(), Err(InvalidPublicKey), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,100}") {
            let _ = text.parse::<PublicKey>();
        }
    }
}
