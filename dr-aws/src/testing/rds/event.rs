use dr_core::{model::RegionId, time::Monotonic};

use super::State;
use crate::arn::Arn;

/// An entry of `DescribeEvents`: one of the numbered messages that RDS publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RdsEvent {
    /// When, on the world's clock.
    pub at: Monotonic,
    /// The region whose endpoint lists it.
    pub region: RegionId,
    /// The number: 238 for `RDS-EVENT-0238`.
    pub number: u16,
    /// `db-cluster` or `db-instance`.
    pub source_type: &'static str,
    /// The identifier of the cluster or instance.
    pub source: String,
    /// Its ARN.
    pub source_arn: Arn,
    /// `global-failover`, `failover`, `creation`.
    pub category: &'static str,
    /// The message, without the number.
    pub message: String,
}

impl RdsEvent {
    /// The message as `DescribeEvents` gives it, with the number by which one subscribes to it.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} (RDS-EVENT-{:04})", self.message, self.number)
    }
}

impl State {
    /// Publishes an event of a cluster in the cluster's region.
    pub(super) fn note(&mut self, at: Monotonic, number: u16, arn: &Arn, category: &'static str, message: &str) {
        let Some(cluster) = self.clusters.get(arn) else { return };
        self.events.push(RdsEvent {
            at,
            region: cluster.region.clone(),
            number,
            source_type: "db-cluster",
            source: cluster.id.clone(),
            source_arn: arn.clone(),
            category,
            message: message.to_owned(),
        });
    }

    /// Publishes an event of a switchover in both regions that take part.
    pub(super) fn note_both(&mut self, at: Monotonic, number: u16, from: &Arn, to: &Arn, message: &str) {
        self.note(at, number, from, "global-failover", message);
        self.note(at, number, to, "global-failover", message);
    }

    /// Publishes an event of a cluster's first instance: fencing is reported so.
    pub(super) fn note_instance(&mut self, at: Monotonic, number: u16, cluster: &Arn, message: &str) {
        let Some(instance) = self.instances_of(cluster).next().cloned() else { return };
        let Some(source_arn) = self.arn(&instance.region, "db", &instance.id) else { return };
        self.events.push(RdsEvent {
            at,
            region: instance.region,
            number,
            source_type: "db-instance",
            source: instance.id,
            source_arn,
            category: "failover",
            message: message.to_owned(),
        });
    }
}
