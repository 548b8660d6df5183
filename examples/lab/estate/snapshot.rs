use std::collections::BTreeMap;

use dr_aws::testing::route53::{CheckConfig, RecordSet, Resolution};
use dr_core::{model::Plane, testing::FaultBoard};
use dr_k8s::testing::Cluster;
use serde_json::{Value, json};

use super::Estate;
use crate::{
    platform::{GLOBAL_CLUSTER, GLOBAL_REPLICATION_GROUP, NAMESPACE, PUBLIC_NAME, SERVICES},
    state::{StackState, Workload},
};

impl Estate {
    /// What the stack looks like now.
    #[must_use]
    pub fn snapshot(&self, board: &FaultBoard) -> StackState {
        let route53 = self.world.route53();
        let answer = match route53.answer(PUBLIC_NAME, "A") {
            Resolution::Answer(answer) => answer.values,
            _ => Vec::new(),
        };
        let zones = route53.zones();
        let records = zones.iter().flat_map(dr_aws::testing::route53::HostedZone::records);
        let writer = self.world.rds().writer(GLOBAL_CLUSTER);
        StackState {
            answer,
            // Route 53's own records are nobody's to change.
            records: records.filter(|r| !matches!(r.rtype.as_str(), "NS" | "SOA")).map(record).collect(),
            health_checks: route53.checks().into_iter().map(|c| (c.id, check(&c.config))).collect(),
            writer: writer.map(|(region, _)| self.database_in(&region)),
            database: self.database(),
            cache: self.cache(),
            workloads: self.clusters.iter().map(|(r, c)| (r.to_string(), workloads(c))).collect(),
            switch: self.switch_keys(),
            faults: self.faults(board),
        }
    }

    fn database_in(&self, region: &dr_core::model::RegionId) -> String {
        let cluster = self.places.get(region).and_then(|place| place.database);
        cluster.map_or_else(|| region.to_string(), str::to_owned)
    }

    fn database(&self) -> BTreeMap<String, String> {
        let seats = self.world.rds().roles(GLOBAL_CLUSTER).map(|roles| roles.seats).unwrap_or_default();
        let of = |region| seats.iter().find(|seat| seat.region == region);
        let members = self.places.iter().filter_map(|(region, place)| Some((region.clone(), place.database?)));
        members
            .map(|(region, cluster)| {
                let role = match of(region) {
                    None => "detached",
                    Some(seat) if seat.is_writer => "writer",
                    Some(seat) if seat.connected => "connected",
                    Some(_) => "pending-resync",
                };
                (cluster.to_owned(), role.to_owned())
            })
            .collect()
    }

    fn cache(&self) -> BTreeMap<String, String> {
        let members = self.world.elasticache().members(GLOBAL_REPLICATION_GROUP).map(|(_, members)| members);
        members
            .unwrap_or_default()
            .into_iter()
            .map(|member| (member.group, if member.is_primary { "primary" } else { "secondary" }.to_owned()))
            .collect()
    }

    fn faults(&self, board: &FaultBoard) -> Vec<String> {
        let switches = self.places.keys().flat_map(|region| {
            Plane::ALL.into_iter().filter_map(move |plane| {
                board.plane(region, plane).map(|fault| json!({ "region": region, "plane": plane, "switch": fault }))
            })
        });
        let rules = board.rules().into_iter().map(|(_, rule)| json!(rule));
        switches.chain(rules).map(|fault| fault.to_string()).collect()
    }
}

fn record(record: &RecordSet) -> (String, Value) {
    let set = record.set_identifier.as_deref().map(|set| format!(" {set}")).unwrap_or_default();
    let value = json!({
        "failover": record.failover.map(|role| role.as_str()),
        "ttl": record.ttl,
        "values": record.values,
        "alias": record.alias.as_ref().map(|alias| json!({
            "target": alias.dns_name, "evaluate_target_health": alias.evaluate_target_health,
        })),
        "health_check": record.health_check_id,
    });
    (format!("{} {}{set}", record.name, record.rtype), value)
}

fn check(config: &CheckConfig) -> Value {
    json!({
        "type": config.kind.as_str(),
        "name": config.fully_qualified_domain_name,
        "address": config.ip_address,
        "port": config.port,
        "path": config.resource_path,
        "search": config.search_string,
        "interval": config.request_interval,
        "threshold": config.failure_threshold,
        "inverted": config.inverted,
        "disabled": config.disabled,
    })
}

fn workloads(cluster: &Cluster) -> BTreeMap<String, Workload> {
    let of = |name: &str| {
        let autoscaler = cluster.object("horizontalpodautoscalers.autoscaling", NAMESPACE, name);
        let bound = |pointer: &str| {
            let value = autoscaler.as_ref()?.pointer(pointer)?.as_u64()?;
            u32::try_from(value).ok()
        };
        Workload {
            replicas: cluster.replicas(NAMESPACE, name),
            ready: cluster.ready_replicas(NAMESPACE, name),
            min: bound("/spec/minReplicas"),
            max: bound("/spec/maxReplicas"),
        }
    };
    SERVICES.iter().map(|service| (service.name.to_owned(), of(service.name))).collect()
}
