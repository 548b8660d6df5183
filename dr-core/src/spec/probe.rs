//! What is probed, how often, and when a run of results counts.

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    asking::{LikeSpec, RequestSpec, TlsSpec},
    duration::{self, DurationText},
    place::{APPLICATION_ENDPOINT, RegionSpec},
};
use crate::{
    detect::detection_bounds,
    model::{ProbeId, RegionId},
    probe::AddressFamily,
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
    /// A TLS handshake with the region's endpoint under its own name and under the public one: the certificate's chain,
    /// names and days left. It has no vote: an HTTPS probe already fails where clients would. What changes is announced.
    Certificate,
    /// Where the public name leads, by the word of each of its authoritative servers. It has no vote on a region either.
    Dns,
}

impl ProbeKind {
    /// Whether what it sees counts for or against a region.
    #[must_use]
    pub const fn votes(self) -> bool {
        match self {
            Self::Http | Self::Write | Self::Tcp => true,
            Self::Certificate | Self::Dns => false,
        }
    }
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
    /// Statuses that count as healthy. Default: 200 alone, because a redirect to a login page is not health; 200 to 399
    /// for a probe that is `like: route53`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
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

/// How what was written is read again. `{{id}}` stands for a name that each write gets anew, in `body` and in the paths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReadBack")]
pub struct ReadBackSpec {
    /// The path to GET, on the endpoint that was written to. Its answer must contain the name.
    #[schemars(extend("pattern" = "^/", "examples" = ["/orders/{{id}}"]))]
    pub path: String,
    /// How long after the write it may take until it can be read. Default: what is left of the probe's timeout.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "duration::optional")]
    #[schemars(with = "DurationText")]
    pub within: Option<Duration>,
    /// Statuses of the answer that count. Default: 200 alone.
    #[serde(default = "ok_only", skip_serializing_if = "is_ok_only")]
    #[schemars(length(min = 1), inner(range(min = 100, max = 599)), extend("examples" = [[200]]))]
    pub status: Vec<u16>,
    /// The path to DELETE in the end, so that nothing is left. Default: nothing is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("pattern" = "^/", "examples" = ["/orders/{{id}}"]))]
    pub delete: Option<String>,
}

fn is_ok_only(status: &[u16]) -> bool {
    status == [200]
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
    /// Write: how what was written is read again. Without it, the write's own answer is believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ReadBackSpec")]
    pub read_back: Option<ReadBackSpec>,
    /// Certificate: names to ask for beside the endpoint's own. Default: the host of the application's `endpoint`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [["api.example.com"]]))]
    pub names: Vec<String>,
    /// Certificate: how long it should still be valid. Default: 30 d.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "duration::optional")]
    #[schemars(with = "DurationText")]
    pub expires_in_at_least: Option<Duration>,
    /// Certificate: a file of certificates (PEM) to trust beside the public authorities'.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("examples" = ["/etc/dr/roots.pem"]))]
    pub trust: Option<String>,
    /// DNS: the public name. Default: the host of the application's `endpoint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("examples" = ["api.example.com"]))]
    pub name: Option<String>,
    /// DNS: every authoritative server of the name, as `host` or `host:port`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("examples" = [["ns-1.awsdns-01.org"]]))]
    pub servers: Vec<String>,
    /// DNS: resolvers such as clients use, as `host` or `host:port`. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("examples" = [["1.1.1.1", "9.9.9.9"]]))]
    pub resolvers: Vec<String>,
    /// TCP: `host:port` by region. DNS: the name of each region's own balancer.
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
    /// HTTP: whose way of looking to take over, before everything else that is said here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "LikeSpec", extend("examples" = ["route53"]))]
    pub like: Option<LikeSpec>,
    /// HTTP: how to ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "RequestSpec", extend("examples" = [{ "method": "HEAD" }]))]
    pub request: Option<RequestSpec>,
    /// HTTPS: whom to believe. Default: the public authorities, for the host that is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "TlsSpec", extend("examples" = [{ "server_name": "api.example.com" }]))]
    pub tls: Option<TlsSpec>,
    /// HTTP and TCP: which of a name's addresses to try. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "AddressFamily", extend("examples" = ["ipv4"]))]
    pub family: Option<AddressFamily>,
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
        /// What the answer must be. No status: those of the probe that this one is like.
        expect: ExpectSpec,
    },
    /// A write that is read back.
    Transaction {
        /// The URL to POST to.
        write: String,
        /// What is posted.
        body: String,
        /// What the answer must be.
        expect: ExpectSpec,
        /// The URL to GET.
        read: String,
        /// The URL to DELETE.
        delete: Option<String>,
    },
    /// A `host:port` to connect to.
    Tcp {
        /// The address.
        address: String,
    },
    /// A `host:port` to shake hands with.
    Certificate {
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
                let mut expect = self.expect.clone().unwrap_or_default();
                if expect.status.is_empty() && self.like.is_none() {
                    expect.status = ok_only();
                }
                let at = |path: &str| format!("{}{path}", base.trim_end_matches('/'));
                match &self.read_back {
                    Some(read_back) => Some(ProbeTarget::Transaction {
                        write: at(path),
                        body: post.unwrap_or_default(),
                        expect,
                        read: at(&read_back.path),
                        delete: read_back.delete.as_deref().map(at),
                    }),
                    None => Some(ProbeTarget::Http { url: at(path), post, expect }),
                }
            }
            ProbeKind::Certificate => {
                let base = region.endpoint(self.endpoint.as_deref().unwrap_or(APPLICATION_ENDPOINT))?;
                let (host, port) = host_of(base)?;
                let port = port.unwrap_or(443);
                let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
                Some(ProbeTarget::Certificate { address: format!("{host}:{port}") })
            }
            // It is asked of the name's servers, not of a region.
            ProbeKind::Dns => None,
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

/// The host of a URL, without the brackets of an IPv6 address, and the port when one is written.
pub(crate) fn host_of(url: &str) -> Option<(&str, Option<u16>)> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, rest.strip_prefix(':'))
        }
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    let port = match port {
        Some(port) => Some(port.parse().ok()?),
        None => None,
    };
    (!host.is_empty()).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_url_is_what_a_certificate_is_for() {
        assert_eq!(host_of("https://api.example.com"), Some(("api.example.com", None)));
        assert_eq!(host_of("https://api.example.com:8443/a:b"), Some(("api.example.com", Some(8443))));
        assert_eq!(host_of("https://u:p@api.example.com/x"), Some(("api.example.com", None)));
        assert_eq!(host_of("https://[2001:db8::1]:443"), Some(("2001:db8::1", Some(443))));
        for url in ["ftp://a", "https://", "https://a:b", "api.example.com"] {
            assert_eq!(host_of(url), None, "{url}");
        }
    }

    #[test]
    fn what_is_read_back_lies_beside_what_was_written() {
        let region: RegionSpec = serde_json::from_value(serde_json::json!({
            "id": "us-east-1", "role": "active", "endpoints": { "application": "https://use1.example.com:8443/v1/" },
        }))
        .unwrap();
        let read_back = ReadBackSpec {
            path: "/orders/{{id}}".to_owned(),
            within: None,
            status: ok_only(),
            delete: Some("/orders/{{id}}?hard=1".to_owned()),
        };
        let write = ProbeSpec {
            kind: ProbeKind::Write,
            path: Some("/orders".to_owned()),
            body: Some("{}".to_owned()),
            read_back: Some(read_back),
            ..probe()
        };
        let target = write.target(&region).unwrap();
        assert_eq!(
            target,
            ProbeTarget::Transaction {
                write: "https://use1.example.com:8443/v1/orders".to_owned(),
                body: "{}".to_owned(),
                expect: ExpectSpec { status: vec![200], body: None },
                read: "https://use1.example.com:8443/v1/orders/{{id}}".to_owned(),
                delete: Some("https://use1.example.com:8443/v1/orders/{{id}}?hard=1".to_owned()),
            }
        );
        let certificate = ProbeSpec { kind: ProbeKind::Certificate, path: None, ..probe() };
        let address = "use1.example.com:8443".to_owned();
        assert_eq!(certificate.target(&region), Some(ProbeTarget::Certificate { address }));
    }

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
