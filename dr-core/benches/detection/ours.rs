//! Ours: the quorum of `dr_core::detect`, as the sampler would feed it.

use std::time::Duration;

use dr_core::{
    detect::{CheckPolicy, Detector as _, Observer, Quorum, QuorumPolicy, Verdict},
    model::VantageId,
    probe::{CheckKind, Latency, Observation, Outcome, Reading, Subject},
    time::{Monotonic, Timestamp},
};

use crate::trace::{Came, INTERVAL, Trace};

/// How a quorum is set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// How long a look may take.
    pub(crate) timeout: f64,
    pub(crate) trip: u32,
    pub(crate) dwell: f64,
}

const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "eu-central-1"];
const CHECKS: [(&str, CheckKind); 2] =
    [("front/health", CheckKind::Infrastructure), ("front/write", CheckKind::Transaction)];
/// What a look at the control target adds to one that failed, and how long it may take.
const CONTROL: f64 = 0.03;
const CONTROL_LIMIT: f64 = 0.5;

fn duration(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds.max(0.0))
}

fn quorum(setting: Setting) -> Quorum {
    let check = |(probe, kind): (&str, CheckKind)| CheckPolicy {
        probe: probe.parse().expect("a name"),
        kind,
        trip: setting.trip,
        clear: 2,
        stale_after: duration(3.0 * (INTERVAL + setting.timeout)),
    };
    let observer = |place: &str| Observer {
        vantage: place.parse().expect("a name"),
        region: Some(place.parse().expect("a name")),
    };
    Quorum::new(QuorumPolicy {
        region: REGIONS[0].parse().expect("a name"),
        pair: REGIONS[..2].iter().map(|region| region.parse().expect("a name")).collect(),
        observers: REGIONS.map(observer).into(),
        quorum: 2,
        checks: CHECKS.map(check).into(),
        dwell: duration(setting.dwell),
        hold_down: Duration::ZERO,
        gray_dwell: Some(duration(setting.dwell)),
        checks_fail_dwell: None,
        damping: None,
        suspicion: None,
    })
    .expect("a policy that can work")
}

/// What a look amounts to, and when it is known.
enum Told {
    Good,
    Bad,
    Impaired,
}

/// When the verdict turns to unhealthy and back, in order.
pub(crate) fn told(trace: &Trace, setting: Setting) -> Vec<(f64, bool)> {
    let mut seen: Vec<(f64, usize, usize, Told)> = Vec::new();
    for (observer, kinds) in trace.looks.iter().enumerate() {
        for (kind, looks) in kinds.iter().enumerate() {
            for look in looks {
                let (ends, told) = match look.came {
                    Came::Answer(took) if took <= setting.timeout => (look.begin + took, Told::Good),
                    _ if !look.connected => (look.begin + setting.timeout + CONTROL_LIMIT, Told::Impaired),
                    Came::Refusal(took) if took <= setting.timeout => (look.begin + took + CONTROL, Told::Bad),
                    _ => (look.begin + setting.timeout + CONTROL, Told::Bad),
                };
                // The sampler notices that it stood still, and takes back what it cannot know.
                let (ends, paused) = trace.noticed(observer, ends);
                seen.push((ends, observer, kind, if paused { Told::Impaired } else { told }));
            }
        }
    }
    seen.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut quorum = quorum(setting);
    let vantages: Vec<VantageId> = REGIONS.map(|place| place.parse().expect("a name")).into();
    let subjects: Vec<Subject> = CHECKS
        .map(|(probe, kind)| Subject {
            probe: probe.parse().expect("a name"),
            region: REGIONS[0].parse().expect("a name"),
            kind,
        })
        .into();
    let mut turns = Vec::new();
    for (at, observer, kind, told) in seen {
        if at > trace.seconds {
            break;
        }
        let outcome = match told {
            Told::Good => Outcome::Looked(Reading::healthy(Latency::default(), "")),
            Told::Bad => Outcome::Looked(Reading::unhealthy(Latency::default(), "")),
            Told::Impaired => Outcome::ObserverImpaired { reason: String::new() },
        };
        let changed = quorum.observe(Observation {
            subject: subjects[kind].clone(),
            vantage: vantages[observer].clone(),
            at: Monotonic::new(duration(at)),
            wall: Timestamp::UNIX_EPOCH,
            outcome,
        });
        if let Some(changed) = changed
            && (changed.from == Verdict::Unhealthy) != (changed.to == Verdict::Unhealthy)
        {
            turns.push((at, changed.to == Verdict::Unhealthy));
        }
    }
    turns
}
