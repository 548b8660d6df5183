use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{
    CheckPolicy, Detector as _, Observer, Quorum, QuorumPolicy, Quorums, Standing, Standings, Transition,
    advice::{Advice, Adviser},
    looks::{certificate, transaction},
    notices::Notices,
    observing::{elsewhere, here, serving},
};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    event::{Event, EventKind, EventSink},
    model::{RegionId, RegionRole, VantageId},
    probe::{
        BodyMatch, CheckKind, HealthProbe, HttpProbe, HttpProbeBuilder, Observation, ProbeCx, Redirects, Sampler,
        StatusSet, Subject, TcpProbe, remote::RemoteObserver,
    },
    spec::{ExpectSpec, LikeSpec, ProbeKind, ProbeSpec, ProbeTarget, RedirectScope, RedirectsSpec, Spec},
    time::SharedClock,
};

/// How often time passes for the detectors when nothing is observed.
const TICK: Duration = Duration::from_secs(1);

/// Everything that `dr.yaml` says about watching, running: each observer's probes against each region that serves, and a
/// quorum per region that judges what they see.
///
/// Observers without a `url` run in this process and look from this machine: they are told apart by name, and share its
/// fate. Those with one look from where they run, and are [pulled](RemoteObserver).
#[derive(Debug)]
#[must_use = "a watch sees nothing until it runs"]
pub struct Watch {
    clock: SharedClock,
    sampler: Sampler,
    remote: Vec<RemoteObserver>,
    quorums: Quorums,
    notices: Notices,
    advisers: Vec<Adviser>,
    writer: Option<watch::Receiver<RegionId>>,
    transitions: Option<mpsc::UnboundedSender<Transition>>,
}

impl Watch {
    /// The watch of a spec.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) with everything that keeps it from watching: an observer without a control target, a
    /// target that is no address, a quorum that could trip on a minority.
    pub fn of(spec: &Spec, clock: &SharedClock) -> Result<Self> {
        let mut problems = Vec::new();
        let sampler = here(spec, clock, &mut problems, |observer| observer.url.is_none());
        let remote = elsewhere(spec, clock, &mut problems);
        let serving = serving(spec);
        let pair: Vec<RegionId> = serving.iter().map(|region| region.id.clone()).collect();
        let mut quorums = Vec::new();
        let mut notices = Notices::default();
        for probe in spec.probes.iter().filter(|probe| probe.kind == ProbeKind::Dns) {
            notices.follow(policy(probe));
        }
        for region in &serving {
            let mut checks = Vec::new();
            for probe in &spec.probes {
                if probe.target(region).is_some() {
                    match probe.kind.votes() {
                        true => checks.push(policy(probe)),
                        false => notices.follow(policy(probe)),
                    }
                }
            }
            let observers = spec.observers.iter();
            let policy = QuorumPolicy {
                region: region.id.clone(),
                pair: pair.clone(),
                observers: observers
                    .map(|observer| Observer { vantage: observer.id.clone(), region: Some(observer.region.clone()) })
                    .collect(),
                quorum: usize::try_from(spec.detection.quorum).unwrap_or(usize::MAX),
                checks,
                dwell: spec.detection.dwell,
                hold_down: spec.detection.dwell,
                gray_dwell: Some(spec.detection.gray_dwell),
                checks_fail_dwell: spec.detection.checks_fail_dwell,
                damping: Some(spec.detection.damping.into()),
                suspicion: Some(spec.detection.suspicion.into()),
            };
            match Quorum::new(policy) {
                Ok(quorum) => quorums.push(quorum),
                Err(invalid) => problems.push(invalid.to_string()),
            }
        }
        let writer = spec.regions.iter().find(|region| region.role == RegionRole::Active);
        if let (Some(writer), true) = (writer, problems.is_empty()) {
            let quorums = Quorums::new(quorums, &writer.id);
            return Ok(Self {
                clock: clock.clone(),
                sampler,
                remote,
                quorums,
                notices,
                advisers: Vec::new(),
                writer: None,
                transitions: None,
            });
        }
        if writer.is_none() {
            problems.push("no region is active".to_owned());
        }
        let message = format!("nobody can watch: {}", problems.join("; "));
        Err(Error::new(ErrorKind::Invalid, message).with_effect(Effect::NotApplied))
    }

    /// The same, told by `writer` each time the region that takes the writes changes. Without it, the change is read from
    /// the writes themselves: see [`Quorums`].
    pub fn following(mut self, writer: watch::Receiver<RegionId>) -> Self {
        self.writer = Some(writer);
        self
    }

    /// The same, telling each change of a verdict as data, with the readings behind it. Whoever stops listening is no reason to
    /// stop.
    pub fn telling(mut self, transitions: mpsc::UnboundedSender<Transition>) -> Self {
        self.transitions = Some(transitions);
        self
    }

