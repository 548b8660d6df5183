use std::{collections::BTreeSet, fmt};

use super::{Distribution, Model};
use crate::error::{Effect, Error, ErrorKind};

/// A model that describes no failover, with every reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidModel {
    /// What is wrong, and what to write instead.
    pub problems: Vec<String>,
}

impl fmt::Display for InvalidModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the model makes no sense: {}", self.problems.join("; "))
    }
}

impl std::error::Error for InvalidModel {}

impl From<InvalidModel> for Error {
    fn from(invalid: InvalidModel) -> Self {
        Self::new(ErrorKind::Invalid, invalid.to_string()).with_effect(Effect::NotApplied)
    }
}

impl Model {
    /// Looks for everything that keeps the model from being played.
    ///
    /// # Errors
    ///
    /// [`InvalidModel`] with every problem.
    pub fn check(&self) -> Result<(), InvalidModel> {
        let mut problems = Vec::new();
        self.check_numbers(&mut problems);
        self.check_steps(&mut problems);
        self.check_detection(&mut problems);
        self.check_distributions(&mut problems);
        if problems.is_empty() { Ok(()) } else { Err(InvalidModel { problems }) }
    }

    fn check_numbers(&self, problems: &mut Vec<String>) {
        if self.drills == 0 {
            problems.push("`drills` is 0: play at least one".to_owned());
        }
        if self.clients.count == 0 {
            problems.push("`clients.count` is 0: nobody would notice anything".to_owned());
        }
        if !(self.clients.served > 0.0 && self.clients.served <= 1.0) {
            problems.push(format!("`clients.served` is {}: a share above 0 and up to 1", self.clients.served));
        }
        if let Some(overstay) = &self.traffic.overstay
            && !(0.0..=1.0).contains(&overstay.share)
        {
            problems.push(format!("`traffic.overstay.share` is {}: a share from 0 to 1", overstay.share));
        }
    }

    fn check_steps(&self, problems: &mut Vec<String>) {
        let mut before = BTreeSet::new();
        for step in &self.steps {
            for wanted in step.after.iter().filter(|wanted| !before.contains(*wanted)) {
                problems.push(format!("{} waits for {wanted}, which does not stand before it", step.id));
            }
            if !before.insert(&step.id) {
                problems.push(format!("there are two steps called {}", step.id));
            }
            if !(0.0..=1.0).contains(&step.fails) {
                problems.push(format!("`fails` of {} is {}: a chance from 0 to 1", step.id, step.fails));
            }
            if step.attempts == 0 {
                problems.push(format!("`attempts` of {} is 0: at least one is made", step.id));
            }
        }
        for moved in self.traffic.moved_by.iter().filter(|moved| !before.contains(*moved)) {
            problems.push(format!("`traffic.moved_by` names {moved}, which is no step"));
        }
        if self.traffic.moved_by.is_empty() && !self.steps.is_empty() {
            problems
                .push("`traffic.moved_by` names no step: clients would be served before anything is done".to_owned());
        }
    }

    fn check_detection(&self, problems: &mut Vec<String>) {
        let Some(detection) = &self.detection else { return };
        let voting = detection.observers.iter().filter(|observer| observer.votes).count();
        let quorum = usize::try_from(detection.quorum).unwrap_or(usize::MAX);
        if quorum == 0 || quorum > voting {
            problems.push(format!("{quorum} of {voting} observers that have a vote can never agree"));
        }
        if !detection.observers.iter().any(|observer| observer.votes && observer.outside) {
            problems.push("no observer with a vote is outside the regions concerned, and one must agree".to_owned());
        }
        if detection.probes.is_empty() {
            problems.push("nothing is probed".to_owned());
        }
        if detection.tick.is_zero() {
            problems.push("`detection.tick` is 0: the decider looks at its clock now and then".to_owned());
        }
        for probe in detection.probes.iter().filter(|probe| probe.interval.is_zero() || probe.trip == 0) {
            problems.push(format!("`interval` and `trip` of {} must be above 0", probe.id));
        }
    }

    fn check_distributions(&self, problems: &mut Vec<String>) {
        let mut look = |what: String, spread: &Distribution| {
            if let Some(problem) = spread.problem() {
                problems.push(format!("{what}: {problem}"));
            }
        };
        look("`decision`".to_owned(), &self.decision);
        look("`traffic.publish`".to_owned(), &self.traffic.publish);
        look("`clients.reconnect`".to_owned(), &self.clients.reconnect);
        if let Some(overstay) = &self.traffic.overstay {
            look("`traffic.overstay.by`".to_owned(), &overstay.by);
        }
        if let Some(replication) = &self.replication {
            look("`replication.lag`".to_owned(), &replication.lag);
        }
        for step in &self.steps {
            look(format!("`takes` of {}", step.id), &step.takes);
        }
    }
}
