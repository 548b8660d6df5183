use std::borrow::Cow;

use bytes::Bytes;
use dr_core::model::Plane;
use http::{
    HeaderName, HeaderValue, Method, Request, Uri,
    header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, HOST},
    uri::PathAndQuery,
};

use super::chunked::unframe;
use crate::testing::{Access, Operation};

/// The bucket and the key of a request, as its path or its host names them; empty where it names none.
pub(super) fn target<B>(request: &Request<B>) -> (String, String) {
    let path = request.uri().path().trim_start_matches('/');
    if let Some(bucket) = virtual_host(request) {
        return (bucket, path.to_owned());
    }
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    (bucket.to_owned(), key.to_owned())
}

/// The bucket in a host such as `orders.s3.eu-west-1.amazonaws.com`.
fn virtual_host<B>(request: &Request<B>) -> Option<String> {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).or_else(|| request.uri().host())?;
    let (bucket, _) = host.split_once(".s3.").or_else(|| host.split_once(".s3-"))?;
    host.contains(".amazonaws.com").then(|| bucket.to_owned())
}

/// Sub-resources of a bucket or an object, which make an operation of their own, as `?versioning`.
const SUBRESOURCES: [(&str, &str); 24] = [
    ("accelerate", "BucketAccelerateConfiguration"),
    ("acl", "Acl"),
    ("analytics", "BucketAnalyticsConfiguration"),
    ("cors", "BucketCors"),
    ("encryption", "BucketEncryption"),
    ("inventory", "BucketInventoryConfiguration"),
    ("legal-hold", "ObjectLegalHold"),
    ("lifecycle", "BucketLifecycleConfiguration"),
    ("location", "BucketLocation"),
    ("logging", "BucketLogging"),
    ("metrics", "BucketMetricsConfiguration"),
    ("notification", "BucketNotificationConfiguration"),
    ("object-lock", "ObjectLockConfiguration"),
    ("ownershipControls", "BucketOwnershipControls"),
    ("policy", "BucketPolicy"),
    ("publicAccessBlock", "PublicAccessBlock"),
    ("replication", "BucketReplication"),
    ("requestPayment", "BucketRequestPayment"),
    ("retention", "ObjectRetention"),
    ("tagging", "Tagging"),
    ("uploadId", "Upload"),
    ("uploads", "MultipartUploads"),
    ("versioning", "BucketVersioning"),
    ("website", "BucketWebsite"),
];

/// Which operation a request asks for, and which plane serves it: objects are the data plane's.
pub(super) fn identify<B>(request: &Request<B>) -> Operation {
    let (bucket, key) = target(request);
    let query: Vec<&str> = request.uri().query().unwrap_or_default().split('&').collect();
    let has = |name: &str| query.iter().any(|pair| pair.split('=').next() == Some(name));
    let method = request.method();
    let is_object = !key.is_empty();
    let verb = match *method {
        Method::PUT | Method::POST => "Put",
        Method::DELETE => "Delete",
        _ => "Get",
    };
    let name: Cow<'static, str> = match (bucket.is_empty(), is_object) {
        (true, _) => "ListBuckets".into(),
        _ if SUBRESOURCES.iter().any(|(query, _)| has(query)) => {
            let name = SUBRESOURCES.iter().find(|(query, _)| has(query)).map_or("", |(_, name)| name);
            format!("{verb}{name}").into()
        }
        (false, false) => match *method {
            Method::HEAD => "HeadBucket",
            Method::PUT => "CreateBucket",
            Method::DELETE => "DeleteBucket",
            Method::POST if has("delete") => "DeleteObjects",
            Method::POST => "PostObject",
            _ if has("versions") => "ListObjectVersions",
            _ if has("list-type") => "ListObjectsV2",
            _ => "ListObjects",
        }
        .into(),
        (false, true) => match *method {
            Method::HEAD => "HeadObject",
            Method::PUT if request.headers().contains_key("x-amz-copy-source") => "CopyObject",
            Method::PUT => "PutObject",
            Method::DELETE => "DeleteObject",
            Method::POST => "SelectObjectContent",
            _ if has("attributes") => "GetObjectAttributes",
            _ => "GetObject",
        }
        .into(),
    };
    let data = is_object
        || ["HeadBucket", "ListObjects", "ListObjectsV2", "ListObjectVersions", "DeleteObjects"].contains(&&*name);
    let access = if matches!(*method, Method::GET | Method::HEAD) { Access::Read } else { Access::Write };
    Operation { name, plane: if data { Plane::Data } else { Plane::Control }, access }
}

/// Whether a request carries a signature, in a header or in its query.
pub(super) fn is_signed<B>(request: &Request<B>) -> bool {
    request.headers().contains_key(AUTHORIZATION)
        || request.uri().query().is_some_and(|query| query.contains("X-Amz-Signature="))
}

