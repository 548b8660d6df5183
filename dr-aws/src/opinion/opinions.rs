use std::{sync::Arc, time::Duration};

use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    model::{ProbeId, RegionId},
    probe::{HealthProbe, Subject},
    spec::{OpinionSpec, Spec},
};

use super::{AlarmState, Checkers, StatusMetric};
use crate::Clients;

/// Route 53's API, and the one region in which it publishes metrics.
pub(super) const ROUTE53_HOME: &str = "us-east-1";

/// One opinion about one region, and how often to ask for it: what `Watch::advised_by` takes.
#[derive(Clone, Debug)]
pub struct AskedOpinion {
    /// How it is asked for.
    pub probe: Arc<dyn HealthProbe>,
    /// How often.
    pub every: Duration,
}

/// The opinions that `dr.yaml` asks AWS for, through these clients.
///
/// # Errors
///
/// [`Invalid`](ErrorKind::Invalid) with every kind that is none of AWS's.
pub fn opinions(spec: &Spec, clients: &Clients) -> Result<Vec<AskedOpinion>> {
    let mut asked = Vec::new();
    let mut problems = Vec::new();
    for opinion in &spec.opinions {
        for (region, target) in &opinion.targets {
            match one(opinion, region, target, clients) {
                Ok(probe) => asked.push(AskedOpinion { probe, every: opinion.interval }),
                Err(error) => problems.push(error.message().to_owned()),
            }
        }
    }
    if problems.is_empty() { Ok(asked) } else { Err(invalid(problems.join("; "))) }
}

fn one(opinion: &OpinionSpec, region: &RegionId, target: &str, clients: &Clients) -> Result<Arc<dyn HealthProbe>> {
    let kind = opinion.kind.as_str();
    // The name of the check says what kind of opinion it is.
    let check = ProbeId::new(kind).map_err(|error| invalid(error.to_string()))?;
    let subject = Subject::infrastructure(check, region.clone());
    let (vantage, clients, target) = (opinion.id.clone(), clients.clone(), target.to_owned());
    let home = RegionId::new(ROUTE53_HOME).map_err(|error| invalid(error.to_string()))?;
    Ok(match kind {
        "aws.route53_checkers" => Arc::new(Checkers::new(subject, vantage, clients, home, target)),
        "aws.route53_metric" => Arc::new(StatusMetric::new(subject, vantage, clients, home, target)),
        "aws.cloudwatch_alarm" => {
            let at = opinion.region.clone().unwrap_or_else(|| region.clone());
            Arc::new(AlarmState::new(subject, vantage, clients, at, target))
        }
        _ => {
            return Err(invalid(format!(
                "the opinion {} has the kind {kind:?}: there are aws.route53_checkers, aws.route53_metric and aws.cloudwatch_alarm",
                opinion.id
            )));
        }
    })
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::Invalid, message).with_effect(Effect::NotApplied)
}
