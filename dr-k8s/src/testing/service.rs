use std::{
    convert::Infallible,
    io,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use dr_core::{
    model::Plane,
    testing::{CallSite, Fault},
};
use futures::{FutureExt as _, future::BoxFuture};
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use serde_json::Value;
use tower::{BoxError, Service};

use super::{
    api::{ApiError, Call, Reply, Verb},
    cluster::Shared,
    watch,
};

/// The body of an answer: a document at once, or the lines of a watch as they come.
pub type ResponseBody = UnsyncBoxBody<Bytes, BoxError>;

/// The API server of a [`Cluster`](super::Cluster) as a tower service.
///
/// An error of the service is a broken connection, as a client sees it; everything that an API server says, refusals
/// included, is a response.
#[derive(Clone, Debug)]
pub struct ClusterService {
    shared: Arc<Shared>,
}

impl ClusterService {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

impl<B> Service<Request<B>> for ClusterService
where
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let shared = Arc::clone(&self.shared);
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map_err(Into::into)?.to_bytes();
            let call = shared.with(|state| Call::new(&state.catalog, &parts.method, &parts.uri, parts.headers, body));
            answer(shared, call).await
        }
        .boxed()
    }
}

/// Takes a call past the fault board and to the API server.
async fn answer(shared: Arc<Shared>, call: Call) -> Result<Response<ResponseBody>, BoxError> {
    let operation = call.operation();
    let site = CallSite { region: &shared.region, plane: Plane::Kubernetes, operation: &operation };
    match shared.faults.decide(&site) {
        Some(Fault::Refuse) => Err(broken(io::ErrorKind::ConnectionRefused, "connection refused")),
        Some(Fault::BlackHole) => {
            hold(&shared, &site, Fault::BlackHole).await;
            Err(broken(io::ErrorKind::ConnectionReset, "connection reset by peer"))
        }
        Some(Fault::Slow { delay_ms }) => {
            shared.clock.sleep(Duration::from_millis(delay_ms)).await;
            respond(&shared, call, None)
        }
        Some(Fault::Throttle) => document(Err(ApiError::too_many_requests())),
        Some(Fault::ServerError) => document(Err(ApiError::unavailable())),
        Some(Fault::ReplyLost) => {
            drop(respond(&shared, call, None));
            Err(broken(io::ErrorKind::ConnectionReset, "connection reset by peer"))
        }
        Some(Fault::NoReply) => {
            drop(respond(&shared, call, None));
            hold(&shared, &site, Fault::NoReply).await;
            Err(broken(io::ErrorKind::ConnectionReset, "connection reset by peer"))
        }
        Some(Fault::LateApply { delay_ms }) => {
            if !call.verb.reads() && authorised(&shared, &call) {
                shared.with(|state| state.handle_later(call, Duration::from_millis(delay_ms)));
            }
            Err(broken(io::ErrorKind::ConnectionReset, "connection reset by peer"))
        }
        Some(Fault::StaleRead { age_ms }) => respond(&shared, call, Some(Duration::from_millis(age_ms))),
        None | Some(_) => respond(&shared, call, None),
    }
}

/// Waits as a call into a region that is gone waits: until its fault is off the board.
///
/// The answer is lost all the same; a caller that is still there then sees its connection reset.
async fn hold(shared: &Shared, site: &CallSite<'_>, fault: Fault) {
    let mut board = shared.faults.watch();
    loop {
        if board.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        if !shared.faults.stands(site, fault) {
            return;
        }
    }
}

fn broken(kind: io::ErrorKind, message: &'static str) -> BoxError {
    io::Error::new(kind, message).into()
}

fn authorised(shared: &Shared, call: &Call) -> bool {
    shared.token.as_ref().is_none_or(|token| call.header(header::AUTHORIZATION).strip_prefix("Bearer ") == Some(token))
}

fn respond(shared: &Arc<Shared>, call: Call, stale: Option<Duration>) -> Result<Response<ResponseBody>, BoxError> {
    if !authorised(shared, &call) {
        return document(Err(ApiError::unauthorized()));
    }
    if call.verb == Verb::Watch {
        return match watch::open(shared, &call) {
            Ok(body) => Ok(Response::builder().header(header::CONTENT_TYPE, "application/json").body(body)?),
            Err(error) => document(Err(error)),
        };
    }
    document(shared.with(|state| state.handle(&call, stale)))
}

fn document(result: Result<Reply, ApiError>) -> Result<Response<ResponseBody>, BoxError> {
    let (code, body, retry_after) = match result {
        Ok(reply) => (reply.code, reply.body, None),
        Err(error) => (error.code, error.status(), error.retry_after),
    };
    let (media, bytes) = match body {
        Value::String(text) => ("text/plain; charset=utf-8", Bytes::from(text)),
        body => ("application/json", Bytes::from(serde_json::to_vec(&body)?)),
    };
    let mut response = Response::new(Full::new(bytes).map_err(|e: Infallible| match e {}).boxed_unsync());
    *response.status_mut() = StatusCode::from_u16(code)?;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}
