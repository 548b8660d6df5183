use std::{collections::BTreeMap, time::Duration};

use dr_core::{model::RegionId, time::Monotonic};

use super::{RdsEvent, Snapshot, Timings, faults};
use crate::{arn::Arn, testing::ApiFault};

/// Everything that the double knows: the control plane's view of all regions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The account of every ARN.
    pub account: String,
    /// How long things take.
    pub timings: Timings,
    /// Global clusters, by identifier.
    pub globals: BTreeMap<String, Global>,
    /// Regional clusters, by ARN.
    pub clusters: BTreeMap<Arn, Cluster>,
    /// Instances, by region and identifier.
    pub instances: BTreeMap<(RegionId, String), Instance>,
    /// Cluster snapshots.
    pub snapshots: Vec<Snapshot>,
    /// What `DescribeEvents` tells, oldest first.
    pub events: Vec<RdsEvent>,
}

/// An Aurora global database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Global {
    /// Its identifier.
    pub id: String,
    /// `aurora-postgresql`, `aurora-mysql`.
    pub engine: String,
    /// The version that it was made with.
    pub engine_version: String,
    /// The default database.
    pub database_name: Option<String>,
    /// Whether its storage is encrypted.
    pub encrypted: bool,
    /// Whether it is protected from deletion.
    pub deletion_protection: bool,
    /// Its clusters, in the order that they joined.
    pub members: Vec<Member>,
    /// The switchover or failover under way.
    pub transfer: Option<Transfer>,
    /// Whether a failover can fence an old primary that it reaches; switched off to rehearse two writers.
    pub fencing_works: bool,
    /// Every change of writer, oldest first; the epoch is their number.
    pub promotions: Vec<Promotion>,
}

/// A cluster's seat in a global database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The cluster.
    pub arn: Arn,
    /// Its region.
    pub region: RegionId,
    /// Whether it is the primary.
    pub is_writer: bool,
    /// Whether it follows the primary.
    pub sync: Sync,
    /// How far it follows behind, when it is a secondary.
    pub lag: Duration,
    /// How many times its volume was rebuilt from the primary's: what it held before is gone at each.
    pub rebuilt: u64,
    /// Whether the last failover left it without having been stopped from writing.
    pub unfenced: bool,
}

/// Whether a member follows the primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// It does.
    Connected,
    /// It was demoted, and waits for its region to be well before its volume is rebuilt.
    AwaitingRegion {
        /// Since when its region and the primary's have been well.
        well_since: Option<Monotonic>,
    },
    /// Its volume is being rebuilt.
    Rebuilding {
        /// Since when.
        since: Monotonic,
    },
}

impl Sync {
    /// The API's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::AwaitingRegion { .. } | Self::Rebuilding { .. } => "pending-resync",
        }
    }
}

/// A switchover or failover under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// The cluster that is demoted.
    pub from: Arn,
    /// The cluster that is promoted.
    pub to: Arn,
    /// True for a failover, false for a switchover.
    pub data_loss_allowed: bool,
    /// When it was asked for.
    pub requested: Monotonic,
    /// How far it has come.
    pub phase: TransferPhase,
}

/// How far a switchover or failover has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferPhase {
    /// Both clusters are being verified.
    Pending,
    /// A failover runs.
    FailingOver {
        /// Whether the old primary was stopped from writing.
        fenced: bool,
        /// Whether it was reported that it could not be.
        fence_timed_out: bool,
    },
    /// A switchover runs: the old primary takes no writes, and the target catches up until this moment.
    SwitchingOver {
        /// When the roles change.
        flips_at: Monotonic,
    },
    /// It was cancelled, and both clusters return to what they were, until this moment.
    Cancelling {
        /// When both have.
        until: Monotonic,
    },
}

impl TransferPhase {
    /// The API's word, of which `switching-over` is missing from the SDKs' enum.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::FailingOver { .. } => "failing-over",
            Self::SwitchingOver { .. } => "switching-over",
            Self::Cancelling { .. } => "cancelling",
        }
    }
}

/// How a cluster came to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromotionKind {
    /// Asked for with the primary well: nothing is lost.
    Switchover,
    /// Asked for with data loss allowed.
    Failover,
    /// By leaving the global database: the old primary is left as it was.
    Detach,
}

