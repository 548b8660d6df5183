//! How global databases, clusters, instances and snapshots come to be.

use std::time::Duration;

use dr_core::{model::RegionId, time::Monotonic};

use super::{Cluster, ClusterStatus, Global, Instance, Member, Snapshot, State, Sync, faults, model::major_minor};
use crate::{arn::Arn, testing::ApiFault};

/// How far a new secondary follows behind; AWS's own sample output shows 900 ms, its text "typically under a second".
const USUAL_LAG: Duration = Duration::from_millis(120);

/// What `CreateGlobalCluster` is asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct NewGlobal {
    pub(super) id: String,
    pub(super) source: Option<String>,
    pub(super) engine: Option<String>,
    pub(super) engine_version: Option<String>,
    pub(super) database_name: Option<String>,
    pub(super) encrypted: bool,
    pub(super) deletion_protection: bool,
}

/// What `CreateDBCluster` is asked for. The master password is never read.
#[derive(Clone, Debug, Default)]
pub(super) struct NewCluster {
    pub(super) id: String,
    pub(super) engine: String,
    pub(super) engine_version: Option<String>,
    pub(super) global: Option<String>,
    pub(super) database_name: Option<String>,
    pub(super) master_username: Option<String>,
    pub(super) encrypted: bool,
    pub(super) write_forwarding: bool,
    pub(super) port: Option<u16>,
}

/// What `CreateDBInstance` is asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct NewInstance {
    pub(super) id: String,
    pub(super) class: String,
    pub(super) cluster: String,
    pub(super) promotion_tier: Option<i64>,
}

impl State {
    pub(super) fn create_global(&mut self, endpoint: &RegionId, new: NewGlobal) -> Result<(), ApiFault> {
        let id = checked_id(&new.id)?;
        if self.globals.contains_key(&id) {
            return Err(faults::global_exists(&id));
        }
        let source =
            new.source.as_deref().map(|source| self.regional_cluster(endpoint, source).cloned()).transpose()?;
        let (engine, engine_version) = match (&source, new.engine) {
            (Some(cluster), None) => (cluster.engine.clone(), cluster.engine_version.clone()),
            (Some(_), Some(_)) => {
                return Err(ApiFault::invalid_combination(
                    "Engine can't be specified together with SourceDBClusterIdentifier.",
                ));
            }
            (None, Some(engine)) => {
                let version = new.engine_version.unwrap_or_else(|| default_version(&engine).to_owned());
                (checked_engine(&engine)?, version)
            }
            (None, None) => {
                return Err(ApiFault::invalid_combination(
                    "When creating a global cluster, specify either Engine or SourceDBClusterIdentifier.",
                ));
            }
        };
        if let Some(cluster) = &source
            && self.global_of(&cluster.arn).is_some()
        {
            return Err(faults::cluster_state(format!("DB cluster {} is in a global cluster already.", cluster.arn)));
        }
        let members = source.iter().map(|cluster| seat(&cluster.arn, &cluster.region, true)).collect();
        self.globals.insert(
            id.clone(),
            Global {
                id,
                engine,
                engine_version,
                database_name: new.database_name,
                encrypted: new.encrypted,
                deletion_protection: new.deletion_protection,
                members,
                transfer: None,
                fencing_works: true,
                promotions: Vec::new(),
            },
        );
        Ok(())
    }

    pub(super) fn create_cluster(
        &mut self,
        endpoint: &RegionId,
        new: NewCluster,
        now: Monotonic,
    ) -> Result<Arn, ApiFault> {
        let id = checked_id(&new.id)?;
        let engine = checked_engine(&new.engine)?;
        let arn = self.arn_or_fault(endpoint, "cluster", &id)?;
        if self.clusters.contains_key(&arn) {
            return Err(faults::cluster_exists(&id));
        }
        let version = match &new.global {
            None => new.engine_version.unwrap_or_else(|| default_version(&engine).to_owned()),
            Some(name) => {
                let global = self.global(name)?;
                if global.engine != engine {
                    return Err(ApiFault::invalid_combination(format!(
                        "Global cluster {} runs {}, and {engine} was asked for.",
                        global.id, global.engine
                    )));
                }
                if global.members.iter().any(|member| member.region == *endpoint) {
                    return Err(faults::global_state(format!(
                        "Global cluster {} has a DB cluster in {endpoint} already.",
                        global.id
                    )));
                }
                let version = new.engine_version.unwrap_or_else(|| global.engine_version.clone());
                if major_minor(&version) != major_minor(&global.engine_version) {
                    return Err(ApiFault::invalid_combination(format!(
                        "Global cluster {} runs version {}, and {version} was asked for.",
                        global.id, global.engine_version
                    )));
                }
                version
            }
        };
        let until = now + self.timings.create;
        self.clusters.insert(
            arn.clone(),
            Cluster {
                id,
                arn: arn.clone(),
                region: endpoint.clone(),
                engine,
                engine_version: version,
                status: ClusterStatus::Creating { until },
                database_name: new.database_name,
                master_username: new.master_username,
                encrypted: new.encrypted,
                write_forwarding: new.write_forwarding,
                port: new.port.unwrap_or(if new.engine == "aurora-mysql" { 3306 } else { 5432 }),
            },
        );
        if let Some(name) = &new.global {
            let global = self.global_mut(name)?;
            let is_writer = global.members.is_empty();
            global.members.push(seat(&arn, endpoint, is_writer));
        }
        self.note(now, 170, &arn, "creation", "DB cluster created.");
        Ok(arn)
    }