    /// The same, with one more opinion that is asked for each `every` and shown beside the verdict, and has no vote: see
    /// [`OpinionSpec`](crate::spec::OpinionSpec). What it fails to say is unknown; it needs no control target.
    pub fn advised_by(mut self, opinion: Arc<dyn HealthProbe>, every: Duration) -> Self {
        self.advisers.push(Adviser { probe: opinion, every });
        self
    }

    /// What is held before anything was seen, and the receiver that later news reaches.
    #[must_use]
    pub fn standings(&self) -> (watch::Sender<Standings>, watch::Receiver<Standings>) {
        let now = self.clock.monotonic();
        let standings = self.quorums.iter().map(|quorum| {
            let (verdict, why, because) = (quorum.verdict(), quorum.sentence(), quorum.why());
            (quorum.region().clone(), Standing { verdict, since: now, why, because })
        });
        watch::channel(standings.collect())
    }

    /// Watches until stopped. Each change of a verdict is an event, and moves the standings.
    ///
    /// # Errors
    ///
    /// Those of [`Sampler::run`].
    pub async fn run(
        self,
        events: Arc<dyn EventSink>,
        standings: watch::Sender<Standings>,
        stop: CancellationToken,
    ) -> Result<()> {
        let Self { clock, sampler, remote, mut quorums, mut notices, advisers, mut writer, transitions } = self;
        let mut advice = Advice::of(&advisers);
        let (advise, mut advised) = mpsc::channel::<Observation>(64);
        let (out, mut seen) = mpsc::channel::<Observation>(1024);
        let judging = async {
            let mut next_tick = clock.monotonic() + TICK;
            loop {
                let now = clock.monotonic();
                let changed = if now >= next_tick {
                    next_tick = now + TICK;
                    let changed = quorums.tick(now);
                    standings.send_if_modified(|all| refresh(all, &quorums, &advice));
                    changed
                } else {
                    tokio::select! {
                        region = told(&mut writer) => quorums.writer_is(&region),
                        observation = seen.recv() => match observation {
                            Some(o) => {
                                if let Some((who, message)) = notices.observe(&o) {
                                    events.emit(&said(&clock, who, message));
                                }
                                quorums.observe(o)
                            }
                            None => return,
                        },
                        Some(opinion) = advised.recv() => {
                            advice.take(&opinion);
                            continue;
                        }
                        () = clock.sleep(next_tick.since(now)) => continue,
                    }
                };
                for transition in changed {
                    events.emit(&event(&clock, &transition));
                    standings.send_modify(|all| {
                        let mut standing = Standing::from(&transition);
                        advice.beside(&mut standing, &transition.region, clock.monotonic());
                        all.insert(transition.region.clone(), standing);
                    });
                    if let Some(transitions) = &transitions {
                        let _ = transitions.send(transition);
                    }
                }
            }
        };
        let pulling = join_all(remote.into_iter().map(|observer| observer.run(out.clone(), stop.clone())));
        let cx = ProbeCx::new(clock.clone()).with_cancel(stop.clone());
        let advising = join_all(advisers.into_iter().map(|adviser| adviser.run(cx.clone(), advise.clone())));
        drop(advise);
        let (sampled, _, _, ()) = tokio::join!(sampler.run(out, stop), pulling, advising, judging);
        sampled
    }
}

/// Brings the reasons up to date, which change more often than the verdicts. That is no news to wake anybody for.
fn refresh(standings: &mut Standings, quorums: &Quorums, advice: &Advice) -> bool {
    for quorum in quorums.iter() {
        if let Some(standing) = standings.get_mut(quorum.region()) {
            standing.why = quorum.sentence();
            standing.because = quorum.why();
            advice.beside(standing, quorum.region(), quorum.now());
        }
    }
    false
}

/// The next region that somebody says is the writer.
async fn told(writer: &mut Option<watch::Receiver<RegionId>>) -> RegionId {
    if let Some(writer) = writer
        && writer.changed().await.is_ok()
    {
        return writer.borrow_and_update().clone();
    }
    // Nobody says anything any more.
    std::future::pending().await
}

fn event(clock: &SharedClock, transition: &Transition) -> Event {
    Event {
        at: clock.wall(),
        monotonic: clock.monotonic(),
        run: None,
        kind: EventKind::Verdict {
            region: transition.region.clone(),
            from: transition.from.to_string(),
            to: transition.to.to_string(),
            why: transition.to_string(),
        },
    }
}

fn said(clock: &SharedClock, who: String, message: String) -> Event {
    let (at, monotonic) = (clock.wall(), clock.monotonic());
    Event { at, monotonic, run: None, kind: EventKind::Said { who, message } }
}

fn kind(probe: &ProbeSpec) -> CheckKind {
    match probe.kind {
        ProbeKind::Http | ProbeKind::Tcp | ProbeKind::Certificate | ProbeKind::Dns => CheckKind::Infrastructure,
        ProbeKind::Write => CheckKind::Transaction,
    }
}

