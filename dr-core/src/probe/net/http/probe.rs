use std::{
    borrow::Cow,
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use http::{Method, StatusCode};

use super::{
    super::{
        alarm::Alarm,
        answer::{BodyMatch, Come, Head, Reader, Seen, Wanted},
        dial::add,
        miss::{Miss, reading},
        stream::Stream,
    },
    builder::HttpProbeBuilder,
    leg::Leg,
    limits::Limits,
    place::Place,
    redirects::Redirects,
    request::Request,
    status::StatusSet,
    talk::{Heard, Talk},
};
use crate::{
    error::Result,
    model::VantageId,
    probe::{HealthProbe, Latency, ProbeCx, Reading, Spoken, Subject},
    time::Monotonic,
};

/// An HTTP or HTTPS request, judged by status, body and time.
///
/// Each look is a new connection unless told otherwise, HTTP/1.1, and redirected only by choice. A GET asks whether
/// something answers; a POST with an expected status is a synthetic write, which sees what `/health` does not.
///
/// Over TLS the chain, the dates and the name are checked, which Route 53 does not do, and each look makes a whole
/// handshake: a resumed session would show no certificate.
///
/// ```no_run
/// use std::sync::Arc;
/// use dr_core::{
///     probe::{BodyMatch, HealthProbe, HttpProbe, ProbeCx, Redirects, Subject},
///     time::SystemClock,
/// };
///
/// # async fn look() -> Result<(), Box<dyn std::error::Error>> {
/// let health = Subject::infrastructure("storefront/health".parse()?, "us-east-1".parse()?);
/// let reads = HttpProbe::get(health, "eu-central-1".parse()?, "https://10.0.0.7/health")
///     .host("api.example.com")
///     .expect_body(BodyMatch::route53(r#""region":"us-east-1""#))
///     .redirects(Redirects::SameHost(2))
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
    pub(super) subject: Subject,
    pub(super) vantage: VantageId,
    pub(super) first: Leg,
    pub(super) request: Request,
    /// The bytes of the first request, when they are the same each time.
    pub(super) rendered: Option<Box<[u8]>>,
    pub(super) expected: Expected,
    pub(super) limits: Limits,
    pub(super) redirects: Redirects,
    pub(super) unverified: bool,
    pub(super) kept: Option<Kept>,
    pub(super) sent: AtomicU64,
}

/// What an answer must be.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) status: StatusSet,
    pub(super) body: Option<BodyMatch>,
}

/// A connection that waits for the next look.
#[derive(Debug)]
pub(super) struct Kept(pub(super) Mutex<Option<Box<Stream>>>);

impl Kept {
    fn take(&self) -> Option<Box<Stream>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, stream: Box<Stream>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream);
    }
}

/// What an answer's head means.
enum Judged {
    /// It is what was expected, as far as the head tells.
    Right,
    /// It leads elsewhere.
    Onward(String),
    /// It is wrong: why.
    Wrong(String),
}

/// What came of asking in one place.
enum Asked {
    /// It answered as it should.
    Answered(String),
    /// It sent the look elsewhere.
    Sent { status: u16, location: String },
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

    /// The longest that one look takes: for each request connecting with TLS and the head of the answer, and the body
    /// when it is read; or the limit on the whole, when that is shorter.
    #[must_use]
    pub fn longest(&self) -> Duration {
        let body = self.expected.body.is_some() || self.kept.is_some();
        self.limits.longest(u32::from(self.redirects.most()) + 1, body)
    }

