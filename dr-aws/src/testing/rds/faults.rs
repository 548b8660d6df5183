//! The faults of the RDS API that the double answers with: codes and statuses of the API model, messages that say why.

use crate::testing::ApiFault;

pub(super) fn global_not_found(id: &str) -> ApiFault {
    ApiFault::new("GlobalClusterNotFoundFault", 404, format!("Global cluster {id} not found."))
}

pub(super) fn global_exists(id: &str) -> ApiFault {
    ApiFault::new("GlobalClusterAlreadyExistsFault", 400, format!("Global cluster {id} already exists."))
}

pub(super) fn global_state(message: impl Into<String>) -> ApiFault {
    ApiFault::new("InvalidGlobalClusterStateFault", 400, message)
}

pub(super) fn cluster_not_found(message: impl Into<String>) -> ApiFault {
    ApiFault::new("DBClusterNotFoundFault", 404, message)
}

pub(super) fn cluster_exists(id: &str) -> ApiFault {
    ApiFault::new("DBClusterAlreadyExistsFault", 400, format!("DB cluster {id} already exists."))
}

pub(super) fn cluster_state(message: impl Into<String>) -> ApiFault {
    ApiFault::new("InvalidDBClusterStateFault", 400, message)
}

pub(super) fn instance_exists(id: &str) -> ApiFault {
    ApiFault::new("DBInstanceAlreadyExists", 400, format!("DB instance {id} already exists."))
}

pub(super) fn instance_not_found(id: &str) -> ApiFault {
    ApiFault::new("DBInstanceNotFound", 404, format!("DBInstance {id} not found."))
}

pub(super) fn snapshot_not_found(id: &str) -> ApiFault {
    ApiFault::new("DBClusterSnapshotNotFoundFault", 404, format!("DB cluster snapshot {id} not found."))
}

pub(super) fn snapshot_exists(id: &str) -> ApiFault {
    ApiFault::new("DBClusterSnapshotAlreadyExistsFault", 400, format!("DB cluster snapshot {id} already exists."))
}
