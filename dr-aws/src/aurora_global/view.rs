//! What RDS says of a global database, with statuses as strings.

use crate::arn::Arn;

/// A global cluster as described.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct GlobalView {
    pub(super) members: Vec<MemberView>,
    pub(super) transfer: Option<TransferView>,
}

/// A member of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MemberView {
    pub(super) arn: String,
    pub(super) is_writer: bool,
    /// `connected`, `pending-resync`; absent when not told.
    pub(super) sync: Option<String>,
}

/// A switchover or failover under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TransferView {
    /// `pending`, `failing-over`, `switching-over`, `cancelling`, or a word that AWS adds tomorrow.
    pub(super) status: String,
    pub(super) to: Option<String>,
    pub(super) data_loss_allowed: bool,
}

/// A regional cluster as described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClusterView {
    pub(super) status: String,
    pub(super) engine_version: Option<String>,
    /// An instance of it is the writer within the cluster.
    pub(super) has_writer_instance: bool,
}

impl GlobalView {
    pub(super) fn member(&self, arn: &Arn) -> Option<&MemberView> {
        self.members.iter().find(|member| member.arn == arn.as_str())
    }

    pub(super) fn writer(&self) -> Option<&MemberView> {
        self.members.iter().find(|member| member.is_writer)
    }
}

impl TransferView {
    pub(super) fn goes_to(&self, arn: &Arn) -> bool {
        self.to.as_deref() == Some(arn.as_str())
    }
}

impl From<&aws_sdk_rds::types::GlobalCluster> for GlobalView {
    fn from(global: &aws_sdk_rds::types::GlobalCluster) -> Self {
        let members = global.global_cluster_members().iter().map(|member| MemberView {
            arn: member.db_cluster_arn().unwrap_or_default().to_owned(),
            is_writer: member.is_writer().unwrap_or(false),
            sync: member.synchronization_status().map(|status| status.as_str().to_owned()),
        });
        // Idle is an element that is empty or absent; a status, whatever its word, is something in progress.
        let transfer = global.failover_state().and_then(|state| {
            Some(TransferView {
                status: state.status()?.as_str().to_owned(),
                to: state.to_db_cluster_arn().map(str::to_owned),
                data_loss_allowed: state.is_data_loss_allowed().unwrap_or(false),
            })
        });
        Self { members: members.collect(), transfer }
    }
}

impl From<&aws_sdk_rds::types::DbCluster> for ClusterView {
    fn from(cluster: &aws_sdk_rds::types::DbCluster) -> Self {
        Self {
            status: cluster.status().unwrap_or_default().to_owned(),
            engine_version: cluster.engine_version().map(str::to_owned),
            has_writer_instance: cluster.db_cluster_members().iter().any(|m| m.is_cluster_writer().unwrap_or(false)),
        }
    }
}

/// The version without its patch, which switchovers and failovers need equal: `15.4` of `15.4.1`,
/// `8.0.mysql_aurora.3.04` of `8.0.mysql_aurora.3.04.2`.
pub(super) fn major_minor(version: &str) -> &str {
    let (prefix, rest) = match version.find("aurora.") {
        Some(at) => version.split_at(at + "aurora.".len()),
        None => ("", version),
    };
    let kept = rest.match_indices('.').nth(1).map_or(rest.len(), |(at, _)| at);
    version.get(..prefix.len() + kept).unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_do_not_count() {
        for (version, kept) in [
            ("15.4", "15.4"),
            ("15.4.1", "15.4"),
            ("8.0.mysql_aurora.3.04.2", "8.0.mysql_aurora.3.04"),
            ("8.0.mysql_aurora.3.05", "8.0.mysql_aurora.3.05"),
            ("16", "16"),
        ] {
            assert_eq!(major_minor(version), kept);
        }
    }

    #[test]
    fn an_idle_state_is_none_and_an_unknown_word_is_progress() {
        use aws_sdk_rds::types::{FailoverState, FailoverStatus, GlobalCluster};
        let idle = GlobalCluster::builder().failover_state(FailoverState::builder().build()).build();
        assert_eq!(GlobalView::from(&idle).transfer, None);
        assert_eq!(GlobalView::from(&GlobalCluster::builder().build()).transfer, None);
        let state = FailoverState::builder().status(FailoverStatus::from("switching-over")).build();
        let busy = GlobalCluster::builder().failover_state(state).build();
        assert_eq!(GlobalView::from(&busy).transfer.unwrap().status, "switching-over");
    }
}
