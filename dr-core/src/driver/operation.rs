use std::borrow::Cow;

use crate::{
    model::{Plane, RegionId},
    plan::Call,
};

/// Which endpoint serves an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// The region that the plan goes to.
    TargetRegion,
    /// The region that the plan leaves.
    SourceRegion,
    /// This region, wherever the plan goes.
    Fixed(&'static str),
    /// Any one of these.
    AnyOf(&'static [&'static str]),
}

/// What a caller must be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// An IAM action on a resource pattern.
    Iam {
        /// `rds:FailoverGlobalCluster`.
        action: &'static str,
        /// `arn:aws:rds::*:global-cluster:*`.
        resource: &'static str,
    },
    /// A Kubernetes RBAC verb on a resource.
    Rbac {
        /// `patch`.
        verb: &'static str,
        /// `deployments/scale`.
        resource: &'static str,
    },
}

/// A remote call that a driver's steps may make.
///
/// From these come, with no second list to keep true: the static-stability lint, the least-privilege policy of a plan,
/// the preflight permission check and the manual path of the runbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// `rds:FailoverGlobalCluster`.
    pub name: &'static str,
    /// The plane that serves it.
    pub plane: Plane,
    /// Which endpoint serves it.
    pub host: Host,
    /// Whether it changes anything.
    pub mutates: bool,
    /// What the caller must be allowed to do.
    pub permission: Permission,
    /// The command that a person would type instead, with `{placeholders}`.
    pub manual: &'static str,
}

impl Operation {
    /// The call of this operation at these endpoints.
    #[must_use]
    pub fn at(&self, endpoints: impl IntoIterator<Item = RegionId>) -> Call {
        Call {
            operation: Cow::Borrowed(self.name),
            plane: self.plane,
            endpoints: endpoints.into_iter().collect(),
            mutates: self.mutates,
            args: std::collections::BTreeMap::new(),
            manual: self.manual.to_owned(),
        }
    }
}
