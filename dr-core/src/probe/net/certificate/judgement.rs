use std::{fmt, time::Duration};

use rustls::{
    CertificateError, RootCertStore,
    client::{verify_server_cert_signed_by_trust_anchor, verify_server_name},
    crypto::WebPkiSupportedAlgorithms,
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};

use super::fields::{Fields, printable};
use crate::time::Timestamp;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// No more of the names that a certificate has are repeated.
const NAMES: usize = 4;

/// Something that is wrong with a certificate, or soon will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It has no content that makes sense.
    Unreadable,
    /// It has ended.
    Expired { on: Timestamp, ago: Duration },
    /// It has not begun.
    NotYet { on: Timestamp, ahead: Duration },
    /// It ends within the time that renewal is given.
    Ending { on: Timestamp, left: Duration, wanted: Duration },
    /// It is for others.
    WrongName { wanted: String, is_for: Vec<String> },
    /// Nobody that is trusted answers for it.
    Untrusted(String),
    /// An issuer's certificate will have ended within the time that renewal is given, although its own will not.
    ChainEnding { wanted: Duration },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str("it cannot be read"),
            Self::Expired { on, ago } => write!(f, "it expired on {on}, {} ago", Days(*ago)),
            Self::NotYet { on, ahead } => write!(f, "it is not valid before {on}, in {}", Days(*ahead)),
            Self::Ending { on, left, wanted } => {
                write!(f, "it ends on {on}, in {}, less than {}", Days(*left), Days(*wanted))
            }
            Self::WrongName { wanted, is_for } => {
                write!(f, "it is not for {wanted}")?;
                match is_for.split_at_checked(NAMES) {
                    Some((first, rest)) if !rest.is_empty() => {
                        write!(f, " but for {} and {} more", first.join(", "), rest.len())
                    }
                    _ if is_for.is_empty() => f.write_str(" nor for any other name"),
                    _ => write!(f, " but for {}", is_for.join(", ")),
                }
            }
            Self::Untrusted(why) => f.write_str(why),
            Self::ChainEnding { wanted } => {
                write!(f, "an issuer's certificate in its chain ends in less than {}", Days(*wanted))
            }
        }
    }
}

/// Whole days; hours when there is no whole day.
pub(super) struct Days(pub(super) Duration);

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() / DAY.as_secs() {
            0 => write!(f, "{} h", self.0.as_secs() / 3_600),
            days => write!(f, "{days} d"),
        }
    }
}

/// Whom to believe, and how long a certificate should still last.
#[derive(Clone, Debug)]
pub(super) struct Demand {
    pub(super) roots: RootCertStore,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
    pub(super) left: Duration,
}

impl Demand {
    /// Everything that is wrong with a chain that was shown to somebody who asked for `name`.
    pub(super) fn judge(&self, chain: &[CertificateDer<'_>], name: &ServerName<'_>, now: Timestamp) -> Vec<Fault> {
        let Some((leaf, issuers)) = chain.split_first() else { return vec![Fault::Unreadable] };
        let (Some(fields), Ok(parsed)) = (Fields::read(leaf), ParsedCertificate::try_from(leaf)) else {
            return vec![Fault::Unreadable];
        };
        let mut faults = Vec::new();
        let left = fields.not_after.since(now);
        if fields.not_after < now {
            faults.push(Fault::Expired { on: fields.not_after, ago: now.since(fields.not_after) });
        } else if now < fields.not_before {
            faults.push(Fault::NotYet { on: fields.not_before, ahead: fields.not_before.since(now) });
        } else if left < self.left {
            faults.push(Fault::Ending { on: fields.not_after, left, wanted: self.left });
        }
        if let Err(error) = verify_server_name(&parsed, name) {
            faults.push(wrong_name(name, error));
        }
        // One whose time is over or not yet come may be somebody's all the same: the chain is tried at a time when it is valid.
        let valid_at = now.max(fields.not_before).min(fields.not_after);
        match self.chain(&parsed, issuers, valid_at) {
            Err(error) => faults.push(Fault::Untrusted(untrusted(&error))),
            Ok(()) if faults.is_empty() => {
                if let Err(rustls::Error::InvalidCertificate(error)) = self.chain(&parsed, issuers, now + self.left)
                    && is_expired(&error)
                {
                    faults.push(Fault::ChainEnding { wanted: self.left });
                }
            }
            Ok(()) => {}
        }
        faults
    }

    fn chain(
        &self,
        leaf: &ParsedCertificate<'_>,
        issuers: &[CertificateDer<'_>],
        at: Timestamp,
    ) -> Result<(), rustls::Error> {
        let at = Duration::from_millis(u64::try_from(at.as_millis()).unwrap_or(0));
        let at = UnixTime::since_unix_epoch(at);
        verify_server_cert_signed_by_trust_anchor(leaf, &self.roots, issuers, at, self.algorithms.all)
    }
}

fn is_expired(error: &CertificateError) -> bool {
    matches!(error, CertificateError::Expired | CertificateError::ExpiredContext { .. })
}

fn wrong_name(name: &ServerName<'_>, error: rustls::Error) -> Fault {
    let is_for = match error {
        rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. }) => {
            presented.iter().map(|name| printable(bare(name))).collect()
        }
        _ => Vec::new(),
    };
    Fault::WrongName { wanted: name.to_str().into_owned(), is_for }
}

