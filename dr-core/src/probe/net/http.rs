use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Uri,
    header::{ACCEPT_ENCODING, CONNECTION, HOST, USER_AGENT},
    uri::PathAndQuery,
};
use http_body_util::Full;

use super::{body_match::BodyMatch, dial::Dial, exchange::Expected, miss::Miss, status::StatusSet, tls::Tls};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    model::VantageId,
    probe::{HealthProbe, Latency, ProbeCx, Reading, Spoken, Subject},
};

/// What a synthetic write says in its body where each one must differ: replaced by vantage, time and a count.
const NONCE: &str = "{{nonce}}";

/// An HTTP or HTTPS request, judged by status, body and time.
///
/// Each look is a new connection, HTTP/1.1, never redirected. A GET asks whether something answers; a POST with an
/// expected status is a synthetic write, which sees what `/health` does not.
///
/// ```no_run
/// use std::sync::Arc;
/// use dr_core::{
///     probe::{BodyMatch, HealthProbe, HttpProbe, ProbeCx, Subject},
///     time::SystemClock,
/// };
///
/// # async fn look() -> Result<(), Box<dyn std::error::Error>> {
/// let health = Subject::infrastructure("storefront/health".parse()?, "us-east-1".parse()?);
/// let reads = HttpProbe::get(health, "eu-central-1".parse()?, "https://10.0.0.7/health")
///     .host("api.example.com")
///     .expect_body(BodyMatch::route53(r#""region":"us-east-1""#))
///     .build()?;
/// let write = Subject::transaction("storefront/write".parse()?, "us-east-1".parse()?);
/// let writes = HttpProbe::post(write, "eu-central-1".parse()?, "https://10.0.0.7/orders", r#"{"id":"{{nonce}}"}"#)
///     .host("api.example.com")
///     .header("content-type", "application/json")
///     .expect_status(201)
///     .build()?;
/// let cx = ProbeCx::new(Arc::new(SystemClock::new()));
/// println!("{}", reads.probe(&cx).await?.reason); // answered 200 OK in 12 ms
/// println!("{}", writes.probe(&cx).await?.reason); // answered 503 Service Unavailable, expected 201
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct HttpProbe {
    subject: Subject,
    vantage: VantageId,
    dial: Dial,
    tls: Option<Tls>,
    method: Method,
    path: PathAndQuery,
    headers: HeaderMap,
    body: Body,
    expected: Expected,
    /// For the whole look.
    limit: Option<Duration>,
    sent: AtomicU64,
}

/// The body of a request, which may hold what nobody should read in a log.
#[derive(Clone, Default)]
struct Body(String);

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// An [`HttpProbe`] in the making.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct HttpProbeBuilder {
    subject: Subject,
    vantage: VantageId,
    method: Method,
    url: String,
    headers: Vec<(String, Body)>,
    host: Option<String>,
    body: Body,
    address: Option<SocketAddr>,
    from: Option<IpAddr>,
    connect_limit: Duration,
    response_limit: Duration,
    limit: Option<Duration>,
    status: StatusSet,
    body_match: Option<BodyMatch>,
    roots: Vec<u8>,
}

impl HttpProbe {
    /// A GET of `url`.
    pub fn get(subject: Subject, vantage: VantageId, url: impl Into<String>) -> HttpProbeBuilder {
        HttpProbeBuilder::new(subject, vantage, Method::GET, url.into(), String::new())
    }

    /// A POST of `body` to `url`: a synthetic write. Each `{{nonce}}` in the body is replaced by text that no other
    /// request of this probe carries.
    pub fn post(
        subject: Subject,
        vantage: VantageId,
        url: impl Into<String>,
        body: impl Into<String>,
    ) -> HttpProbeBuilder {
        HttpProbeBuilder::new(subject, vantage, Method::POST, url.into(), body.into())
    }

