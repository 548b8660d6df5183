use async_trait::async_trait;
use bytes::Bytes;
use dr_core::model::RegionId;
use http::{HeaderValue, Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::BodyExt as _;
use s3s::{
    Body,
    service::{S3Service as Protocol, S3ServiceBuilder},
};

use super::{
    S3,
    operations::{Caller, IMPLEMENTED, Operations},
    request,
};
use crate::testing::{CallCx, Element, Operation, Refusal, Service};

/// The API of S3, for buckets and objects.
#[derive(Clone)]
pub struct S3Service {
    model: S3,
    protocol: Protocol,
}

impl std::fmt::Debug for S3Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3Service").field("model", &self.model).finish_non_exhaustive()
    }
}

impl S3Service {
    pub(in crate::testing) fn new(model: S3) -> Self {
        let protocol = S3ServiceBuilder::new(Operations { model: model.clone() }).build();
        Self { model, protocol }
    }

    /// The region that a request should have gone to, when this is not it.
    fn elsewhere(&self, cx: &CallCx, bucket: &str) -> Option<RegionId> {
        // These two answer in every region, and a bucket is created where the caller says.
        if ["GetBucketLocation", "ListBuckets", "CreateBucket"].contains(&cx.action()) {
            return None;
        }
        let home = self.model.buckets_at(cx.now()).get(bucket).map(|bucket| bucket.region.clone());
        home.filter(|home| home != cx.region())
    }
}

#[async_trait]
impl Service for S3Service {
    fn name(&self) -> &'static str {
        "s3"
    }

    fn identify(&self, request: &Request<Bytes>) -> Operation {
        request::identify(request)
    }

    async fn call(&self, cx: &CallCx, request: Request<Bytes>) -> Response<Bytes> {
        let is_head = request.method() == Method::HEAD;
        let signed = request::is_signed(&request);
        let (bucket, _) = request::target(&request);
        if let Some(home) = self.elsewhere(cx, &bucket) {
            return redirect(cx, &bucket, &home, is_head);
        }
        if !IMPLEMENTED.contains(&cx.action()) {
            return self.refuse(&request, &Refusal::NotImplemented(cx.operation().to_owned()));
        }
        // Only objects can be public.
        if !signed && !["GetObject", "HeadObject", "ListObjectsV2"].contains(&cx.action()) {
            return error(StatusCode::FORBIDDEN, "AccessDenied", "Access Denied", is_head, |it| it);
        }
        let Some(mut request) = request::plain(request) else {
            return error(StatusCode::BAD_REQUEST, "InvalidRequest", "The request cannot be read", is_head, |it| it);
        };
        request.extensions_mut().insert(Caller { cx: cx.clone(), signed });
        let failed = |why: &dyn std::fmt::Display| {
            error(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", &why.to_string(), is_head, |it| it)
        };
        let reply = match self.protocol.call(request.map(Body::from)).await {
            Ok(reply) => reply,
            Err(why) => return failed(&format_args!("{why:?}")),
        };
        let (mut parts, body) = reply.into_parts();
        if let Ok(id) = HeaderValue::from_str(cx.request_id()) {
            parts.headers.insert("x-amz-request-id", id);
        }
        // s3s leaves it to the server to send no body in answer to a HEAD.
        if is_head {
            return Response::from_parts(parts, Bytes::new());
        }
        match body.collect().await {
            Ok(body) => Response::from_parts(parts, body.to_bytes()),
            Err(why) => failed(&why),
        }
    }

    fn refuse(&self, request: &Request<Bytes>, why: &Refusal) -> Response<Bytes> {
        let (status, code, message) = match why {
            Refusal::Throttled => {
                (StatusCode::SERVICE_UNAVAILABLE, "SlowDown", "Please reduce your request rate.".to_owned())
            }
            Refusal::ServerError => (StatusCode::INTERNAL_SERVER_ERROR, "InternalError", why.to_string()),
            Refusal::NotImplemented(_) => (StatusCode::NOT_IMPLEMENTED, "NotImplemented", why.to_string()),
            Refusal::Malformed(_) => (StatusCode::BAD_REQUEST, "InvalidRequest", why.to_string()),
        };
        error(status, code, &message, request.method() == Method::HEAD, |it| it)
    }
}

fn redirect(cx: &CallCx, bucket: &str, home: &RegionId, is_head: bool) -> Response<Bytes> {
    let message = "The bucket you are attempting to access must be addressed using the specified endpoint. \
        Please send all future requests to this endpoint.";
    let mut reply = error(StatusCode::MOVED_PERMANENTLY, "PermanentRedirect", message, is_head, |it| {
        it.leaf("Endpoint", format!("s3.{home}.amazonaws.com"))
            .leaf("Bucket", bucket)
            .leaf("RequestId", cx.request_id())
    });
    if let Ok(region) = HeaderValue::from_str(home.as_str()) {
        reply.headers_mut().insert("x-amz-bucket-region", region);
    }
    reply
}

/// An error as S3 writes it; the answer to a HEAD has no body to write it in.
fn error(
    status: StatusCode,
    code: &str,
    message: &str,
    is_head: bool,
    more: impl FnOnce(Element) -> Element,
) -> Response<Bytes> {
    let root = more(Element::new("Error").leaf("Code", code).leaf("Message", message));
    let mut reply = Response::new(if is_head { Bytes::new() } else { Bytes::from(root.document()) });
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    reply
}
