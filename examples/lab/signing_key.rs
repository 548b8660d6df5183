//! The private key of a file, as the programs beside the lab sign with it.

use std::{fs, path::Path};

use dr_core::journal::{Ed25519Signer, PublicKey};

use crate::config::Unread;

/// A private key, to sign with.
#[derive(Debug)]
pub struct SigningKey {
    /// Signs, under the name of the key's fingerprint.
    pub signer: Ed25519Signer,
    /// The public half, for those who verify.
    pub public: PublicKey,
    /// What its owner should know about the file, if there is something.
    pub warning: Option<String>,
}

impl SigningKey {
    /// Reads an Ed25519 key in PKCS#8, in PEM or DER.
    ///
    /// # Errors
    ///
    /// [`Unread`] when there is none. Nothing that the file says is in it.
    pub fn read(file: &Path) -> Result<Self, Unread> {
        let shown = file.display();
        let bytes = fs::read(file).map_err(|e| {
            Unread::Absent(format!("no key can be read at {shown} ({e}): `observer --new-key {shown}` makes one"))
        })?;
        let unusable =
            || Unread::Wrong(format!("{shown} is no Ed25519 key in PKCS#8: `observer --new-key FILE` makes one"));
        let der = match std::str::from_utf8(&bytes) {
            Ok(text) if text.contains("-----BEGIN PRIVATE KEY-----") => from_pem(text).ok_or_else(unusable)?,
            _ => bytes,
        };
        let unnamed = Ed25519Signer::from_pkcs8("", &der).map_err(|_| unusable())?;
        let public = PublicKey::from_bytes(unnamed.public_key()).map_err(|_| unusable())?;
        let signer = Ed25519Signer::from_pkcs8(public.fingerprint(), &der).map_err(|_| unusable())?;
        let warning =
            others_can_read(file).then(|| format!("everybody on this machine can read {shown}: `chmod 600` it"));
        Ok(Self { signer, public, warning })
    }
}

fn from_pem(text: &str) -> Option<Vec<u8>> {
    use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
    let key = PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes()).ok()?;
    Some(key.secret_pkcs8_der().to_vec())
}

#[cfg(unix)]
fn others_can_read(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o007 != 0)
}

#[cfg(not(unix))]
fn others_can_read(_: &Path) -> bool {
    false
}
