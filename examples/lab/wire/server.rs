use std::{fmt, future::Future, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// The longest request body that is read.
const BODY_LIMIT: usize = 1 << 20;

/// What becomes of a request.
#[derive(Debug)]
pub(crate) enum Answer {
    /// It is answered.
    Reply(Response<Bytes>),
    /// The connection is broken without an answer.
    HangUp,
}

/// Who stands at a listening socket.
pub(crate) trait Door: Send + Sync + 'static {
    /// Whether a new connection is let in; one that is not is reset.
    fn admits(&self) -> bool {
        true
    }

    /// Answers a request.
    fn answer(self: Arc<Self>, request: Request<Bytes>) -> impl Future<Output = Answer> + Send;
}

/// Serves `door` until cancelled, and breaks the connections that are then open.
pub(crate) async fn serve<D: Door>(listener: TcpListener, door: Arc<D>, cancel: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = cancel.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        // Out of file descriptors, most likely: the next accept may do better once a connection has ended.
        let Ok((stream, _)) = accepted else {
            tokio::task::yield_now().await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        if door.admits() {
            connections.spawn(converse(stream, Arc::clone(&door)));
        } else {
            // With a linger of zero the close sends a reset. Should that fail, the caller sees a plain close: as good a break.
            let _ = stream.set_zero_linger();
        }
    }
}

async fn converse<D: Door>(stream: TcpStream, door: Arc<D>) {
    // Only slower without it.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let door = Arc::clone(&door);
        async move {
            let (parts, body) = request.into_parts();
            let body = Limited::new(body, BODY_LIMIT).collect().await.map_err(|_| HungUp)?.to_bytes();
            match door.answer(Request::from_parts(parts, body)).await {
                Answer::Reply(response) => Ok(response.map(Full::new)),
                Answer::HangUp => Err(HungUp),
            }
        }
    });
    // An error is the caller's hanging up, or ours.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// What makes hyper break a connection without an answer.
#[derive(Debug)]
struct HungUp;

impl fmt::Display for HungUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is to be broken")
    }
}

impl std::error::Error for HungUp {}
