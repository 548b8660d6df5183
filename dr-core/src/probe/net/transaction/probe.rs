use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use http::Method;

use super::marker::{MARKER, marked, marker};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    model::VantageId,
    probe::{
        BodyMatch, HealthProbe, HttpProbe, HttpProbeBuilder, Latency, ProbeCx, Reading, Spoken, StatusSet, Subject,
    },
    time::Monotonic,
};

/// How much of an answer is searched for the marker.
const WITHIN: usize = 64 * 1024;

/// Between two attempts at reading: the first pause, doubled up to the longest.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// A write that must be readable afterwards, within one deadline: what a client does, and what fails when nothing else
/// shows it.
///
/// Each look writes something with a name that no other look uses (`{{id}}` in the URLs and the body), and reads it back
/// until the answer shows that name. So a look that is repeated disturbs nobody, and a value that somebody else wrote, or
/// a cache kept, is not taken for one's own. The reading names the phase that failed.
///
/// ```no_run
/// use std::{sync::Arc, time::Duration};
/// use dr_core::{probe::{HealthProbe, ProbeCx, Subject, TransactionProbe}, time::SystemClock};
///
/// # async fn look() -> Result<(), Box<dyn std::error::Error>> {
/// let subject = Subject::transaction("place-order".parse()?, "us-east-1".parse()?);
/// let base = "https://api.example.com";
/// let probe = TransactionProbe::of(subject, "eu-central-1".parse()?, format!("{base}/orders"), r#"{"id":"{{id}}"}"#)
///     .expect_write(201)
///     .read_back(format!("{base}/orders/{{{{id}}}}"))
///     .read_within(Duration::from_millis(800))
///     .build()?;
/// let reading = probe.probe(&ProbeCx::new(Arc::new(SystemClock::new()))).await?;
/// println!("{}", reading.reason); // written in 80 ms, but not read back within 800 ms: answered 404 Not Found, expected 200
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TransactionProbe {
    setting: TransactionProbeBuilder,
    count: AtomicU64,
}

/// A [`TransactionProbe`] in the making.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct TransactionProbeBuilder {
    write: Request,
    read: Option<Request>,
    delete: Option<Request>,
    read_within: Option<Duration>,
    limit: Duration,
    subject: Subject,
    vantage: VantageId,
    headers: Vec<(String, Secret)>,
    host: Option<String>,
    roots: Vec<u8>,
}

/// One of the requests.
#[derive(Clone, Debug)]
struct Request {
    method: Method,
    url: Secret,
    body: Secret,
    status: StatusSet,
}

