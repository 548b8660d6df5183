use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::model::RegionId;

/// The certificate that a region shows to clients of the public name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateFact {
    /// Where it is served.
    pub region: RegionId,
    /// The names that it covers (its subject alternative names), wildcards as written.
    pub names: Option<Vec<String>>,
    /// The last day, in UTC, on which it is valid.
    pub valid_until: Option<Date>,
    /// Whether something of one's own looks at it regularly.
    pub probed: Option<bool>,
}

impl CertificateFact {
    /// Whether it covers a name; none when its names are not known.
    #[must_use]
    pub fn covers(&self, name: &str) -> Option<bool> {
        let wanted = name.trim_end_matches('.').to_ascii_lowercase();
        let parent = wanted.split_once('.').map(|(_, parent)| parent);
        // A wildcard stands for exactly one label.
        let fits = |name: &String| match name.to_ascii_lowercase().strip_prefix("*.") {
            Some(under) => parent == Some(under),
            None => name.eq_ignore_ascii_case(&wanted),
        };
        Some(self.names.as_ref()?.iter().any(fits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_stands_for_one_label() {
        let names = |names: &[&str]| CertificateFact {
            region: RegionId::new("eu-west-1").unwrap(),
            names: Some(names.iter().map(|name| (*name).to_owned()).collect()),
            valid_until: None,
            probed: None,
        };
        assert_eq!(names(&["api.example.com"]).covers("API.example.com."), Some(true));
        assert_eq!(names(&["*.example.com"]).covers("api.example.com"), Some(true));
        assert_eq!(names(&["*.example.com"]).covers("v2.api.example.com"), Some(false));
        assert_eq!(names(&["*.example.com"]).covers("example.com"), Some(false));
        assert_eq!(names(&[]).covers("example.com"), Some(false));
        assert_eq!(CertificateFact { names: None, ..names(&[]) }.covers("example.com"), None);
    }
}
