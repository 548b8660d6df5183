use std::{
    collections::BTreeMap,
    fmt, iter,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustls::{
    DigitallySignedStruct, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use sha2::{Digest as _, Sha256};

use super::super::certificate::Fields;
use crate::time::Timestamp;

/// How many chains are remembered at most.
const MOST: usize = 1_024;

/// Verifies what the usual verifier verifies, and remembers which chain was good for which name: what the signatures in it
/// say cannot change, and its dates are looked at each time. A fleet shows one chain thousands of times a minute, and
/// to follow it takes as long as all the rest of looking.
///
/// That the server holds the certificate's key it has to prove in each handshake; that is never remembered.
pub(super) struct Remembering {
    verifier: Arc<WebPkiServerVerifier>,
    good: Mutex<BTreeMap<[u8; 32], Validity>>,
}

/// While all certificates of a chain are valid, both ends included, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Validity {
    from: i64,
    until: i64,
}

impl Validity {
    fn of<'c>(chain: impl Iterator<Item = &'c CertificateDer<'c>>) -> Option<Self> {
        let seconds = |at: Timestamp| at.as_millis().div_euclid(1_000);
        let mut all = Self { from: i64::MIN, until: i64::MAX };
        for certificate in chain {
            let fields = Fields::read(certificate)?;
            all.from = all.from.max(seconds(fields.not_before));
            all.until = all.until.min(seconds(fields.not_after));
        }
        Some(all)
    }

    fn holds(self, now: UnixTime) -> bool {
        i64::try_from(now.as_secs()).is_ok_and(|now| (self.from..=self.until).contains(&now))
    }
}

impl Remembering {
    pub(super) fn new(verifier: Arc<WebPkiServerVerifier>) -> Self {
        Self { verifier, good: Mutex::default() }
    }

    fn good(&self) -> MutexGuard<'_, BTreeMap<[u8; 32], Validity>> {
        self.good.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Remembering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remembering").field("good", &self.good().len()).finish_non_exhaustive()
    }
}

/// What stands for this name with this chain: each part with its length before it.
fn digest(name: &ServerName<'_>, end: &CertificateDer<'_>, others: &[CertificateDer<'_>]) -> [u8; 32] {
    let name = name.to_str();
    let parts =
        iter::once(name.as_bytes()).chain(iter::once(end.as_ref())).chain(others.iter().map(|der| der.as_ref()));
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

impl ServerCertVerifier for Remembering {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let key = digest(server_name, end_entity, intermediates);
        if self.good().get(&key).is_some_and(|validity| validity.holds(now)) {
            return Ok(ServerCertVerified::assertion());
        }
        let verified = self.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        if let Some(validity) = Validity::of(iter::once(end_entity).chain(intermediates)) {
            let mut good = self.good();
            if good.len() >= MOST {
                // Which one goes is chance: they are in the order of their digests.
                good.pop_first();
            }
            good.insert(key, validity);
        }
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::{RootCertStore, crypto::ring, pki_types::pem::PemObject as _};

    use super::*;

    fn read(name: &str) -> Vec<CertificateDer<'static>> {
        let path = format!("{}/tests/it/certificates/{name}.pem", env!("CARGO_MANIFEST_DIR"));
        CertificateDer::pem_file_iter(path).unwrap().map(Result::unwrap).collect()
    }

    fn verifier() -> Remembering {
        let mut roots = RootCertStore::empty();
        roots.add(read("root").remove(0)).unwrap();
        let provider = Arc::new(ring::default_provider());
        Remembering::new(WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap())
    }

    fn at(seconds: i64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds.unsigned_abs()))
    }

    fn name(name: &'static str) -> ServerName<'static> {
        ServerName::try_from(name).unwrap()
    }

    #[test]
    fn what_is_remembered_is_what_the_usual_verifier_says_at_every_moment() {
        let chain = read("good");
        let (end, others) = chain.split_first().unwrap();
        let validity = Validity::of(chain.iter()).unwrap();
        let verifier = verifier();
        let moments = [
            validity.from,
            validity.from - 1,
            validity.until,
            validity.until + 1,
            validity.from + 1,
            validity.until - 1,
        ];
        for moment in moments.into_iter().chain(moments) {
            let usual = verifier.verifier.verify_server_cert(end, others, &name("front.example"), &[], at(moment));
            let ours = verifier.verify_server_cert(end, others, &name("front.example"), &[], at(moment));
            assert_eq!(ours.is_ok(), usual.is_ok(), "at {moment}");
            assert_eq!(ours.is_ok(), validity.holds(at(moment)), "at {moment}");
        }
        assert_eq!(verifier.good().len(), 1);
    }

    #[test]
    fn a_chain_is_remembered_for_its_name_alone_and_not_when_it_is_bad() {
        let chain = read("good");
        let (end, others) = chain.split_first().unwrap();
        let now = at(Validity::of(chain.iter()).unwrap().from);
        let verifier = verifier();
        assert!(verifier.verify_server_cert(end, others, &name("front.example"), &[], now).is_ok());
        assert!(verifier.verify_server_cert(end, others, &name("back.example"), &[], now).is_err());
        let mut forged = end.to_vec();
        *forged.last_mut().unwrap() ^= 1;
        let forged = CertificateDer::from(forged);
        assert!(verifier.verify_server_cert(&forged, others, &name("front.example"), &[], now).is_err());
        assert_eq!(verifier.good().len(), 1, "what is refused is looked at anew each time");
    }
}
