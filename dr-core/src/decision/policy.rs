use std::{collections::BTreeSet, fmt, path::PathBuf, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Window;
use crate::{
    error::{Effect, Error, ErrorKind},
    model::{ApplicationId, RegionId, ResourceId},
    spec::{ConditionKind, ConditionSpec, DecisionSpec, Spec},
};

/// The most conditions that a policy may have. More than that nobody can predict, least of all at night.
pub const MOST_CONDITIONS: usize = 10;

/// How far a policy goes by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "DecisionMode")]
pub enum Mode {
    /// It says what it sees. Somebody starts a failover by hand.
    #[default]
    Manual,
    /// It asks, once everything speaks for a failover, and acts when somebody says yes.
    Ask,
    /// It acts.
    Automatic,
}

impl Mode {
    /// The name, as dr.yaml writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Ask => "ask",
            Self::Automatic => "automatic",
        }
    }
}

/// Which losses of a region count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "GrayChoice")]
pub enum Gray {
    /// Gray or plain.
    #[default]
    Any,
    /// Only a region of which nothing answers.
    Plain,
    /// Only one whose infrastructure answers while its transactions fail.
    Only,
}

/// What a condition asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// The region that takes the writes is unhealthy.
    RegionLost {
        /// In which way.
        gray: Gray,
    },
    /// The region to go to is healthy.
    StandbyHealthy,
    /// Replication is known to be no further behind than this, by a sample that is fresh.
    LagWithin {
        /// The store.
        resource: ResourceId,
        /// The most that it may be behind.
        at_most: Duration,
        /// The oldest that the sample may be.
        fresh: Duration,
    },
    /// Somebody else says so: Route 53, CloudWatch, or whatever feeds a boolean of that name.
    Signal {
        /// Its name.
        signal: String,
        /// The oldest that its last word may be.
        fresh: Duration,
    },
}

/// One thing that must hold before anything starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// What it is called in answers.
    pub name: String,
    /// What it asks for.
    pub need: Need,
    /// For how long on end.
    pub lasting: Duration,
}

/// What may be started on suspicion alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrewarmPolicy {
    /// Runs in an hour.
    pub per_hour: u32,
    /// How long the standby stays warm without a verdict.
    pub keep: Duration,
}

/// When to fail an application over, and when not to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The application.
    pub application: ApplicationId,
    /// How far it goes by itself.
    pub mode: Mode,
    /// The region that takes the writes as long as no run has moved them.
    pub home: RegionId,
    /// The regions that can take over, the preferred one first.
    pub candidates: Vec<RegionId>,
    /// What must hold, all of it, beyond the rules that always do.
    pub conditions: Vec<Condition>,
    /// The least time between two runs that started by themselves.
    pub spacing: Duration,
    /// After a run that moved the application, or tried to, how long nothing starts by itself unless somebody acknowledges it.
    pub block: Duration,
    /// When nothing starts by itself.
    pub windows: Vec<Window>,
    /// A file whose existence keeps anything from starting. The journal holds another such switch.
    pub kill_switch: Option<PathBuf>,
    /// What may be done on suspicion; nothing when absent.
    pub prewarm: Option<PrewarmPolicy>,
}

/// A policy that cannot work, with every reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidDecisionPolicy(pub Vec<String>);

impl fmt::Display for InvalidDecisionPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nobody can decide by this policy: {}", self.0.join("; "))
    }
}

impl std::error::Error for InvalidDecisionPolicy {}

impl From<InvalidDecisionPolicy> for Error {
    fn from(invalid: InvalidDecisionPolicy) -> Self {
        Self::new(ErrorKind::Invalid, invalid.to_string()).with_effect(Effect::NotApplied)
    }
}

impl Policy {
    /// A policy that acts for nobody: mode manual, no conditions of its own, a block period of an hour.
    #[must_use]
    pub fn manual(application: ApplicationId, home: RegionId, candidates: Vec<RegionId>) -> Self {
        Self {
            application,
            mode: Mode::Manual,
            home,
            candidates,
            conditions: Vec::new(),
            spacing: DecisionSpec::default().spacing,
            block: Duration::from_secs(60 * 60),
            windows: Vec::new(),
            kill_switch: None,
            prewarm: None,
        }
    }

