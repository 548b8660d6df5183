//! The shapes of the RDS API, as its model writes them in XML.

use dr_core::time::{Monotonic, Timestamp};

use super::{Cluster, Global, Instance, Member, RdsEvent, Snapshot, State, Sync};
use crate::testing::Element;

/// Turns a moment of the world's clock into its wall time.
pub(super) type Wall<'a> = &'a dyn Fn(Monotonic) -> Timestamp;

pub(super) fn global(state: &State, global: &Global, name: &str) -> Element {
    let failover = match &global.transfer {
        None => Element::new("FailoverState"),
        Some(transfer) => Element::new("FailoverState")
            .leaf("Status", transfer.phase.as_str())
            .leaf("FromDbClusterArn", &transfer.from)
            .leaf("ToDbClusterArn", &transfer.to)
            .leaf("IsDataLossAllowed", transfer.data_loss_allowed),
    };
    Element::new(name)
        .leaf("GlobalClusterIdentifier", &global.id)
        .leaf("GlobalClusterResourceId", format!("cluster-{}", resource_id(&global.id)))
        .leaf("GlobalClusterArn", format!("arn:aws:rds::{}:global-cluster:{}", state.account, global.id))
        .leaf("Status", global.status())
        .leaf("Engine", &global.engine)
        .leaf("EngineVersion", &global.engine_version)
        .leaf_if("DatabaseName", global.database_name.as_ref())
        .leaf("StorageEncrypted", global.encrypted)
        .leaf("DeletionProtection", global.deletion_protection)
        .list("GlobalClusterMembers", global.members.iter().map(|seat| member(state, global, seat)))
        .leaf("Endpoint", global.endpoint())
        .child(failover)
}

fn member(state: &State, global: &Global, seat: &Member) -> Element {
    let readers = global.secondaries().filter(|_| seat.is_writer);
    let element = Element::new("GlobalClusterMember")
        .leaf("DBClusterArn", &seat.arn)
        .list("Readers", readers.map(|reader| Element::new("member").text(&reader.arn)))
        .leaf("IsWriter", seat.is_writer)
        .leaf("SynchronizationStatus", seat.sync.as_str());
    if seat.is_writer {
        return element;
    }
    let forwards = state.clusters.get(&seat.arn).is_some_and(|cluster| cluster.write_forwarding);
    element.leaf("GlobalWriteForwardingStatus", if forwards { "enabled" } else { "disabled" })
}

pub(super) fn cluster(state: &State, cluster: &Cluster, name: &str) -> Element {
    let belongs_to = state.global_of(&cluster.arn);
    let seat = belongs_to.and_then(|global| global.member(&cluster.arn));
    let source = belongs_to
        .filter(|_| seat.is_some_and(|seat| !seat.is_writer && seat.sync == Sync::Connected))
        .and_then(Global::writer)
        .map(|writer| &writer.arn);
    let writes_here = seat.is_none_or(|seat| seat.is_writer);
    let members = state.instances_of(&cluster.arn).enumerate().map(|(index, instance)| {
        Element::new("DBClusterMember")
            .leaf("DBInstanceIdentifier", &instance.id)
            .leaf("IsClusterWriter", index == 0 && writes_here)
            .leaf("DBClusterParameterGroupStatus", "in-sync")
            .leaf("PromotionTier", instance.promotion_tier)
    });
    Element::new(name)
        .leaf("AllocatedStorage", 1)
        .leaf("BackupRetentionPeriod", 7)
        .leaf_if("DatabaseName", cluster.database_name.as_ref())
        .leaf("DBClusterIdentifier", &cluster.id)
        .leaf("Status", cluster.status.as_str())
        .leaf("Endpoint", cluster.endpoint())
        .leaf("ReaderEndpoint", cluster.reader_endpoint())
        .leaf("MultiAZ", state.instances_of(&cluster.arn).count() > 1)
        .leaf("Engine", &cluster.engine)
        .leaf("EngineVersion", &cluster.engine_version)
        .leaf("EngineMode", "provisioned")
        .leaf("Port", cluster.port)
        .leaf_if("MasterUsername", cluster.master_username.as_ref())
        .leaf_if("ReplicationSourceIdentifier", source)
        .list("DBClusterMembers", members)
        .leaf("StorageEncrypted", cluster.encrypted)
        .leaf("DbClusterResourceId", format!("cluster-{}", resource_id(&cluster.id)))
        .leaf("DBClusterArn", &cluster.arn)
        .leaf_if("GlobalClusterIdentifier", belongs_to.map(|global| &global.id))
        .leaf("GlobalWriteForwardingRequested", cluster.write_forwarding)
}

pub(super) fn instance(state: &State, instance: &Instance, name: &str) -> Element {
    let found = state.clusters.get(&instance.cluster);
    let engine = found.map(|cluster| cluster.engine.clone()).unwrap_or_default();
    let version = found.map(|cluster| cluster.engine_version.clone()).unwrap_or_default();
    let endpoint = Element::new("Endpoint")
        .leaf("Address", format!("{}.c0double0000.{}.rds.amazonaws.com", instance.id, instance.region))
        .leaf("Port", found.map_or(5432, |cluster| cluster.port));
    let arn = state.arn(&instance.region, "db", &instance.id);
    Element::new(name)
        .leaf("DBInstanceIdentifier", &instance.id)
        .leaf("DBInstanceClass", &instance.class)
        .leaf("Engine", engine)
        .leaf("DBInstanceStatus", if instance.creating_until.is_some() { "creating" } else { "available" })
        .child(endpoint)
        .leaf("EngineVersion", version)
        .leaf("AvailabilityZone", format!("{}a", instance.region))
        .leaf_if("DBClusterIdentifier", found.map(|cluster| &cluster.id))
        .leaf("PromotionTier", instance.promotion_tier)
        .leaf_if("DBInstanceArn", arn)
}

pub(super) fn event(event: &RdsEvent, wall: Wall<'_>) -> Element {
    Element::new("Event")
        .leaf("SourceIdentifier", &event.source)
        .leaf("SourceType", event.source_type)
        .leaf("Message", event.text())
        .list("EventCategories", [Element::new("EventCategory").text(event.category)])
        .leaf("Date", wall(event.at))
        .leaf("SourceArn", &event.source_arn)
}

pub(super) fn snapshot(state: &State, snapshot: &Snapshot, wall: Wall<'_>) -> Element {
    let source = snapshot.copied_from.as_ref().and_then(|id| state.arn(&snapshot.region, "cluster-snapshot", id));
    Element::new("DBClusterSnapshot")
        .leaf("DBClusterSnapshotIdentifier", &snapshot.id)
        .leaf("DBClusterIdentifier", &snapshot.cluster)
        .leaf("SnapshotCreateTime", wall(snapshot.at))
        .leaf("Engine", &snapshot.engine)
        .leaf("AllocatedStorage", 1)
        .leaf("Status", "available")
        .leaf("EngineVersion", &snapshot.engine_version)
        .leaf("SnapshotType", snapshot.kind)
        .leaf("PercentProgress", 100)
        .leaf_if("DBClusterSnapshotArn", state.arn(&snapshot.region, "cluster-snapshot", &snapshot.id))
        .leaf_if("SourceDBClusterSnapshotArn", source)
}

/// An immutable id in AWS's form, made from the name so that every run of a test sees the same.
fn resource_id(name: &str) -> String {
    let sum = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{sum:016X}")
}