/// `DnsName("api.example.com")` as the name in it.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
    inner.trim_matches('"')
}

fn untrusted(error: &rustls::Error) -> String {
    let rustls::Error::InvalidCertificate(error) = error else { return format!("its chain is not valid: {error}") };
    match error {
        CertificateError::UnknownIssuer => "its issuer is not trusted".to_owned(),
        CertificateError::BadSignature => "its issuer did not sign it".to_owned(),
        CertificateError::Revoked => "it was revoked".to_owned(),
        error if is_expired(error) => "an issuer's certificate in its chain has expired".to_owned(),
        other => format!("its chain is not valid: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use rustls::{crypto::ring, pki_types::pem::PemObject as _};

    use super::*;

    const ROOT: &[u8] = include_bytes!("../../../../tests/it/certificates/root.pem");
    const GOOD: &[u8] = include_bytes!("../../../../tests/it/certificates/good.pem");
    const EXPIRED: &[u8] = include_bytes!("../../../../tests/it/certificates/expired.pem");
    const SELF_SIGNED: &[u8] = include_bytes!("../../../../tests/it/certificates/self-signed.pem");

    fn demand() -> Demand {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(ROOT).unwrap()).unwrap();
        let algorithms = ring::default_provider().signature_verification_algorithms;
        Demand { roots, algorithms, left: 30 * DAY }
    }

    fn at(moment: &str) -> Timestamp {
        serde_json::from_value(serde_json::json!(moment)).unwrap()
    }

    fn said(pem: &[u8], name: &str, now: &str) -> Vec<String> {
        let name = ServerName::try_from(name).unwrap();
        let chain = [CertificateDer::from_pem_slice(pem).unwrap()];
        demand().judge(&chain, &name, at(now)).iter().map(Fault::to_string).collect()
    }

    #[test]
    fn a_certificate_is_good_from_its_first_moment_until_there_is_too_little_left() {
        let good = |now| said(GOOD, "front.example", now);
        assert_eq!(good("2025-01-01T00:00:00Z"), [""; 0]);
        assert_eq!(good("2124-12-01T00:00:00Z"), [""; 0]);
        assert_eq!(good("2124-12-01T00:00:01Z"), ["it ends on 2124-12-31T00:00:00.000Z, in 29 d, less than 30 d"]);
        assert_eq!(good("2124-12-30T20:00:00Z"), ["it ends on 2124-12-31T00:00:00.000Z, in 4 h, less than 30 d"]);
        assert_eq!(good("2124-12-31T00:00:01Z"), ["it expired on 2124-12-31T00:00:00.000Z, 0 h ago"]);
        assert_eq!(good("2024-12-30T00:00:00Z"), ["it is not valid before 2025-01-01T00:00:00.000Z, in 2 d"]);
    }

    #[test]
    fn every_fault_is_named_and_one_does_not_hide_another() {
        let now = "2027-01-01T00:00:00Z";
        assert_eq!(
            said(EXPIRED, "api.example.com", now),
            [
                "it expired on 2020-02-01T00:00:00.000Z, 2526 d ago",
                "it is not for api.example.com but for front.example, 127.0.0.1"
            ]
        );
        assert_eq!(said(SELF_SIGNED, "front.example", now), ["its issuer is not trusted"]);
        assert_eq!(said(GOOD, "127.0.0.1", now), [""; 0]);
        let name = ServerName::try_from("front.example").unwrap();
        let broken = [CertificateDer::from(&b"\x30\x03abc"[..])];
        assert_eq!(demand().judge(&broken, &name, at(now)), [Fault::Unreadable]);
        assert_eq!(demand().judge(&[], &name, at(now)), [Fault::Unreadable]);
    }

    #[test]
    fn of_many_names_a_few_are_said() {
        let is_for = (0..100).map(|n| format!("n{n}.example")).collect();
        let fault = Fault::WrongName { wanted: "api.example".to_owned(), is_for };
        let said = "it is not for api.example but for n0.example, n1.example, n2.example, n3.example and 96 more";
        assert_eq!(fault.to_string(), said);
        assert_eq!(bare("DnsName(\"api.example\")"), "api.example");
        assert_eq!(bare("IpAddress(127.0.0.1)"), "127.0.0.1");
    }
}
