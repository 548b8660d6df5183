//! What ElastiCache says of a datastore, with statuses as strings.

use aws_sdk_elasticache::types::GlobalReplicationGroup;
use dr_core::model::RegionId;

/// A global datastore as described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DatastoreView {
    /// `available`, `modifying`, `primary-only`, or a word that AWS adds tomorrow.
    pub(super) status: String,
    pub(super) engine_version: Option<String>,
    pub(super) members: Vec<CacheMember>,
}

/// A member of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CacheMember {
    pub(super) region: String,
    pub(super) group: String,
    pub(super) is_primary: bool,
    /// `associated`, `associating`, `disassociating`.
    pub(super) status: String,
}

impl DatastoreView {
    pub(super) fn member(&self, region: &RegionId, group: &str) -> Option<&CacheMember> {
        self.members.iter().find(|member| *region == *member.region.as_str() && member.group == group)
    }

    pub(super) fn primary(&self) -> Option<&CacheMember> {
        self.members.iter().find(|member| member.is_primary)
    }
}

impl From<&GlobalReplicationGroup> for DatastoreView {
    fn from(datastore: &GlobalReplicationGroup) -> Self {
        let members = datastore.members().iter().map(|member| CacheMember {
            region: member.replication_group_region().unwrap_or_default().to_owned(),
            group: member.replication_group_id().unwrap_or_default().to_owned(),
            // Free text, which AWS's documents write in both cases.
            is_primary: member.role().is_some_and(|role| role.eq_ignore_ascii_case("primary")),
            status: member.status().unwrap_or_default().to_owned(),
        });
        Self {
            status: datastore.status().unwrap_or_default().to_owned(),
            engine_version: datastore.engine_version().map(str::to_owned),
            members: members.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_elasticache::types::GlobalReplicationGroupMember;

    use super::*;

    #[test]
    fn roles_are_read_in_any_case() {
        for role in ["PRIMARY", "primary", "Primary"] {
            let member =
                GlobalReplicationGroupMember::builder().replication_group_region("eu-west-1").role(role).build();
            let datastore = GlobalReplicationGroup::builder().members(member).build();
            assert!(DatastoreView::from(&datastore).primary().is_some(), "{role}");
        }
    }
}
