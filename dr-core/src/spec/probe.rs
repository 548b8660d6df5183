//! What is probed, how often, and when a run of results counts.

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    duration::{self, DurationText},
    place::{APPLICATION_ENDPOINT, RegionSpec},
};
use crate::{
    detect::detection_bounds,
    model::{ProbeId, RegionId},
};

/// How a probe looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeKind {
    /// An HTTP GET of `path`, judged by status and body.
    Http,
    /// An HTTP POST of `body` to `path`: a synthetic write, as a client would make it. A region whose reads are fine and
    /// whose writes fail is found by nothing else.
    Write,
    /// A TCP connection to `targets`.
    Tcp,
}

/// How many results in a row change a probe's mind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Threshold")]
pub struct ThresholdSpec {
    /// Failures in a row until the region counts as unhealthy.
    #[schemars(range(min = 1, max = 1000), extend("examples" = [3]))]
    pub trip: u32,
    /// Successes in a row until it counts as healthy again. More than `trip` damps flapping.
    #[schemars(range(min = 1, max = 1000), extend("examples" = [5]))]
    pub clear: u32,
}

/// What an HTTP answer must be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Expect")]
pub struct ExpectSpec {
    /// Statuses that count as healthy. Default: 200 alone, because a redirect to a login page is not health.
    #[serde(default = "ok_only")]
    #[schemars(length(min = 1), inner(range(min = 100, max = 599)), extend("examples" = [[200]]))]
    pub status: Vec<u16>,
    /// Text that the body must contain, case-sensitive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("examples" = ["\"writer\":true"]))]
    pub body: Option<String>,
}

fn ok_only() -> Vec<u16> {
    vec![200]
}

/// A probe of `dr.yaml`: each observer runs it against each region that serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Probe")]
pub struct ProbeSpec {
    /// The probe's name.
    #[schemars(extend("examples" = ["storefront"]))]
    pub id: ProbeId,
    /// How it looks.
    pub kind: ProbeKind,
    /// Write: what is posted. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("examples" = ["{\"synthetic\":true}"]))]
    pub body: Option<String>,
    /// HTTP: which of the region's `endpoints` the path is joined to. Default: `application`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("examples" = ["application"]))]
    pub endpoint: Option<String>,
    /// HTTP: the path to GET. Choose one that exercises what clients need, a write included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("pattern" = "^/", "examples" = ["/health"]))]
    pub path: Option<String>,
    /// TCP: `host:port` by region.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("examples" = [{ "us-east-1": "db.us-east-1.example.com:5432" }]))]
    pub targets: BTreeMap<RegionId, String>,
    /// Time between the starts of two probes from one observer.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub interval: Duration,
    /// How long one probe may take. No longer than the interval.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub timeout: Duration,
    /// How many results in a row count.
    pub threshold: ThresholdSpec,
    /// HTTP: what the answer must be. Default: status 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ExpectSpec")]
    pub expect: Option<ExpectSpec>,
}

/// Where a probe looks in one region, resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeTarget {
    /// A URL to GET, or to POST to.
    Http {
        /// The whole URL.
        url: String,
        /// What is posted; a GET when absent.
        post: Option<String>,
        /// What the answer must be.
        expect: ExpectSpec,
    },
    /// A `host:port` to connect to.
    Tcp {
        /// The address.
        address: String,
    },
}

impl ProbeSpec {
    /// Where this probe looks in `region`; `None` when it does not look there.
    #[must_use]
    pub fn target(&self, region: &RegionSpec) -> Option<ProbeTarget> {
        match self.kind {
            ProbeKind::Http | ProbeKind::Write => {
                let post = (self.kind == ProbeKind::Write).then(|| self.body.clone().unwrap_or_default());
                let base = region.endpoint(self.endpoint.as_deref().unwrap_or(APPLICATION_ENDPOINT))?;
                let path = self.path.as_deref().unwrap_or("/");
                let expect =
                    self.expect.clone().unwrap_or_else(|| ExpectSpec { status: ok_only(), ..ExpectSpec::default() });
                Some(ProbeTarget::Http { url: format!("{}{path}", base.trim_end_matches('/')), post, expect })
            }
            ProbeKind::Tcp => self.targets.get(&region.id).map(|address| ProbeTarget::Tcp { address: address.clone() }),
        }
    }

    /// The longest that one observer takes to call a region that answers nothing unhealthy: the interval that had
    /// just begun, then `trip` probes that each run into their timeout, with an interval between them
    /// (`I + N*T + (N-1)*I`; Route 53 counts the same way, with its connect timeout of 4 s for T).
    #[must_use]
    pub fn detect_max(&self) -> Duration {
        detection_bounds(self.interval, self.timeout, self.threshold.trip).max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe() -> ProbeSpec {
        serde_json::from_value(serde_json::json!({
            "id": "storefront", "kind": "http", "path": "/health",
            "interval": "10s", "timeout": "4s", "threshold": { "trip": 3, "clear": 5 },
        }))
        .unwrap()
    }

    #[test]
    fn a_black_hole_takes_42_seconds_at_ten_and_three() {
        assert_eq!(probe().detect_max(), Duration::from_secs(42));
    }

    #[test]
    fn a_path_is_joined_to_the_region_s_endpoint() {
        let region: RegionSpec = serde_json::from_value(serde_json::json!({
            "id": "us-east-1", "role": "active", "endpoints": { "application": "http://127.0.1.1:8080/", "other": "" },
        }))
        .unwrap();
        let target = probe().target(&region);
        let expect = ExpectSpec { status: vec![200], body: None };
        assert_eq!(
            target,
            Some(ProbeTarget::Http { url: "http://127.0.1.1:8080/health".to_owned(), post: None, expect })
        );
        let elsewhere = ProbeSpec { endpoint: Some("other".to_owned()), ..probe() };
        assert_eq!(elsewhere.target(&region), None, "an empty endpoint counts as not given");
    }
}
