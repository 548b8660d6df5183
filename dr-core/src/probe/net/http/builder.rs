use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::{Mutex, atomic::AtomicU64},
    time::Duration,
};

use http::{HeaderName, HeaderValue, Method, uri::Authority};

use super::{
    super::{
        answer::BodyMatch,
        dial::{Dial, HangUp},
        tls::{Tls, Trust},
    },
    leg::Leg,
    limits::Limits,
    probe::{Expected, HttpProbe, Kept},
    redirects::Redirects,
    request::Request,
    status::StatusSet,
    target::Target,
};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    model::VantageId,
    probe::{AddressFamily, Subject},
};

/// An [`HttpProbe`] in the making.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct HttpProbeBuilder {
    subject: Subject,
    vantage: VantageId,
    method: Method,
    url: Hidden,
    headers: Vec<(String, Hidden)>,
    host: Option<String>,
    body: Hidden,
    address: Option<SocketAddr>,
    from: Option<IpAddr>,
    family: AddressFamily,
    limits: Limits,
    status: StatusSet,
    body_match: Option<BodyMatch>,
    redirects: Redirects,
    trust: Trust,
    server_name: Option<String>,
    keep_alive: bool,
}

/// Text that may hold what nobody should read in a log.
#[derive(Clone, Default)]
struct Hidden(String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl HttpProbeBuilder {
    pub(super) fn new(subject: Subject, vantage: VantageId, method: Method, url: String, body: String) -> Self {
        Self {
            subject,
            vantage,
            method,
            url: Hidden(url),
            headers: Vec::new(),
            host: None,
            body: Hidden(body),
            address: None,
            from: None,
            family: AddressFamily::Any,
            limits: Limits::ROUTE53,
            status: StatusSet::default(),
            body_match: None,
            redirects: Redirects::NotFollowed,
            trust: Trust::default(),
            server_name: None,
            keep_alive: false,
        }
    }

    /// Looks as one of Route 53's checkers does: 4 s for the connection, 2 s for the answer and 2 s for its body, any
    /// status from 200 to 399, **no check of the certificate**, IPv4 alone for a name, no redirect followed, a new
    /// connection each time. What is said after this is said instead.
    ///
    /// For a region that Route 53 is to judge too, beside a probe that looks more carefully: where the two differ,
    /// Route 53 will stay where it is while clients fail. Give [`expect_body`](Self::expect_body) the text of the health
    /// check's string matching with [`BodyMatch::route53`]. Of what its checkers do, one thing is not done here: asking
    /// again without a server name when the handshake with one fails.
    pub fn as_route53(self) -> Self {
        Self {
            family: AddressFamily::Ipv4,
            limits: Limits::ROUTE53,
            status: StatusSet::route53(),
            redirects: Redirects::NotFollowed,
            trust: Trust { verified: false, ..self.trust },
            keep_alive: false,
            ..self
        }
    }

    /// Another method.
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Another method, by its name.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn method_named(self, name: &str) -> Result<Self> {
        let method = Method::from_bytes(name.as_bytes()).map_err(|_| {
            Error::new(ErrorKind::Invalid, format!("{name:?} is no method of HTTP")).with_effect(Effect::NotApplied)
        })?;
        Ok(self.method(method))
    }

    /// One more header. Its value is kept out of logs.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), Hidden(value.into())));
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

    /// Which of a name's addresses to try. Any unless said.
    pub fn family(mut self, family: AddressFamily) -> Self {
        self.family = family;
        self
    }

    /// The limit for resolving, connecting and TLS together. 4 s, as for Route 53's checkers.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.limits.connect = limit;
        self
    }

    /// The limit from the request to the head of the answer, and again for the body when it is read. 2 s, as for
    /// Route 53's checkers.
    pub fn response_timeout(mut self, limit: Duration) -> Self {
        self.limits.response = limit;
        self
    }

    /// The limit for the whole look, redirects included. None unless said: the phases' limits add up.
    pub fn total_timeout(mut self, limit: Duration) -> Self {
        self.limits.total = Some(limit);
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

    /// Whether to go where a redirect leads. Not unless said.
    pub fn redirects(mut self, redirects: Redirects) -> Self {
        self.redirects = redirects;
        self
    }

    /// Keeps the connection open for the next look, if the server does. A new one each time unless said, because a new
    /// client needs one too: a balancer that takes no connection any more goes on answering on those it has.
    pub fn keep_alive(mut self) -> Self {
        self.keep_alive = true;
        self
    }

    /// The name to ask for in the TLS handshake and to find in the certificate, when it is not the `Host`.
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// Tells the server no name in the TLS handshake (no SNI), as an old client does. The certificate must still be for
    /// the name.
    pub fn without_server_name_indication(mut self) -> Self {
        self.trust.sni = false;
        self
    }

    /// Certificates in PEM to trust beside the public authorities'.
    pub fn trust_pem(mut self, certificates: impl Into<Vec<u8>>) -> Self {
        self.trust.roots = certificates.into();
        self
    }

    /// Takes any certificate: expired, for another name, signed by anybody. Whoever stands between this machine and the
    /// target can then answer in its place, and every reading says that nothing was verified.
    pub fn dangerously_accept_any_certificate(mut self) -> Self {
        self.trust.verified = false;
        self
    }

    /// The probe.
    ///
    /// # Errors
    ///
    /// With everything that is wrong with the URL, the headers, the host, the certificates and the redirects.
    pub fn build(self) -> Result<HttpProbe> {
        let mut problems = Vec::new();
        let target = Target::read(&self.url.0).map_err(|problem| problems.push(problem)).ok();
        let target = self.at_host(target, &mut problems);
        let headers = self.header_lines(&mut problems);
        let unverified = !self.trust.verified && target.as_ref().is_some_and(|target| target.tls);
        if self.redirects != Redirects::NotFollowed && !(1..=Redirects::MOST).contains(&self.redirects.most()) {
            problems.push(format!("{} redirects: follow 1 to {}", self.redirects.most(), Redirects::MOST));
        }
        let tls = target.as_ref().filter(|target| target.tls || self.redirects != Redirects::NotFollowed);
        let tls = tls.and_then(|target| {
            let name = self.server_name.as_deref().unwrap_or_else(|| target.name());
            Tls::new(name, self.trust.clone()).map_err(|error| problems.push(error.message().to_owned())).ok()
        });
        let address = target.as_ref().and_then(|target| self.address.or(self.dial(target).address));
        if let Some(address) = address.filter(|address| !self.family.admits(address.ip())) {
            problems.push(format!("{} is no {} address", address.ip(), self.family));
        }
        let (Some(target), true) = (target, problems.is_empty()) else {
            let message = format!("the probe {} cannot be built: {}", self.subject.probe, problems.join("; "));
            return Err(Error::new(ErrorKind::Invalid, message).with_effect(Effect::NotApplied));
        };
        let dial = Dial { address, ..self.dial(&target) };
        let request = Request { method: self.method, headers, body: self.body.0, keep_alive: self.keep_alive };
        let rendered = (!request.varies()).then(|| request.render(&target, &request.body).into_boxed_slice());
        Ok(HttpProbe {
            subject: self.subject,
            vantage: self.vantage,
            first: Leg { target, dial, tls },
            request,
            rendered,
            expected: Expected { status: self.status, body: self.body_match },
            limits: self.limits,
            redirects: self.redirects,
            unverified,
            kept: self.keep_alive.then(|| Kept(Mutex::new(None))),
            sent: AtomicU64::new(0),
        })
    }

    fn dial(&self, target: &Target) -> Dial {
        let limit = self.limits.total.map_or(self.limits.connect, |total| total.min(self.limits.connect));
        Dial {
            from: self.from,
            family: self.family,
            speaks: true,
            hang_up: if self.method.is_safe() { HangUp::Reset } else { HangUp::Orderly },
            ..Dial::new(&target.host, target.port, limit)
        }
    }

    /// The target under the name that is asked for.
    fn at_host(&self, target: Option<Target>, problems: &mut Vec<String>) -> Option<Target> {
        let Some(host) = &self.host else { return target };
        match host.parse::<Authority>() {
            Ok(authority) if !host.contains('@') && !authority.host().is_empty() => {
                target.map(|target| Target { authority: host.clone(), ..target })
            }
            _ => {
                problems.push(format!("{host:?} is no host"));
                target
            }
        }
    }

    fn header_lines(&self, problems: &mut Vec<String>) -> String {
        let mut lines = String::new();
        for (name, Hidden(value)) in &self.headers {
            let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) else {
                problems.push(format!("the header {name:?} cannot be sent"));
                continue;
            };
            let Ok(value) = value.to_str() else {
                problems.push(format!("the header {name} holds more than ASCII"));
                continue;
            };
            match name.as_str() {
                "host" => problems.push("the header host: give it as the host".to_owned()),
                "content-length" | "transfer-encoding" | "connection" => {
                    problems.push(format!("the header {name} is for the probe itself to write"));
                }
                name => lines.extend([name, ": ", value, "\r\n"]),
            }
        }
        lines
    }
}