/// One change of writer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// 1 for the first, growing by one.
    pub epoch: u64,
    /// How.
    pub kind: PromotionKind,
    /// The cluster that wrote before, if any did.
    pub from: Option<Arn>,
    /// The cluster that writes now.
    pub to: Arn,
    /// The region of the cluster that writes now.
    pub region: RegionId,
    /// Whether writes that had not been replicated are lost.
    pub data_loss_allowed: bool,
    /// When, on the world's clock.
    pub at: Monotonic,
}

/// A regional cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Its identifier.
    pub id: String,
    /// Its ARN.
    pub arn: Arn,
    /// Its region.
    pub region: RegionId,
    /// `aurora-postgresql`, `aurora-mysql`.
    pub engine: String,
    /// Version of the engine.
    pub engine_version: String,
    /// What it is doing.
    pub status: ClusterStatus,
    /// The default database.
    pub database_name: Option<String>,
    /// The name of the user that it was made with.
    pub master_username: Option<String>,
    /// Whether its storage is encrypted.
    pub encrypted: bool,
    /// Whether it accepts writes for the primary.
    pub write_forwarding: bool,
    /// The port of its endpoints.
    pub port: u16,
}

/// What a regional cluster is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterStatus {
    /// It serves.
    Available,
    /// It is being made.
    Creating {
        /// Until when.
        until: Monotonic,
    },
    /// It becomes a writer.
    Promoting {
        /// Until when, for a cluster that leaves its global database; a transfer ends by itself.
        until: Option<Monotonic>,
    },
    /// It takes part in a failover, as the old primary.
    FailingOver,
    /// It takes part in a switchover.
    SwitchingOver,
    /// Its volume is being rebuilt.
    Modifying,
}

impl ClusterStatus {
    /// The API's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Creating { .. } => "creating",
            Self::Promoting { .. } => "promoting",
            Self::FailingOver => "failing-over",
            Self::SwitchingOver => "switching-over",
            Self::Modifying => "modifying",
        }
    }
}

/// A database instance of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its identifier.
    pub id: String,
    /// Its region.
    pub region: RegionId,
    /// The cluster that it belongs to.
    pub cluster: Arn,
    /// `db.r6g.large`.
    pub class: String,
    /// Until when it is being made; absent when it is available.
    pub creating_until: Option<Monotonic>,
    /// The order in which a failover within the region prefers it.
    pub promotion_tier: i64,
}

impl State {
    /// A world without a database.
    #[must_use]
    pub fn new(account: impl Into<String>, timings: Timings) -> Self {
        Self {
            account: account.into(),
            timings,
            globals: BTreeMap::new(),
            clusters: BTreeMap::new(),
            instances: BTreeMap::new(),
            snapshots: Vec::new(),
            events: Vec::new(),
        }
    }

    /// The global cluster of this identifier, which is not case-sensitive.
    ///
    /// # Errors
    ///
    /// `GlobalClusterNotFoundFault`.
    pub fn global(&self, id: &str) -> Result<&Global, ApiFault> {
        self.globals.get(&id.to_ascii_lowercase()).ok_or_else(|| faults::global_not_found(id))
    }

    pub(super) fn global_mut(&mut self, id: &str) -> Result<&mut Global, ApiFault> {
        self.globals.get_mut(&id.to_ascii_lowercase()).ok_or_else(|| faults::global_not_found(id))
    }

    /// The ARN of a resource in a region; none when the parts do not make one.
    #[must_use]
    pub fn arn(&self, region: &RegionId, resource_type: &str, id: &str) -> Option<Arn> {
        Arn::new(format!("arn:aws:rds:{region}:{}:{resource_type}:{id}", self.account)).ok()
    }

    /// The global database that a cluster belongs to.
    #[must_use]
    pub fn global_of(&self, cluster: &Arn) -> Option<&Global> {
        self.globals.values().find(|global| global.member(cluster).is_some())
    }

    /// The available instances of a cluster.
    pub fn available_instances<'a>(&'a self, cluster: &'a Arn) -> impl Iterator<Item = &'a Instance> {
        self.instances_of(cluster).filter(|instance| instance.creating_until.is_none())
    }

