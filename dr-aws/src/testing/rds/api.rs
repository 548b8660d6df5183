//! One request of the RDS API: parameters in, a change or a description out.

use dr_core::{
    model::RegionId,
    time::{Monotonic, Timestamp},
};

use super::{
    Cluster, Instance, RdsEvent, Snapshot, State, faults,
    lifecycle::{NewCluster, NewGlobal, NewInstance},
    wire::{self, Wall},
};
use crate::testing::{ApiFault, Element, Form, Health};

/// What a change did: the elements of its reply, and the subject for the effect log.
pub(super) struct Changed {
    pub(super) result: Element,
    pub(super) subject: String,
}

impl State {
    /// The operations that change something; none for any other.
    pub(super) fn change(
        &mut self,
        endpoint: &RegionId,
        form: &Form,
        now: Monotonic,
        health: Health<'_>,
        wall: Wall<'_>,
    ) -> Option<Result<Changed, ApiFault>> {
        Some(match form.action() {
            "SwitchoverGlobalCluster" => self.call_switchover(endpoint, form, now, health),
            "FailoverGlobalCluster" => self.call_failover(endpoint, form, now, health),
            "RemoveFromGlobalCluster" => self.call_remove(endpoint, form, now, health),
            "CreateGlobalCluster" => self.call_create_global(endpoint, form),
            "CreateDBCluster" => self.call_create_cluster(endpoint, form, now),
            "CreateDBInstance" => self.call_create_instance(endpoint, form, now),
            "DeleteDBInstance" => self.call_delete_instance(endpoint, form),
            "CopyDBClusterSnapshot" => self.call_copy_snapshot(endpoint, form, now, wall),
            _ => return None,
        })
    }

    /// The operations that look; none for any other.
    pub(super) fn describe(
        &self,
        endpoint: &RegionId,
        form: &Form,
        now: Monotonic,
        wall: Wall<'_>,
    ) -> Option<Result<Element, ApiFault>> {
        let result = Element::new(format!("{}Result", form.action()));
        Some(match form.action() {
            "DescribeGlobalClusters" => self.describe_globals(form, result),
            "DescribeDBClusters" => self.describe_clusters(endpoint, form, result),
            "DescribeDBInstances" => self.describe_instances(endpoint, form, result),
            "DescribeEvents" => self.describe_events(endpoint, form, now, wall, result),
            "DescribeDBClusterSnapshots" => self.describe_snapshots(endpoint, form, wall, result),
            _ => return None,
        })
    }

    fn call_switchover(
        &mut self,
        endpoint: &RegionId,
        form: &Form,
        now: Monotonic,
        health: Health<'_>,
    ) -> Result<Changed, ApiFault> {
        let id = form.require("GlobalClusterIdentifier")?;
        let target = form.require("TargetDbClusterIdentifier")?;
        let arn = self.switchover(endpoint, id, target, now, health)?;
        self.changed_global(form, id, arn.to_string())
    }

    /// Without `AllowDataLoss` this is a switchover, and is checked as one.
    fn call_failover(
        &mut self,
        endpoint: &RegionId,
        form: &Form,
        now: Monotonic,
        health: Health<'_>,
    ) -> Result<Changed, ApiFault> {
        let id = form.require("GlobalClusterIdentifier")?;
        let target = form.require("TargetDbClusterIdentifier")?;
        let (data_loss, switchover) = (form.flag("AllowDataLoss")?, form.flag("Switchover")?);
        if data_loss.is_some() && switchover.is_some() {
            return Err(ApiFault::invalid_combination(
                "AllowDataLoss can't be specified together with the Switchover parameter.",
            ));
        }
        let arn = if data_loss == Some(true) {
            self.failover(endpoint, id, target, now, health)?
        } else {
            self.switchover(endpoint, id, target, now, health)?
        };
        self.changed_global(form, id, arn.to_string())
    }

    fn call_remove(
        &mut self,
        endpoint: &RegionId,
        form: &Form,
        now: Monotonic,
        health: Health<'_>,
    ) -> Result<Changed, ApiFault> {
        let id = form.require("GlobalClusterIdentifier")?;
        let arn = self.remove(endpoint, id, form.require("DbClusterIdentifier")?, now, health)?;
        self.changed_global(form, id, arn.to_string())
    }

    fn call_create_global(&mut self, endpoint: &RegionId, form: &Form) -> Result<Changed, ApiFault> {
        let id = form.require("GlobalClusterIdentifier")?;
        let new = NewGlobal {
            id: id.to_owned(),
            source: owned(form, "SourceDBClusterIdentifier"),
            engine: owned(form, "Engine"),
            engine_version: owned(form, "EngineVersion"),
            database_name: owned(form, "DatabaseName"),
            encrypted: form.flag("StorageEncrypted")?.unwrap_or(false),
            deletion_protection: form.flag("DeletionProtection")?.unwrap_or(false),
        };
        self.create_global(endpoint, new)?;
        self.changed_global(form, id, id.to_ascii_lowercase())
    }

