use std::{fs::OpenOptions, io::Write as _, path::Path};

use dr_core::journal::{Ed25519Signer, PublicKey};
use dr_lab::signing_key::SigningKey;
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
    let SigningKey { signer, public, warning } = SigningKey::read(file)?;
    if let Some(warning) = warning {
        eprintln!("observer: {warning}");
    }
    Ok((signer, public))
}

#[cfg(test)]
mod tests {
    use std::fs;

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
