use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use dr_core::{
    detect::route53::{InsufficientData, calculated, effective_status},
    time::Monotonic,
};
use http::StatusCode;

use super::{
    Change, ChangeAction, CheckConfig, CheckConfigError, CheckResult, CheckType, HealthCheck, HostedZone, InvalidBatch,
    RecordSet, Resolution,
    answer::{Resolver, Target},
    change,
    health::Opinions,
    record::domain_name,
    state::{State, SubmittedChange},
    throttle::TokenBucket,
};
use crate::testing::{History, WorldCx};

/// The model of Route 53. Clones share it.
///
/// ```
/// use std::sync::Arc;
/// use dr_aws::testing::{World, route53::{CheckConfig, CheckResult, FailoverRole, RecordSet, Resolution}};
/// use dr_core::time::{Clock as _, ManualClock};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = ManualClock::new();
/// let world = World::builder(Arc::new(clock.clone())).build();
/// let route53 = world.route53();
/// let zone = route53.add_zone("example.com");
/// let check = route53.add_check(CheckConfig::http("127.0.1.1".parse()?, 8080, "/health"))?;
/// let record = |address: &str| RecordSet::new("api.example.com", "A", 60, [address]);
/// route53.add_record(&zone, record("127.0.1.1").failover(FailoverRole::Primary, "east").checked_by(&check))?;
/// route53.add_record(&zone, record("127.0.2.1").failover(FailoverRole::Secondary, "west"))?;
///
/// for _ in 0..3 {
///     route53.observe(&check, "us-east-1/15.177.0.1", CheckResult::failure("Connection timed out"));
/// }
/// clock.advance(std::time::Duration::from_secs(5)); // until the authoritative servers know
/// let Resolution::Answer(answer) = route53.answer("api.example.com", "A") else { panic!("no answer") };
/// assert_eq!(answer.set_identifier.as_deref(), Some("west"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Route53 {
    inner: Arc<Inner>,
}

struct Inner {
    world: WorldCx,
    state: History<State>,
    live: Mutex<Live>,
    bucket: Mutex<TokenBucket>,
}

type Health = Arc<dyn Fn() -> bool + Send + Sync>;

/// What is observed rather than configured.
struct Live {
    opinions: BTreeMap<String, Opinions>,
    controls: BTreeMap<String, bool>,
    metrics: BTreeMap<String, bool>,
    targets: BTreeMap<String, (Vec<IpAddr>, Health)>,
    /// The effective statuses of each check, and since when.
    flips: BTreeMap<String, VecDeque<(Monotonic, bool)>>,
    /// Records as of here are visible, however young.
    settled: Option<Monotonic>,
    propagation: Duration,
    publication: Duration,
    throttled: bool,
}

/// An error of the API: status, code and message.
#[derive(Debug)]
pub(super) struct ApiError {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(super) fn invalid_input(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidInput", message)
    }

    pub(super) fn no_such_check(id: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NoSuchHealthCheck",
            format!("No health check exists with the specified ID {id}"),
        )
    }

    pub(super) fn no_such_zone(id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NoSuchHostedZone", format!("No hosted zone found with ID: {id}"))
    }
}

impl From<CheckConfigError> for ApiError {
    fn from(error: CheckConfigError) -> Self {
        Self::invalid_input(error.to_string())
    }
}

impl From<InvalidBatch> for ApiError {
    fn from(error: InvalidBatch) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidChangeBatch", error.to_string())
    }
}

/// The API's limit of children deep: more than AWS allows, less than forever.
const DEPTH: u8 = 8;
/// How many flips of a check are remembered.
const FLIPS: usize = 64;

