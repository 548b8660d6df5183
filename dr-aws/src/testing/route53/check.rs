use std::{fmt, str::FromStr};

/// What a health check looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckType {
    /// An HTTP answer of 2xx or 3xx.
    Http,
    /// The same over TLS, whose certificate is not looked at.
    Https,
    /// HTTP, with a text within the first 5,120 bytes of the body.
    HttpStrMatch,
    /// HTTPS, with a text within the first 5,120 bytes of the body.
    HttpsStrMatch,
    /// A TCP connection.
    Tcp,
    /// The health of other checks.
    Calculated,
    /// The data stream of a CloudWatch alarm.
    CloudwatchMetric,
    /// An ARC routing control: on is healthy.
    RecoveryControl,
}

impl CheckType {
    const WORDS: [(Self, &'static str); 8] = [
        (Self::Http, "HTTP"),
        (Self::Https, "HTTPS"),
        (Self::HttpStrMatch, "HTTP_STR_MATCH"),
        (Self::HttpsStrMatch, "HTTPS_STR_MATCH"),
        (Self::Tcp, "TCP"),
        (Self::Calculated, "CALCULATED"),
        (Self::CloudwatchMetric, "CLOUDWATCH_METRIC"),
        (Self::RecoveryControl, "RECOVERY_CONTROL"),
    ];

    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::WORDS.iter().find(|(it, _)| *it == self).map_or("", |(_, word)| word)
    }

    /// Whether checkers poll an endpoint for it.
    #[must_use]
    pub const fn polls(self) -> bool {
        !matches!(self, Self::Calculated | Self::CloudwatchMetric | Self::RecoveryControl)
    }

    /// Whether it wants a text in the body.
    #[must_use]
    pub const fn matches_text(self) -> bool {
        matches!(self, Self::HttpStrMatch | Self::HttpsStrMatch)
    }
}

impl fmt::Display for CheckType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for CheckType {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::WORDS.iter().find(|(_, word)| *word == text).map(|(it, _)| *it).ok_or(())
    }
}

/// The configuration of a health check, field for field as in the API (`HealthCheckConfig`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckConfig {
    /// What it looks at. Cannot be changed.
    pub kind: CheckType,
    /// The endpoint's address; without one, the name is resolved. Cannot be added or removed.
    pub ip_address: Option<String>,
    /// The endpoint's port; by default 80, or 443 for HTTPS.
    pub port: Option<u16>,
    /// The path, with its leading slash.
    pub resource_path: Option<String>,
    /// The `Host` header, and the name to resolve when there is no address.
    pub fully_qualified_domain_name: Option<String>,
    /// The text to find.
    pub search_string: Option<String>,
    /// Seconds from a checker's last answer to its next request: 10 or 30 (default). Cannot be changed.
    pub request_interval: Option<u32>,
    /// Consecutive results that turn a checker round, either way: 1 to 10, 3 by default.
    pub failure_threshold: Option<u32>,
    /// Whether latencies are kept. Cannot be changed.
    pub measure_latency: Option<bool>,
    /// Whether healthy counts as unhealthy and the other way round.
    pub inverted: Option<bool>,
    /// Whether it stops checking and counts as healthy (before inversion).
    pub disabled: Option<bool>,
    /// How many children of a calculated check must be healthy.
    pub health_threshold: Option<u32>,
    /// The children of a calculated check.
    pub child_health_checks: Vec<String>,
    /// Whether the name is sent in the TLS handshake.
    pub enable_sni: Option<bool>,
    /// The regions whose checkers poll; empty for all.
    pub regions: Vec<String>,
    /// The alarm, as region and name.
    pub alarm: Option<(String, String)>,
    /// What counts while the alarm has too little data: `Healthy`, `Unhealthy` or `LastKnownStatus`.
    pub insufficient_data_health_status: Option<String>,
    /// The ARC routing control.
    pub routing_control_arn: Option<String>,
}

/// Why a configuration is refused (`InvalidInput`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CheckConfigError(pub(super) String);

impl CheckConfig {
    /// A configuration with nothing but a type.
    #[must_use]
    pub fn new(kind: CheckType) -> Self {
        Self {
            kind,
            ip_address: None,
            port: None,
            resource_path: None,
            fully_qualified_domain_name: None,
            search_string: None,
            request_interval: None,
            failure_threshold: None,
            measure_latency: None,
            inverted: None,
            disabled: None,
            health_threshold: None,
            child_health_checks: Vec::new(),
            enable_sni: None,
            regions: Vec::new(),
            alarm: None,
            insufficient_data_health_status: None,
            routing_control_arn: None,
        }
    }

    /// An HTTP check of `http://ip:port/path`, every 10 seconds with threshold 3.
    #[must_use]
    pub fn http(ip: std::net::IpAddr, port: u16, path: &str) -> Self {
        Self {
            ip_address: Some(ip.to_string()),
            port: Some(port),
            resource_path: Some(path.to_owned()),
            request_interval: Some(10),
            failure_threshold: Some(3),
            ..Self::new(CheckType::Http)
        }
    }

