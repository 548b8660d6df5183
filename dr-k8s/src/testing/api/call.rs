//! A request, taken apart: which verb on which resource.

use std::{collections::BTreeMap, fmt, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Method, Uri, header};
use serde_json::Value;

use super::ApiError;
use crate::testing::catalog::{Catalog, ResourceType};

/// What is asked for, in the words of Kubernetes' authorization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    DeleteCollection,
}

impl Verb {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }

    pub(crate) const fn reads(self) -> bool {
        matches!(self, Self::Get | Self::List | Self::Watch)
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a path leads to.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// A document about the server itself.
    Document(Value),
    /// `/healthz` and its kin.
    Health,
    /// Objects of a kind, or one of them, or a subresource of that.
    Objects {
        resource: Arc<ResourceType>,
        /// Absent for cluster-wide kinds and for all namespaces at once.
        namespace: Option<String>,
        name: Option<String>,
        subresource: Option<String>,
    },
    /// Nothing that is served.
    Nothing,
}

/// A request to the API server.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) verb: Verb,
    pub(crate) target: Target,
    pub(crate) path: String,
    query: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn new(catalog: &Catalog, method: &Method, uri: &Uri, headers: HeaderMap, body: Bytes) -> Self {
        let query = parse_query(uri.query().unwrap_or_default());
        let path = uri.path().to_owned();
        let decoded: Vec<String> = path.split('/').filter(|s| !s.is_empty()).map(percent_decode).collect();
        let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
        let target = find_target(catalog, &segments);
        let one = matches!(&target, Target::Objects { name: Some(_), .. });
        let objects = matches!(&target, Target::Objects { .. });
        let watch = query.get("watch").is_some_and(|w| w == "true" || w == "1");
        let verb = match *method {
            Method::POST => Verb::Create,
            Method::PUT => Verb::Update,
            Method::PATCH => Verb::Patch,
            Method::DELETE if one => Verb::Delete,
            Method::DELETE => Verb::DeleteCollection,
            _ if watch && objects => Verb::Watch,
            _ if one || !objects => Verb::Get,
            _ => Verb::List,
        };
        Self { verb, target, path, query, headers, body }
    }

    /// The name that a fault is matched against: `k8s:patch deployments/scale`, `k8s:get /version`.
    pub(crate) fn operation(&self) -> String {
        match &self.target {
            Target::Objects { resource, subresource, .. } => match subresource {
                Some(sub) => format!("k8s:{} {}/{sub}", self.verb, resource.plural),
                None => format!("k8s:{} {}", self.verb, resource.plural),
            },
            _ => format!("k8s:{} {}", self.verb, self.path),
        }
    }

    /// A query parameter, empty when absent.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.query.get(name).map(String::as_str).unwrap_or_default()
    }

    pub(crate) fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    /// Whether nothing may be stored.
    pub(crate) fn dry_run(&self) -> bool {
        self.param("dryRun") == "All"
    }

    /// Who owns the fields that this call writes: `fieldManager`, or the first word of the user agent.
    pub(crate) fn manager(&self) -> String {
        let named = self.param("fieldManager");
        let agent = self.header(header::USER_AGENT).split('/').next().unwrap_or_default();
        [named, agent, "unknown"].into_iter().find(|s| !s.is_empty()).unwrap_or_default().to_owned()
    }

    /// The media type of the body, without its parameters.
    pub(crate) fn content_type(&self) -> &str {
        self.header(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<Value, ApiError> {
        if self.content_type().contains("protobuf") || self.content_type().contains("cbor") {
            let message = format!("the double reads JSON bodies only, not {}", self.content_type());
            return Err(ApiError::unsupported_media_type(message));
        }
        serde_json::from_slice(&self.body)
            .map_err(|e| ApiError::bad_request(format!("the object provided is unrecognized: {e}")))
    }
}

fn find_target(catalog: &Catalog, segments: &[&str]) -> Target {
    if matches!(segments, ["healthz" | "livez" | "readyz", ..]) {
        return Target::Health;
    }
    if let Some(document) = catalog.discovery(segments) {
        return Target::Document(document);
    }
    let (group, version, rest) = match segments {
        ["api", version, rest @ ..] => ("", *version, rest),
        ["apis", group, version, rest @ ..] => (*group, *version, rest),
        _ => return Target::Nothing,
    };
    let owned = |s: &str| Some(s.to_owned());
    // `/namespaces/NAME` is itself an object, and its own subresources shadow kinds of the same name.
    let (namespace, plural, rest) = match rest {
        ["namespaces", namespace, plural, rest @ ..] if !matches!(*plural, "status" | "finalize") => {
            (owned(namespace), *plural, rest)
        }
        [plural, rest @ ..] => (None, *plural, rest),
        [] => return Target::Nothing,
    };
    let Some(resource) = catalog.find(group, version, plural) else { return Target::Nothing };
    if namespace.is_some() != resource.namespaced && (namespace.is_some() || !rest.is_empty()) {
        return Target::Nothing;
    }
    let (name, subresource) = match rest {
        [] => (None, None),
        [name] => (owned(name), None),
        [name, sub] => (owned(name), owned(sub)),
        _ => return Target::Nothing,
    };
    Target::Objects { resource: Arc::clone(resource), namespace, name, subresource }
}

fn parse_query(query: &str) -> BTreeMap<String, String> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(k, v)| (percent_decode(&k.replace('+', " ")), percent_decode(&v.replace('+', " "))))
        .collect()
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut ahead = rest.clone();
        let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
        if let (Some(high), Some(low)) = (digit(ahead.next()), digit(ahead.next())) {
            bytes.push(high * 16 + low);
            rest = ahead;
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(method: Method, uri: &str) -> String {
        Call::new(&Catalog::default(), &method, &uri.parse().unwrap(), HeaderMap::new(), Bytes::new()).operation()
    }

    #[test]
    fn names_operations() {
        let ns = "/apis/apps/v1/namespaces/production/deployments";
        assert_eq!(operation(Method::GET, ns), "k8s:list deployments");
        assert_eq!(operation(Method::GET, &format!("{ns}?watch=true")), "k8s:watch deployments");
        assert_eq!(operation(Method::PATCH, &format!("{ns}/cart/scale")), "k8s:patch deployments/scale");
        assert_eq!(operation(Method::DELETE, ns), "k8s:deletecollection deployments");
        assert_eq!(operation(Method::GET, "/api/v1/namespaces/production"), "k8s:get namespaces");
        assert_eq!(operation(Method::PUT, "/api/v1/namespaces/a/status"), "k8s:update namespaces/status");
        assert_eq!(operation(Method::GET, "/apis/apps/v1/deployments"), "k8s:list deployments");
        assert_eq!(operation(Method::GET, "/version"), "k8s:get /version");
        assert_eq!(operation(Method::GET, "/apis/apps/v1/deployments/cart"), "k8s:get /apis/apps/v1/deployments/cart");
    }

    #[test]
    fn decodes_queries() {
        let query = parse_query("labelSelector=app%3Dcart%2Ctier+in+(a)&watch=1&bad=%zz");
        assert_eq!(query.get("labelSelector").map(String::as_str), Some("app=cart,tier in (a)"));
        assert_eq!(query.get("bad").map(String::as_str), Some("%zz"));
    }
}