impl Route53 {
    pub(in crate::testing) fn new(world: WorldCx) -> Self {
        let now = world.clock().monotonic();
        let live = Live {
            opinions: BTreeMap::new(),
            controls: BTreeMap::new(),
            metrics: BTreeMap::new(),
            targets: BTreeMap::new(),
            flips: BTreeMap::new(),
            settled: None,
            propagation: Duration::from_secs(30),
            publication: Duration::from_secs(5),
            throttled: true,
        };
        let state = History::new(Arc::clone(world.clock()), State::default());
        Self {
            inner: Arc::new(Inner { world, state, live: Mutex::new(live), bucket: Mutex::new(TokenBucket::full(now)) }),
        }
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.inner.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Monotonic {
        self.inner.world.clock().monotonic()
    }

    pub(super) fn state_at(&self, moment: Monotonic) -> Arc<State> {
        self.inner.state.at(moment)
    }

    /// Sets how long a change batch is `PENDING`, and invisible; 30 s by default ("generally within 60 seconds").
    pub fn set_propagation(&self, delay: Duration) {
        self.live().propagation = delay;
    }

    /// Sets how long answers lag behind a check's flip; 5 s by default. AWS publishes no number.
    pub fn set_publication(&self, delay: Duration) {
        self.live().publication = delay;
    }

    /// Switches the limit of five API requests a second on (as it is by default) or off.
    pub fn set_throttle(&self, on: bool) {
        self.live().throttled = on;
    }

    /// Takes one API request's share of the limit; false when there is none left.
    pub(super) fn admit(&self) -> bool {
        !self.live().throttled || self.inner.bucket.lock().unwrap_or_else(PoisonError::into_inner).take(self.now())
    }

    // Setting up, without the API.

    /// Adds a hosted zone, visible at once, and returns its id.
    #[must_use]
    pub fn add_zone(&self, name: &str) -> String {
        let name = domain_name(name);
        let id = self.inner.state.write(|state| {
            let id = format!("Z{:09}", state.next());
            let zone = HostedZone::new(id.clone(), name, format!("set up {id}"), None);
            state.zones.insert(id.clone(), zone);
            id
        });
        self.settle();
        id
    }

    /// Adds or replaces a record set, visible at once.
    ///
    /// # Errors
    ///
    /// The reasons for which the API would refuse it, an unknown zone among them.
    pub fn add_record(&self, zone_id: &str, record: RecordSet) -> Result<(), InvalidBatch> {
        let change = Change { action: ChangeAction::Upsert, record };
        self.change(zone_id, None, &[change]).map_err(|error| InvalidBatch(vec![error.message]))?;
        self.settle();
        Ok(())
    }

    /// Adds a health check and returns its id.
    ///
    /// # Errors
    ///
    /// The rule of the API that the configuration breaks.
    pub fn add_check(&self, config: CheckConfig) -> Result<String, CheckConfigError> {
        config.validate()?;
        let check = self.inner.state.write(|state| insert_check(state, config, None));
        self.refresh();
        Ok(check.id)
    }

    /// Makes every change and every health status so far visible to [`answer`](Self::answer) at once, as if it had been so for long.
    pub fn settle(&self) {
        let now = self.now();
        let mut live = self.live();
        live.settled = Some(now);
        for flips in live.flips.values_mut() {
            if let Some((_, status)) = flips.pop_back() {
                *flips = VecDeque::from([(Monotonic::ZERO, status)]);
            }
        }
    }

    /// Protects the records of a name and type from `ChangeResourceRecordSets`.
    pub fn protect(&self, zone_id: &str, name: &str, rtype: &str) {
        let key = (zone_id.to_owned(), domain_name(name), rtype.to_owned());
        self.inner.state.write(|state| state.protections.insert(key));
    }

    // Looking, without the API.

    /// The hosted zones, by id.
    #[must_use]
    pub fn zones(&self) -> Vec<HostedZone> {
        self.inner.state.now().zones.values().cloned().collect()
    }

    /// The health checks, by id: what checkers poll.
    #[must_use]
    pub fn checks(&self) -> Vec<HealthCheck> {
        self.inner.state.now().checks.values().cloned().collect()
    }

    /// One health check.
    #[must_use]
    pub fn check(&self, id: &str) -> Option<HealthCheck> {
        self.inner.state.now().checks.get(id).cloned()
    }

    /// The effective status of a check now; nothing when there is none of this id.
    #[must_use]
    pub fn health(&self, check_id: &str) -> Option<bool> {
        let state = self.inner.state.now();
        state.checks.contains_key(check_id).then(|| effective(&state, &self.live(), check_id, DEPTH))
    }

    // The data plane.

    /// Takes in what a checker saw. Checkers are named `REGION/ADDRESS`, as `us-east-1/15.177.0.1`.
    pub fn observe(&self, check_id: &str, checker: &str, result: CheckResult) {
        let state = self.inner.state.now();
        let Some(check) = state.checks.get(check_id) else { return };
        let at = self.inner.world.clock().wall();
        let mut live = self.live();
        live.opinions.entry(check_id.to_owned()).or_default().add(checker, check.config.threshold(), at, result);
        record_flips(&state, &mut live, self.now());
    }

    /// Sets the state of an ARC routing control: on is healthy. A control that was never set is off, as a new one is.
    pub fn set_routing_control(&self, arn: &str, on: bool) {
        self.live().controls.insert(arn.to_owned(), on);
        self.refresh();
    }

    /// Sets what the data stream of a `CLOUDWATCH_METRIC` check's alarm says; nothing for too little data.
    pub fn set_metric_health(&self, check_id: &str, healthy: Option<bool>) {
        let mut live = self.live();
        match healthy {
            Some(healthy) => live.metrics.insert(check_id.to_owned(), healthy),
            None => live.metrics.remove(check_id),
        };
        drop(live);
        self.refresh();
    }

    /// Sets what an alias target outside the hosted zones, such as a load balancer, resolves to, and its health, which
    /// is asked at each answer.
    pub fn set_alias_target(
        &self,
        dns_name: &str,
        addresses: impl IntoIterator<Item = IpAddr>,
        healthy: impl Fn() -> bool + Send + Sync + 'static,
    ) {
        let target: (Vec<IpAddr>, Health) = (addresses.into_iter().collect(), Arc::new(healthy));
        self.live().targets.insert(domain_name(dns_name), target);
    }

    /// What the authoritative servers answer to a question: records that are `INSYNC`, chosen by published health.
    #[must_use]
    pub fn answer(&self, name: &str, rtype: &str) -> Resolution {
        let now = self.now();
        let live = self.live();
        let before = |delay: Duration| Monotonic::new(now.since_origin().saturating_sub(delay));
        let state = self.state_at(before(live.propagation).max(live.settled.unwrap_or_default()));
        let seen = before(live.publication);
        let targets: Vec<_> = live.targets.iter().map(|(name, target)| (name.clone(), target.clone())).collect();
        let health: BTreeMap<String, bool> =
            live.flips.iter().filter_map(|(id, flips)| Some((id.clone(), status_at(flips, seen)?))).collect();
        // A target's health is the embedder's code, which may well ask this model something.
        drop(live);
        let targets = targets
            .into_iter()
            .map(|(name, (addresses, healthy))| (name, Target { addresses, healthy: healthy() }))
            .collect();
        let health = |id: &str| health.get(id).copied().unwrap_or(true);
        Resolver { state: &state, health: &health, targets: &targets }.answer(name, rtype)
    }

    /// The zone that holds a name: its SOA goes with answers that say no.
    #[must_use]
    pub fn zone_of(&self, name: &str) -> Option<String> {
        self.inner.state.now().zone_of(&domain_name(name)).map(|zone| zone.name.clone())
    }

    fn refresh(&self) {
        let state = self.inner.state.now();
        record_flips(&state, &mut self.live(), self.now());
    }

    // The API's operations.

    pub(super) fn create_zone(
        &self,
        name: &str,
        caller_reference: &str,
        comment: Option<String>,
    ) -> Result<(HostedZone, SubmittedChange), ApiError> {
        let name = domain_name(name);
        self.inner.state.try_write(|state| {
            if state.zones.values().any(|zone| zone.caller_reference == caller_reference) {
                let message = "A hosted zone has already been created with the specified caller reference.";
                return Err(ApiError::new(StatusCode::CONFLICT, "HostedZoneAlreadyExists", message));
            }
            let id = format!("Z{:09}", state.next());
            let zone = HostedZone::new(id.clone(), name, caller_reference.to_owned(), comment);
            state.zones.insert(id, zone.clone());
            Ok((zone, self.submit(state, None)))
        })
    }

    pub(super) fn delete_zone(&self, id: &str) -> Result<SubmittedChange, ApiError> {
        self.inner.state.try_write(|state| {
            let zone = state.zones.get(id).ok_or_else(|| ApiError::no_such_zone(id))?;
            if zone.records().any(|record| record.name != zone.name || !["NS", "SOA"].contains(&record.rtype.as_str()))
            {
                let message =
                    "The specified hosted zone contains non-required resource record sets and so cannot be deleted.";
                return Err(ApiError::new(StatusCode::BAD_REQUEST, "HostedZoneNotEmpty", message));
            }
            state.zones.remove(id);
            Ok(self.submit(state, None))
        })
    }

    pub(super) fn change(
        &self,
        zone_id: &str,
        comment: Option<String>,
        changes: &[Change],
    ) -> Result<SubmittedChange, ApiError> {
        self.inner.state.try_write(|state| {
            let zone = state.zones.get(zone_id).ok_or_else(|| ApiError::no_such_zone(zone_id))?;
            let is_protected = |record: &RecordSet| {
                state.protections.contains(&(zone_id.to_owned(), record.name.clone(), record.rtype.clone()))
            };
            let records = change::apply(zone, &state.checks, is_protected, changes)?;
            if let Some(zone) = state.zones.get_mut(zone_id) {
                zone.records = records;
            }
            Ok(self.submit(state, comment))
        })
    }

    fn submit(&self, state: &mut State, comment: Option<String>) -> SubmittedChange {
        let id = format!("C{:09}", state.next());
        let change =
            SubmittedChange { id: id.clone(), submitted: self.inner.world.clock().wall(), at: self.now(), comment };
        state.changes.insert(id, change.clone());
        change
    }

    /// Whether a change has reached all servers by `moment`.
    pub(super) fn is_in_sync(&self, change: &SubmittedChange, moment: Monotonic) -> bool {
        moment.since(change.at) >= self.live().propagation
    }

    /// Creates a check; true beside it when it is new, false when a repeated call found it.
    pub(super) fn create_check(
        &self,
        caller_reference: &str,
        config: CheckConfig,
    ) -> Result<(HealthCheck, bool), ApiError> {
        config.validate()?;
        let created = self.inner.state.try_write(|state| {
            let config = config.with_defaults();
            let existing = state.checks.values().find(|check| check.caller_reference == caller_reference);
            if let Some(check) = existing.filter(|check| check.version == 1 && check.config == config) {
                return Ok((check.clone(), false));
            }
            if existing.is_some() || state.spent_references.contains(caller_reference) {
                let message =
                    format!("A health check has already been created with the caller reference {caller_reference}");
                return Err(ApiError::new(StatusCode::CONFLICT, "HealthCheckAlreadyExists", message));
            }
            Ok((insert_check(state, config, Some(caller_reference)), true))
        })?;
        self.refresh();
        Ok(created)
    }

    pub(super) fn update_check(
        &self,
        id: &str,
        version: Option<u64>,
        update: impl FnOnce(&mut CheckConfig) -> Result<(), ApiError>,
    ) -> Result<HealthCheck, ApiError> {
        let updated = self.inner.state.try_write(|state| {
            let check = state.checks.get_mut(id).ok_or_else(|| ApiError::no_such_check(id))?;
            if version.is_some_and(|version| version != check.version) {
                let message = format!(
                    "The health check version that you provided does not match the current version {}",
                    check.version
                );
                return Err(ApiError::new(StatusCode::CONFLICT, "HealthCheckVersionMismatch", message));
            }
            update(&mut check.config)?;
            check.config.validate()?;
            check.version += 1;
            Ok(check.clone())
        })?;
        self.refresh();
        Ok(updated)
    }

    pub(super) fn delete_check(&self, id: &str) -> Result<(), ApiError> {
        self.inner.state.try_write(|state| {
            let check = state.checks.remove(id).ok_or_else(|| ApiError::no_such_check(id))?;
            state.spent_references.insert(check.caller_reference);
            Ok::<_, ApiError>(())
        })?;
        let mut live = self.live();
        live.opinions.remove(id);
        live.metrics.remove(id);
        live.flips.remove(id);
        Ok(())
    }

    pub(super) fn with_opinions<R>(&self, id: &str, read: impl FnOnce(Option<&Opinions>) -> R) -> R {
        read(self.live().opinions.get(id))
    }
}

impl fmt::Debug for Route53 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.inner.state.now();
        f.debug_struct("Route53")
            .field("zones", &state.zones.len())
            .field("checks", &state.checks.len())
            .finish_non_exhaustive()
    }
}

