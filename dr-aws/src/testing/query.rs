use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header::CONTENT_TYPE};

use super::{CallCx, Element, Refusal};

/// The parameters of a request in the AWS query protocol, body and URL query taken together.
///
/// Lists are flattened as `Filters.Filter.1.Name=…` or `Regions.member.1=…`; read them with
/// [`strings`](Self::strings) and [`forms`](Self::forms).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    fields: BTreeMap<String, String>,
}

impl Form {
    /// The parameters of a request.
    #[must_use]
    pub fn of(request: &Request<Bytes>) -> Self {
        let body = String::from_utf8_lossy(request.body());
        let mut form = Self::of_query(request);
        form.fields.extend(fields(&body));
        form
    }

    /// The parameters in a request's URL alone.
    #[must_use]
    pub fn of_query(request: &Request<Bytes>) -> Self {
        Self { fields: fields(request.uri().query().unwrap_or_default()).collect() }
    }

    /// The name of the operation; empty when there is none.
    #[must_use]
    pub fn action(&self) -> &str {
        self.get("Action").unwrap_or_default()
    }

    /// A parameter, when it is there and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A parameter that is true or false; absent counts as false.
    #[must_use]
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// A parameter that is a number, when it is there and is one.
    #[must_use]
    pub fn number<N: std::str::FromStr>(&self, name: &str) -> Option<N> {
        self.get(name)?.parse().ok()
    }

    /// The texts of a list: `strings("Regions.member")`.
    #[must_use]
    pub fn strings(&self, prefix: &str) -> Vec<String> {
        (1..).map_while(|n| self.get(&format!("{prefix}.{n}")).map(str::to_owned)).collect()
    }

    /// The structures of a list, each with its fields' names cut short: `forms("Filters.Filter")`.
    #[must_use]
    pub fn forms(&self, prefix: &str) -> Vec<Self> {
        (1..).map(|n| self.form(&format!("{prefix}.{n}"))).take_while(|form| !form.fields.is_empty()).collect()
    }

    /// A structure, with its fields' names cut short; empty when there is none.
    #[must_use]
    pub fn form(&self, prefix: &str) -> Self {
        let prefix = format!("{prefix}.");
        let inside = self.fields.range(prefix.clone()..).take_while(|(name, _)| name.starts_with(&prefix));
        let fields = inside.map(|(name, value)| (name.replacen(&prefix, "", 1), value.clone())).collect();
        Self { fields }
    }

    /// Every parameter, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there is no parameter at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

fn fields(text: &str) -> impl Iterator<Item = (String, String)> {
    text.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (decode(name), decode(value)))
}

/// Undoes the encoding of `application/x-www-form-urlencoded`.
fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let mut ahead = bytes.clone();
                let digits = (ahead.next().and_then(hex), ahead.next().and_then(hex));
                if let (Some(high), Some(low)) = digits {
                    out.push(high * 16 + low);
                    bytes = ahead;
                } else {
                    out.push(b'%');
                }
            }
            other => out.push(other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// The reply side of the AWS query protocol, which RDS and ElastiCache speak.
#[derive(Clone, Copy, Debug)]
pub struct QueryProtocol {
    /// The XML namespace of the service's replies: `http://rds.amazonaws.com/doc/2014-10-31/`.
    pub namespace: &'static str,
}

impl QueryProtocol {
    /// A successful reply; `fill` adds to the element of the result.
    #[must_use]
    pub fn answer(&self, cx: &CallCx, fill: impl FnOnce(Element) -> Element) -> Response<Bytes> {
        let action = cx.action();
        let root = Element::new(format!("{action}Response"))
            .namespace(self.namespace)
            .child(fill(Element::new(format!("{action}Result"))))
            .child(Element::new("ResponseMetadata").leaf("RequestId", cx.request_id()));
        reply(StatusCode::OK, &root)
    }

    /// An error of the service's model: an HTTP status, a code such as `GlobalClusterNotFoundFault`, and a message.
    #[must_use]
    pub fn error(&self, status: StatusCode, code: &str, message: &str) -> Response<Bytes> {
        let side = if status.is_server_error() { "Receiver" } else { "Sender" };
        let error = Element::new("Error").leaf("Type", side).leaf("Code", code).leaf("Message", message);
        let root = Element::new("ErrorResponse")
            .namespace(self.namespace)
            .child(error)
            .leaf("RequestId", "00000000-0000-4000-8000-000000000000");
        reply(status, &root)
    }

    /// A refusal by the double.
    #[must_use]
    pub fn refuse(&self, why: &Refusal) -> Response<Bytes> {
        let (status, code) = match why {
            Refusal::Throttled => (StatusCode::BAD_REQUEST, "Throttling"),
            Refusal::ServerError => (StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure"),
            Refusal::NotImplemented(_) => (StatusCode::NOT_IMPLEMENTED, "NotImplemented"),
            Refusal::Malformed(_) => (StatusCode::BAD_REQUEST, "MalformedInput"),
        };
        self.error(status, code, &why.to_string())
    }
}

fn reply(status: StatusCode, root: &Element) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(root.document()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(body: &'static str) -> Form {
        Form::of(&Request::new(Bytes::from_static(body.as_bytes())))
    }

    #[test]
    fn fields_lists_and_structures_are_read() {
        let form = form(
            "Action=DescribeDBClusters&Filters.Filter.1.Name=db-cluster-id&Filters.Filter.1.Values.Value.1=a%3Ab&Filters.Filter.1.Values.Value.2=c+d&Include=true",
        );
        assert_eq!(form.action(), "DescribeDBClusters");
        assert!(form.is_true("Include"));
        let filters = form.forms("Filters.Filter");
        assert_eq!(filters.len(), 1);
        assert_eq!(filters[0].get("Name"), Some("db-cluster-id"));
        assert_eq!(filters[0].strings("Values.Value"), ["a:b", "c d"]);
    }

    #[test]
    fn a_stray_percent_sign_stands_for_itself() {
        assert_eq!(form("A=100%&B=%zz&C=%41").get("A"), Some("100%"));
        assert_eq!(form("A=100%&B=%zz&C=%41").get("B"), Some("%zz"));
        assert_eq!(form("A=100%&B=%zz&C=%41").get("C"), Some("A"));
    }
}
