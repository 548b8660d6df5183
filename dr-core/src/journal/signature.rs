use std::fmt::{self, Debug};

use async_trait::async_trait;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::hex;
use crate::error::Result;

/// A signature, as the signer made it. People and files see it in hexadecimal.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature(pub Vec<u8>);

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write(f, &self.0)
    }
}

impl Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({self})")
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        hex::read(&text).map(Self).ok_or_else(|| D::Error::custom("a signature is pairs of 0-9 a-f"))
    }
}

/// Signs checkpoints with a key that this library never sees: one in memory, in a key service, in a hardware module.
///
/// Its `Debug` form goes into logs: leave the key out of it.
///
/// ```
/// use dr_core::{error::Result, journal::{Signature, Signer}};
///
/// /// Signs nothing; what it would have signed is for somebody's eyes.
/// #[derive(Debug)]
/// struct OnPaper;
///
/// #[async_trait::async_trait]
/// impl Signer for OnPaper {
///     fn key(&self) -> &str { "the red binder" }
///     async fn sign(&self, message: &[u8]) -> Result<Signature> {
///         println!("{}", String::from_utf8_lossy(message));
///         Ok(Signature(b"see page 4".to_vec()))
///     }
/// }
/// ```
#[async_trait]
pub trait Signer: Debug + Send + Sync + 'static {
    /// The key's name, by which a [`Verifier`] finds the other half.
    fn key(&self) -> &str;

    /// Signs the message.
    ///
    /// # Errors
    ///
    /// When the key cannot be used.
    async fn sign(&self, message: &[u8]) -> Result<Signature>;
}

/// Tells whether a signature is that of a key it trusts.
///
/// ```
/// use dr_core::journal::{Signature, Verifier};
///
/// /// Believes one page of one binder.
/// #[derive(Debug)]
/// struct ByEye;
///
/// impl Verifier for ByEye {
///     fn trusts(&self, key: &str, _message: &[u8], signature: &Signature) -> bool {
///         key == "the red binder" && signature.0 == b"see page 4"
///     }
/// }
/// ```
pub trait Verifier: Debug + Send + Sync + 'static {
    /// Whether `key` is trusted and has signed this message.
    fn trusts(&self, key: &str, message: &[u8], signature: &Signature) -> bool;
}
