//! The calls that move the writer: each is checked in full before anything changes.

use dr_core::{
    model::{Plane, RegionId},
    time::Monotonic,
};

use super::{Cluster, ClusterStatus, Global, Member, PromotionKind, State, Sync, Transfer, TransferPhase, faults};
use crate::{
    arn::Arn,
    testing::{ApiFault, Health},
};

impl State {
    /// `SwitchoverGlobalCluster`, as the endpoint of `endpoint` answers it.
    ///
    /// # Errors
    ///
    /// The faults of the API: the call came to another region than the primary's, a transfer is under way, a member
    /// is not available or not in sync, a region does not answer, the versions differ, or the target has no instance.
    pub fn switchover(
        &mut self,
        endpoint: &RegionId,
        id: &str,
        target: &str,
        now: Monotonic,
        health: Health<'_>,
    ) -> Result<Arn, ApiFault> {
        let (global, writer, to) = self.seats(id, target)?;
        if *endpoint != writer.region {
            return Err(faults::global_state(format!(
                "A switchover must be called in the Region of the current primary DB cluster: {} is in {}, and this is the endpoint of {endpoint}.",
                writer.arn, writer.region
            )));
        }
        self.check_target(global, writer, to)?;
        for member in [writer, to] {
            let cluster = self.cluster(&member.arn)?;
            if cluster.status != ClusterStatus::Available {
                return Err(not_available(cluster));
            }
            if !health(&member.region, Plane::Data) {
                return Err(faults::global_state(format!(
                    "A switchover needs healthy DB clusters: {} in {} cannot be reached. Use failover instead.",
                    member.arn, member.region
                )));
            }
        }
        self.begin(id, endpoint, now, false, writer.arn.clone(), to.arn.clone())
    }

    /// `FailoverGlobalCluster` with `AllowDataLoss`, as the endpoint of `endpoint` answers it.
    ///
    /// # Errors
    ///
    /// The faults of the API: the call came to another region than the target's, a transfer is under way, the target is
    /// not available, was not yet rebuilt after an earlier failover, has no instance, or is of another version.
    pub fn failover(
        &mut self,
        endpoint: &RegionId,
        id: &str,
        target: &str,
        now: Monotonic,
        health: Health<'_>,
    ) -> Result<Arn, ApiFault> {
        let (global, writer, to) = self.seats(id, target)?;
        if *endpoint != to.region {
            return Err(faults::global_state(format!(
                "A failover must be called in the Region of the target DB cluster: {} is in {}, and this is the endpoint of {endpoint}.",
                to.arn, to.region
            )));
        }
        self.check_target(global, writer, to)?;
        let cluster = self.cluster(&to.arn)?;
        if cluster.status != ClusterStatus::Available {
            return Err(not_available(cluster));
        }
        if !health(&to.region, Plane::Data) {
            return Err(faults::cluster_state(format!(
                "DB cluster {} in {} is not healthy and cannot be promoted.",
                to.arn, to.region
            )));
        }
        self.begin(id, endpoint, now, true, writer.arn.clone(), to.arn.clone())
    }

    /// `RemoveFromGlobalCluster`, as the endpoint of `endpoint` answers it. The old primary is not fenced.
    ///
    /// # Errors
    ///
    /// The faults of the API: the call came to another region than the cluster's, a transfer is under way, or the
    /// cluster is the primary while secondaries remain.
    pub fn remove(
        &mut self,
        endpoint: &RegionId,
        id: &str,
        cluster: &str,
        now: Monotonic,
        health: Health<'_>,
    ) -> Result<Arn, ApiFault> {
        let global = self.global(id)?;
        let member = find_member(global, cluster)?;
        if *endpoint != member.region {
            return Err(faults::global_state(format!(
                "RemoveFromGlobalCluster must be called in the Region of the DB cluster to detach: {} is in {}, and this is the endpoint of {endpoint}.",
                member.arn, member.region
            )));
        }
        if let Some(transfer) = &global.transfer {
            return Err(in_progress(global, transfer));
        }
        if member.is_writer && global.members.len() > 1 {
            return Err(faults::global_state(format!(
                "Global cluster {} still has secondary DB clusters: remove them before its primary {}.",
                global.id, member.arn
            )));
        }
        let found = self.cluster(&member.arn)?;
        if found.status != ClusterStatus::Available {
            return Err(not_available(found));
        }
        if !health(&member.region, Plane::Data) {
            return Err(faults::cluster_state(format!(
                "DB cluster {} in {} is not healthy and cannot be promoted.",
                member.arn, member.region
            )));
        }
        let (arn, region, was_writer) = (member.arn.clone(), member.region.clone(), member.is_writer);
        let until = now + self.timings.detach;
        let global = self.global_mut(id)?;
        let from = global.writer().map(|writer| writer.arn.clone());
        global.members.retain(|member| member.arn != arn);
        if !was_writer {
            global.promote(PromotionKind::Detach, from, &arn, &region, now);
            if let Some(cluster) = self.clusters.get_mut(&arn) {
                cluster.status = ClusterStatus::Promoting { until: Some(until) };
            }
        }
        Ok(arn)
    }

