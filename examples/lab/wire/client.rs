use std::{fmt, net::SocketAddr, time::Duration};

use bytes::{Bytes, BytesMut};
use dr_core::time::{Clock, timeout};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::{net::TcpStream, task::JoinHandle};

/// How a call came to no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CallError {
    /// Nobody listens there.
    Refused,
    /// Not within the time given.
    TimedOut,
    /// The connection broke before the answer was complete, or what came was not HTTP.
    Broken,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "the connection was refused",
            Self::TimedOut => "no answer in the time given",
            Self::Broken => "the connection broke",
        })
    }
}

/// A connection to an HTTP server, good for one call after another until one fails.
#[derive(Debug)]
pub(crate) struct Connection {
    peer: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connection {
    pub(crate) async fn open(clock: &dyn Clock, peer: SocketAddr, limit: Duration) -> Result<Self, CallError> {
        let connecting = async {
            let stream = TcpStream::connect(peer).await.map_err(|_| CallError::Refused)?;
            // Only slower without it.
            let _ = stream.set_nodelay(true);
            handshake(TokioIo::new(stream)).await.map_err(|_| CallError::Broken)
        };
        let (sender, connection) = timeout(clock, limit, connecting).await.map_err(|_| CallError::TimedOut)??;
        let driver = tokio::spawn(async move {
            // The caller learns of a broken connection from its call.
            let _ = connection.await;
        });
        Ok(Self { peer, sender, driver })
    }

    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Sends a request and waits for the head of the answer.
    pub(crate) async fn head(
        &mut self,
        clock: &dyn Clock,
        request: Request<Full<Bytes>>,
        limit: Duration,
    ) -> Result<Response<Incoming>, CallError> {
        let sending = async {
            self.sender.ready().await?;
            self.sender.send_request(request).await
        };
        timeout(clock, limit, sending).await.map_err(|_| CallError::TimedOut)?.map_err(|_| CallError::Broken)
    }

    /// Sends a request and waits for the whole answer.
    pub(crate) async fn call(
        &mut self,
        clock: &dyn Clock,
        request: Request<Full<Bytes>>,
        limit: Duration,
    ) -> Result<Response<Bytes>, CallError> {
        let calling = async {
            self.sender.ready().await.map_err(|_| CallError::Broken)?;
            let (parts, body) = self.sender.send_request(request).await.map_err(|_| CallError::Broken)?.into_parts();
            let body = body.collect().await.map_err(|_| CallError::Broken)?.to_bytes();
            Ok(Response::from_parts(parts, body))
        };
        timeout(clock, limit, calling).await.map_err(|_| CallError::TimedOut)?
    }

    /// The first `enough` bytes of a body, or all of it when there are fewer.
    pub(crate) async fn beginning(
        clock: &dyn Clock,
        mut body: Incoming,
        enough: usize,
        limit: Duration,
    ) -> Result<Bytes, CallError> {
        let reading = async {
            let mut read = BytesMut::new();
            while read.len() < enough {
                let Some(frame) = body.frame().await else { break };
                if let Ok(data) = frame.map_err(|_| CallError::Broken)?.into_data() {
                    read.extend_from_slice(&data);
                }
            }
            read.truncate(enough);
            Ok(read.freeze())
        };
        timeout(clock, limit, reading).await.map_err(|_| CallError::TimedOut)?
    }
}
