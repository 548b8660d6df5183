//! The calls that change a datastore: each is checked in full before anything changes.

use dr_core::{
    model::{Plane, RegionId},
    time::Monotonic,
};

use super::{Change, Datastore, Filling, State, faults};
use crate::testing::{ApiFault, Health};

impl State {
    /// `FailoverGlobalReplicationGroup`, as the endpoint of `endpoint` answers it.
    ///
    /// # Errors
    ///
    /// `InvalidGlobalReplicationGroupState` unless the datastore is available and the new primary holds its data;
    /// `InvalidParameterValue` for a group that is not a secondary of it, or a call to another region than that group's.
    pub fn failover(
        &mut self,
        endpoint: &RegionId,
        id: &str,
        region: &str,
        group: &str,
        now: Monotonic,
        health: Health<'_>,
    ) -> Result<(), ApiFault> {
        let datastore = self.datastore(id)?;
        let found = datastore.members.iter().find(|member| member.region == *region && member.group == *group);
        let member = found.ok_or_else(|| {
            ApiFault::invalid_value(format!(
                "Replication group {group} in {region} is not a member of global datastore {}: PrimaryRegion and PrimaryReplicationGroupId name the group to promote.",
                datastore.id
            ))
        })?;
        if member.region != *endpoint {
            return Err(ApiFault::invalid_value(format!(
                "The failover must be called in the Region of the replication group to promote: {group} is in {region}, and this is the endpoint of {endpoint}."
            )));
        }
        check_idle(datastore)?;
        if member.is_primary {
            return Err(ApiFault::invalid_value(format!(
                "Replication group {group} in {region} is already the primary of global datastore {}.",
                datastore.id
            )));
        }
        if member.filling != Filling::Done || !health(&member.region, Plane::Data) {
            return Err(faults::state(format!(
                "Replication group {group} in {region} is not in a state to be promoted ({}).",
                datastore.member_status(member)
            )));
        }
        let change = Change::Promote { region: member.region.clone(), at: now + self.timings.promote };
        self.datastore_mut(id)?.change = Some(change);
        Ok(())
    }

    /// `DisassociateGlobalReplicationGroup`, as the endpoint of any member's region answers it.
    ///
    /// # Errors
    ///
    /// `InvalidGlobalReplicationGroupState` unless the datastore is available; `InvalidParameterValue` for its primary
    /// or a group that is not one of it.
    pub fn disassociate(
        &mut self,
        endpoint: &RegionId,
        id: &str,
        region: &str,
        group: &str,
        now: Monotonic,
    ) -> Result<(), ApiFault> {
        let datastore = self.datastore(id)?;
        if !datastore.members.iter().any(|member| member.region == *endpoint) {
            return Err(ApiFault::invalid_value(format!(
                "Global datastore {} has no replication group in {endpoint}: call a Region that has one.",
                datastore.id
            )));
        }
        let found = datastore.members.iter().find(|member| member.region == *region && member.group == *group);
        let member = found.ok_or_else(|| {
            ApiFault::invalid_value(format!(
                "Replication group {group} in {region} is not a member of global datastore {}.",
                datastore.id
            ))
        })?;
        check_idle(datastore)?;
        if member.is_primary {
            return Err(ApiFault::invalid_value(format!(
                "Replication group {group} in {region} is the primary of global datastore {}: only a secondary can be removed.",
                datastore.id
            )));
        }
        let change = Change::Disassociate { region: member.region.clone(), at: now + self.timings.disassociate };
        self.datastore_mut(id)?.change = Some(change);
        Ok(())
    }
}

fn check_idle(datastore: &Datastore) -> Result<(), ApiFault> {
    match datastore.status() {
        "available" => Ok(()),
        other => Err(faults::state(format!(
            "The Global datastore is not available or in primary-only state: {} is {other}.",
            datastore.id
        ))),
    }
}