    /// The longest that one look takes: connecting with TLS, the head of the answer, and the body when it is read; or
    /// the limit on the whole, when that is shorter.
    #[must_use]
    pub fn longest(&self) -> Duration {
        let answers = if self.expected.body.is_some() { 2 } else { 1 };
        let phases = self.dial.limit.saturating_add(self.expected.limit.saturating_mul(answers));
        self.limit.map_or(phases, |limit| limit.min(phases))
    }

    fn request(&self, cx: &ProbeCx) -> Result<Request<Full<Bytes>>, Miss> {
        let body = if self.body.0.contains(NONCE) {
            let count = self.sent.fetch_add(1, Ordering::Relaxed);
            let nonce = format!("{}-{}-{count}", self.vantage, cx.clock().wall().as_millis());
            Bytes::from(self.body.0.replace(NONCE, &nonce))
        } else {
            Bytes::from(self.body.0.clone())
        };
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(Uri::from(self.path.clone()))
            .body(Full::new(body))
            .map_err(|error| Miss::Blind(Error::new(ErrorKind::Internal, format!("no request: {error}"))))?;
        *request.headers_mut() = self.headers.clone();
        Ok(request)
    }

    async fn look(&self, cx: &ProbeCx, latency: &mut Latency) -> Result<String, Miss> {
        let clock = cx.clock().as_ref();
        let request = self.request(cx)?;
        let started = clock.monotonic();
        let deadline = started + self.longest();
        let stream = self.dial.connect(clock, latency).await?;
        let Some(tls) = &self.tls else {
            return self.expected.ask(clock, deadline, stream, request, latency).await;
        };
        let connected = clock.monotonic();
        let left = self.dial.limit.saturating_sub(connected.since(started));
        let stream = tls.wrap(clock, left, stream).await?;
        latency.tls = Some(clock.monotonic().since(connected));
        self.expected.ask(clock, deadline, stream, request, latency).await
    }
}

#[async_trait]
impl HealthProbe for HttpProbe {
    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn vantage(&self) -> &VantageId {
        &self.vantage
    }

    async fn probe(&self, cx: &ProbeCx) -> Result<Reading> {
        let started = cx.clock().monotonic();
        let mut latency = Latency::default();
        let seen = self.look(cx, &mut latency).await;
        latency.total = cx.clock().monotonic().since(started);
        match seen {
            Ok(answered) => {
                let reason = format!("{answered} in {}", Spoken(latency.total));
                Ok(Reading::healthy(latency, reason))
            }
            Err(Miss::Failed(reason)) => Ok(Reading::unhealthy(latency, reason)),
            Err(Miss::Blind(error)) => Err(error),
        }
    }
}

impl HttpProbeBuilder {
    fn new(subject: Subject, vantage: VantageId, method: Method, url: String, body: String) -> Self {
        Self {
            subject,
            vantage,
            method,
            url,
            headers: Vec::new(),
            host: None,
            body: Body(body),
            address: None,
            from: None,
            connect_limit: Duration::from_secs(4),
            response_limit: Duration::from_secs(2),
            limit: None,
            status: StatusSet::default(),
            body_match: None,
            roots: Vec::new(),
        }
    }