    fn call_create_cluster(&mut self, endpoint: &RegionId, form: &Form, now: Monotonic) -> Result<Changed, ApiFault> {
        let port = form
            .get("Port")
            .map(|raw| raw.parse().map_err(|_| ApiFault::invalid_value(format!("{raw} is not a port"))))
            .transpose()?;
        let new = NewCluster {
            id: form.require("DBClusterIdentifier")?.to_owned(),
            engine: form.require("Engine")?.to_owned(),
            engine_version: owned(form, "EngineVersion"),
            global: owned(form, "GlobalClusterIdentifier"),
            database_name: owned(form, "DatabaseName"),
            master_username: owned(form, "MasterUsername"),
            encrypted: form.flag("StorageEncrypted")?.unwrap_or(false),
            write_forwarding: form.flag("EnableGlobalWriteForwarding")?.unwrap_or(false),
            port,
        };
        let arn = self.create_cluster(endpoint, new, now)?;
        let result = wire::cluster(self, self.cluster(&arn)?, "DBCluster");
        Ok(Changed { result: wrap(form, result), subject: arn.to_string() })
    }

    fn call_create_instance(&mut self, endpoint: &RegionId, form: &Form, now: Monotonic) -> Result<Changed, ApiFault> {
        let tier = form.get("PromotionTier").and_then(|raw| raw.parse().ok());
        let id = form.require("DBInstanceIdentifier")?.to_ascii_lowercase();
        let new = NewInstance {
            id: id.clone(),
            class: form.require("DBInstanceClass")?.to_owned(),
            cluster: form.require("DBClusterIdentifier")?.to_owned(),
            promotion_tier: tier,
        };
        self.create_instance(endpoint, new, now)?;
        let made =
            self.instances.get(&(endpoint.clone(), id.clone())).ok_or_else(|| faults::instance_not_found(&id))?;
        Ok(Changed { result: wrap(form, wire::instance(self, made, "DBInstance")), subject: id })
    }

    fn call_delete_instance(&mut self, endpoint: &RegionId, form: &Form) -> Result<Changed, ApiFault> {
        let gone = self.delete_instance(endpoint, form.require("DBInstanceIdentifier")?)?;
        Ok(Changed { result: wrap(form, wire::instance(self, &gone, "DBInstance")), subject: gone.id })
    }

    fn call_copy_snapshot(
        &mut self,
        endpoint: &RegionId,
        form: &Form,
        now: Monotonic,
        wall: Wall<'_>,
    ) -> Result<Changed, ApiFault> {
        let source = form.require("SourceDBClusterSnapshotIdentifier")?;
        let target = form.require("TargetDBClusterSnapshotIdentifier")?;
        let copy = self.copy_snapshot(endpoint, source, target, now)?;
        Ok(Changed { result: wrap(form, wire::snapshot(self, &copy, wall)), subject: copy.id })
    }

    fn changed_global(&self, form: &Form, id: &str, subject: String) -> Result<Changed, ApiFault> {
        Ok(Changed { result: wrap(form, wire::global(self, self.global(id)?, "GlobalCluster")), subject })
    }

    /// Global clusters are known to the endpoint of every region.
    fn describe_globals(&self, form: &Form, result: Element) -> Result<Element, ApiFault> {
        let regions = filter(form, &["region"])?;
        let rows: Vec<_> = match form.get("GlobalClusterIdentifier") {
            Some(id) => vec![self.global(id)?],
            None => self.globals.values().collect(),
        };
        let rows: Vec<_> = rows
            .into_iter()
            .filter(|global| {
                regions.as_ref().is_none_or(|(_, wanted)| {
                    global.members.iter().any(|member| wanted.iter().any(|region| member.region == **region))
                })
            })
            .collect();
        let (page, marker) = form.page(&rows)?;
        Ok(result
            .list("GlobalClusters", page.iter().map(|global| wire::global(self, global, "GlobalClusterMember")))
            .leaf_if("Marker", marker))
    }

    fn describe_clusters(&self, endpoint: &RegionId, form: &Form, result: Element) -> Result<Element, ApiFault> {
        let wanted = filter(form, &["db-cluster-id", "engine"])?;
        let rows: Vec<&Cluster> = match form.get("DBClusterIdentifier") {
            Some(name) => vec![self.regional_cluster(endpoint, name)?],
            None => self.clusters.values().filter(|cluster| cluster.region == *endpoint).collect(),
        };
        let rows: Vec<_> = rows
            .into_iter()
            .filter(|cluster| match &wanted {
                None => true,
                Some((name, values)) if name == "engine" => values.contains(&cluster.engine),
                Some((_, values)) => names(cluster, values),
            })
            .collect();
        let (page, marker) = form.page(&rows)?;
        Ok(result
            .list("DBClusters", page.iter().map(|cluster| wire::cluster(self, cluster, "DBCluster")))
            .leaf_if("Marker", marker))
    }