    /// The port that is polled.
    #[must_use]
    pub fn effective_port(&self) -> u16 {
        self.port.unwrap_or(match self.kind {
            CheckType::Https | CheckType::HttpsStrMatch => 443,
            _ => 80,
        })
    }

    /// Seconds from a checker's last answer to its next request.
    #[must_use]
    pub fn interval(&self) -> std::time::Duration {
        std::time::Duration::from_secs(u64::from(self.request_interval.unwrap_or(30)))
    }

    /// Consecutive results that turn a checker round.
    #[must_use]
    pub fn threshold(&self) -> u32 {
        self.failure_threshold.unwrap_or(3)
    }

    /// The configuration as the API returns it, with the defaults filled in.
    #[must_use]
    pub(super) fn with_defaults(mut self) -> Self {
        self.inverted = Some(self.inverted.unwrap_or(false));
        self.disabled = Some(self.disabled.unwrap_or(false));
        if self.kind.polls() {
            self.port = Some(self.effective_port());
            self.request_interval = Some(self.request_interval.unwrap_or(30));
            self.failure_threshold = Some(self.threshold());
            self.measure_latency = Some(self.measure_latency.unwrap_or(false));
        }
        self
    }

    /// Checks the configuration against the rules of the API.
    ///
    /// One rule of AWS's is left out: it refuses private and loopback addresses, and a lab lives on those.
    ///
    /// # Errors
    ///
    /// The first rule that is broken.
    pub fn validate(&self) -> Result<(), CheckConfigError> {
        let refuse = |why: &str| Err(CheckConfigError(why.to_owned()));
        if !matches!(self.request_interval, None | Some(10 | 30)) {
            return refuse("Request interval must be either 10 or 30 seconds.");
        }
        if self.kind == CheckType::RecoveryControl && self.request_interval.is_some() {
            return refuse("RequestInterval cannot be specified for a RECOVERY_CONTROL health check.");
        }
        if !matches!(self.failure_threshold, None | Some(1..=10)) {
            return refuse("Failure threshold must be between 1 and 10.");
        }
        if self.port == Some(0) {
            return refuse("Port must be between 1 and 65535.");
        }
        if self.resource_path.as_ref().is_some_and(|path| path.len() > 255) {
            return refuse("Resource path must not be longer than 255 characters.");
        }
        if self.kind.polls() && self.ip_address.is_none() && self.fully_qualified_domain_name.is_none() {
            return refuse("Either IPAddress or FullyQualifiedDomainName must be specified.");
        }
        if self.ip_address.as_ref().is_some_and(|ip| ip.parse::<std::net::IpAddr>().is_err()) {
            return refuse("IPAddress must be an IPv4 or IPv6 address.");
        }
        if self.kind == CheckType::Tcp && self.port.is_none() {
            return refuse("Port must be specified for a TCP health check.");
        }
        match (self.kind.matches_text(), &self.search_string) {
            (true, None) => return refuse("SearchString must be specified for a string matching health check."),
            (true, Some(text)) if text.is_empty() || text.len() > 255 => {
                return refuse("SearchString must be between 1 and 255 characters.");
            }
            (false, Some(_)) => {
                return refuse("SearchString can only be specified for a string matching health check.");
            }
            _ => {}
        }
        if self.kind == CheckType::Calculated {
            if self.health_threshold.is_none() {
                return refuse("HealthThreshold must be specified for a CALCULATED health check.");
            }
            if self.child_health_checks.len() > 255 {
                return refuse("A CALCULATED health check must not have more than 255 children.");
            }
        }
        if self.kind == CheckType::CloudwatchMetric && self.alarm.is_none() {
            return refuse("AlarmIdentifier must be specified for a CLOUDWATCH_METRIC health check.");
        }
        if self.kind == CheckType::RecoveryControl && self.routing_control_arn.is_none() {
            return refuse("RoutingControlArn must be specified for a RECOVERY_CONTROL health check.");
        }
        if !self.regions.is_empty() && self.regions.len() < 3 {
            return refuse("At least 3 regions must be specified.");
        }
        Ok(())
    }
}

/// A health check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// Its id.
    pub id: String,
    /// What its creator called it, so that a repeated creation finds it.
    pub caller_reference: String,
    /// Grows by one with each update; starts at 1.
    pub version: u64,
    /// Its configuration.
    pub config: CheckConfig,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_rules_are_kept() {
        let good = CheckConfig::http("127.0.1.1".parse().unwrap(), 80, "/health");
        assert_eq!(good.validate(), Ok(()));
        assert!(CheckConfig { request_interval: Some(20), ..good.clone() }.validate().is_err());
        assert!(CheckConfig { failure_threshold: Some(11), ..good.clone() }.validate().is_err());
        assert!(CheckConfig { ip_address: None, ..good.clone() }.validate().is_err());
        assert!(CheckConfig { search_string: Some("x".into()), ..good.clone() }.validate().is_err());
        assert!(CheckConfig { kind: CheckType::HttpStrMatch, ..good.clone() }.validate().is_err());
        assert!(CheckConfig { regions: vec!["us-east-1".into()], ..good }.validate().is_err());
        assert!(CheckConfig::new(CheckType::Calculated).validate().is_err());
    }
}