    /// The policy of a `dr.yaml`: its `decision` section, with the block period from `detection.hold_down`.
    ///
    /// # Errors
    ///
    /// [`InvalidDecisionPolicy`] with everything that keeps it from working; never for a spec that was loaded.
    pub fn of(spec: &Spec) -> Result<Self, InvalidDecisionPolicy> {
        let decision = spec.decision.clone().unwrap_or_default();
        let mut problems = Vec::new();
        let serving = || spec.regions.iter().filter(|region| region.role.can_take_over());
        let active = spec.regions.iter().find(|region| region.role == crate::model::RegionRole::Active);
        let Some(home) = active.map(|region| region.id.clone()) else {
            return Err(InvalidDecisionPolicy(vec!["no region is active".to_owned()]));
        };
        let conditions = decision.conditions.iter().filter_map(|condition| match condition_of(condition, spec) {
            Ok(condition) => Some(condition),
            Err(problem) => {
                problems.push(problem);
                None
            }
        });
        let policy = Self {
            application: spec.application.clone(),
            mode: decision.mode,
            conditions: conditions.collect(),
            candidates: serving().map(|region| region.id.clone()).collect(),
            home,
            spacing: decision.spacing,
            block: spec.detection.hold_down,
            windows: decision.windows.iter().filter_map(|window| Window::of(window).ok()).collect(),
            kill_switch: decision.kill_switch.as_ref().filter(|file| !file.is_empty()).map(PathBuf::from),
            prewarm: decision.prewarm.map(|prewarm| PrewarmPolicy { per_hour: prewarm.per_hour, keep: prewarm.keep }),
        };
        problems.extend(decision.windows.iter().filter_map(|window| Window::of(window).err()));
        match policy.validate() {
            Ok(()) if problems.is_empty() => Ok(policy),
            Ok(()) => Err(InvalidDecisionPolicy(problems)),
            Err(InvalidDecisionPolicy(more)) => Err(InvalidDecisionPolicy([problems, more].concat())),
        }
    }

    /// The conditions that would never hold, so that nothing would ever start: those about signals that nobody gives and
    /// stores whose lag nobody tells, in a sentence each.
    #[must_use]
    pub fn unfed(&self, signals: &BTreeSet<String>, lags: &BTreeSet<ResourceId>) -> Vec<String> {
        let listed = |known: Vec<&str>| if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
        let unfed = self.conditions.iter().filter_map(|condition| {
            let name = &condition.name;
            match &condition.need {
                Need::Signal { signal, .. } if !signals.contains(signal) => {
                    let known = listed(signals.iter().map(String::as_str).collect());
                    Some(format!(
                        "the condition {name} waits for the signal {signal}, which nobody gives; given: {known}"
                    ))
                }
                Need::LagWithin { resource, .. } if !lags.contains(resource) => {
                    let known = listed(lags.iter().map(ResourceId::as_str).collect());
                    Some(format!(
                        "the condition {name} asks how far {resource} is behind, which nobody tells; told: {known}"
                    ))
                }
                _ => None,
            }
        });
        unfed.collect()
    }

    /// Looks for everything that would make it decide wrongly, or never.
    ///
    /// # Errors
    ///
    /// [`InvalidDecisionPolicy`] with every problem.
    pub fn validate(&self) -> Result<(), InvalidDecisionPolicy> {
        let mut problems = Vec::new();
        if self.conditions.len() > MOST_CONDITIONS {
            problems.push(format!("{} conditions are more than {MOST_CONDITIONS}", self.conditions.len()));
        }
        let mut names = BTreeSet::new();
        for condition in &self.conditions {
            if !names.insert(&condition.name) {
                problems.push(format!("there are two conditions named {}", condition.name));
            }
        }
        if !self.candidates.iter().any(|region| *region != self.home) {
            problems.push(format!("there is no region to go to from {}", self.home));
        }
        if problems.is_empty() { Ok(()) } else { Err(InvalidDecisionPolicy(problems)) }
    }
}

fn condition_of(written: &ConditionSpec, spec: &Spec) -> Result<Condition, String> {
    let fresh = written.fresh.unwrap_or(Duration::from_secs(120));
    let need = match written.kind {
        ConditionKind::RegionLost => Need::RegionLost { gray: written.gray.unwrap_or_default() },
        ConditionKind::StandbyHealthy => Need::StandbyHealthy,
        ConditionKind::ReplicationLag => {
            let resource = written.resource.clone().ok_or_else(|| format!("{}: which resource?", written.id))?;
            Need::LagWithin { resource, at_most: written.at_most.unwrap_or(spec.objectives.rpo), fresh }
        }
        ConditionKind::Signal => {
            let signal = written.signal.clone().ok_or_else(|| format!("{}: which signal?", written.id))?;
            Need::Signal { signal, fresh }
        }
    };
    Ok(Condition { name: written.id.clone(), need, lasting: written.lasting })
}