    /// The instances of a cluster.
    pub fn instances_of<'a>(&'a self, cluster: &'a Arn) -> impl Iterator<Item = &'a Instance> {
        self.instances.values().filter(move |instance| instance.cluster == *cluster)
    }

    /// Whether a client that reaches the cluster can write to it, were its region's data plane well.
    ///
    /// True for the primary of a global database unless a transfer has stopped it, for a cluster of its own, and
    /// for an old primary that a failover could not fence, until its volume begins to be rebuilt.
    #[must_use]
    pub fn accepts_writes(&self, cluster: &Arn) -> bool {
        let Some(found) = self.clusters.get(cluster) else { return false };
        if matches!(found.status, ClusterStatus::Creating { .. } | ClusterStatus::Promoting { .. }) {
            return false;
        }
        if self.available_instances(cluster).next().is_none() {
            return false;
        }
        match self.global_of(cluster) {
            None => true,
            Some(global) => global.member(cluster).is_some_and(|member| {
                if member.is_writer {
                    !global.writes_stopped()
                } else {
                    member.unfenced && !matches!(member.sync, Sync::Rebuilding { .. })
                }
            }),
        }
    }
}

impl Global {
    /// The seat of a cluster.
    #[must_use]
    pub fn member(&self, cluster: &Arn) -> Option<&Member> {
        self.members.iter().find(|member| member.arn == *cluster)
    }

    pub(super) fn member_mut(&mut self, cluster: &Arn) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.arn == *cluster)
    }

    /// The primary.
    #[must_use]
    pub fn writer(&self) -> Option<&Member> {
        self.members.iter().find(|member| member.is_writer)
    }

    /// The secondaries.
    pub fn secondaries(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| !member.is_writer)
    }

    /// Whether a transfer has stopped the primary from writing.
    #[must_use]
    pub fn writes_stopped(&self) -> bool {
        self.transfer.as_ref().is_some_and(|transfer| {
            matches!(
                transfer.phase,
                TransferPhase::SwitchingOver { .. } | TransferPhase::FailingOver { fenced: true, .. }
            )
        })
    }

    /// The number of changes of writer so far.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.promotions.last().map_or(0, |promotion| promotion.epoch)
    }

    /// The API's word for what it is doing.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match &self.transfer {
            None => "available",
            Some(transfer) => transfer.phase.as_str(),
        }
    }

    /// The endpoint that always leads to the primary.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("{}.global-c0double0000.global.rds.amazonaws.com", self.id)
    }

    pub(super) fn promote(
        &mut self,
        kind: PromotionKind,
        from: Option<Arn>,
        to: &Arn,
        region: &RegionId,
        at: Monotonic,
    ) {
        self.promotions.push(Promotion {
            epoch: self.epoch() + 1,
            kind,
            from,
            to: to.clone(),
            region: region.clone(),
            data_loss_allowed: kind != PromotionKind::Switchover,
            at,
        });
    }
}

impl Cluster {
    /// The endpoint that leads to the region's writer instance.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("{}.cluster-c0double0000.{}.rds.amazonaws.com", self.id, self.region)
    }

    /// The endpoint that leads to the region's readers.
    #[must_use]
    pub fn reader_endpoint(&self) -> String {
        format!("{}.cluster-ro-c0double0000.{}.rds.amazonaws.com", self.id, self.region)
    }

    /// The version without its patch: switchovers and failovers need it equal on both sides.
    #[must_use]
    pub fn major_minor(&self) -> &str {
        major_minor(&self.engine_version)
    }
}

/// `15.4` of `15.4.1`; `8.0.mysql_aurora.3.04` of `8.0.mysql_aurora.3.04.2`.
pub(super) fn major_minor(version: &str) -> &str {
    match version.split_once("aurora.") {
        Some((prefix, rest)) => {
            let kept = two_parts(rest);
            let end = prefix.len() + "aurora.".len() + kept;
            version.get(..end).unwrap_or(version)
        }
        None => version.get(..two_parts(version)).unwrap_or(version),
    }
}

fn two_parts(version: &str) -> usize {
    version.match_indices('.').nth(1).map_or(version.len(), |(at, _)| at)
}
