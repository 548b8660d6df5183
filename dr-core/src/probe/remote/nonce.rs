use std::{fmt, str::FromStr};

use ring::rand::{SystemRandom, generate};
use serde::{Deserialize, Serialize};

use crate::error::{Effect, Error, ErrorKind, Result};

/// Text that is no nonce and no boot id: 32 digits of `0-9 a-f`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this takes 32 digits of 0-9 a-f")]
pub struct InvalidNonce;

/// 128 bits that nobody can foresee.
fn random() -> Result<u128> {
    let bytes = generate::<[u8; 16]>(&SystemRandom::new()).map_err(|_| {
        Error::new(ErrorKind::Internal, "this machine gives no random numbers").with_effect(Effect::NotApplied)
    })?;
    Ok(u128::from_be_bytes(bytes.expose()))
}

/// Reads what `{:032x}` wrote, and nothing else.
fn read(text: &str) -> Result<u128, InvalidNonce> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != 32 || !text.bytes().all(is_digit) {
        return Err(InvalidNonce);
    }
    u128::from_str_radix(text, 16).map_err(|_| InvalidNonce)
}

macro_rules! random_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(u128);

        impl $name {
            /// One that was never used before.
            ///
            /// # Errors
            ///
            /// [`Internal`](ErrorKind::Internal) when the machine gives no random numbers.
            pub fn random() -> Result<Self> {
                random().map(Self)
            }

            /// The one of these bits, for tests that need to foresee it.
            #[must_use]
            pub const fn from_bits(bits: u128) -> Self {
                Self(bits)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:032x})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidNonce;

            fn from_str(text: &str) -> Result<Self, InvalidNonce> {
                read(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidNonce;

            fn try_from(text: String) -> Result<Self, InvalidNonce> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    )*};
}

random_id! {
    /// What makes one question different from every other: an answer that repeats it was made for this question.
    Nonce;
    /// One life of an observer's process. Its sequence numbers and its monotonic clock begin anew with it.
    BootId;
}
