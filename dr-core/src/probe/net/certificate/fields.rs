use std::fmt;

use der::{AnyRef, Decode as _, Reader as _, SliceReader, Tag, Tagged as _, asn1};

use crate::time::Timestamp;

/// No part of a certificate is repeated at greater length: whoever made it could have written anything.
const LONGEST: usize = 64;

/// What a certificate says of itself (RFC 5280, section 4.1). Nothing of it is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Fields {
    /// In hexadecimal.
    pub(super) serial: String,
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(in super::super) not_before: Timestamp,
    pub(in super::super) not_after: Timestamp,
}

impl Fields {
    /// Reads them; none when this is no certificate.
    pub(in super::super) fn read(certificate: &[u8]) -> Option<Self> {
        let certificate = AnyRef::from_der(certificate).ok()?;
        let mut certificate = inside(certificate, Tag::Sequence)?;
        let mut signed = inside(certificate.decode().ok()?, Tag::Sequence)?;
        let mut serial: AnyRef<'_> = signed.decode().ok()?;
        // A version comes first, but for the first version.
        if matches!(serial.tag(), Tag::ContextSpecific { .. }) {
            serial = signed.decode().ok()?;
        }
        let _algorithm: AnyRef<'_> = signed.decode().ok()?;
        let issuer = name(signed.decode().ok()?)?;
        let mut validity = inside(signed.decode().ok()?, Tag::Sequence)?;
        let not_before = moment(validity.decode().ok()?)?;
        let not_after = moment(validity.decode().ok()?)?;
        let subject = name(signed.decode().ok()?)?;
        (serial.tag() == Tag::Integer).then(|| Self {
            serial: hexadecimal(serial.value()),
            issuer,
            subject,
            not_before,
            not_after,
        })
    }
}

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { serial, issuer, subject, not_before, not_after } = self;
        let (from, until) = (not_before.date(), not_after.date());
        write!(f, "{subject} by {issuer}, serial {serial}, valid {from} to {until}")
    }
}

fn inside<'a>(value: AnyRef<'a>, tag: Tag) -> Option<SliceReader<'a>> {
    (value.tag() == tag).then(|| SliceReader::new(value.value()).ok()).flatten()
}

fn moment(value: AnyRef<'_>) -> Option<Timestamp> {
    let since_epoch = match value.tag() {
        Tag::UtcTime => value.decode_as::<asn1::UtcTime>().ok()?.to_unix_duration(),
        Tag::GeneralizedTime => value.decode_as::<asn1::GeneralizedTime>().ok()?.to_unix_duration(),
        _ => return None,
    };
    Some(Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)))
}

/// A distinguished name: its common name and organisation, which are what people know it by.
fn name(value: AnyRef<'_>) -> Option<String> {
    /// `id-at-commonName` and `id-at-organizationName`, as they are encoded.
    const SHOWN: [(&[u8], &str); 2] = [(&[0x55, 0x04, 0x03], "CN"), (&[0x55, 0x04, 0x0a], "O")];
    let mut parts = inside(value, Tag::Sequence)?;
    let mut shown = Vec::new();
    while !parts.is_finished() {
        let mut attributes = inside(parts.decode().ok()?, Tag::Set)?;
        while !attributes.is_finished() {
            let mut attribute = inside(attributes.decode().ok()?, Tag::Sequence)?;
            let kind: AnyRef<'_> = attribute.decode().ok()?;
            let value: AnyRef<'_> = attribute.decode().ok()?;
            let known = SHOWN.iter().find(|(code, _)| *code == kind.value());
            if let (Some((_, word)), true) = (known, shown.len() < SHOWN.len()) {
                shown.push(format!("{word}={}", printable(&String::from_utf8_lossy(value.value()))));
            }
        }
    }
    Some(if shown.is_empty() { "nobody".to_owned() } else { shown.join(", ") })
}

/// Text from a stranger, safe to show and short.
pub(super) fn printable(text: &str) -> String {
    let mut letters = text.chars().map(|letter| if letter.is_control() { '?' } else { letter });
    let mut short: String = letters.by_ref().take(LONGEST).collect();
    if letters.next().is_some() {
        short.push('…');
    }
    short
}

fn hexadecimal(bytes: &[u8]) -> String {
    let text: String = bytes.iter().take(LONGEST / 2).map(|byte| format!("{byte:02x}")).collect();
    let significant = text.trim_start_matches('0');
    if significant.is_empty() { "0".to_owned() } else { significant.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, proptest};
    use rustls::pki_types::{CertificateDer, pem::PemObject as _};

    use super::*;

    const GOOD: &[u8] = include_bytes!("../../../../tests/it/certificates/good.pem");
    const EXPIRED: &[u8] = include_bytes!("../../../../tests/it/certificates/expired.pem");

    fn der(pem: &[u8]) -> Vec<u8> {
        CertificateDer::from_pem_slice(pem).unwrap().to_vec()
    }

    #[test]
    fn a_certificate_says_whose_it_is_and_until_when() {
        let fields = Fields::read(&der(GOOD)).unwrap();
        assert_eq!(
            fields.to_string(),
            "CN=dr test server by CN=dr test root, serial 1000, valid 2025-01-01 to 2124-12-31"
        );
        let expired = Fields::read(&der(EXPIRED)).unwrap();
        assert_eq!(expired.not_after.to_string(), "2020-02-01T00:00:00.000Z");
    }

    #[test]
    fn a_stranger_s_text_is_cut_and_cleaned() {
        assert_eq!(printable("a\u{1b}[31m\nb"), "a?[31m?b");
        assert_eq!(printable(&"x".repeat(100)), format!("{}…", "x".repeat(64)));
    }

    proptest! {
        #[test]
        fn what_is_no_certificate_is_none_and_never_a_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let _ = Fields::read(&bytes);
            let mut bent = der(GOOD);
            let at = at.index(bent.len());
            bent[at] = byte;
            let _ = Fields::read(&bent);
            let _ = Fields::read(&bent[..at]);
        }
    }
}