    fn describe_instances(&self, endpoint: &RegionId, form: &Form, result: Element) -> Result<Element, ApiFault> {
        let wanted = filter(form, &["db-cluster-id", "db-instance-id"])?;
        let here = |instance: &&Instance| instance.region == *endpoint;
        let mut rows: Vec<&Instance> = self.instances.values().filter(here).collect();
        if let Some(id) = form.get("DBInstanceIdentifier") {
            rows.retain(|instance| instance.id == id.to_ascii_lowercase());
            if rows.is_empty() {
                return Err(faults::instance_not_found(id));
            }
        }
        if let Some((name, values)) = &wanted {
            rows.retain(|instance| {
                if name == "db-instance-id" {
                    values.contains(&instance.id)
                } else {
                    self.clusters.get(&instance.cluster).is_some_and(|cluster| names(cluster, values))
                }
            });
        }
        let (page, marker) = form.page(&rows)?;
        Ok(result
            .list("DBInstances", page.iter().map(|instance| wire::instance(self, instance, "DBInstance")))
            .leaf_if("Marker", marker))
    }

    /// Events of the last hour, or of the last `Duration` minutes, or between `StartTime` and `EndTime`.
    fn describe_events(
        &self,
        endpoint: &RegionId,
        form: &Form,
        now: Monotonic,
        wall: Wall<'_>,
        result: Element,
    ) -> Result<Element, ApiFault> {
        let moment = |name: &str| -> Result<Option<Timestamp>, ApiFault> {
            form.get(name)
                .map(|raw| {
                    serde_json::from_value(serde_json::Value::String(raw.to_owned()))
                        .map_err(|_| ApiFault::invalid_value(format!("{raw} is not a time, for parameter {name}")))
                })
                .transpose()
        };
        let (from, to) = (moment("StartTime")?, moment("EndTime")?);
        let minutes: u64 = form.number("Duration").unwrap_or(60);
        let in_time = |event: &RdsEvent| match (from, to) {
            (None, None) => now.since(event.at).as_secs() <= minutes.saturating_mul(60),
            _ => from.is_none_or(|from| from <= wall(event.at)) && to.is_none_or(|to| wall(event.at) <= to),
        };
        let source = form.get("SourceIdentifier");
        let kind = form.get("SourceType");
        let rows: Vec<_> = self
            .events
            .iter()
            .filter(|event| event.region == *endpoint && in_time(event))
            .filter(|event| source.is_none_or(|id| event.source == id))
            .filter(|event| kind.is_none_or(|kind| event.source_type == kind))
            .collect();
        let (page, marker) = form.page(&rows)?;
        Ok(result.list("Events", page.iter().map(|event| wire::event(event, wall))).leaf_if("Marker", marker))
    }

    fn describe_snapshots(
        &self,
        endpoint: &RegionId,
        form: &Form,
        wall: Wall<'_>,
        result: Element,
    ) -> Result<Element, ApiFault> {
        let (id, cluster, kind) =
            (form.get("DBClusterSnapshotIdentifier"), form.get("DBClusterIdentifier"), form.get("SnapshotType"));
        let rows: Vec<&Snapshot> = self
            .snapshots
            .iter()
            .filter(|snapshot| snapshot.region == *endpoint)
            .filter(|snapshot| id.is_none_or(|id| snapshot.id == id))
            .filter(|snapshot| cluster.is_none_or(|cluster| snapshot.cluster == cluster))
            .filter(|snapshot| kind.is_none_or(|kind| snapshot.kind == kind))
            .collect();
        if let (Some(id), true) = (id, rows.is_empty()) {
            return Err(faults::snapshot_not_found(id));
        }
        let (page, marker) = form.page(&rows)?;
        Ok(result
            .list("DBClusterSnapshots", page.iter().map(|snapshot| wire::snapshot(self, snapshot, wall)))
            .leaf_if("Marker", marker))
    }
}

fn owned(form: &Form, name: &str) -> Option<String> {
    form.get(name).map(str::to_owned)
}

fn wrap(form: &Form, inner: Element) -> Element {
    Element::new(format!("{}Result", form.action())).child(inner)
}

/// Whether one of the values names the cluster, by its identifier or its ARN.
fn names(cluster: &Cluster, values: &[String]) -> bool {
    values.iter().any(|value| cluster.arn == **value || cluster.id == value.to_ascii_lowercase())
}

/// The one filter of a describe call, if it is of a name that the double knows.
fn filter(form: &Form, known: &[&str]) -> Result<Option<(String, Vec<String>)>, ApiFault> {
    let mut filters = form.forms("Filters.Filter").into_iter();
    let Some(first) = filters.next() else { return Ok(None) };
    let name = first.require("Name")?.to_owned();
    if filters.next().is_some() || !known.contains(&name.as_str()) {
        return Err(ApiFault::invalid_value(format!(
            "Unrecognized filter name: {name} (the double knows one at a time of {})",
            known.join(", ")
        )));
    }
    Ok(Some((name, first.strings("Values.Value"))))
}
