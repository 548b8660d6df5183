//! The shapes of the ElastiCache API, as its model writes them in XML.

use super::{Datastore, Group, State};
use crate::testing::Element;

pub(super) fn datastore(state: &State, datastore: &Datastore, with_members: bool) -> Element {
    let element = Element::new("GlobalReplicationGroup")
        .leaf("GlobalReplicationGroupId", &datastore.id)
        .leaf("GlobalReplicationGroupDescription", "")
        .leaf("Status", datastore.status())
        .leaf("CacheNodeType", &datastore.node_type)
        .leaf("Engine", "redis")
        .leaf("EngineVersion", &datastore.engine_version);
    let element = if with_members {
        element.list(
            "Members",
            datastore.members.iter().map(|member| {
                Element::new("GlobalReplicationGroupMember")
                    .leaf("ReplicationGroupId", &member.group)
                    .leaf("ReplicationGroupRegion", &member.region)
                    .leaf("Role", role(member.is_primary))
                    .leaf("AutomaticFailover", "enabled")
                    .leaf("Status", datastore.member_status(member))
            }),
        )
    } else {
        element
    };
    element
        .leaf("ClusterEnabled", false)
        .leaf("AuthTokenEnabled", false)
        .leaf("TransitEncryptionEnabled", true)
        .leaf("AtRestEncryptionEnabled", true)
        .leaf("ARN", format!("arn:aws:elasticache::{}:globalreplicationgroup:{}", state.account, datastore.id))
}

pub(super) fn group(state: &State, group: &Group) -> Element {
    let seat = state.seat_of(&group.region, &group.id);
    let info = seat.map(|(datastore, member)| {
        Element::new("GlobalReplicationGroupInfo")
            .leaf("GlobalReplicationGroupId", &datastore.id)
            .leaf("GlobalReplicationGroupMemberRole", role(member.is_primary))
    });
    let busy = seat.is_some_and(|(datastore, member)| {
        datastore.change.is_some() || datastore.member_status(member) != "associated"
    });
    let status = if busy { "modifying" } else { "available" };
    let node = |n: usize| format!("{}-{n:03}", group.id);
    let endpoint = |name: &str, address: String| Element::new(name).leaf("Address", address).leaf("Port", 6379);
    let members = (1..=group.nodes).map(|n| {
        Element::new("NodeGroupMember")
            .leaf("CacheClusterId", node(n))
            .leaf("CacheNodeId", "0001")
            .leaf("CurrentRole", role(n == 1))
    });
    let nodes = Element::new("NodeGroup")
        .leaf("NodeGroupId", "0001")
        .leaf("Status", status)
        .child(endpoint("PrimaryEndpoint", group.endpoint()))
        .child(endpoint("ReaderEndpoint", group.reader_endpoint()))
        .list("NodeGroupMembers", members);
    Element::new("ReplicationGroup")
        .leaf("ReplicationGroupId", &group.id)
        .leaf("Description", "")
        .children(info)
        .leaf("Status", status)
        .list("MemberClusters", (1..=group.nodes).map(|n| Element::new("ClusterId").text(node(n))))
        .list("NodeGroups", [nodes])
        .leaf("AutomaticFailover", "enabled")
        .leaf("MultiAZ", "enabled")
        .leaf("ClusterEnabled", false)
        .leaf("CacheNodeType", &group.node_type)
        .leaf("ARN", format!("arn:aws:elasticache:{}:{}:replicationgroup:{}", group.region, state.account, group.id))
}

/// AWS's documents write roles in both cases, so clients must not care; the API writes them so.
fn role(is_primary: bool) -> &'static str {
    if is_primary { "PRIMARY" } else { "SECONDARY" }
}
