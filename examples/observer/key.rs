use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::Path,
};

use dr_core::journal::{Ed25519Signer, PublicKey};
use ring::{rand::SystemRandom, signature::Ed25519KeyPair};

use crate::exit::{Exit, Stop};

/// Makes a key, which nobody but its owner can read, and gives its public half.
pub(crate) fn make(file: &Path) -> Result<PublicKey, Stop> {
    let unmade = |why: String| Stop::new(Exit::Unmade, format!("no key at {}: {why}", file.display()));
    let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
        .map_err(|_| unmade("this machine gives no random numbers".to_owned()))?;
    let mut options = OpenOptions::new();
    // A key that is there is never replaced: somebody trusts it.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut made = options.open(file).map_err(|e| unmade(e.to_string()))?;
    made.write_all(key.as_ref()).and_then(|()| made.sync_all()).map_err(|e| unmade(e.to_string()))?;
    let (_, public) = read(file)?;
    Ok(public)
}

/// The key in a file, to sign with, and its public half. The key is named by its fingerprint.
pub(crate) fn read(file: &Path) -> Result<(Ed25519Signer, PublicKey), Stop> {
    let shown = file.display();
    let bytes = fs::read(file).map_err(|e| {
        Stop::new(Exit::Absent, format!("no key can be read at {shown} ({e}): `observer --new-key {shown}` makes one"))
    })?;
    warn_if_others_can_read(file);
    // What was read stays out of every message.
    let unusable =
        || Stop::new(Exit::Usage, format!("{shown} is no Ed25519 key in PKCS#8: `observer --new-key FILE` makes one"));
    let der = match std::str::from_utf8(&bytes) {
        Ok(text) if text.contains("-----BEGIN PRIVATE KEY-----") => from_pem(text).ok_or_else(unusable)?,
        _ => bytes,
    };
    let unnamed = Ed25519Signer::from_pkcs8("", &der).map_err(|_| unusable())?;
    let public = PublicKey::from_bytes(unnamed.public_key()).map_err(|_| unusable())?;
    let signer = Ed25519Signer::from_pkcs8(public.fingerprint(), &der).map_err(|_| unusable())?;
    Ok((signer, public))
}

fn from_pem(text: &str) -> Option<Vec<u8>> {
    use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
    let key = PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes()).ok()?;
    Some(key.secret_pkcs8_der().to_vec())
}

#[cfg(unix)]
fn warn_if_others_can_read(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    if fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o007 != 0) {
        eprintln!("observer: everybody on this machine can read {}: `chmod 600` it", file.display());
    }
}

#[cfg(not(unix))]
fn warn_if_others_can_read(_: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("observer.key");
        let public = make(&file).unwrap();
        assert_eq!(read(&file).unwrap().1, public);
        assert_eq!(make(&file).unwrap_err().exit, Exit::Unmade);
        assert_eq!(read(&file).unwrap().1, public);
    }

    #[test]
    fn a_key_is_read_as_openssl_writes_it() {
        // The example of RFC 8410, 10.3.
        let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("observer.pem");
        fs::write(&file, pem).unwrap();
        let public = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=".parse().unwrap();
        assert_eq!(read(&file).unwrap().1, public);
        fs::write(&file, "no key").unwrap();
        let stop = read(&file).unwrap_err();
        assert_eq!(stop.exit, Exit::Usage);
    }
}
