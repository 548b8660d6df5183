use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::{Either, select};
use http::{
    Request, StatusCode, Uri,
    header::{CONNECTION, HOST, USER_AGENT},
};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    alarm::Alarm,
    dial::Dial,
    miss::Miss,
    tls::{Tls, Trust},
};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    probe::{
        Latency, ProbeCx,
        remote::{MAX_ANSWER, ObserverTransport, Question},
    },
};

/// How long connecting and the TLS handshake may take.
const CONNECT: Duration = Duration::from_secs(3);

/// The way to an observer's service over HTTP or HTTPS. Each question is a new connection.
///
/// What is answered is signed, so plain HTTP lets nobody speak for the observer; it lets others read along.
#[derive(Debug)]
pub struct HttpTransport {
    dial: Dial,
    tls: Option<Tls>,
    authority: String,
    path: String,
}

impl HttpTransport {
    /// The way to the service with this base URL, such as `https://observer.eu-central-1.example.com:7340`.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) when it is no such URL, or carries a name and a password.
    pub fn new(url: &str) -> Result<Self> {
        // What stands before an @ is a secret, so the URL itself is not repeated.
        let invalid = |why: &str| {
            let message = format!("the observer's URL {why}: write https://host:port");
            Error::new(ErrorKind::Invalid, message).with_effect(Effect::NotApplied)
        };
        let uri: Uri = url.parse().map_err(|_| invalid("is no URL"))?;
        let authority = uri.authority().ok_or_else(|| invalid("names no host"))?;
        if authority.as_str().contains('@') {
            return Err(invalid("carries a name or a password"));
        }
        if uri.query().is_some() {
            return Err(invalid("carries a query"));
        }
        let (port, tls) = match uri.scheme_str() {
            Some("http") => (80, None),
            Some("https") => (443, Some(Tls::new(authority.host(), Trust::default())?)),
            _ => return Err(invalid("is neither http nor https")),
        };
        let bare = authority.host();
        let host = bare.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(bare);
        let port = authority.port_u16().unwrap_or(port);
        Ok(Self {
            dial: Dial::new(host, port, CONNECT),
            tls,
            authority: authority.as_str().to_owned(),
            path: format!("{}/v1/readings", uri.path().trim_end_matches('/')),
        })
    }

    fn request(&self, question: &Question) -> Result<Request<Empty<Bytes>>, Miss> {
        let mut target = format!("{}?nonce={}", self.path, question.nonce);
        if let Some(cursor) = question.after {
            target.push_str(&format!("&boot={}&after={}", cursor.boot, cursor.seq));
        }
        Request::get(target)
            .header(HOST, &self.authority)
            .header(CONNECTION, "close")
            .header(USER_AGENT, concat!("dr/", env!("CARGO_PKG_VERSION")))
            .body(Empty::new())
            .map_err(|error| Miss::failed(format!("the question cannot be put: {error}")))
    }

    async fn exchange(&self, cx: &ProbeCx, question: &Question) -> Result<Vec<u8>, Miss> {
        let request = self.request(question)?;
        let clock = &**cx.clock();
        let stream = self.dial.connect(clock, &mut Latency::default()).await?;
        match &self.tls {
            Some(tls) => {
                let mut alarm = Alarm::new(clock, CONNECT);
                let deadline = alarm.now() + CONNECT;
                converse(tls.wrap(deadline, &mut alarm, stream, &[]).await?.0, request).await
            }
            None => converse(stream, request).await,
        }
    }
}

#[async_trait]
impl ObserverTransport for HttpTransport {
    async fn ask(&self, cx: &ProbeCx, question: &Question) -> Result<Vec<u8>> {
        self.exchange(cx, question).await.map_err(|miss| match miss {
            Miss::Blind(error) => error,
            Miss::Failed(reason) => Error::new(ErrorKind::Unavailable, reason).with_effect(Effect::NotApplied),
        })
    }
}

/// Sends the request and reads the answer's body, which is a little too long at most.
async fn converse<S>(stream: S, request: Request<Empty<Bytes>>) -> Result<Vec<u8>, Miss>
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
{
    let broken = |_| Miss::failed("the connection broke off before an answer");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let answered = std::pin::pin!(async move {
        let response = sender.send_request(request).await.map_err(broken)?;
        if response.status() != StatusCode::OK {
            return Err(Miss::failed(format!("answered {}", response.status())));
        }
        let mut body = response.into_body();
        let mut answer = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Miss::failed("the answer broke off"))?;
            if let Some(data) = frame.data_ref() {
                answer.extend_from_slice(data);
            }
            // One byte too many is enough to be refused for.
            if answer.len() > MAX_ANSWER {
                answer.truncate(MAX_ANSWER + 1);
                break;
            }
        }
        Ok(answer)
    });
    match select(answered, std::pin::pin!(connection)).await {
        Either::Left((answer, _)) => answer,
        // The connection has ended; what it brought is still to be read.
        Either::Right((_, answered)) => answered.await,
    }
}
