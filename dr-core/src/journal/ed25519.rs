use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

use super::{Signature, Signer, Verifier};
use crate::error::{Effect, Error, ErrorKind, Result};

/// Signs with an Ed25519 key (RFC 8032) that the embedder provides.
///
/// ```
/// use dr_core::journal::{Ed25519Signer, Ed25519Verifier, Signer as _, Verifier as _};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> dr_core::error::Result<()> {
/// // 32 secret bytes, from wherever secrets are kept.
/// let signer = Ed25519Signer::from_seed("runner-2026", &[7; 32])?;
/// let verifier = Ed25519Verifier::new().trust("runner-2026", signer.public_key());
/// let signature = signer.sign(b"what was written").await?;
/// assert!(verifier.trusts("runner-2026", b"what was written", &signature));
/// assert!(!verifier.trusts("runner-2026", b"what was not", &signature));
/// # Ok(())
/// # }
/// ```
pub struct Ed25519Signer {
    name: String,
    pair: Ed25519KeyPair,
}

impl Ed25519Signer {
    /// A signer with the key whose 32 secret bytes these are.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) when they are not 32.
    pub fn from_seed(name: impl Into<String>, seed: &[u8]) -> Result<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| refused("needs 32 secret bytes"))?;
        Ok(Self { name: name.into(), pair })
    }

    /// A signer with a key in PKCS#8, as `openssl genpkey -algorithm ed25519 -outform DER` writes it.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) when it is no such key.
    pub fn from_pkcs8(name: impl Into<String>, der: &[u8]) -> Result<Self> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(|_| refused("is no PKCS#8 key"))?;
        Ok(Self { name: name.into(), pair })
    }

    /// The key's public half, 32 bytes, for those who verify.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }
}

/// What was given stays out of the message.
fn refused(why: &str) -> Error {
    Error::new(ErrorKind::Invalid, format!("the signing key {why}")).with_effect(Effect::NotApplied)
}

impl fmt::Debug for Ed25519Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ed25519Signer").field("name", &self.name).finish_non_exhaustive()
    }
}

#[async_trait]
impl Signer for Ed25519Signer {
    fn key(&self) -> &str {
        &self.name
    }

    async fn sign(&self, message: &[u8]) -> Result<Signature> {
        Ok(Signature(self.pair.sign(message).as_ref().to_vec()))
    }
}

/// Trusts the Ed25519 keys that it was told of.
#[derive(Clone, Debug, Default)]
pub struct Ed25519Verifier {
    keys: BTreeMap<String, Vec<u8>>,
}

impl Ed25519Verifier {
    /// One that trusts nobody yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts one more public key under its name.
    #[must_use]
    pub fn trust(mut self, name: impl Into<String>, public_key: &[u8]) -> Self {
        self.keys.insert(name.into(), public_key.to_vec());
        self
    }
}

impl Verifier for Ed25519Verifier {
    fn trusts(&self, key: &str, message: &[u8], signature: &Signature) -> bool {
        self.keys
            .get(key)
            .is_some_and(|public| UnparsedPublicKey::new(&ED25519, public).verify(message, &signature.0).is_ok())
    }
}
