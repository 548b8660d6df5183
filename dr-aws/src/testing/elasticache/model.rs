use std::{collections::BTreeMap, time::Duration};

use dr_core::{model::RegionId, time::Monotonic};

use super::faults;
use crate::testing::ApiFault;

/// Everything that the double knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The account of every ARN.
    pub account: String,
    /// How long things take.
    pub timings: Timings,
    /// Global datastores, by identifier with its prefix.
    pub datastores: BTreeMap<String, Datastore>,
    /// Replication groups, by region and identifier.
    pub groups: BTreeMap<(RegionId, String), Group>,
}

/// How long things take, in the world's time. AWS publishes no numbers; these are the double's defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timings {
    /// Promoting a secondary.
    pub promote: Duration,
    /// Making a secondary a cluster of its own.
    pub disassociate: Duration,
    /// Filling a demoted primary anew, once its region is back.
    pub fill: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Self { promote: Duration::from_secs(30), disassociate: Duration::from_secs(20), fill: Duration::from_secs(30) }
    }
}

/// A Global Datastore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datastore {
    /// Its identifier with the prefix of its region: `ldgnf-carts`.
    pub id: String,
    /// Node type of all its nodes.
    pub node_type: String,
    /// Version of the engine.
    pub engine_version: String,
    /// Its replication groups, in the order that they joined.
    pub members: Vec<Member>,
    /// What is under way.
    pub change: Option<Change>,
    /// How many times the primary has changed.
    pub epoch: u64,
}

/// A replication group's seat in a datastore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its region.
    pub region: RegionId,
    /// The replication group.
    pub group: String,
    /// Whether it is the primary.
    pub is_primary: bool,
    /// How far it follows behind, when it is a secondary.
    pub lag: Duration,
    /// Whether it holds what the primary holds.
    pub filling: Filling,
    /// How many times its contents were thrown away and filled anew.
    pub wiped: u64,
}

/// Whether a member holds what the primary holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filling {
    /// It does, up to its lag.
    Done,
    /// It was demoted, and waits for its region and the primary's.
    Waiting,
    /// It is being filled.
    Since(Monotonic),
}

/// What is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A secondary becomes the primary.
    Promote {
        /// Its region.
        region: RegionId,
        /// When the roles are exchanged.
        at: Monotonic,
    },
    /// A secondary becomes a cluster of its own.
    Disassociate {
        /// Its region.
        region: RegionId,
        /// When it is one.
        at: Monotonic,
    },
}

/// A replication group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its identifier.
    pub id: String,
    /// Its region.
    pub region: RegionId,
    /// Node type.
    pub node_type: String,
    /// How many nodes, the primary included.
    pub nodes: usize,
}

impl State {
    /// A world without a cache.
    #[must_use]
    pub fn new(account: impl Into<String>, timings: Timings) -> Self {
        Self { account: account.into(), timings, datastores: BTreeMap::new(), groups: BTreeMap::new() }
    }

    /// The datastore of this identifier.
    ///
    /// # Errors
    ///
    /// `GlobalReplicationGroupNotFoundFault`, for the bare suffix too: the prefix belongs to the name.
    pub fn datastore(&self, id: &str) -> Result<&Datastore, ApiFault> {
        self.datastores.get(&id.to_ascii_lowercase()).ok_or_else(|| faults::not_found(id))
    }

    pub(super) fn datastore_mut(&mut self, id: &str) -> Result<&mut Datastore, ApiFault> {
        self.datastores.get_mut(&id.to_ascii_lowercase()).ok_or_else(|| faults::not_found(id))
    }

    /// The datastore that a replication group belongs to, and its seat there.
    #[must_use]
    pub fn seat_of(&self, region: &RegionId, group: &str) -> Option<(&Datastore, &Member)> {
        self.datastores.values().find_map(|datastore| {
            let seat = datastore.members.iter().find(|member| member.region == *region && member.group == group)?;
            Some((datastore, seat))
        })
    }

    /// Whether a client that reaches the group can write to it, were its region's data plane well.
    #[must_use]
    pub fn accepts_writes(&self, region: &RegionId, group: &str) -> bool {
        self.groups.contains_key(&(region.clone(), group.to_owned()))
            && self.seat_of(region, group).is_none_or(|(datastore, seat)| {
                seat.is_primary && !matches!(datastore.change, Some(Change::Promote { .. }))
            })
    }
}

impl Datastore {
    /// The primary.
    #[must_use]
    pub fn primary(&self) -> Option<&Member> {
        self.members.iter().find(|member| member.is_primary)
    }

    /// The API's word for what it is doing.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match (&self.change, self.members.len()) {
            (Some(_), _) => "modifying",
            (None, 0 | 1) => "primary-only",
            (None, _) => "available",
        }
    }

    /// The API's word for what a member's association is doing.
    #[must_use]
    pub fn member_status(&self, member: &Member) -> &'static str {
        match (&self.change, member.filling) {
            (Some(Change::Disassociate { region, .. }), _) if *region == member.region => "disassociating",
            (_, Filling::Done) => "associated",
            (_, Filling::Waiting | Filling::Since(_)) => "associating",
        }
    }
}

impl Group {
    /// The endpoint that leads to the group's primary node.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("{}.d0uble.ng.0001.{}.cache.amazonaws.com", self.id, self.region)
    }

    /// The endpoint that leads to the group's replicas.
    #[must_use]
    pub fn reader_endpoint(&self) -> String {
        format!("{}-ro.d0uble.ng.0001.{}.cache.amazonaws.com", self.id, self.region)
    }
}