    pub(super) fn cluster(&self, arn: &Arn) -> Result<&Cluster, ApiFault> {
        self.clusters.get(arn).ok_or_else(|| faults::cluster_not_found(format!("DBCluster {arn} not found.")))
    }

    /// The global database, its primary and the member that `target` names by its ARN.
    fn seats(&self, id: &str, target: &str) -> Result<(&Global, &Member, &Member), ApiFault> {
        let global = self.global(id)?;
        let to = find_member(global, target)?;
        let writer = global
            .writer()
            .ok_or_else(|| faults::global_state(format!("Global cluster {} has no primary DB cluster.", global.id)))?;
        Ok((global, writer, to))
    }

    /// What switchovers and failovers ask of a target alike.
    fn check_target(&self, global: &Global, writer: &Member, to: &Member) -> Result<(), ApiFault> {
        if let Some(transfer) = &global.transfer {
            return Err(in_progress(global, transfer));
        }
        if to.arn == writer.arn {
            return Err(faults::global_state(format!(
                "DB cluster {} is already the primary of global cluster {}.",
                to.arn, global.id
            )));
        }
        if to.sync != Sync::Connected {
            return Err(faults::global_state(format!(
                "DB cluster {} is {} and cannot be promoted until it is synchronized with the primary.",
                to.arn,
                to.sync.as_str()
            )));
        }
        if self.available_instances(&to.arn).next().is_none() {
            return Err(faults::cluster_state(format!(
                "DB cluster {} has no available DB instance to promote (headless): add one first.",
                to.arn
            )));
        }
        let (old, new) = (self.cluster(&writer.arn)?, self.cluster(&to.arn)?);
        if old.major_minor() != new.major_minor() {
            return Err(faults::global_state(format!(
                "The engine versions differ: {} runs {} and {} runs {}. Managed switchover and failover need the same major and minor version; detach the secondary instead.",
                old.arn, old.engine_version, new.arn, new.engine_version
            )));
        }
        Ok(())
    }

    fn begin(
        &mut self,
        id: &str,
        endpoint: &RegionId,
        now: Monotonic,
        data_loss_allowed: bool,
        from: Arn,
        to: Arn,
    ) -> Result<Arn, ApiFault> {
        let global = self.global_mut(id)?;
        let name = global.id.clone();
        global.transfer = Some(Transfer {
            from: from.clone(),
            to: to.clone(),
            data_loss_allowed,
            requested: now,
            phase: TransferPhase::Pending,
        });
        if !data_loss_allowed {
            let message = format!("Global switchover to DB cluster {to} in Region {endpoint} started.");
            self.note_both(now, 181, &from, &to, &format!("{message} Global cluster {name}."));
        }
        Ok(to)
    }
}

fn find_member<'a>(global: &'a Global, target: &str) -> Result<&'a Member, ApiFault> {
    let Ok(arn) = Arn::new(target) else {
        return Err(faults::cluster_not_found(format!(
            "DBCluster {target} not found: name the target by its Amazon Resource Name, so that it can be found in its Region."
        )));
    };
    global.member(&arn).ok_or_else(|| {
        faults::cluster_not_found(format!("DBCluster {arn} is not a member of global cluster {}.", global.id))
    })
}

fn in_progress(global: &Global, transfer: &Transfer) -> ApiFault {
    faults::global_state(format!(
        "Global cluster {} is {} from {} to {}: wait until that has ended.",
        global.id,
        transfer.phase.as_str(),
        transfer.from,
        transfer.to
    ))
}

fn not_available(cluster: &Cluster) -> ApiFault {
    faults::cluster_state(format!("DB cluster {} is {} and not available.", cluster.arn, cluster.status.as_str()))
}
