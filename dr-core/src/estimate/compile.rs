use std::collections::BTreeMap;

use super::{InvalidModel, Model, Symptom, distribution::Ready};
use crate::{model::StepId, plan::RetryPolicy};

/// A model with its names resolved to places and its times in seconds: what a drill is played from.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) detection: Option<Detection>,
    pub(super) decision: Ready,
    pub(super) steps: Vec<Step>,
    pub(super) deadline: f64,
    /// The steps after whose end names have moved.
    pub(super) moved_by: Vec<usize>,
    pub(super) publish: Ready,
    pub(super) ttl: f64,
    pub(super) overstay: Option<(f64, Ready)>,
    pub(super) clients: usize,
    pub(super) reconnect: Ready,
    /// How many clients must be served.
    pub(super) served: usize,
    pub(super) lag: Option<Ready>,
}

#[derive(Debug)]
pub(super) struct Detection {
    /// Whether each observer with a vote is outside the regions concerned.
    pub(super) outside: Vec<bool>,
    pub(super) probes: Vec<Probe>,
    pub(super) quorum: usize,
    pub(super) dwell: f64,
    pub(super) tick: f64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Probe {
    /// How long a look at the lost region lasts.
    pub(super) look: f64,
    pub(super) interval: f64,
    /// Between two looks: whole intervals, as many as a look lasts.
    pub(super) spacing: f64,
    pub(super) trip: u32,
}

#[derive(Debug)]
pub(super) struct Step {
    pub(super) id: StepId,
    pub(super) after: Vec<usize>,
    pub(super) before: Vec<usize>,
    pub(super) takes: Ready,
    pub(super) fails: f64,
    pub(super) timeout: f64,
    pub(super) retry: RetryPolicy,
}

impl Compiled {
    pub(super) fn new(model: &Model) -> Result<Self, InvalidModel> {
        model.check()?;
        let places: BTreeMap<&StepId, usize> =
            model.steps.iter().enumerate().map(|(at, step)| (&step.id, at)).collect();
        let resolve = |ids: &[StepId]| ids.iter().filter_map(|id| places.get(id).copied()).collect::<Vec<_>>();
        let mut steps: Vec<Step> = model
            .steps
            .iter()
            .map(|step| Step {
                id: step.id.clone(),
                after: resolve(&step.after),
                before: Vec::new(),
                takes: step.takes.ready(),
                fails: step.fails,
                timeout: step.timeout.as_secs_f64(),
                retry: RetryPolicy { attempts: step.attempts, first: step.first_pause, most: step.most_pause },
            })
            .collect();
        for (at, step) in model.steps.iter().enumerate() {
            for before in resolve(&step.after) {
                if let Some(before) = steps.get_mut(before) {
                    before.before.push(at);
                }
            }
        }
        let clients = usize::try_from(model.clients.count).unwrap_or(usize::MAX);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of at most 100,000 clients"
        )]
        let served = ((clients as f64 * model.clients.served).ceil() as usize).clamp(1, clients);
        Ok(Self {
            detection: model.detection.as_ref().map(detection),
            decision: model.decision.ready(),
            steps,
            deadline: model.deadline.as_secs_f64(),
            moved_by: resolve(&model.traffic.moved_by),
            publish: model.traffic.publish.ready(),
            ttl: model.traffic.ttl.as_secs_f64(),
            overstay: model.traffic.overstay.map(|overstay| (overstay.share, overstay.by.ready())),
            clients,
            reconnect: model.clients.reconnect.ready(),
            served,
            lag: model.replication.as_ref().map(|replication| replication.lag.ready()),
        })
    }
}

fn detection(model: &super::DetectionModel) -> Detection {
    let probes = model.probes.iter().map(|probe| {
        let (interval, timeout) = (probe.interval.as_secs_f64(), probe.timeout.as_secs_f64());
        let look = if model.symptom == Symptom::BlackHole { timeout } else { 0.0 };
        Probe { look, interval, spacing: interval * (look / interval).ceil().max(1.0), trip: probe.trip }
    });
    Detection {
        outside: model.observers.iter().filter(|observer| observer.votes).map(|observer| observer.outside).collect(),
        probes: probes.collect(),
        quorum: usize::try_from(model.quorum).unwrap_or(usize::MAX),
        dwell: model.dwell.as_secs_f64(),
        tick: model.tick.as_secs_f64(),
    }
}