/// A request as `s3s` reads it without checking signatures: the bucket in the path, the body without its framing, and
/// nothing of the signature left. Nothing comes of a request that cannot be put so.
pub(super) fn plain(request: Request<Bytes>) -> Option<Request<Bytes>> {
    let bucket = virtual_host(&request);
    let (mut parts, mut body) = request.into_parts();
    let path = parts.uri.path();
    let path = match bucket {
        Some(bucket) => format!("/{bucket}{path}"),
        None => path.to_owned(),
    };
    let query: Vec<&str> =
        parts.uri.query().unwrap_or_default().split('&').filter(|pair| !is_signature(pair)).collect();
    let query = query.join("&");
    let path_and_query = if query.is_empty() { path } else { format!("{path}?{query}") };
    parts.uri = Uri::from(path_and_query.parse::<PathAndQuery>().ok()?);

    let headers = &mut parts.headers;
    let streamed = headers.get("x-amz-content-sha256").is_some_and(|value| value.as_bytes().starts_with(b"STREAMING-"));
    if streamed {
        body = unframe(&body)?;
        let encodings = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kept: Vec<&str> =
            encodings.split(',').map(str::trim).filter(|it| !it.is_empty() && *it != "aws-chunked").collect();
        let kept = HeaderValue::from_str(&kept.join(",")).ok().filter(|value| !value.is_empty());
        match kept {
            Some(value) => headers.insert(CONTENT_ENCODING, value),
            None => headers.remove(CONTENT_ENCODING),
        };
    }
    for name in [
        "x-amz-content-sha256",
        "x-amz-decoded-content-length",
        "x-amz-trailer",
        "x-amz-date",
        "x-amz-security-token",
        "expect",
    ] {
        headers.remove(HeaderName::from_static(name));
    }
    headers.remove(AUTHORIZATION);
    headers.remove(http::header::TRANSFER_ENCODING);
    if !body.is_empty() || headers.contains_key(CONTENT_LENGTH) || matches!(parts.method, Method::PUT | Method::POST) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    // s3s asks for a host, which a request that came without a socket may lack.
    headers.entry(HOST).or_insert(HeaderValue::from_static("s3.amazonaws.com"));
    Some(Request::from_parts(parts, body))
}

fn is_signature(pair: &str) -> bool {
    pair.is_empty() || pair.starts_with("X-Amz-") || pair.starts_with("x-id=")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: Method, uri: &str) -> Request<Bytes> {
        Request::builder().method(method).uri(uri).body(Bytes::new()).unwrap()
    }

    #[test]
    fn requests_name_operations() {
        for (method, uri, name, plane) in [
            (Method::GET, "/", "ListBuckets", Plane::Control),
            (Method::PUT, "/b", "CreateBucket", Plane::Control),
            (Method::GET, "/b?location", "GetBucketLocation", Plane::Control),
            (Method::PUT, "/b?versioning", "PutBucketVersioning", Plane::Control),
            (Method::GET, "/b/?list-type=2&prefix=x", "ListObjectsV2", Plane::Data),
            (Method::GET, "/b/k/l?x-id=GetObject", "GetObject", Plane::Data),
            (Method::PUT, "/b/k", "PutObject", Plane::Data),
            (Method::DELETE, "/b/k", "DeleteObject", Plane::Data),
            (Method::GET, "/b?policy", "GetBucketPolicy", Plane::Control),
            (Method::GET, "https://b.s3.eu-west-1.amazonaws.com/k", "GetObject", Plane::Data),
        ] {
            let operation = identify(&request(method, uri));
            assert_eq!((&*operation.name, operation.plane), (name, plane), "{uri}");
        }
    }

    #[test]
    fn the_signature_and_the_framing_come_off() {
        let framed = Request::builder()
            .method(Method::PUT)
            .uri("https://b.s3.eu-west-1.amazonaws.com/k?X-Amz-Signature=1&x-id=PutObject")
            .header(AUTHORIZATION, "AWS4-HMAC-SHA256 secret")
            .header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
            .header(CONTENT_ENCODING, "aws-chunked")
            .header(CONTENT_LENGTH, "999")
            .body(Bytes::from_static(b"2\r\nhi\r\n0\r\n\r\n"))
            .unwrap();
        let plain = plain(framed).unwrap();
        assert_eq!(plain.uri(), "/b/k");
        assert_eq!(plain.body(), "hi");
        assert_eq!(plain.headers()[CONTENT_LENGTH], "2");
        assert!(!plain.headers().contains_key(AUTHORIZATION) && !plain.headers().contains_key(CONTENT_ENCODING));
    }
}
