use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use dr_core::time::{Clock, timeout};
use http::{Request, header};
use http_body_util::Full;
use tokio::net::TcpStream;

use super::{Probe, ProbeKind};
use crate::wire::{CallError, Connection};

/// Route 53's limits: to connect for HTTP, to connect for TCP, to answer with a status, and to send the body that is searched.
const HTTP_CONNECT: Duration = Duration::from_secs(4);
const TCP_CONNECT: Duration = Duration::from_secs(10);
const STATUS: Duration = Duration::from_secs(2);
const BODY: Duration = Duration::from_secs(2);
/// The part of a body in which the whole string must lie.
const SEARCHED: usize = 5_120;

/// One poll.
///
/// # Errors
///
/// Why the target is not healthy, in words.
pub async fn poll(clock: &dyn Clock, probe: &Probe) -> Result<String, String> {
    let target = probe.target.ok_or("DNS resolution failed")?;
    match &probe.kind {
        ProbeKind::Tcp => match timeout(clock, TCP_CONNECT, TcpStream::connect(target)).await {
            Ok(Ok(_)) => Ok("Connection established".to_owned()),
            Ok(Err(_)) => Err("Connection refused".to_owned()),
            Err(_) => Err("Connection timed out".to_owned()),
        },
        ProbeKind::Http { host, path, search } => http(clock, target, host, path, search.as_deref()).await,
    }
}

async fn http(
    clock: &dyn Clock,
    target: SocketAddr,
    host: &str,
    path: &str,
    search: Option<&str>,
) -> Result<String, String> {
    let request = Request::get(path)
        .header(header::HOST, host)
        .header(header::USER_AGENT, "Amazon-Route53-Health-Check-Service (double)")
        .header(header::CONNECTION, "close")
        .body(Full::new(Bytes::new()))
        .map_err(|e| e.to_string())?;
    let in_words = |e: CallError| e.to_string();
    let mut connection = Connection::open(clock, target, HTTP_CONNECT).await.map_err(in_words)?;
    let response = connection.head(clock, request, STATUS).await.map_err(in_words)?;
    let status = response.status();
    if !(status.is_success() || status.is_redirection()) {
        return Err(format!("HTTP Status Code {status}"));
    }
    let Some(search) = search else { return Ok(format!("HTTP Status Code {status}")) };
    let body = Connection::beginning(clock, response.into_body(), SEARCHED, BODY).await.map_err(in_words)?;
    if body.windows(search.len().max(1)).any(|window| window == search.as_bytes()) {
        Ok(format!("HTTP Status Code {status}, the string was found"))
    } else {
        Err(format!("HTTP Status Code {status}, the string was not found"))
    }
}

#[cfg(test)]
mod tests {
    use std::{net::SocketAddr, sync::Arc};

    use dr_core::time::{ScaledClock, SystemClock};
    use http::{Response, StatusCode};
    use tokio::net::TcpListener;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::wire::{Answer, Door, serve};

    struct Fixed(StatusCode, String);

    impl Door for Fixed {
        async fn answer(self: Arc<Self>, _request: Request<Bytes>) -> Answer {
            Answer::Reply(Response::builder().status(self.0).body(Bytes::from(self.1.clone())).unwrap())
        }
    }

    async fn target(status: StatusCode, body: impl Into<String>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, Arc::new(Fixed(status, body.into())), CancellationToken::new()));
        addr
    }

    fn http(target: SocketAddr, search: Option<&str>) -> Probe {
        let kind = ProbeKind::Http {
            host: "api.ecommerce.com".into(),
            path: "/health".into(),
            search: search.map(str::to_owned),
        };
        Probe { target: Some(target), kind, interval: Duration::from_secs(10) }
    }

    #[tokio::test]
    async fn success_and_redirection_are_healthy_and_errors_are_not() {
        let clock = SystemClock::new();
        for (status, healthy) in [(200, true), (302, true), (404, false), (503, false)] {
            let target = target(StatusCode::from_u16(status).unwrap(), "").await;
            assert_eq!(poll(&clock, &http(target, None)).await.is_ok(), healthy, "{status}");
        }
    }

    #[tokio::test]
    async fn the_string_must_lie_within_the_first_5120_bytes() {
        let clock = SystemClock::new();
        let inside = target(StatusCode::OK, format!("{}TOKEN", " ".repeat(5_115))).await;
        let across = target(StatusCode::OK, format!("{}TOKEN", " ".repeat(5_116))).await;
        assert!(poll(&clock, &http(inside, Some("TOKEN"))).await.is_ok());
        assert!(poll(&clock, &http(inside, Some("token"))).await.is_err());
        assert!(poll(&clock, &http(across, Some("TOKEN"))).await.is_err());
    }

    #[tokio::test]
    async fn a_target_that_never_answers_is_unhealthy() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let clock = ScaledClock::new(100.0);
        assert!(poll(&clock, &http(listener.local_addr().unwrap(), None)).await.is_err());
    }
}
