use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures::{StreamExt as _, stream};

use super::{
    judgement::{Leads, NameLead, Seen},
    question::{DnsQuestion, read_name},
    reply::{DnsAnswer, DnsType},
    stand::{Heard, Own, Owned, Stand},
};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    model::{RegionId, VantageId},
    probe::{HealthProbe, Latency, ProbeCx, Reading, Subject, net::miss::Miss},
    time::{Clock, Monotonic},
};

/// How many questions are under way at once.
const AT_ONCE: usize = 64;

/// No more servers of a sort, regions or samples: a look stays bounded, whatever is configured.
const MOST: usize = 16;

/// Where a public name leads: by the word of each of its authoritative servers, and by what resolvers have of it.
///
/// A balancer's addresses change, so an answer is not compared with a list: it leads to a region when it is a non-empty
/// subset of the addresses that this region's own name has at that moment, and shares none with another region's. Each
/// look asks every server at once, for both families, resolvers several times (one of them is many caches). A probe keeps
/// when each server was first seen to lead where it leads: its flip.
///
/// ```no_run
/// use std::{sync::Arc, time::Duration};
/// use dr_core::{probe::{DnsProbe, HealthProbe, ProbeCx, Subject}, time::SystemClock};
///
/// # async fn look() -> Result<(), Box<dyn std::error::Error>> {
/// let subject = Subject::infrastructure("public-name".parse()?, "us-east-1".parse()?);
/// let probe = DnsProbe::of(subject, "eu-central-1".parse()?, "api.example.com")
///     .authority("ns-1.awsdns-01.org")
///     .authority("ns-2.awsdns-02.net")
///     .resolver("9.9.9.9")
///     .region("us-east-1".parse()?, "api-us-east-1.example.com")
///     .region("eu-west-1".parse()?, "api-eu-west-1.example.com")
///     .build()?;
/// let reading = probe.probe(&ProbeCx::new(Arc::new(SystemClock::new()))).await?;
/// // 1 of 2 authoritative servers answer eu-west-1, TTL 60 s; ns-2… still answers us-east-1, TTL 60 s; …
/// println!("{}", reading.reason);
/// # Ok(())
/// # }
/// ```
pub struct DnsProbe {
    setting: DnsProbeBuilder,
    leads: Mutex<Leads>,
}

impl fmt::Debug for DnsProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DnsProbe").field("setting", &self.setting).finish_non_exhaustive()
    }
}

/// A [`DnsProbe`] in the making.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct DnsProbeBuilder {
    subject: Subject,
    vantage: VantageId,
    name: String,
    authorities: Vec<String>,
    resolvers: Vec<String>,
    regions: BTreeMap<RegionId, String>,
    expected: Option<RegionId>,
    samples: usize,
    tries: u32,
    limit: Duration,
}

/// To whom a question goes, and for what.
#[derive(Clone, Debug)]
struct Asked {
    resolver: bool,
    /// Its place among the authorities or the resolvers.
    server: usize,
    about: About,
    family: DnsType,
}

#[derive(Clone, Debug)]
enum About {
    /// The public name, for the so manieth time.
    Public(usize),
    /// A region's own name.
    Own(RegionId),
}

type Answers = Vec<(Asked, Heard)>;

impl DnsProbe {
    /// A probe of `name`, with authorities and regions still to be named: it tries twice within 4 s, and samples each
    /// resolver three times.
    pub fn of(subject: Subject, vantage: VantageId, name: impl Into<String>) -> DnsProbeBuilder {
        DnsProbeBuilder {
            subject,
            vantage,
            name: name.into(),
            authorities: Vec::new(),
            resolvers: Vec::new(),
            regions: BTreeMap::new(),
            expected: None,
            samples: 3,
            tries: 2,
            limit: Duration::from_secs(4),
        }
    }

    fn leads_so_far(&self) -> MutexGuard<'_, Leads> {
        self.leads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where each server that was ever seen to lead somewhere leads, and since when.
    #[must_use]
    pub fn leads(&self) -> BTreeMap<String, NameLead> {
        self.leads_so_far().0.clone()
    }