fn insert_check(state: &mut State, config: CheckConfig, caller_reference: Option<&str>) -> HealthCheck {
    let id = format!("00000000-0000-4000-a000-{:012x}", state.next());
    let caller_reference = caller_reference.map_or_else(|| format!("set up {id}"), str::to_owned);
    let check = HealthCheck { id: id.clone(), caller_reference, version: 1, config: config.with_defaults() };
    state.checks.insert(id, check.clone());
    check
}

/// The status of a check that its configuration and what is observed add up to.
fn effective(state: &State, live: &Live, id: &str, depth: u8) -> bool {
    // A record may name a check that was deleted since; AWS says that the outcome "can't be predicted".
    let Some(check) = state.checks.get(id) else { return true };
    let config = &check.config;
    let observed = match config.kind {
        CheckType::Calculated => depth.checked_sub(1).map(|depth| {
            let healthy =
                config.child_health_checks.iter().filter(|child| effective(state, live, child, depth)).count();
            calculated(config.health_threshold.unwrap_or_default(), healthy)
        }),
        CheckType::CloudwatchMetric => {
            let insufficient = match config.insufficient_data_health_status.as_deref() {
                Some("Unhealthy") => InsufficientData::Unhealthy,
                Some("Healthy") => InsufficientData::Healthy,
                _ => InsufficientData::LastKnownStatus,
            };
            insufficient.observed(live.metrics.get(id).copied(), None)
        }
        CheckType::RecoveryControl => {
            config.routing_control_arn.as_ref().map(|arn| live.controls.get(arn).copied().unwrap_or(false))
        }
        _ => live.opinions.get(id).and_then(Opinions::verdict),
    };
    effective_status(config.disabled.unwrap_or(false), config.inverted.unwrap_or(false), observed)
}

/// Notes, for every check, the status that it has from now on.
fn record_flips(state: &State, live: &mut Live, now: Monotonic) {
    for id in state.checks.keys() {
        let healthy = effective(state, live, id, DEPTH);
        let flips = live.flips.entry(id.clone()).or_default();
        if flips.back().is_none_or(|(_, was)| *was != healthy) {
            flips.push_back((now, healthy));
        }
        if flips.len() > FLIPS {
            flips.pop_front();
        }
    }
}

/// The status at a moment; before the first that is known, the first.
fn status_at(flips: &VecDeque<(Monotonic, bool)>, moment: Monotonic) -> Option<bool> {
    flips.iter().rev().find(|(since, _)| *since <= moment).or_else(|| flips.front()).map(|(_, healthy)| *healthy)
}
