use bytes::Bytes;
use http::{Request, header::AUTHORIZATION};

/// The name of the service in the scope of a request's signature, from the header or from a presigned query.
///
/// `AWS4-HMAC-SHA256 Credential=AKID/20261123/us-east-1/rds/aws4_request, SignedHeaders=…` names `rds`.
pub(super) fn signed_service(request: &Request<Bytes>) -> Option<String> {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let from_header = header.and_then(|header| {
        let (_, rest) = header.split_once("Credential=")?;
        service_of(rest.split([',', ' ']).next()?)
    });
    from_header.or_else(|| {
        let credential = request.uri().query()?.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Credential="))?;
        service_of(&credential.replace("%2F", "/").replace("%2f", "/"))
    })
}

/// The scope is `ID/DATE/REGION/SERVICE/aws4_request`; with SigV4a, which signs for many regions, it is
/// `ID/DATE/SERVICE/aws4_request`. An id may hold slashes of its own, so count from the end.
fn service_of(credential: &str) -> Option<String> {
    let mut parts = credential.rsplit('/');
    (parts.next() == Some("aws4_request")).then(|| parts.next().map(str::to_owned)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str, authorization: Option<&str>) -> Request<Bytes> {
        let mut request = Request::builder().uri(uri);
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        request.body(Bytes::new()).unwrap()
    }

    #[test]
    fn the_header_names_the_service() {
        let header =
            "AWS4-HMAC-SHA256 Credential=AKID/20261123/us-east-1/rds/aws4_request, SignedHeaders=host, Signature=0";
        assert_eq!(signed_service(&request("/", Some(header))).as_deref(), Some("rds"));
    }

    #[test]
    fn a_presigned_query_names_the_service() {
        let uri =
            "/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20261123%2Fus-east-1%2Fs3%2Faws4_request";
        assert_eq!(signed_service(&request(uri, None)).as_deref(), Some("s3"));
    }

    #[test]
    fn an_anonymous_request_names_none() {
        assert_eq!(signed_service(&request("/b/k", None)), None);
        assert_eq!(signed_service(&request("/", Some("Bearer abc"))), None);
    }
}