    async fn look(&self, cx: &ProbeCx) -> Result<Reading> {
        let clock = cx.clock().as_ref();
        let started = clock.monotonic();
        let answers = self.setting.ask_everybody(clock, started).await?;
        let owned = self.setting.owned(&answers);
        let seen = self.setting.seen(&answers, &owned);
        let (now, wall) = (clock.monotonic(), clock.wall());
        let mut leads = self.leads_so_far();
        for (server, stand) in seen.authorities.iter().chain(&seen.resolvers) {
            leads.take(server, stand, now, wall);
        }
        let judgement = seen.judge(&leads, self.setting.expected.as_ref(), now);
        drop(leads);
        let mut said = judgement.said;
        for (region, own) in owned.iter().filter(|(_, own)| own.addresses.is_empty()) {
            said.push_str(&format!("; {} of {region} has no address that anybody knows", own.name));
        }
        let latency = Latency::of(now.since(started));
        Ok(if judgement.healthy { Reading::healthy(latency, said) } else { Reading::unhealthy(latency, said) })
    }
}

impl DnsProbeBuilder {
    /// One of the name's authoritative servers: a `host`, or a `host:port`. Name them all, and pin them: who has to find
    /// them first depends on more.
    pub fn authority(mut self, server: impl Into<String>) -> Self {
        self.authorities.push(server.into());
        self
    }

    /// A resolver that clients use, or one like it.
    pub fn resolver(mut self, server: impl Into<String>) -> Self {
        self.resolvers.push(server.into());
        self
    }

    /// A region, by the name of its own balancer.
    pub fn region(mut self, region: RegionId, name: impl Into<String>) -> Self {
        self.regions.insert(region, name.into());
        self
    }

    /// The region that the name should lead to. Any one will do unless said.
    pub fn expect(mut self, region: RegionId) -> Self {
        self.expected = Some(region);
        self
    }

    /// How often each resolver is asked in a look.
    pub fn samples(mut self, samples: usize) -> Self {
        self.samples = samples;
        self
    }

    /// The limit for the whole look, which `tries` datagrams to each server share.
    pub fn with_patience(mut self, tries: u32, limit: Duration) -> Self {
        (self.tries, self.limit) = (tries, limit);
        self
    }

    /// The probe.
    ///
    /// # Errors
    ///
    /// With everything that is wrong with the names, and when there is nobody to ask or nothing to compare with.
    pub fn build(self) -> Result<DnsProbe> {
        let mut problems: Vec<String> = std::iter::once(&self.name)
            .chain(self.regions.values())
            .filter_map(|name| read_name(name).err())
            .map(|error| error.message().to_owned())
            .collect();
        if self.authorities.is_empty() {
            problems.push("no authoritative server is named".to_owned());
        }
        if self.regions.is_empty() {
            problems.push("no region's own name is given to compare with".to_owned());
        }
        let counts = [
            (self.authorities.len(), "authoritative servers"),
            (self.resolvers.len(), "resolvers"),
            (self.regions.len(), "regions"),
            (self.samples, "samples"),
        ];
        for (_, what) in counts.iter().filter(|(count, _)| *count > MOST) {
            problems.push(format!("more than {MOST} {what}"));
        }
        if self.samples == 0 || self.tries == 0 {
            problems.push("who never asks learns nothing: at least one sample and one try".to_owned());
        }
        if problems.is_empty() {
            return Ok(DnsProbe { setting: self, leads: Mutex::default() });
        }
        let message = format!("the probe {} cannot be built: {}", self.subject.probe, problems.join("; "));
        Err(Error::new(ErrorKind::Invalid, message).with_effect(Effect::NotApplied))
    }

