use std::time::Duration;

use dr_core::{model::RegionId, time::Monotonic};

use super::{
    Rds, State,
    lifecycle::{NewCluster, NewGlobal, NewInstance},
};
use crate::{arn::Arn, testing::ApiFault};

/// A global database to begin with, all of it available.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlobalSetup {
    /// Its identifier.
    pub id: String,
    /// `aurora-postgresql` or `aurora-mysql`.
    pub engine: String,
    /// Version of the engine.
    pub engine_version: String,
    /// Its clusters; the first is the primary.
    pub members: Vec<MemberSetup>,
}

/// One cluster of a [`GlobalSetup`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberSetup {
    /// Its region.
    pub region: RegionId,
    /// Its identifier.
    pub cluster: String,
    /// How many instances it has; none makes it headless.
    pub instances: usize,
}

impl GlobalSetup {
    /// An Aurora PostgreSQL global database, still without clusters.
    #[must_use]
    pub fn postgres(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            engine: "aurora-postgresql".to_owned(),
            engine_version: "16.4".to_owned(),
            members: Vec::new(),
        }
    }

    /// Adds a cluster with two instances; the first one added is the primary.
    #[must_use]
    pub fn member(mut self, region: RegionId, cluster: impl Into<String>) -> Self {
        self.members.push(MemberSetup { region, cluster: cluster.into(), instances: 2 });
        self
    }

    /// Adds a cluster without instances: storage that follows, and nothing to promote.
    #[must_use]
    pub fn headless(mut self, region: RegionId, cluster: impl Into<String>) -> Self {
        self.members.push(MemberSetup { region, cluster: cluster.into(), instances: 0 });
        self
    }
}

/// How the world is arranged, without calls that would be counted as effects.
impl Rds {
    /// Makes a global database, available at once. Gives the ARNs of its clusters, in the order asked for.
    ///
    /// # Errors
    ///
    /// The faults that the API would answer with: a name that is taken or malformed, two clusters in one region.
    pub fn create(&self, setup: &GlobalSetup) -> Result<Vec<Arn>, ApiFault> {
        self.live().change(|state, now, _| state.set_up(setup, now))
    }

    /// Sets how far a region's secondary follows behind.
    ///
    /// # Errors
    ///
    /// `GlobalClusterNotFoundFault`, `DBClusterNotFoundFault`.
    pub fn set_lag(&self, global: &str, secondary: &RegionId, lag: Duration) -> Result<(), ApiFault> {
        self.live().change(|state, _, _| {
            let found = state.global_mut(global)?;
            let member = found.members.iter_mut().find(|member| !member.is_writer && member.region == *secondary);
            let member = member.ok_or_else(|| {
                super::faults::cluster_not_found(format!("{global} has no secondary in {secondary}."))
            })?;
            member.lag = lag;
            Ok(())
        })
    }

    /// Makes failovers fail to fence the old primary, or again succeed.
    ///
    /// # Errors
    ///
    /// `GlobalClusterNotFoundFault`.
    pub fn break_fencing(&self, global: &str, broken: bool) -> Result<(), ApiFault> {
        self.live().change(|state, _, _| {
            state.global_mut(global)?.fencing_works = !broken;
            Ok(())
        })
    }

    /// Gives a cluster another engine version, as a minor upgrade of one member would.
    ///
    /// # Errors
    ///
    /// `DBClusterNotFoundFault`.
    pub fn set_engine_version(&self, region: &RegionId, cluster: &str, version: &str) -> Result<(), ApiFault> {
        self.live().change(|state, _, _| {
            let arn = state.regional_cluster(region, cluster)?.arn.clone();
            if let Some(found) = state.clusters.get_mut(&arn) {
                version.clone_into(&mut found.engine_version);
            }
            Ok(())
        })
    }

    /// Takes a cluster's instances away, which leaves it headless.
    ///
    /// # Errors
    ///
    /// `DBClusterNotFoundFault`.
    pub fn remove_instances(&self, region: &RegionId, cluster: &str) -> Result<(), ApiFault> {
        self.live().change(|state, _, _| {
            let arn = state.regional_cluster(region, cluster)?.arn.clone();
            state.instances.retain(|_, instance| instance.cluster != arn);
            Ok(())
        })
    }

    /// Sets how long things take from now on.
    pub fn set_timings(&self, timings: super::Timings) {
        let set = self.live().change(|state, _, _| {
            state.timings = timings;
            Ok::<(), std::convert::Infallible>(())
        });
        match set {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }
}

impl State {
    /// Makes a global database, available at once. Gives the ARNs of its clusters, in the order asked for.
    ///
    /// # Errors
    ///
    /// The faults that the API would answer with.
    pub fn set_up(&mut self, setup: &GlobalSetup, now: Monotonic) -> Result<Vec<Arn>, ApiFault> {
        let Some(first) = setup.members.first() else {
            return Err(ApiFault::invalid_combination("A global database to begin with needs at least one cluster."));
        };
        self.create_global(
            &first.region,
            NewGlobal {
                id: setup.id.clone(),
                engine: Some(setup.engine.clone()),
                engine_version: Some(setup.engine_version.clone()),
                ..NewGlobal::default()
            },
        )?;
        let mut arns = Vec::new();
        for member in &setup.members {
            let new = NewCluster {
                id: member.cluster.clone(),
                engine: setup.engine.clone(),
                global: Some(setup.id.clone()),
                ..NewCluster::default()
            };
            let arn = self.create_cluster(&member.region, new, now)?;
            if let Some(cluster) = self.clusters.get_mut(&arn) {
                cluster.status = super::ClusterStatus::Available;
            }
            for n in 1..=member.instances {
                let new = NewInstance {
                    id: format!("{}-{n}", member.cluster),
                    class: "db.r6g.large".to_owned(),
                    cluster: member.cluster.clone(),
                    promotion_tier: None,
                };
                self.create_instance(&member.region, new, now)?;
            }
            arns.push(arn);
        }
        for instance in self.instances.values_mut().filter(|instance| arns.contains(&instance.cluster)) {
            instance.creating_until = None;
        }
        Ok(arns)
    }
}