    /// What this probe says of an answer that is already here, in all its bytes from the status line on: to try a rule
    /// on what a server was seen to answer. No redirect is followed, and nothing took any time.
    ///
    /// ```
    /// use dr_core::probe::{BodyMatch, HttpProbe, Subject};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let health = Subject::infrastructure("storefront/health".parse()?, "us-east-1".parse()?);
    /// let probe = HttpProbe::get(health, "eu-central-1".parse()?, "http://10.0.0.7/health")
    ///     .expect_body(BodyMatch::route53(r#""writer":true"#))
    ///     .build()?;
    /// let reading = probe.judge(b"HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n{\"writer\":false}");
    /// assert_eq!(reading.reason, r#"the body does not have "\"writer\":true" in the first 5120 bytes"#);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn judge(&self, answer: &[u8]) -> Reading {
        let mut reader = Reader::new(self.wanted(false));
        let mut rest = answer;
        let mut status = 0;
        let seen = loop {
            let room = reader.room();
            let n = room.len().min(rest.len());
            let (now, later) = rest.split_at(n);
            room.iter_mut().zip(now).for_each(|(to, from)| *to = *from);
            rest = later;
            let mut come = if n == 0 { reader.close() } else { reader.took(n) };
            if let Come::Head(head) = come {
                status = head.status;
                match self.judge_head(&head) {
                    Judged::Right => {}
                    Judged::Onward(location) => {
                        let reason = format!("answered {}{}", Said(status), self.pointing(&location));
                        break Err(Miss::Failed(reason));
                    }
                    Judged::Wrong(reason) => break Err(Miss::Failed(reason)),
                }
                come = reader.took(0);
            }
            debug_assert!(reader.held() <= reader.bound(), "{} bytes are held", reader.held());
            match come {
                Come::More | Come::Head(_) => {}
                Come::Nonsense(reason) => break Err(Miss::Failed(reason)),
                Come::Done { seen, .. } => break self.judge_body(status, Heard::Body(seen)),
            }
        };
        match seen {
            Ok(()) => Reading::healthy(Latency::default(), format!("answered {}", Said(status))),
            Err(Miss::Failed(reason)) => Reading::unhealthy(Latency::default(), reason),
            Err(Miss::Blind(error)) => Reading::unhealthy(Latency::default(), error.message()),
        }
    }

    fn wanted(&self, whole: bool) -> Wanted<'_> {
        Wanted { body: self.expected.body.as_ref(), whole, head: self.request.method == Method::HEAD }
    }

    fn judge_head(&self, head: &Head) -> Judged {
        let said = Said(head.status);
        if self.expected.status.contains(head.status) {
            return Judged::Right;
        }
        if self.redirects.takes(head.status) {
            return match &head.location {
                Some(location) => Judged::Onward(location.clone()),
                None => Judged::Wrong(format!("answered {said} without saying where to")),
            };
        }
        let to = head.location.as_deref().map(|location| self.pointing(location)).unwrap_or_default();
        Judged::Wrong(format!("answered {said}{to}, expected {}", self.expected.status))
    }

    /// Where a redirect at the beginning of a look points, as a reason says it.
    fn pointing(&self, location: &str) -> String {
        let here = &self.first.target;
        here.join(location).map(|to| format!(" to {}", Place::of(&to, here))).unwrap_or_default()
    }

    fn judge_body(&self, status: u16, heard: Heard) -> std::result::Result<(), Miss> {
        let said = Said(status);
        let Some(rule) = &self.expected.body else { return Ok(()) };
        let seen = match heard {
            Heard::Body(seen) => seen,
            Heard::Late(limit) => {
                return Err(Miss::Failed(format!("answered {said}, and not {rule} within {}", Spoken(limit))));
            }
            Heard::Broken(Miss::Failed(reason)) => {
                return Err(Miss::Failed(format!("answered {said}, then {reason} before {rule}")));
            }
            Heard::Broken(blind) => return Err(blind),
        };
        Err(Miss::Failed(match seen {
            Seen::Found => return Ok(()),
            Seen::Missing | Seen::Unasked => format!("the body does not have {rule}"),
            Seen::Short(how) => format!("{how} before {rule}"),
            Seen::Encoded(name) => {
                format!("the body is encoded with {name}, and only gzip and deflate can be looked into for {rule}")
            }
        }))
    }

    /// The bytes of the request in `leg`.
    fn bytes(&self, cx: &ProbeCx, leg: &Leg, request: &Request) -> Vec<u8> {
        if !request.varies() {
            return request.render(&leg.target, &request.body);
        }
        let count = self.sent.fetch_add(1, Ordering::Relaxed);
        let nonce = format!("{}-{}-{count}", self.vantage, cx.clock().wall().as_millis());
        request.render(&leg.target, &request.body(&nonce))
    }

    async fn look(&self, cx: &ProbeCx, latency: &mut Latency) -> std::result::Result<String, Miss> {
        let mut alarm = Alarm::new(cx.clock().as_ref(), self.limits.shortest());
        let begun = alarm.now();
        let end = begun + self.longest();
        let first = match &self.rendered {
            Some(rendered) => Cow::Borrowed(rendered.as_ref()),
            None => Cow::Owned(self.bytes(cx, &self.first, &self.request)),
        };
        match self.ask_first(begun, end, &mut alarm, &first, latency).await? {
            Asked::Answered(reason) => Ok(reason),
            Asked::Sent { status, location } => {
                // A look that is sent elsewhere is rare, and what it needs is kept out of the others.
                Box::pin(self.follow(cx, end, &mut alarm, latency, status, location)).await
            }
        }
    }

    /// Asks where the look begins, on the connection that was kept if there is one that still works.
    async fn ask_first(
        &self,
        begun: Monotonic,
        end: Monotonic,
        alarm: &mut Alarm<'_>,
        request: &[u8],
        latency: &mut Latency,
    ) -> std::result::Result<Asked, Miss> {
        if let Some(kept) = &self.kept
            && let Some(mut stream) = kept.take()
            && stream.is_quiet().await
        {
            match self.ask(end, alarm, *stream, request, true, latency).await {
                // It had been closed, which shows only now.
                Err((_, true)) if self.request.is_idempotent() => {}
                asked => return asked.map_err(|(miss, _)| miss),
            }
        }
        let begun = if self.kept.is_some() { alarm.now() } else { begun };
        let (stream, rest) = self.first.open(begun, end, alarm, request, latency).await?;
        self.ask(end, alarm, stream, rest, false, latency).await.map_err(|(miss, _)| miss)
    }

    /// Asks on `stream`, to which `request` is still to be sent. An error comes with whether the connection was over before
    /// anything came back.
    async fn ask(
        &self,
        end: Monotonic,
        alarm: &mut Alarm<'_>,
        mut stream: Stream,
        request: &[u8],
        kept: bool,
        latency: &mut Latency,
    ) -> std::result::Result<Asked, (Miss, bool)> {
        let asked = alarm.now();
        let reader = Reader::new(self.wanted(self.kept.is_some()));
        let mut talk = Talk { alarm, stream: &mut stream, reader, limit: self.limits.response, end };
        let head = talk.ask(request).await.map_err(|no| (no.miss, no.stale))?;
        add(&mut latency.first_byte, talk.alarm.now().since(asked));
        match self.judge_head(&head) {
            Judged::Right => {}
            Judged::Onward(location) => return Ok(Asked::Sent { status: head.status, location }),
            Judged::Wrong(reason) => return Err((Miss::Failed(reason), false)),
        }
        if self.expected.body.is_some() || self.kept.is_some() {
            let (heard, clean) = talk.hear().await;
            if let Some(kept) = self.kept.as_ref().filter(|_| clean && head.keeps) {
                kept.put(Box::new(stream));
            }
            self.judge_body(head.status, heard).map_err(|miss| (miss, false))?;
        }
        let mut reason = format!("answered {}", Said(head.status));
        if kept {
            reason.push_str(" on a kept connection");
        }
        if self.unverified {
            reason.push_str(" (certificate not verified)");
        }
        Ok(Asked::Answered(reason))
    }

    /// Goes where it is sent, and on, as far as it may.
    async fn follow(
        &self,
        cx: &ProbeCx,
        end: Monotonic,
        alarm: &mut Alarm<'_>,
        latency: &mut Latency,
        mut status: u16,
        mut location: String,
    ) -> std::result::Result<String, Miss> {
        let mut trail = String::new();
        let mut leg = self.first.clone();
        let mut request = self.request.clone();
        let mut visited = vec![leg.target.clone()];
        for _ in 0..self.redirects.most() {
            // What the far side wrote is not repeated here: it may be anything.
            let next = leg.target.join(&location).map_err(|_| {
                Miss::Failed(format!("{trail}answered {} to something that is no URL to follow", Said(status)))
            })?;
            let place = Place::of(&next, &leg.target);
            let refused = |why: &str| Miss::Failed(format!("{trail}answered {} to {place}, {why}", Said(status)));
            if leg.target.tls && !next.tls {
                return Err(refused("which is not encrypted, and is not followed"));
            }
            if matches!(self.redirects, Redirects::SameHost(_)) && !next.is_at(&self.first.target) {
                return Err(refused("another host, where it is not followed"));
            }
            request = request.redirected(status, next.may_hear_what_is_for(&leg.target));
            if visited.contains(&next) && request.body.is_empty() {
                return Err(refused("where it has been: the redirects go in a circle"));
            }
            trail.push_str(&format!("{status} to {place}, then "));
            visited.push(next.clone());
            leg = leg.onward(next)?;
            let said = |miss: Miss| match miss {
                Miss::Failed(reason) => Miss::Failed(format!("{trail}{reason}")),
                blind => blind,
            };
            let bytes = self.bytes(cx, &leg, &request);
            let (stream, rest) = leg.open(alarm.now(), end, alarm, &bytes, latency).await.map_err(said)?;
            match self.ask(end, alarm, stream, rest, false, latency).await.map_err(|(miss, _)| said(miss))? {
                Asked::Answered(reason) => return Ok(trail + &reason),
                Asked::Sent { status: again, location: to } => (status, location) = (again, to),
            }
        }
        let most = self.redirects.most();
        Err(Miss::Failed(format!("{trail}answered {}: more than {most} redirects", Said(status))))
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
        reading(seen.map(|answered| format!("{answered} in {}", Spoken(latency.total))), latency)
    }
}

/// A status as people read it. The far side's own phrase is not repeated: it could say anything.
struct Said(u16);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match StatusCode::from_u16(self.0).ok().and_then(|status| status.canonical_reason()) {
            Some(reason) => write!(f, "{} {reason}", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}
