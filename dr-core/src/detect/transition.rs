use std::{collections::BTreeSet, fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::{GrayFailure, Suppression, Verdict};
use crate::{
    model::{ProbeId, RegionId, VantageId},
    probe::{CheckKind, Observation},
    spec::format_duration,
    time::{Monotonic, Timestamp},
};

/// What one observer holds to be true of a region, or of one check of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Opinion {
    /// It passes.
    Healthy,
    /// Some checks fail, and the transactions that clients make pass.
    Partial,
    /// Checks of one kind fail, and those of the other have begun to: too early to tell a gray failure from a whole one.
    Suspect,
    /// Transactions fail while infrastructure checks do not: a gray failure.
    WritesFail,
    /// Every infrastructure check fails while transactions pass: a gray failure the other way round.
    ChecksFail,
    /// Every kind of check fails.
    Down,
    /// The observer cannot say: too early, too long ago, could not look, or impaired.
    Unknown,
}

/// What one observer's one check contributed to a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Who looked.
    pub vantage: VantageId,
    /// With which check.
    pub probe: ProbeId,
    /// What the check exercises.
    pub kind: CheckKind,
    /// What it amounts to: [`Opinion::Healthy`], [`Opinion::Down`] or [`Opinion::Unknown`].
    pub opinion: Opinion,
    /// How many readings in a row, up to the last one, bear the opinion out; 0 when the last one does not.
    pub streak: u32,
    /// What the last look said.
    pub last: String,
    /// When that was.
    pub at: Monotonic,
}

/// The reasons of a verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// Observers that had to agree.
    pub quorum: usize,
    /// What each observer holds, in order of name.
    pub observers: Vec<(VantageId, Opinion)>,
    /// Which kinds of check disagree, when that is what the verdict rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gray: Option<GrayFailure>,
    /// The region is not asked to take writes, and those that fail are not held against it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stands_by: bool,
    /// The verdict changed too often and is not acted on for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppressed: Option<Suppression>,
    /// Observers for whom a good look is overdue by more than chance: a suspicion, and never a vote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overdue: Vec<VantageId>,
    /// What kept the verdict from going further, such as a dwell that has not passed; empty when nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<String>,
    /// The readings behind it.
    pub evidence: Vec<Evidence>,
    /// What others think who have no vote, such as Route 53. None of it counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<Evidence>,
}

impl Why {
    /// The observers that hold an opinion which `wanted` accepts.
    pub fn holding(&self, wanted: impl Fn(Opinion) -> bool) -> impl Iterator<Item = &VantageId> {
        self.observers.iter().filter(move |(_, opinion)| wanted(*opinion)).map(|(vantage, _)| vantage)
    }

    /// The latest evidence of an opinion, preferring the later name between two of one moment. A check that is still held
    /// failed while its looks pass again has nothing to tell.
    fn latest(&self, opinion: Opinion) -> Option<&Evidence> {
        let tells = |e: &&Evidence| e.opinion == opinion && (e.streak > 0 || opinion == Opinion::Unknown);
        self.evidence.iter().filter(tells).max_by_key(|e| e.at)
    }
}

/// A change of verdict, and why.
///
/// Its text is one sentence: `us-east-1 unhealthy: 3 of 3 observers, 3 consecutive failures each; last: connect timed
/// out after 4 s (eu-central-1)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// The region judged.
    pub region: RegionId,
    /// The verdict before.
    pub from: Verdict,
    /// The verdict now.
    pub to: Verdict,
    /// When it changed.
    pub at: Monotonic,
    /// About when, in wall time: that of the latest observation.
    pub wall: Timestamp,
    /// Why.
    pub why: Why,
}