    /// Another method.
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// One more header. Its value is kept out of logs.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), Body(value.into())));
        self
    }

    /// The `Host` to ask for, and over TLS the name to ask for and to find in the certificate, in place of the URL's:
    /// to probe the public name at one region's own balancer.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Connects here, whatever the URL's host resolves to.
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// Connects from this address of this machine.
    pub fn from_address(mut self, address: IpAddr) -> Self {
        self.from = Some(address);
        self
    }

    /// The limit for resolving, connecting and TLS together. 4 s, as for Route 53's checkers.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_limit = limit;
        self
    }

    /// The limit from the request to the head of the answer, and again for the body when it is read. 2 s, as for
    /// Route 53's checkers.
    pub fn response_timeout(mut self, limit: Duration) -> Self {
        self.response_limit = limit;
        self
    }

    /// The limit for the whole look. None unless said: the phases' limits add up.
    pub fn total_timeout(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The statuses that count as healthy. 200 to 299 unless said otherwise.
    pub fn expect_status(mut self, status: impl Into<StatusSet>) -> Self {
        self.status = status.into();
        self
    }

    /// What the body must contain.
    pub fn expect_body(mut self, rule: BodyMatch) -> Self {
        self.body_match = Some(rule);
        self
    }

    /// Certificates in PEM to trust beside the public authorities'.
    pub fn trust_pem(mut self, certificates: impl Into<Vec<u8>>) -> Self {
        self.roots = certificates.into();
        self
    }

    /// The probe.
    ///
    /// # Errors
    ///
    /// With everything that is wrong with the URL, the headers, the host and the certificates.
    pub fn build(self) -> Result<HttpProbe> {
        let mut problems = Vec::new();
        let target = Target::read(&self.url).map_err(|problem| problems.push(problem)).ok();
        let host = self.host.clone().or_else(|| target.as_ref().map(|target| target.authority.clone()));
        let headers = self.header_map(host.as_deref(), &mut problems);
        let tls = match (&target, &host) {
            (Some(target), Some(host)) if target.tls => {
                let name = host.parse::<http::uri::Authority>().map_or_else(|_| host.clone(), |a| a.host().to_owned());
                Tls::new(&name, &self.roots).map_err(|error| problems.push(error.message().to_owned())).ok()
            }
            _ => None,
        };
        let (Some(target), true) = (target, problems.is_empty()) else {
            let message = format!("the probe {} cannot be built: {}", self.subject.probe, problems.join("; "));
            return Err(Error::new(ErrorKind::Invalid, message).with_effect(Effect::NotApplied));
        };
        let Target { host, port, path, .. } = target;
        Ok(HttpProbe {
            subject: self.subject,
            vantage: self.vantage,
            dial: Dial {
                host,
                port,
                address: self.address,
                from: self.from,
                limit: self.limit.map_or(self.connect_limit, |limit| limit.min(self.connect_limit)),
            },
            tls,
            method: self.method,
            path,
            headers,
            body: self.body,
            expected: Expected { status: self.status, body: self.body_match, limit: self.response_limit },
            limit: self.limit,
            sent: AtomicU64::new(0),
        })
    }

    fn header_map(&self, host: Option<&str>, problems: &mut Vec<String>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("dr-probe/", env!("CARGO_PKG_VERSION"))));
        // A compressed body could not be matched, and nothing is gained by one of 5 KB.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        if let Some(host) = host {
            match HeaderValue::from_str(host) {
                Ok(value) if host.parse::<http::uri::Authority>().is_ok() => drop(headers.insert(HOST, value)),
                _ => problems.push(format!("{host:?} is no host")),
            }
        }
        for (name, Body(value)) in &self.headers {
            let (Ok(name), Ok(mut value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) else {
                problems.push(format!("the header {name:?} cannot be sent"));
                continue;
            };
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        headers
    }
}

/// A URL, taken apart.
struct Target {
    tls: bool,
    host: String,
    port: u16,
    authority: String,
    path: PathAndQuery,
}

impl Target {
    fn read(url: &str) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|error| format!("{url:?} is no URL: {error}"))?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(format!("{url:?} is no URL to probe: write http://… or https://…")),
        };
        let Some(authority) = uri.authority().filter(|authority| !authority.host().is_empty()) else {
            return Err(format!("{url:?} names no host"));
        };
        if authority.as_str().contains('@') {
            // The URL is not repeated here: it holds a password.
            return Err("the URL holds a user and a password: give them in a header".to_owned());
        }
        let host = authority.host();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Ok(Self {
            tls,
            host: bare.to_owned(),
            port: authority.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            authority: authority.as_str().to_owned(),
            path: uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/")),
        })
    }
}
