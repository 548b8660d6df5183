//! How an HTTP probe asks: what a person may want to say of a request beside where it goes.

use std::{collections::BTreeMap, fmt, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration::{self, DurationText};

/// Whose way of looking a probe takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "LooksLike")]
pub enum LikeSpec {
    /// One of Route 53's health checkers: 4 s to connect, 2 s to answer and 2 s for the body, any status from 200 to 399,
    /// no check of the certificate, IPv4 alone. To see what Route 53 sees, beside a probe that looks more carefully.
    Route53,
}

/// A method of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(rename = "Method")]
#[expect(missing_docs, reason = "their names are what they send")]
pub enum MethodSpec {
    Get,
    Head,
    Options,
    Post,
    Put,
    Patch,
    Delete,
}

impl MethodSpec {
    /// As it is sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// How far a redirect is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FollowRedirects")]
pub struct RedirectsSpec {
    /// How many, one after the other.
    #[schemars(range(min = 1, max = 10), extend("examples" = [2]))]
    pub follow: u8,
    /// Where to. Default: within the same host.
    #[serde(default)]
    pub to: RedirectScope,
}

/// Where a redirect may lead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RedirectScope {
    /// Anywhere on the host that was asked.
    #[default]
    SameHost,
    /// To any host. The probe's own headers are not sent there.
    AnyHost,
}

/// How an HTTP probe asks.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Request")]
pub struct RequestSpec {
    /// The method. Default: GET, and POST for a write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MethodSpec", extend("examples" = ["HEAD"]))]
    pub method: Option<MethodSpec>,
    /// Headers to send beside the usual ones. Their values are kept out of logs; put secrets in by variable.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("examples" = [{ "content-type": "application/json" }]))]
    pub headers: BTreeMap<String, String>,
    /// The `Host` to ask for, and over TLS the name to find in the certificate: to ask one region's own balancer for the
    /// public name. Default: the endpoint's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("examples" = ["api.example.com"]))]
    pub host: Option<String>,
    /// How long resolving, connecting and TLS may take together. Default: the probe's timeout.
    #[serde(default, with = "duration::optional", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "DurationText")]
    pub connect_timeout: Option<Duration>,
    /// How long the head of the answer may take, and again its body. Default: the probe's timeout.
    #[serde(default, with = "duration::optional", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "DurationText")]
    pub response_timeout: Option<Duration>,
    /// Whether to go where a redirect leads. Default: no, because a login page is not health.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "RedirectsSpec", extend("examples" = [{ "follow": 2 }]))]
    pub redirects: Option<RedirectsSpec>,
    /// Whether to keep the connection for the next look. Default: no, because a new client needs a new one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_alive: bool,
}

impl fmt::Debug for RequestSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestSpec")
            .field("method", &self.method)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("host", &self.host)
            .field("connect_timeout", &self.connect_timeout)
            .field("response_timeout", &self.response_timeout)
            .field("redirects", &self.redirects)
            .field("keep_alive", &self.keep_alive)
            .finish()
    }
}

/// Whom an HTTPS probe believes, and what it tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Tls")]
pub struct TlsSpec {
    /// The name to ask for in the handshake and to find in the certificate. Default: the `Host`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("examples" = ["api.example.com"]))]
    pub server_name: Option<String>,
    /// Whether the handshake names the server (SNI). Default: yes.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub sni: bool,
    /// Certificates in PEM to trust beside the public authorities'.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub trust: Option<String>,
    /// Takes any certificate: expired, for another name, signed by anybody. Default: no.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dangerously_accept_any_certificate: bool,
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_of_a_header_is_not_shown() {
        let request: RequestSpec =
            serde_json::from_value(serde_json::json!({ "headers": { "authorization": "Bearer s3cret" } })).unwrap();
        let shown = format!("{request:?}");
        assert!(shown.contains("authorization") && !shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in [
            r#"{"method":"HEAD","headers":{"x":"y"},"host":"a.example","connect_timeout":"4s","response_timeout":"2s","redirects":{"follow":2,"to":"any-host"},"keep_alive":true}"#,
            "{}",
        ] {
            let request: RequestSpec = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&request).unwrap(), text);
        }
        let text = r#"{"server_name":"a.example","sni":false,"dangerously_accept_any_certificate":true}"#;
        let tls: TlsSpec = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&tls).unwrap(), text);
        assert_eq!(serde_json::to_string(&serde_json::from_str::<TlsSpec>("{}").unwrap()).unwrap(), "{}");
    }
}
