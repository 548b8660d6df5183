use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Finding;

/// The SHA-256 of a list of findings, in hexadecimal: what a decision names to say what it saw.
///
/// ```
/// use dr_core::validation::FindingsDigest;
///
/// let nothing = FindingsDigest::of(&[]);
/// assert_eq!(nothing, FindingsDigest::of(&[]));
/// assert_eq!(nothing.as_str().len(), 64);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FindingsDigest(String);

impl FindingsDigest {
    /// The digest of these findings, in this order.
    #[must_use]
    pub fn of(findings: &[Finding]) -> Self {
        let mut hash = Sha256::new();
        for finding in findings {
            let Finding { severity, subject, check, message, evidence, remedy } = finding;
            // A JSON value always encodes; keys are sorted, so that their order does not count.
            let evidence = crate::plan::canonical(evidence).unwrap_or_default();
            let severity = severity.to_string();
            let words: [&[u8]; 6] = [
                severity.as_bytes(),
                subject.as_bytes(),
                check.as_bytes(),
                message.as_bytes(),
                evidence.as_ref(),
                remedy.as_bytes(),
            ];
            for word in words {
                // With its length, so that no two lists read alike.
                hash.update(word.len().to_be_bytes());
                hash.update(word);
            }
        }
        Self(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// All 64 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for FindingsDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::validation::Severity;

    fn finding(subject: &str, evidence: serde_json::Value) -> Finding {
        Finding {
            severity: Severity::Warning,
            subject: subject.to_owned(),
            check: "E05".to_owned(),
            message: "m".to_owned(),
            evidence,
            remedy: "r".to_owned(),
        }
    }

    #[test]
    fn every_word_of_a_finding_counts_and_the_order_of_keys_does_not() {
        let digest = |findings: &[Finding]| FindingsDigest::of(findings);
        let one = digest(&[finding("a", json!({ "x": 1, "y": 2 }))]);
        assert_eq!(one, digest(&[finding("a", json!({ "y": 2, "x": 1 }))]));
        assert_ne!(one, digest(&[finding("b", json!({ "x": 1, "y": 2 }))]));
        assert_ne!(one, digest(&[finding("a", json!({ "x": 1, "y": 3 }))]));
        assert_ne!(one, digest(&[]));
    }
}