    pub(super) fn create_instance(
        &mut self,
        endpoint: &RegionId,
        new: NewInstance,
        now: Monotonic,
    ) -> Result<(), ApiFault> {
        let id = checked_id(&new.id)?;
        if self.instances.contains_key(&(endpoint.clone(), id.clone())) {
            return Err(faults::instance_exists(&id));
        }
        let cluster = self.regional_cluster(endpoint, &new.cluster)?.arn.clone();
        let instance = Instance {
            id: id.clone(),
            region: endpoint.clone(),
            cluster,
            class: new.class,
            creating_until: Some(now + self.timings.create),
            promotion_tier: new.promotion_tier.unwrap_or(1),
        };
        self.instances.insert((endpoint.clone(), id), instance);
        Ok(())
    }

    pub(super) fn delete_instance(&mut self, endpoint: &RegionId, id: &str) -> Result<Instance, ApiFault> {
        let key = (endpoint.clone(), id.to_ascii_lowercase());
        self.instances.remove(&key).ok_or_else(|| faults::instance_not_found(id))
    }

    pub(super) fn copy_snapshot(
        &mut self,
        endpoint: &RegionId,
        source: &str,
        target: &str,
        now: Monotonic,
    ) -> Result<Snapshot, ApiFault> {
        let source_id = match Arn::new(source) {
            Ok(arn) => arn.id_of("cluster-snapshot").map(str::to_owned).unwrap_or_default(),
            Err(_) => source.to_owned(),
        };
        let original =
            self.snapshot(endpoint, &source_id).cloned().ok_or_else(|| faults::snapshot_not_found(source))?;
        let id = checked_id(target)?;
        if self.snapshot(endpoint, &id).is_some() {
            return Err(faults::snapshot_exists(&id));
        }
        let copy = Snapshot { id, kind: "manual", at: now, copied_from: Some(original.id.clone()), ..original };
        self.snapshots.push(copy.clone());
        Ok(copy)
    }

    fn snapshot(&self, region: &RegionId, id: &str) -> Option<&Snapshot> {
        self.snapshots.iter().find(|snapshot| snapshot.region == *region && snapshot.id == id)
    }

    /// A cluster by its identifier or ARN, as the endpoint of a region knows it.
    pub(super) fn regional_cluster(&self, endpoint: &RegionId, name: &str) -> Result<&Cluster, ApiFault> {
        let by_name = |cluster: &&Cluster| {
            cluster.region == *endpoint && (cluster.arn == *name || cluster.id == name.to_ascii_lowercase())
        };
        self.clusters
            .values()
            .find(by_name)
            .ok_or_else(|| faults::cluster_not_found(format!("DBCluster {name} not found in {endpoint}.")))
    }

    pub(super) fn arn_or_fault(&self, region: &RegionId, kind: &str, id: &str) -> Result<Arn, ApiFault> {
        self.arn(region, kind, id)
            .ok_or_else(|| ApiFault::invalid_value(format!("{id} is not an identifier of a {kind}.")))
    }
}

fn seat(arn: &Arn, region: &RegionId, is_writer: bool) -> Member {
    Member {
        arn: arn.clone(),
        region: region.clone(),
        is_writer,
        sync: Sync::Connected,
        lag: USUAL_LAG,
        rebuilt: 0,
        unfenced: false,
    }
}

/// Identifiers are stored in lower case, start with a letter, and hold letters, digits and single hyphens.
fn checked_id(raw: &str) -> Result<String, ApiFault> {
    let id = raw.to_ascii_lowercase();
    let starts_well = id.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
    let rest_is_well = id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if starts_well && rest_is_well && id.len() <= 63 && !id.ends_with('-') && !id.contains("--") {
        Ok(id)
    } else {
        Err(ApiFault::invalid_value(format!(
            "The parameter {raw} is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."
        )))
    }
}

fn checked_engine(raw: &str) -> Result<String, ApiFault> {
    match raw {
        "aurora-postgresql" | "aurora-mysql" => Ok(raw.to_owned()),
        other => Err(ApiFault::invalid_value(format!("Invalid DB engine: {other}"))),
    }
}

fn default_version(engine: &str) -> &'static str {
    if engine == "aurora-mysql" { "8.0.mysql_aurora.3.08.0" } else { "16.4" }
}
