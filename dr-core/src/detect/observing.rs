use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};

use super::{
    looks::{led_to, public_name},
    watch::{built, control, subject},
};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    journal::{Ed25519Verifier, PublicKey},
    model::VantageId,
    probe::{HttpTransport, Sampler, remote::RemoteObserver},
    spec::{ObserverSpec, ProbeKind, RegionSpec, Spec},
    time::SharedClock,
};

/// Everything that one observer of `dr.yaml` looks at, to be run where that observer is. Whether the file gives it a
/// `url`, at which others ask for what it saw, makes no difference here.
///
/// # Errors
///
/// [`NotFound`](ErrorKind::NotFound) when the file has no such observer; [`Invalid`](ErrorKind::Invalid) with
/// everything that keeps it from looking: no control target, a target that is no address.
///
/// ```no_run
/// # async fn observe(spec: dr_core::spec::Spec) -> dr_core::error::Result<()> {
/// use std::sync::Arc;
/// use dr_core::{detect::observing, time::SystemClock};
/// use tokio::sync::mpsc;
/// use tokio_util::sync::CancellationToken;
///
/// let sampler = observing(&spec, &"observer-eu-central-1".parse().unwrap(), &(Arc::new(SystemClock::new()) as _))?;
/// let (out, mut seen) = mpsc::channel(64);
/// tokio::spawn(sampler.run(out, CancellationToken::new()));
/// while let Some(observation) = seen.recv().await {
///     println!("{}: {}", observation.subject.region, observation.outcome);
/// }
/// # Ok(())
/// # }
/// ```
pub fn observing(spec: &Spec, observer: &VantageId, clock: &SharedClock) -> Result<Sampler> {
    if !spec.observers.iter().any(|known| known.id == *observer) {
        let known: Vec<&str> = spec.observers.iter().map(|known| known.id.as_str()).collect();
        let message = format!("no observer is called {observer}: there are {}", known.join(", "));
        return Err(Error::new(ErrorKind::NotFound, message).with_effect(Effect::NotApplied));
    }
    let mut problems = Vec::new();
    let sampler = here(spec, clock, &mut problems, |known| known.id == *observer);
    if problems.is_empty() {
        return Ok(sampler);
    }
    let message = format!("{observer} cannot look: {}", problems.join("; "));
    Err(Error::new(ErrorKind::Invalid, message).with_effect(Effect::NotApplied))
}

/// The regions that are judged.
pub(super) fn serving(spec: &Spec) -> Vec<&RegionSpec> {
    spec.regions.iter().filter(|region| region.role.can_take_over()).collect()
}

/// What the observers that run in this process look at.
pub(super) fn here(
    spec: &Spec,
    clock: &SharedClock,
    problems: &mut Vec<String>,
    is_here: impl Fn(&ObserverSpec) -> bool,
) -> Sampler {
    let mut sampler = Sampler::new(clock.clone());
    let shortest = spec.probes.iter().map(|probe| probe.interval).min().unwrap_or(Duration::from_secs(10));
    for observer in spec.observers.iter().filter(|observer| is_here(observer)) {
        match control(&observer.id, &observer.region, observer.control.as_deref()) {
            Ok(probe) => sampler = sampler.control(probe, shortest),
            Err(error) => problems.push(error.message().to_owned()),
        }
    }
    for probe in spec.probes.iter().filter(|probe| probe.kind == ProbeKind::Dns) {
        for observer in spec.observers.iter().filter(|observer| is_here(observer)) {
            match public_name(spec, probe, &observer.id) {
                Ok(looking) => sampler = sampler.probe(looking, probe.interval),
                Err(error) => problems.push(error.message().to_owned()),
            }
        }
    }
    for region in serving(spec) {
        for probe in &spec.probes {
            let Some(target) = probe.target(region) else { continue };
            for observer in spec.observers.iter().filter(|observer| is_here(observer)) {
                match built(spec, probe, &region.id, &observer.id, &target) {
                    Ok(looking) => sampler = sampler.probe(looking, probe.interval),
                    Err(error) => problems.push(error.message().to_owned()),
                }
            }
        }
    }
    sampler
}

/// The observers that run elsewhere, and what they are to look at.
pub(super) fn elsewhere(spec: &Spec, clock: &SharedClock, problems: &mut Vec<String>) -> Vec<RemoteObserver> {
    let mut keys: BTreeMap<PublicKey, &VantageId> = BTreeMap::new();
    let mut remote = Vec::new();
    for observer in &spec.observers {
        let Some(url) = &observer.url else { continue };
        let found = public_key(observer).and_then(|key| Ok((key, HttpTransport::new(url)?)));
        let (key, transport) = match found {
            Ok(found) => found,
            Err(error) => {
                problems.push(format!("observer {}: {}", observer.id, error.message()));
                continue;
            }
        };
        if let Some(other) = keys.insert(key, &observer.id) {
            problems.push(format!(
                "the observers {other} and {} have one key, so one could speak for the other: give each its own",
                observer.id
            ));
        }
        let verifier = Ed25519Verifier::new().trust(key.fingerprint(), key.as_bytes());
        let mut pulled =
            RemoteObserver::new(clock.clone(), observer.id.clone(), Arc::new(transport), Arc::new(verifier));
        for region in serving(spec) {
            for probe in spec.probes.iter().filter(|probe| probe.target(region).is_some()) {
                pulled = pulled.subject(subject(probe, &region.id));
            }
        }
        if let Some(region) = led_to(spec) {
            for probe in spec.probes.iter().filter(|probe| probe.kind == ProbeKind::Dns) {
                pulled = pulled.subject(subject(probe, region));
            }
        }
        remote.push(pulled);
    }
    remote
}

/// The key as `dr.yaml` has it, or the one in the file that it names.
fn public_key(observer: &ObserverSpec) -> Result<PublicKey> {
    let invalid = |message: String| Error::new(ErrorKind::Invalid, message).with_effect(Effect::NotApplied);
    let Some(written) = observer.key.as_deref() else {
        return Err(invalid(
            "it has a url and no key: write `key:` with the public key that its answers are signed by".to_owned(),
        ));
    };
    if let Ok(key) = written.parse() {
        return Ok(key);
    }
    let text = fs::read_to_string(written)
        .map_err(|error| invalid(format!("its key is none, and no file that can be read ({error})")))?;
    text.parse().map_err(|error| invalid(format!("the file of its key holds none: {error}")))
}