impl Transition {
    /// A change that one observation alone brought about.
    #[must_use]
    pub fn of_one(from: Verdict, to: Verdict, o: &Observation) -> Self {
        let opinion = match o.outcome.reading() {
            Some(reading) if reading.is_healthy() => Opinion::Healthy,
            Some(_) => Opinion::Down,
            None => Opinion::Unknown,
        };
        let evidence = Evidence {
            vantage: o.vantage.clone(),
            probe: o.subject.probe.clone(),
            kind: o.subject.kind,
            opinion,
            streak: 1,
            last: o.outcome.to_string(),
            at: o.at,
        };
        let why = Why {
            quorum: 1,
            observers: vec![(o.vantage.clone(), opinion)],
            evidence: vec![evidence],
            ..Why::default()
        };
        Self { region: o.subject.region.clone(), from, to, at: o.at, wall: o.wall, why }
    }
}

impl fmt::Display for Transition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.region, self.to)?;
        explain(f, self.to, &self.why)
    }
}

/// The part of the sentence after region and verdict.
pub(super) fn explain(f: &mut fmt::Formatter<'_>, verdict: Verdict, why: &Why) -> fmt::Result {
    let n = why.observers.len();
    let holding = |wanted: fn(Opinion) -> bool| why.holding(wanted).count();
    match (verdict, &why.suppressed, why.gray) {
        (Verdict::Suspect, Some(Suppression { would_be, penalty, left, .. }), _) => {
            let left = format_duration(Duration::from_secs(left.as_secs()));
            write!(f, ": it has changed too often (penalty {penalty}); {would_be} is not acted on for {left}")?;
        }
        (Verdict::Healthy, ..) => write!(f, ": {} of {n} observers", holding(|o| o == Opinion::Healthy))?,
        (Verdict::Unhealthy | Verdict::Gray, _, Some(gray)) => {
            let against = why.holding(|opinion| gray.is_held_by(opinion)).count();
            let word = if verdict == Verdict::Unhealthy { " (gray)" } else { "" };
            write!(f, "{word}: {gray}, for {against} of {n} observers")?;
        }
        (Verdict::Unhealthy, ..) => write!(f, ": {} of {n} observers", holding(|o| o == Opinion::Down))?,
        (Verdict::Degraded | Verdict::Gray, ..) => {
            let against = holding(|o| !matches!(o, Opinion::Healthy | Opinion::Unknown));
            write!(f, ": some checks fail, for {against} of {n} observers")?;
        }
        (Verdict::Suspect, ..) => {
            let against = holding(|o| !matches!(o, Opinion::Healthy | Opinion::Unknown));
            if against == 0 && !why.overdue.is_empty() {
                write!(f, ": an answer is overdue for {} of {n} observers", why.overdue.len())?;
            } else {
                write!(f, ": {against} of {n} observers against it, {} needed", why.quorum)?;
            }
        }
        (Verdict::Unknown, ..) => {
            let seeing = holding(|o| o != Opinion::Unknown);
            write!(f, ": {seeing} of {n} observers can say, {} needed", why.quorum)?;
        }
    }
    if matches!(verdict, Verdict::Unhealthy | Verdict::Suspect | Verdict::Degraded | Verdict::Gray) {
        let streaks: BTreeSet<u32> =
            why.evidence.iter().filter(|e| e.opinion == Opinion::Down && e.streak > 0).map(|e| e.streak).collect();
        match (streaks.first(), streaks.last()) {
            (Some(1), Some(1)) | (None, _) | (_, None) => {}
            (Some(least), Some(most)) if least == most => write!(f, ", {least} consecutive failures each")?,
            (Some(least), Some(most)) => write!(f, ", {least} to {most} consecutive failures each")?,
        }
    }
    if why.stands_by {
        f.write_str("; it stands by and takes no writes")?;
    }
    if let Some(blocked) = &why.blocked {
        write!(f, "; {blocked}")?;
    }
    let telling = match verdict {
        Verdict::Healthy => None,
        Verdict::Unhealthy | Verdict::Suspect | Verdict::Degraded | Verdict::Gray => why.latest(Opinion::Down),
        Verdict::Unknown => why.latest(Opinion::Unknown),
    };
    match telling {
        Some(e) => write!(f, "; last: {} ({})", e.last, e.vantage),
        None => Ok(()),
    }
}
