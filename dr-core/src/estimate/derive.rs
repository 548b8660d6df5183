use std::{collections::BTreeSet, time::Duration};

use super::{
    ClientModel, DetectionModel, Distribution, Model, ObserverModel, ProbeModel, ReplicationModel, StepModel, Symptom,
    TrafficModel,
};
use crate::{
    model::StepId,
    plan::{Estimate, Inventory, Phase, Plan, PlanStep},
    spec::ObjectivesSpec,
    topology::Topology,
};

const SECOND: Duration = Duration::from_secs(1);

impl Model {
    /// The model of a plan, from what `dr.yaml` says of detection, what the plan says of its steps and what the survey saw
    /// of names and replication.
    ///
    /// What none of them says is set to a stated default, there to be changed: no time for the decision, 10,000 drills with
    /// 100 clients that must all be served again, each within 1 s of a fresh answer; resolvers that keep to the TTL.
    /// A lag is spread from the one sample that the survey has: half of the time no longer than it, seldom (one in twenty)
    /// longer than three times as much.
    #[must_use]
    pub fn of(topology: &Topology, plan: &Plan, inventory: &Inventory) -> Self {
        let objectives = plan.objectives();
        let names = inventory.traffic.iter().map(|traffic| traffic.ttl).max();
        Self {
            application: plan.application().clone(),
            seed: 1,
            drills: 10_000,
            objectives: ObjectivesSpec { rto: objectives.rto, rpo: objectives.rpo, recovered: None },
            detection: plan.goal().failed_region().map(|_| detection(topology, plan)),
            decision: Distribution::ZERO,
            steps: plan.steps().iter().map(step).collect(),
            deadline: plan.deadline(),
            traffic: TrafficModel {
                moved_by: moved_by(plan),
                publish: Distribution::ZERO,
                ttl: names.unwrap_or_default(),
                overstay: None,
            },
            clients: ClientModel {
                count: 100,
                reconnect: Distribution::Uniform { from: Duration::ZERO, to: SECOND },
                served: 1.0,
            },
            replication: replication(plan, inventory),
        }
    }
}

fn detection(topology: &Topology, plan: &Plan) -> DetectionModel {
    let goal = plan.goal();
    let pair: Vec<_> =
        topology.regions().iter().filter(|region| region.role.can_take_over()).map(|region| &region.id).collect();
    let observers = topology.observers().iter().map(|observer| ObserverModel {
        id: observer.id.clone(),
        outside: !pair.contains(&&observer.region),
        votes: observer.region != goal.from,
    });
    let probes = topology.probes().iter().filter(|probe| probe.kind.votes()).map(|probe| ProbeModel {
        id: probe.id.clone(),
        interval: probe.interval,
        timeout: probe.timeout,
        trip: probe.threshold.trip,
    });
    DetectionModel {
        symptom: Symptom::BlackHole,
        observers: observers.collect(),
        probes: probes.collect(),
        quorum: topology.detection().quorum,
        dwell: topology.detection().dwell,
        tick: SECOND,
    }
}

fn step(step: &PlanStep) -> StepModel {
    // A step that nobody has estimated is assumed to take nothing rather than its timeout: a look, mostly.
    let takes = if step.estimate == Estimate::default() {
        Distribution::ZERO
    } else {
        Distribution::spread(step.estimate.p50, step.estimate.p95)
    };
    StepModel {
        id: step.id.clone(),
        phase: step.phase,
        after: step.after.clone(),
        takes,
        fails: 0.0,
        timeout: step.timeout,
        attempts: step.retry.attempts,
        first_pause: step.retry.first,
        most_pause: step.retry.most,
    }
}

/// The last steps of the shift; of a plan without one, its last steps.
fn moved_by(plan: &Plan) -> Vec<StepId> {
    let shift: Vec<&PlanStep> = plan.steps().iter().filter(|step| step.phase == Phase::Shift).collect();
    let of = if shift.is_empty() { plan.steps().iter().collect() } else { shift };
    let waited_for: BTreeSet<&StepId> = of.iter().flat_map(|step| &step.after).collect();
    of.iter().filter(|step| !waited_for.contains(&step.id)).map(|step| step.id.clone()).collect()
}

fn replication(plan: &Plan, inventory: &Inventory) -> Option<ReplicationModel> {
    let to = &plan.goal().to;
    if plan.goal().failed_region().is_none() {
        return Some(ReplicationModel {
            lag: Distribution::ZERO,
            source: "a graceful plan waits until nothing can be lost".to_owned(),
        });
    }
    // The store that is furthest behind; unknown as soon as one of them is.
    let mut worst: Option<(Duration, String)> = None;
    for store in inventory.stores.iter().filter(|store| store.writable_required) {
        let lag = store.member(to)?.lag?;
        if worst.as_ref().is_none_or(|(longest, _)| lag > *longest) {
            worst = Some((lag, format!("the survey saw {} {lag:?} behind in {to}", store.resource)));
        }
    }
    worst.map(|(lag, source)| {
        // Files keep milliseconds; what is shorter is rounded up, never to nothing.
        let lag = lag.max(Duration::from_millis(1));
        ReplicationModel { lag: Distribution::spread(lag, lag * 3), source }
    })
}
