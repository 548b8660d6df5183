//! The faults of the ElastiCache API that the double answers with: codes and statuses of the API model.

use crate::testing::ApiFault;

pub(super) fn not_found(id: &str) -> ApiFault {
    ApiFault::new("GlobalReplicationGroupNotFoundFault", 404, format!("Global datastore {id} not found."))
}

pub(super) fn group_not_found(id: &str) -> ApiFault {
    ApiFault::new("ReplicationGroupNotFoundFault", 404, format!("ReplicationGroup {id} not found."))
}

pub(super) fn state(message: impl Into<String>) -> ApiFault {
    ApiFault::new("InvalidGlobalReplicationGroupState", 400, message)
}
