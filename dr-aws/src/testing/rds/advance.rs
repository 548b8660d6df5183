//! What happens by itself as time passes and regions come and go.

use dr_core::{
    model::{Plane, RegionId},
    time::Monotonic,
};

use super::{ClusterStatus, PromotionKind, Snapshot, State, Sync, Transfer, TransferPhase};
use crate::{
    arn::Arn,
    testing::{Health, live_state::Machine},
};

impl Machine for State {
    fn advance(&mut self, now: Monotonic, health: Health<'_>) -> bool {
        Self::advance(self, now, health)
    }

    fn next_deadline(&self) -> Option<Monotonic> {
        Self::next_deadline(self)
    }
}

impl State {
    /// Applies everything that is due by `now`, each change at the moment that it was due. True when anything changed.
    ///
    /// Health is taken as it is now, so call this whenever a region's health changes.
    pub fn advance(&mut self, now: Monotonic, health: Health<'_>) -> bool {
        let mut changed = false;
        // Each pass makes at least one of a finite number of transitions, so this ends.
        while self.advance_once(now, health) {
            changed = true;
        }
        changed
    }

    /// The next moment at which something happens by itself, if nobody calls and no region's health changes.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Monotonic> {
        let creating = self.clusters.values().filter_map(|cluster| match cluster.status {
            ClusterStatus::Creating { until } | ClusterStatus::Promoting { until: Some(until) } => Some(until),
            _ => None,
        });
        let instances = self.instances.values().filter_map(|instance| instance.creating_until);
        let globals = self.globals.values();
        let resyncs = globals.clone().flat_map(|global| &global.members).filter_map(|member| match member.sync {
            Sync::AwaitingRegion { well_since: Some(since) } => Some(since + self.timings.rejoin),
            Sync::Rebuilding { since } => Some(since + self.timings.resync),
            _ => None,
        });
        let transfers = globals.filter_map(|global| global.transfer.as_ref()).map(|transfer| match transfer.phase {
            TransferPhase::Pending => transfer.requested + self.timings.accept,
            TransferPhase::FailingOver { fenced: false, fence_timed_out: false } => {
                (transfer.requested + self.timings.accept + self.timings.fence)
                    .min(transfer.requested + self.timings.failover)
            }
            TransferPhase::FailingOver { .. } => transfer.requested + self.timings.failover,
            TransferPhase::SwitchingOver { flips_at } => flips_at,
            TransferPhase::Cancelling { until } => until,
        });
        creating.chain(instances).chain(resyncs).chain(transfers).min()
    }

    fn advance_once(&mut self, now: Monotonic, health: Health<'_>) -> bool {
        let mut changed = false;
        for cluster in self.clusters.values_mut() {
            if let ClusterStatus::Creating { until } | ClusterStatus::Promoting { until: Some(until) } = cluster.status
                && until <= now
            {
                cluster.status = ClusterStatus::Available;
                changed = true;
            }
        }
        for instance in self.instances.values_mut() {
            if instance.creating_until.is_some_and(|until| until <= now) {
                instance.creating_until = None;
                changed = true;
            }
        }
        let ids: Vec<String> = self.globals.keys().cloned().collect();
        for id in ids {
            changed |= self.advance_transfer(&id, now, health);
            changed |= self.advance_resync(&id, now, health);
        }
        changed
    }

    fn advance_transfer(&mut self, id: &str, now: Monotonic, health: Health<'_>) -> bool {
        let Some(global) = self.globals.get(id) else { return false };
        let Some(transfer) = global.transfer.clone() else { return false };
        let (Some(from), Some(to)) = (global.member(&transfer.from), global.member(&transfer.to)) else {
            return false;
        };
        let (lag, fencing_works) = (to.lag, global.fencing_works);
        let from_serves = health(&from.region, Plane::Data);
        let to_serves = health(&to.region, Plane::Data);
        let Transfer { from, to, requested, .. } = transfer.clone();
        let started = requested + self.timings.accept;
        match transfer.phase {
            TransferPhase::Pending if started <= now => {
                let phase = if transfer.data_loss_allowed {
                    self.set_status(&from, ClusterStatus::FailingOver);
                    self.set_status(&to, ClusterStatus::Promoting { until: None });
                    TransferPhase::FailingOver { fenced: false, fence_timed_out: false }
                } else {
                    self.set_status(&from, ClusterStatus::SwitchingOver);
                    self.set_status(&to, ClusterStatus::SwitchingOver);
                    let waiting = format!(
                        "Waiting for DB cluster {to} to synchronize with the primary cluster. Current lag {} ms.",
                        lag.as_millis()
                    );
                    self.note_both(started, 183, &from, &to, &waiting);
                    let stopped = format!("Old primary DB cluster {from} is no longer accepting writes.");
                    self.note_both(started, 182, &from, &to, &stopped);
                    TransferPhase::SwitchingOver { flips_at: requested + self.timings.switchover + lag }
                };
                self.set_phase(id, phase)
            }
            TransferPhase::Pending => false,
            TransferPhase::FailingOver { .. } if !to_serves => {
                let message = format!("Global failover to DB cluster {to} failed: its Region does not respond.");
                self.note(now, 239, &to, "global-failover", &message);
                self.end_transfer(id)
            }
            TransferPhase::FailingOver { fenced: false, fence_timed_out } if from_serves && fencing_works => {
                self.note_instance(now, 390, &from, "The old primary was fenced: it takes no more writes.");
                self.set_phase(id, TransferPhase::FailingOver { fenced: true, fence_timed_out })
            }
            TransferPhase::FailingOver { fenced: false, fence_timed_out: false }
                if started + self.timings.fence <= now =>
            {
                let message = "Fencing the old primary timed out: it may still take writes.";
                self.note_instance(started + self.timings.fence, 391, &from, message);
                self.set_phase(id, TransferPhase::FailingOver { fenced: false, fence_timed_out: true })
            }
            TransferPhase::FailingOver { fenced, .. } if requested + self.timings.failover <= now => {
                self.finish_failover(id, &transfer, fenced || fencing_works, requested + self.timings.failover)
            }
            TransferPhase::FailingOver { .. } => false,
            TransferPhase::SwitchingOver { .. } if !from_serves || !to_serves => {
                let message = format!("Global switchover to DB cluster {to} was cancelled: a Region does not respond.");
                self.note_both(now, 186, &from, &to, &message);
                self.set_phase(id, TransferPhase::Cancelling { until: now + self.timings.cancel })
            }
            TransferPhase::SwitchingOver { flips_at } if flips_at <= now => {
                self.finish_switchover(id, &transfer, flips_at)
            }
            TransferPhase::SwitchingOver { .. } => false,
            TransferPhase::Cancelling { until } if until <= now => self.end_transfer(id),
            TransferPhase::Cancelling { .. } => false,
        }
    }

    fn finish_switchover(&mut self, id: &str, transfer: &Transfer, at: Monotonic) -> bool {
        let Transfer { from, to, .. } = transfer;
        let Some(region) = self.flip(id, from, to) else { return false };
        if let Some(global) = self.globals.get_mut(id) {
            global.promote(PromotionKind::Switchover, Some(from.clone()), to, &region, at);
        }
        self.note_both(at, 184, from, to, &format!("New primary DB cluster {to} was promoted."));
        self.note_both(at, 185, from, to, &format!("Global switchover to DB cluster {to} finished."));
        self.note_both(at, 397, from, to, MOVED_ENDPOINT);
        self.end_transfer(id)
    }

    fn finish_failover(&mut self, id: &str, transfer: &Transfer, fenced: bool, at: Monotonic) -> bool {
        let Transfer { from, to, .. } = transfer;
        let Some(region) = self.flip(id, from, to) else { return false };
        if let Some(global) = self.globals.get_mut(id) {
            global.promote(PromotionKind::Failover, Some(from.clone()), to, &region, at);
            // Every other cluster followed the old primary: each is rebuilt from the new one.
            for member in global.members.iter_mut().filter(|member| !member.is_writer) {
                member.sync = Sync::AwaitingRegion { well_since: None };
                member.unfenced = member.arn == *from && !fenced;
            }
        }
        self.note(at, 238, to, "global-failover", &format!("Global failover to DB cluster {to} completed."));
        self.note(at, 397, to, "global-failover", MOVED_ENDPOINT);
        self.end_transfer(id)
    }

    fn flip(&mut self, id: &str, from: &Arn, to: &Arn) -> Option<RegionId> {
        let global = self.globals.get_mut(id)?;
        // Replication turns round: the new secondary lags as the old one did.
        let lag = global.member(to)?.lag;
        if let Some(old) = global.member_mut(from) {
            old.is_writer = false;
            old.lag = lag;
        }
        let new = global.member_mut(to)?;
        new.is_writer = true;
        new.unfenced = false;
        Some(new.region.clone())
    }

    fn end_transfer(&mut self, id: &str) -> bool {
        let Some(transfer) = self.globals.get_mut(id).and_then(|global| global.transfer.take()) else { return false };
        self.set_status(&transfer.from, ClusterStatus::Available);
        self.set_status(&transfer.to, ClusterStatus::Available);
        true
    }

    fn advance_resync(&mut self, id: &str, now: Monotonic, health: Health<'_>) -> bool {
        let Some(global) = self.globals.get(id) else { return false };
        let Some(writer) = global.writer() else { return false };
        let well = |region: &RegionId| health(region, Plane::Data) && health(region, Plane::Control);
        let primary_serves = health(&writer.region, Plane::Data);
        let rejoin = self.timings.rejoin;
        let resync = self.timings.resync;
        let due = global.members.iter().find_map(|member| {
            let is_well = primary_serves && well(&member.region);
            let next = match member.sync {
                Sync::Connected => return None,
                Sync::AwaitingRegion { well_since: None } if is_well => Sync::AwaitingRegion { well_since: Some(now) },
                Sync::AwaitingRegion { well_since: Some(_) } | Sync::Rebuilding { .. } if !is_well => {
                    Sync::AwaitingRegion { well_since: None }
                }
                Sync::AwaitingRegion { well_since: Some(since) } if since + rejoin <= now => {
                    Sync::Rebuilding { since: since + rejoin }
                }
                Sync::Rebuilding { since } if since + resync <= now => Sync::Connected,
                Sync::AwaitingRegion { .. } | Sync::Rebuilding { .. } => return None,
            };
            Some((member.arn.clone(), member.sync, next))
        });
        let Some((arn, previous, next)) = due else { return false };
        self.resync_to(id, &arn, previous, next);
        true
    }

    fn resync_to(&mut self, id: &str, arn: &Arn, previous: Sync, next: Sync) {
        let Some(member) = self.globals.get_mut(id).and_then(|global| global.member_mut(arn)) else { return };
        member.sync = next;
        match (previous, next) {
            (_, Sync::Rebuilding { since }) => {
                member.rebuilt += 1;
                member.unfenced = false;
                self.set_status(arn, ClusterStatus::Modifying);
                self.keep_lost_volume(arn, since);
                let message = format!("Synchronization of DB cluster {arn} with the new primary started.");
                self.note(since, 240, arn, "global-failover", &message);
            }
            (Sync::Rebuilding { since }, Sync::Connected) => {
                let at = since + self.timings.resync;
                self.set_status(arn, ClusterStatus::Available);
                let message = format!("Synchronization of DB cluster {arn} with the new primary finished.");
                self.note(at, 241, arn, "global-failover", &message);
            }
            (Sync::Rebuilding { .. }, _) => self.set_status(arn, ClusterStatus::Available),
            _ => {}
        }
    }

    /// Aurora keeps the old primary's volume as a snapshot, which appears when its region is back.
    fn keep_lost_volume(&mut self, arn: &Arn, at: Monotonic) {
        let Some(cluster) = self.clusters.get(arn) else { return };
        let was_primary = self
            .global_of(arn)
            .and_then(|global| global.promotions.last())
            .is_some_and(|last| last.kind == PromotionKind::Failover && last.from.as_ref() == Some(arn));
        let id = format!("rds:unplanned-global-failover-{}-{}", cluster.id, at.since_origin().as_millis());
        if was_primary && !self.snapshots.iter().any(|snapshot| snapshot.id == id) {
            self.snapshots.push(Snapshot {
                id,
                region: cluster.region.clone(),
                cluster: cluster.id.clone(),
                kind: "automated",
                at,
                engine: cluster.engine.clone(),
                engine_version: cluster.engine_version.clone(),
                copied_from: None,
            });
        }
    }

    fn set_phase(&mut self, id: &str, phase: TransferPhase) -> bool {
        let transfer = self.globals.get_mut(id).and_then(|global| global.transfer.as_mut());
        transfer.map(|transfer| transfer.phase = phase).is_some()
    }

    fn set_status(&mut self, arn: &Arn, status: ClusterStatus) {
        if let Some(cluster) = self.clusters.get_mut(arn) {
            cluster.status = status;
        }
    }
}

const MOVED_ENDPOINT: &str = "Aurora finished changing the DNS name that the global writer endpoint resolves to.";