pub(super) fn subject(probe: &ProbeSpec, region: &RegionId) -> Subject {
    Subject { probe: probe.id.clone(), region: region.clone(), kind: kind(probe) }
}

fn policy(probe: &ProbeSpec) -> CheckPolicy {
    CheckPolicy {
        probe: probe.id.clone(),
        kind: kind(probe),
        trip: probe.threshold.trip,
        clear: probe.threshold.clear,
        stale_after: (probe.interval + probe.timeout) * 3,
    }
}

pub(super) fn built(
    spec: &Spec,
    probe: &ProbeSpec,
    region: &RegionId,
    vantage: &VantageId,
    target: &ProbeTarget,
) -> Result<Arc<dyn HealthProbe>> {
    let subject = subject(probe, region);
    let vantage = vantage.clone();
    match target {
        ProbeTarget::Http { url, post, expect } => {
            let builder = match post {
                Some(body) => HttpProbe::post(subject, vantage, url.clone(), body.clone()),
                None => HttpProbe::get(subject, vantage, url.clone()),
            };
            let builder = asking(probe, builder, expect)?;
            Ok(Arc::new(builder.build()?))
        }
        ProbeTarget::Transaction { .. } => transaction(probe, subject, vantage, target),
        ProbeTarget::Certificate { address } => certificate(spec, probe, subject, vantage, address),
        ProbeTarget::Tcp { address } => {
            let tcp = tcp(subject, vantage, address, probe.timeout)?;
            Ok(Arc::new(tcp.with_family(probe.family.unwrap_or_default())))
        }
    }
}

/// Everything that `dr.yaml` says of how to ask, and of what is an answer.
fn asking(probe: &ProbeSpec, builder: HttpProbeBuilder, expect: &ExpectSpec) -> Result<HttpProbeBuilder> {
    // One timeout is written, for the whole look; connecting may take all of it, and so may answering.
    let limit = probe.timeout;
    let mut builder = match probe.like {
        Some(LikeSpec::Route53) => builder.as_route53(),
        None => builder.connect_timeout(limit).response_timeout(limit),
    }
    .total_timeout(limit);
    if let Some(request) = &probe.request {
        if let Some(method) = request.method {
            builder = builder.method_named(method.as_str())?;
        }
        for (name, value) in &request.headers {
            builder = builder.header(name.clone(), value.clone());
        }
        if let Some(host) = &request.host {
            builder = builder.host(host.clone());
        }
        if let Some(limit) = request.connect_timeout {
            builder = builder.connect_timeout(limit);
        }
        if let Some(limit) = request.response_timeout {
            builder = builder.response_timeout(limit);
        }
        if let Some(RedirectsSpec { follow, to }) = request.redirects {
            builder = builder.redirects(match to {
                RedirectScope::SameHost => Redirects::SameHost(follow),
                RedirectScope::AnyHost => Redirects::AnyHost(follow),
            });
        }
        if request.keep_alive {
            builder = builder.keep_alive();
        }
    }
    if let Some(tls) = &probe.tls {
        if let Some(name) = &tls.server_name {
            builder = builder.server_name(name.clone());
        }
        if !tls.sni {
            builder = builder.without_server_name_indication();
        }
        if let Some(trust) = &tls.trust {
            builder = builder.trust_pem(trust.clone());
        }
        if tls.dangerously_accept_any_certificate {
            builder = builder.dangerously_accept_any_certificate();
        }
    }
    if let Some(family) = probe.family {
        builder = builder.family(family);
    }
    if !expect.status.is_empty() {
        builder = builder.expect_status(expect.status.iter().copied().collect::<StatusSet>());
    }
    if let Some(text) = &expect.body {
        builder = builder.expect_body(BodyMatch::route53(text.clone()));
    }
    Ok(builder)
}

/// How long a control target may take.
const CONTROL_LIMIT: Duration = Duration::from_secs(4);

pub(super) fn control(vantage: &VantageId, region: &RegionId, address: Option<&str>) -> Result<Arc<dyn HealthProbe>> {
    let invalid = |message: String| Error::new(ErrorKind::Invalid, message).with_effect(Effect::NotApplied);
    let address = address.filter(|address| !address.is_empty()).ok_or_else(|| {
        invalid(format!(
            "observer {vantage} has no control target: write `control: host:port` that outlives both regions"
        ))
    })?;
    let probe = format!("{vantage}/control").parse().map_err(|e: crate::model::InvalidId| invalid(e.to_string()))?;
    let subject = Subject::infrastructure(probe, region.clone());
    Ok(Arc::new(tcp(subject, vantage.clone(), address, CONTROL_LIMIT)?))
}

fn tcp(subject: Subject, vantage: VantageId, address: &str, limit: Duration) -> Result<TcpProbe> {
    Ok(TcpProbe::new(subject, vantage, address)?.with_timeout(limit))
}
