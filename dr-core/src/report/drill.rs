use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::{ClientSeries, Compared, Measured, Moment, Offset, Outage, Promise, RunReport};
use crate::{
    model::{ApplicationId, Objectives, RegionId},
    spec::Waiver,
    time::Timestamp,
};

/// A whole drill: the fault, the runs that answered it, and what clients felt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DrillReport {
    /// The application that failed over.
    pub application: ApplicationId,
    /// What was broken.
    pub fault: FaultReport,
    /// The seed of the drill's randomness.
    pub seed: u64,
    /// How many of the world's seconds passed in one of the machine's.
    pub time_scale: f64,
    /// When the fault began, in the world's wall time: T+0.
    pub fault_at: Timestamp,
    /// What the business asked for.
    pub objectives: Objectives,
    /// What was measured.
    pub measured: Measured,
    /// What the runbook promised.
    pub promises: Vec<Promise>,
    /// The stretch that [`Measured::rto_s`] is the length of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage: Option<Outage>,
    /// What clients felt.
    pub clients: ClientSeries,
    /// What happened beside the runs: the fault, verdicts, flips of DNS.
    pub moments: Vec<Moment>,
    /// The runs, in the order of time.
    pub runs: Vec<RunReport>,
    /// The stack, fact by fact, before and after.
    pub compared: Vec<Compared>,
}

/// What was broken, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultReport {
    /// Its name on the command line: `blackhole`.
    pub name: String,
    /// The region that was lost.
    pub region: RegionId,
    /// What it did, a sentence without its full stop.
    pub what: String,
}

impl DrillReport {
    /// Whether both objectives were met. What could not be measured was not met.
    #[must_use]
    pub fn objectives_met(&self) -> bool {
        self.rto_met() && self.rpo_met()
    }

    /// Whether clients went without service no longer than was asked for.
    #[must_use]
    pub fn rto_met(&self) -> bool {
        self.measured.rto_s.is_some_and(|rto| rto <= self.objectives.rto.as_secs_f64())
    }

    /// Whether no acknowledged write older than was asked for was lost.
    #[must_use]
    pub fn rpo_met(&self) -> bool {
        self.measured.rpo_s.is_some_and(|rpo| rpo <= self.objectives.rpo.as_secs_f64())
    }

    /// Whether the stack is as it was. Nothing compared is nothing known.
    #[must_use]
    pub fn restored(&self) -> bool {
        !self.compared.is_empty() && self.compared.iter().all(Compared::same)
    }

    /// The report as Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        written(&super::markdown::Page(self))
    }

    /// The report as one HTML file that needs nothing from outside.
    #[must_use]
    pub fn html(&self) -> String {
        written(&super::html::Page(self))
    }

    /// The report as JSON, from which it can be rendered again.
    ///
    /// # Errors
    ///
    /// When a number in it is not finite.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }

    /// Every moment of the drill and its runs, in the order of time.
    pub(super) fn all_moments(&self) -> Vec<&Moment> {
        let of_runs = self.runs.iter().flat_map(|run| &run.moments);
        let mut moments: Vec<&Moment> = self.moments.iter().chain(of_runs).collect();
        moments.sort_by(|a, b| a.at.secs().total_cmp(&b.at.secs()).then(a.kind.cmp(&b.kind)));
        moments
    }

    /// The waivers of all runs, each once.
    pub(super) fn waivers(&self) -> Vec<&Waiver> {
        let mut waivers: Vec<&Waiver> = Vec::new();
        for waiver in self.runs.iter().flat_map(|run| &run.waivers) {
            if !waivers.contains(&waiver) {
                waivers.push(waiver);
            }
        }
        waivers
    }

    /// Every moment at which something happened: a step, a flag, a request that failed.
    pub(super) fn busy(&self) -> Vec<Offset> {
        let steps = self.runs.iter().flat_map(|run| &run.steps).flat_map(|step| [step.started, step.ended]).flatten();
        let runs = self.runs.iter().flat_map(|run| [run.started, run.ended]);
        let moments = self.all_moments().into_iter().map(|moment| moment.at);
        let promises = self.promises.iter().map(|promise| promise.at);
        let failures = self.clients.buckets().filter(|(_, _, failed)| *failed > 0).map(|(at, ..)| at);
        steps.chain(runs).chain(moments).chain(promises).chain(failures).collect()
    }

    /// The first and the last moment that anything is known of.
    pub(super) fn extent(&self) -> (Offset, Offset) {
        let mut from = Offset::ZERO;
        let mut to = Offset::ZERO;
        let runs = self.runs.iter().flat_map(|run| [run.started, run.ended]);
        let moments = self.moments.iter().map(|moment| moment.at);
        let clients = if self.clients.is_empty() { [Offset::ZERO; 2] } else { [self.clients.from, self.clients.to()] };
        for at in runs.chain(moments).chain(clients).chain(self.promises.iter().map(|promise| promise.at)) {
            from = if at < from { at } else { from };
            to = if at > to { at } else { to };
        }
        (from, to)
    }
}

fn written(page: &dyn std::fmt::Display) -> String {
    let mut text = String::new();
    // Writing into a string does not fail, and the pages themselves return no error of their own.
    let _ = write!(text, "{page}");
    text
}