/// What may hold what nobody should read in a log.
#[derive(Clone)]
struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl TransactionProbe {
    /// A POST of `body` to `url`, and up to 4 s for everything. What is read back is still to be named.
    pub fn of(
        subject: Subject,
        vantage: VantageId,
        url: impl Into<String>,
        body: impl Into<String>,
    ) -> TransactionProbeBuilder {
        TransactionProbeBuilder {
            write: Request {
                method: Method::POST,
                url: Secret(url.into()),
                body: Secret(body.into()),
                status: StatusSet::default(),
            },
            read: None,
            delete: None,
            read_within: None,
            limit: Duration::from_secs(4),
            subject,
            vantage,
            headers: Vec::new(),
            host: None,
            roots: Vec::new(),
        }
    }

    async fn look(&self, cx: &ProbeCx) -> Result<Reading> {
        let clock = cx.clock().as_ref();
        let started = clock.monotonic();
        let deadline = started + self.setting.limit;
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let marker = marker(&self.setting.vantage, clock.wall(), count);
        let done = |latency: Latency, said: Result<String, String>| {
            let latency = Latency { total: clock.monotonic().since(started), ..latency };
            match said {
                Ok(said) => Reading::healthy(latency, said),
                Err(said) => Reading::unhealthy(latency, said),
            }
        };
        let write = self.setting.request(&self.setting.write, &marker, self.setting.limit).build()?.probe(cx).await?;
        let latency = write.latency;
        if !write.is_healthy() {
            return Ok(done(latency, Err(format!("the write failed: {}", write.reason))));
        }
        let written = Spoken(latency.total);
        let Some(read) = &self.setting.read else {
            return Ok(done(latency, Ok(format!("written in {written}"))));
        };
        let began = clock.monotonic();
        let allowed = self.setting.read_within.unwrap_or(self.setting.limit);
        let until = deadline.min(began + allowed);
        let read_back = self.read_until(cx, read, &marker, until).await?;
        let took = Spoken(clock.monotonic().since(began));
        let mut said = match read_back {
            Ok(1) => Ok(format!("written in {written}, read back in {took}")),
            Ok(attempts) => Ok(format!("written in {written}, read back in {took} at attempt {attempts}")),
            Err(None) => Err(format!("written in {written}, and no time was left to read it back")),
            Err(Some(last)) => {
                let what = if self.answers_another(cx, read, &marker).await? {
                    "the answer is there and shows another's value: stale reads are served".to_owned()
                } else {
                    last
                };
                Err(format!("written in {written}, but not read back within {}: {what}", Spoken(until.since(began))))
            }
        };
        if let Some(delete) = &self.setting.delete {
            let limit = deadline.since(clock.monotonic()).max(PAUSE);
            let deleted = self.setting.request(delete, &marker, limit).build()?.probe(cx).await?;
            if let (false, Ok(said)) = (deleted.is_healthy(), &mut said) {
                // Somebody has to know that rubbish is piling up, but no client fails by it.
                said.push_str(&format!("; it was not deleted afterwards: {}", deleted.reason));
            }
        }
        Ok(done(latency, said))
    }

    /// Reads until the marker is there; says at which attempt, or what the last one saw when the time is over.
    async fn read_until(
        &self,
        cx: &ProbeCx,
        read: &Request,
        marker: &str,
        until: Monotonic,
    ) -> Result<Result<u32, Option<String>>> {
        let clock = cx.clock().as_ref();
        let (mut last, mut pause) = (None, PAUSE);
        for attempt in 1.. {
            let left = until.since(clock.monotonic());
            if left.is_zero() {
                break;
            }
            let probe = self.setting.request(read, marker, left).expect_body(BodyMatch::within(marker, WITHIN));
            let reading = probe.build()?.probe(cx).await?;
            if reading.is_healthy() {
                return Ok(Ok(attempt));
            }
            last = Some(reading.reason);
            let left = until.since(clock.monotonic());
            clock.sleep(pause.min(left)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Ok(Err(last))
    }

    /// Whether reading gives something, and not what was written.
    async fn answers_another(&self, cx: &ProbeCx, read: &Request, marker: &str) -> Result<bool> {
        let anything = self.setting.request(read, marker, LONGEST_PAUSE).build()?.probe(cx).await?;
        if !anything.is_healthy() {
            return Ok(false);
        }
        let own = self.setting.request(read, marker, LONGEST_PAUSE).expect_body(BodyMatch::within(marker, WITHIN));
        Ok(!own.build()?.probe(cx).await?.is_healthy())
    }
}

impl TransactionProbeBuilder {
    /// The statuses of the write that mean "stored". 200 to 299 unless said otherwise.
    pub fn expect_write(mut self, status: impl Into<StatusSet>) -> Self {
        self.write.status = status.into();
        self
    }

    /// Where to read what was written, with `{{id}}` where its name goes. The answer must show that name.
    pub fn read_back(mut self, url: impl Into<String>) -> Self {
        self.read = Some(Request {
            method: Method::GET,
            url: Secret(url.into()),
            body: Secret(String::new()),
            status: 200.into(),
        });
        self
    }

    /// The statuses of the read that count. 200 alone unless said otherwise.
    pub fn expect_read(mut self, status: impl Into<StatusSet>) -> Self {
        if let Some(read) = &mut self.read {
            read.status = status.into();
        }
        self
    }

    /// How long after the write it may take until it can be read. The rest of the deadline unless said.
    pub fn read_within(mut self, limit: Duration) -> Self {
        self.read_within = Some(limit);
        self
    }

    /// What to DELETE in the end, with `{{id}}` where the name goes. That it cannot be deleted is said, and no fault.
    pub fn delete(mut self, url: impl Into<String>) -> Self {
        self.delete = Some(Request {
            method: Method::DELETE,
            url: Secret(url.into()),
            body: Secret(String::new()),
            status: StatusSet::default(),
        });
        self
    }

    /// One more header of every request. Its value is kept out of logs.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), Secret(value.into())));
        self
    }

    /// The `Host` to ask for, as for an [`HttpProbe`].
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Certificates in PEM to trust beside the public authorities'.
    pub fn trust_pem(mut self, certificates: impl Into<Vec<u8>>) -> Self {
        self.roots = certificates.into();
        self
    }

    /// The deadline for everything but the deletion.
    pub fn with_timeout(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The probe.
    ///
    /// # Errors
    ///
    /// With what is wrong with one of the requests; and when nothing that is sent or asked for carries `{{id}}`, so that a
    /// read could not tell this look's value from another's.
    pub fn build(self) -> Result<TransactionProbe> {
        let invalid = |message: String| {
            let message = format!("the probe {} cannot be built: {message}", self.subject.probe);
            Error::new(ErrorKind::Invalid, message).with_effect(Effect::NotApplied)
        };
        for request in [Some(&self.write), self.read.as_ref(), self.delete.as_ref()].into_iter().flatten() {
            self.request(request, "id", self.limit).build()?;
        }
        let carries = |request: &Request| request.url.0.contains(MARKER) || request.body.0.contains(MARKER);
        if self.read.is_some() && !carries(&self.write) {
            return Err(invalid(format!("what is written does not carry {MARKER}, so that it could be read back")));
        }
        Ok(TransactionProbe { setting: self, count: AtomicU64::new(0) })
    }

    /// One of the requests, for the transaction with this marker.
    fn request(&self, request: &Request, marker: &str, limit: Duration) -> HttpProbeBuilder {
        let (subject, vantage) = (self.subject.clone(), self.vantage.clone());
        let url = marked(&request.url.0, marker);
        let mut builder = match request.method {
            Method::POST => HttpProbe::post(subject, vantage, url, marked(&request.body.0, marker)),
            _ => HttpProbe::get(subject, vantage, url).method(request.method.clone()),
        };
        for (name, Secret(value)) in &self.headers {
            builder = builder.header(name, value);
        }
        if let Some(host) = &self.host {
            builder = builder.host(host);
        }
        let builder = builder.connect_timeout(limit).response_timeout(limit).total_timeout(limit);
        builder.expect_status(request.status.clone()).trust_pem(self.roots.clone())
    }
}

#[async_trait]
impl HealthProbe for TransactionProbe {
    fn subject(&self) -> &Subject {
        &self.setting.subject
    }

    fn vantage(&self) -> &VantageId {
        &self.setting.vantage
    }

    async fn probe(&self, cx: &ProbeCx) -> Result<Reading> {
        self.look(cx).await
    }
}