    /// Every question of a look.
    fn questions(&self) -> Vec<(Asked, DnsQuestion)> {
        // One share for finding a server whose own name has to be resolved.
        let wait = self.limit / self.tries.saturating_add(1);
        let authorities = self.authorities.iter().enumerate().map(|(n, server)| (false, n, server));
        let resolvers = self.resolvers.iter().enumerate().map(|(n, server)| (true, n, server));
        let mut questions = Vec::new();
        for (resolver, n, server) in authorities.chain(resolvers) {
            let samples = if resolver { self.samples } else { 1 };
            let public = (0..samples).map(|sample| (About::Public(sample), &self.name));
            let own = self.regions.iter().map(|(region, name)| (About::Own(region.clone()), name));
            for (about, name) in public.chain(own) {
                for family in [DnsType::A, DnsType::Aaaa] {
                    let question = match resolver {
                        true => DnsQuestion::to_resolver(server, name, family),
                        false => DnsQuestion::to_authority(server, name, family),
                    };
                    let asked = Asked { resolver, server: n, about: about.clone(), family };
                    questions.push((asked, question.with_patience(self.tries, wait)));
                }
            }
        }
        questions
    }

    async fn ask_everybody(&self, clock: &dyn Clock, started: Monotonic) -> Result<Answers> {
        let deadline = started + self.limit;
        let asking = self.questions().into_iter().map(|(asked, question)| async move {
            if clock.monotonic() >= deadline {
                return Ok((asked, Err("its turn did not come in time".to_owned())));
            }
            match question.reply(clock).await {
                Ok(reply) => Ok((asked, Ok(reply.answer))),
                Err(Miss::Failed(why)) => Ok((asked, Err(why))),
                Err(Miss::Blind(error)) => Err(error),
            }
        });
        let answers: Vec<Result<(Asked, Heard)>> = stream::iter(asking).buffer_unordered(AT_ONCE).collect().await;
        answers.into_iter().collect()
    }

    /// What each region has of its own, by the word of the authorities, and of the resolvers where those know nothing:
    /// a balancer's name mostly lies in another zone.
    fn owned(&self, answers: &Answers) -> Owned {
        let addresses_of = |region: &RegionId, from_resolvers: bool| {
            let said = answers.iter().filter(|(asked, _)| {
                asked.resolver == from_resolvers && matches!(&asked.about, About::Own(own) if own == region)
            });
            said.filter_map(|(_, heard)| match heard {
                Ok(DnsAnswer::Addresses { addresses, .. }) => Some(addresses.iter().copied()),
                _ => None,
            })
            .flatten()
            .collect::<std::collections::BTreeSet<_>>()
        };
        let own = |(region, name): (&RegionId, &String)| {
            let known = addresses_of(region, false);
            let addresses = if known.is_empty() { addresses_of(region, true) } else { known };
            (region.clone(), Own { name: name.clone(), addresses })
        };
        self.regions.iter().map(own).collect()
    }

    /// Where each server leads.
    fn seen(&self, answers: &Answers, owned: &Owned) -> Seen {
        let unasked: Heard = Err("it was not asked".to_owned());
        let heard = |resolver: bool, server: usize, sample: usize, family: DnsType| {
            let found = answers.iter().find(|(asked, _)| {
                asked.resolver == resolver
                    && asked.server == server
                    && asked.family == family
                    && matches!(asked.about, About::Public(n) if n == sample)
            });
            found.map_or(&unasked, |(_, heard)| heard)
        };
        let stand = |resolver: bool, server: usize, sample: usize| {
            let of = |family| heard(resolver, server, sample, family);
            Stand::of_both(of(DnsType::A), of(DnsType::Aaaa), owned)
        };
        let authorities = self.authorities.iter().enumerate().map(|(n, name)| (name.clone(), stand(false, n, 0)));
        let resolvers = self.resolvers.iter().enumerate().map(|(n, name)| {
            let samples: Vec<Stand> = (0..self.samples).map(|sample| stand(true, n, sample)).collect();
            (name.clone(), Stand::of_samples(&samples))
        });
        Seen { authorities: authorities.collect(), resolvers: resolvers.collect() }
    }
}

#[async_trait]
impl HealthProbe for DnsProbe {
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
