use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use dr_core::model::RegionId;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use super::{World, dispatch::Reply};

/// The endpoint of a region on a socket. It stops, connections included, when dropped.
#[derive(Debug)]
pub struct Endpoint {
    region: RegionId,
    addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Endpoint {
    /// The region that answers here.
    #[must_use]
    pub fn region(&self) -> &RegionId {
        &self.region
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The endpoint URL to give to a client: `http://127.0.1.1:4566`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Stops listening and breaks the connections that are open.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl World {
    /// Listens on `addr` (port 0 for any) as the endpoint of `region`, for all services.
    ///
    /// # Errors
    ///
    /// What the operating system says when it cannot listen there.
    pub async fn serve(&self, region: &RegionId, addr: SocketAddr) -> io::Result<Endpoint> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let task = tokio::spawn(accept(self.clone(), region.clone(), listener));
        Ok(Endpoint { region: region.clone(), addr, task })
    }
}

async fn accept(world: World, region: RegionId, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        // Out of file descriptors, most likely: the next accept may do better once a connection has ended.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        connections.spawn(connection(world.clone(), region.clone(), stream));
    }
}

async fn connection(world: World, region: RegionId, stream: TcpStream) {
    // Nagle's delay has no place on loopback; without the option the double is only slower.
    let _ = stream.set_nodelay(true);
    let reset = Arc::new(AtomicBool::new(false));
    let io = TokioIo::new(Resettable { stream, reset: Arc::clone(&reset) });
    let service = service_fn(move |request: Request<Incoming>| {
        let (world, region, reset) = (world.clone(), region.clone(), Arc::clone(&reset));
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map_err(|_| Reset)?.to_bytes();
            match world.dispatch(&region, Request::from_parts(parts, body)).await {
                Reply::Answer(response) => Ok::<Response<Full<Bytes>>, Reset>(response.map(Full::new)),
                Reply::Refused | Reply::Broken => {
                    reset.store(true, Ordering::Relaxed);
                    Err(Reset)
                }
            }
        }
    });
    // An error here is the caller's hanging up, or a reset that was asked for.
    let _ = http1::Builder::new().serve_connection(io, service).await;
}

/// What the service returns to make hyper drop the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is to be reset")]
struct Reset;

impl From<Infallible> for Reset {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// A connection that can end in a reset (RST), as that of a dead host does, instead of in an orderly close.
struct Resettable {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Drop for Resettable {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Relaxed) {
            // With a linger of zero the close sends RST. Should it fail, the caller sees a plain close: as good a break.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Resettable {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Resettable {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.reset.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
