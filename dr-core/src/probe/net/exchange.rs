use std::{error::Error as _, fmt, io, pin::pin, time::Duration};

use bytes::Bytes;
use futures::future::{Either, select};
use http::{Request, Response, StatusCode, header::LOCATION};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    body_match::{BodyMatch, Progress},
    miss::Miss,
    status::StatusSet,
};
use crate::{
    probe::{Latency, Spoken},
    time::{Clock, Monotonic, timeout},
};

/// The most that a response's head may take, as for Route 53's checkers: "must not exceed 16 KiB in total".
const HEAD: usize = 16 * 1024;

/// The most that is buffered of a connection.
const BUFFER: usize = 32 * 1024;

/// What an answer must be.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) status: StatusSet,
    pub(super) body: Option<BodyMatch>,
    /// For the head of the answer, and again for as much of the body as is read.
    pub(super) limit: Duration,
}

impl Expected {
    /// Sends `request` over `stream` and judges the answer, all before `deadline`. Gives what was seen, in words.
    pub(super) async fn ask<S>(
        &self,
        clock: &dyn Clock,
        deadline: Monotonic,
        stream: S,
        request: Request<Full<Bytes>>,
        latency: &mut Latency,
    ) -> Result<String, Miss>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin,
    {
        let mut builder = http1::Builder::new();
        builder.max_buf_size(BUFFER).max_header_size(HEAD);
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|e| explain(&e))?;
        let exchange = pin!(self.judge(clock, deadline, sender, request, latency));
        let connection = pin!(connection);
        match select(exchange, connection).await {
            Either::Left((judged, _)) => judged,
            // The connection has ended; what it brought is still to be judged.
            Either::Right((_, exchange)) => exchange.await,
        }
    }

    async fn judge(
        &self,
        clock: &dyn Clock,
        deadline: Monotonic,
        mut sender: SendRequest<Full<Bytes>>,
        request: Request<Full<Bytes>>,
        latency: &mut Latency,
    ) -> Result<String, Miss> {
        let asked = clock.monotonic();
        let limit = self.limit.min(deadline.since(asked));
        let response = timeout(clock, limit, sender.send_request(request))
            .await
            .map_err(|_| Miss::failed(format!("no answer within {}", Spoken(limit))))?
            .map_err(|error| explain(&error))?;
        latency.first_byte = Some(clock.monotonic().since(asked));
        let status = response.status();
        if !self.status.contains(status.as_u16()) {
            let (said, to) = (Said(status), redirect(&response));
            return Err(Miss::failed(format!("answered {said}{to}, expected {}", self.status)));
        }
        if let Some(rule) = &self.body {
            let limit = self.limit.min(deadline.since(clock.monotonic()));
            timeout(clock, limit, read(response.into_body(), rule)).await.map_err(|_| {
                Miss::failed(format!("answered {}, and not {rule} within {}", Said(status), Spoken(limit)))
            })??;
        }
        Ok(format!("answered {}", Said(status)))
    }
}

/// Reads a body until the rule is met or cannot be met any more.
async fn read(mut body: Incoming, rule: &BodyMatch) -> Result<(), Miss> {
    let mut matching = rule.start();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Miss::failed(format!("the body broke off before {rule}")))?;
        let Some(data) = frame.data_ref() else { continue };
        match matching.feed(data) {
            Progress::Found => return Ok(()),
            Progress::Missed => break,
            Progress::NeedsMore => {}
        }
    }
    match matching.feed(b"") {
        Progress::Found => Ok(()),
        Progress::Missed | Progress::NeedsMore => Err(Miss::failed(format!("the body does not have {rule}"))),
    }
}

/// A status as people read it. The far side's own phrase is not repeated: it could say anything.
struct Said(StatusCode);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.canonical_reason() {
            Some(reason) => write!(f, "{} {reason}", self.0.as_u16()),
            None => write!(f, "{}", self.0.as_u16()),
        }
    }
}

/// Where a redirect points: its host, or its path when it stays; never its query, which may hold a token.
fn redirect(response: &Response<Incoming>) -> String {
    const LONGEST: usize = 80;
    let target =
        response.headers().get(LOCATION).and_then(|location| location.to_str().ok()?.parse::<http::Uri>().ok());
    let Some(target) = target.filter(|_| response.status().is_redirection()) else { return String::new() };
    let place = target.host().unwrap_or_else(|| target.path());
    format!(" to {}", place.chars().take(LONGEST).collect::<String>())
}

fn explain(error: &hyper::Error) -> Miss {
    Miss::Failed(if error.is_parse_too_large() {
        format!("answered with a head of more than {} KiB", HEAD / 1024)
    } else if error.is_parse() {
        "answered something that is not HTTP/1.1".to_owned()
    } else if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        "closed the connection without an answer".to_owned()
    } else {
        // An error beneath hyper: the connection was reset, or TLS broke.
        match error.source().and_then(|source| source.downcast_ref::<io::Error>()) {
            Some(error) => {
                let copy = error.raw_os_error().map(io::Error::from_raw_os_error);
                let copy = copy.unwrap_or_else(|| io::Error::new(error.kind(), error.to_string()));
                return Miss::from_io("reading the answer", copy);
            }
            None => format!("the exchange failed: {error}"),
        }
    })
}
