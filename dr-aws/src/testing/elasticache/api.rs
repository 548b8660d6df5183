//! One request of the ElastiCache API: parameters in, a change or a description out.

use dr_core::{model::RegionId, time::Monotonic};

use super::{Group, State, faults, wire};
use crate::testing::{ApiFault, Element, Form, Health};

impl State {
    /// The operations that change something; none for any other. Gives the reply and the subject for the effect log.
    pub(super) fn change(
        &mut self,
        endpoint: &RegionId,
        form: &Form,
        now: Monotonic,
        health: Health<'_>,
    ) -> Option<Result<(Element, String), ApiFault>> {
        Some(match form.action() {
            "FailoverGlobalReplicationGroup" => self.call_failover(endpoint, form, now, health),
            "DisassociateGlobalReplicationGroup" => self.call_disassociate(endpoint, form, now),
            _ => return None,
        })
    }

    /// The operations that look; none for any other.
    pub(super) fn describe(&self, endpoint: &RegionId, form: &Form) -> Option<Result<Element, ApiFault>> {
        let result = Element::new(format!("{}Result", form.action()));
        Some(match form.action() {
            "DescribeGlobalReplicationGroups" => self.describe_datastores(form, result),
            "DescribeReplicationGroups" => self.describe_groups(endpoint, form, result),
            _ => return None,
        })
    }

    fn call_failover(
        &mut self,
        endpoint: &RegionId,
        form: &Form,
        now: Monotonic,
        health: Health<'_>,
    ) -> Result<(Element, String), ApiFault> {
        let id = form.require("GlobalReplicationGroupId")?;
        let (region, group) = (form.require("PrimaryRegion")?, form.require("PrimaryReplicationGroupId")?);
        self.failover(endpoint, id, region, group, now, health)?;
        self.changed(form, id, format!("{region}/{group}"))
    }

    fn call_disassociate(
        &mut self,
        endpoint: &RegionId,
        form: &Form,
        now: Monotonic,
    ) -> Result<(Element, String), ApiFault> {
        let id = form.require("GlobalReplicationGroupId")?;
        let (region, group) = (form.require("ReplicationGroupRegion")?, form.require("ReplicationGroupId")?);
        self.disassociate(endpoint, id, region, group, now)?;
        self.changed(form, id, format!("{region}/{group}"))
    }

    fn changed(&self, form: &Form, id: &str, subject: String) -> Result<(Element, String), ApiFault> {
        let result = Element::new(format!("{}Result", form.action()));
        Ok((result.child(wire::datastore(self, self.datastore(id)?, true)), subject))
    }

    /// Datastores are known to the endpoint of every region; their members are told only when asked for.
    fn describe_datastores(&self, form: &Form, result: Element) -> Result<Element, ApiFault> {
        let with_members = form.flag("ShowMemberInfo")?.unwrap_or(false);
        let rows: Vec<_> = match form.get("GlobalReplicationGroupId") {
            Some(id) => vec![self.datastore(id)?],
            None => self.datastores.values().collect(),
        };
        let (page, marker) = form.page(&rows)?;
        Ok(result
            .list("GlobalReplicationGroups", page.iter().map(|row| wire::datastore(self, row, with_members)))
            .leaf_if("Marker", marker))
    }

    fn describe_groups(&self, endpoint: &RegionId, form: &Form, result: Element) -> Result<Element, ApiFault> {
        let mut rows: Vec<&Group> = self.groups.values().filter(|group| group.region == *endpoint).collect();
        if let Some(id) = form.get("ReplicationGroupId") {
            rows.retain(|group| group.id == id.to_ascii_lowercase());
            if rows.is_empty() {
                return Err(faults::group_not_found(id));
            }
        }
        let (page, marker) = form.page(&rows)?;
        Ok(result.list("ReplicationGroups", page.iter().map(|row| wire::group(self, row))).leaf_if("Marker", marker))
    }
}
