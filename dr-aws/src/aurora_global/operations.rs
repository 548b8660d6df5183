//! Every call that the driver makes: where it is served, what it needs, and what a person would type.

use dr_core::{
    driver::{Host, Operation, Permission},
    model::{Plane, RegionId},
    plan::Call,
};

use super::steps::Route;

pub(super) const DESCRIBE_GLOBAL: Operation = Operation {
    name: "rds:DescribeGlobalClusters",
    plane: Plane::Control,
    host: Host::TargetRegion,
    mutates: false,
    permission: Permission::Iam { action: "rds:DescribeGlobalClusters", resource: "*" },
    manual: "aws rds describe-global-clusters --region {region} --global-cluster-identifier {global_cluster}",
};

pub(super) const DESCRIBE_CLUSTERS: Operation = Operation {
    name: "rds:DescribeDBClusters",
    plane: Plane::Control,
    host: Host::TargetRegion,
    mutates: false,
    permission: Permission::Iam { action: "rds:DescribeDBClusters", resource: "*" },
    manual: "aws rds describe-db-clusters --region {region} --db-cluster-identifier {cluster}",
};

pub(super) const DESCRIBE_INSTANCES: Operation = Operation {
    name: "rds:DescribeDBInstances",
    plane: Plane::Control,
    host: Host::TargetRegion,
    mutates: false,
    permission: Permission::Iam { action: "rds:DescribeDBInstances", resource: "*" },
    manual: "aws rds describe-db-instances --region {region} --filters Name=db-cluster-id,Values={cluster}",
};

pub(super) const DESCRIBE_EVENTS: Operation = Operation {
    name: "rds:DescribeEvents",
    plane: Plane::Control,
    host: Host::TargetRegion,
    mutates: false,
    permission: Permission::Iam { action: "rds:DescribeEvents", resource: "*" },
    manual: "aws rds describe-events --region {region} --source-type db-instance --duration 1440",
};

pub(super) const GET_METRICS: Operation = Operation {
    name: "cloudwatch:GetMetricData",
    plane: Plane::Data,
    host: Host::TargetRegion,
    mutates: false,
    permission: Permission::Iam { action: "cloudwatch:GetMetricData", resource: "*" },
    manual: "aws cloudwatch get-metric-statistics --region {region} --namespace AWS/RDS --metric-name AuroraGlobalDBRPOLag --dimensions Name=DBClusterIdentifier,Value={cluster}",
};

pub(super) const FAILOVER: Operation = Operation {
    name: "rds:FailoverGlobalCluster",
    plane: Plane::Control,
    host: Host::TargetRegion,
    mutates: true,
    permission: Permission::Iam {
        action: "rds:FailoverGlobalCluster",
        resource: "arn:aws:rds::{account}:global-cluster:{global_cluster} and the ARNs of both clusters",
    },
    manual: "aws rds failover-global-cluster --region {target_region} --global-cluster-identifier {global_cluster} --target-db-cluster-identifier {target_arn} --allow-data-loss",
};

pub(super) const SWITCHOVER: Operation = Operation {
    name: "rds:SwitchoverGlobalCluster",
    plane: Plane::Control,
    host: Host::SourceRegion,
    mutates: true,
    permission: Permission::Iam {
        action: "rds:SwitchoverGlobalCluster",
        resource: "arn:aws:rds::{account}:global-cluster:{global_cluster} and the ARNs of both clusters",
    },
    manual: "aws rds switchover-global-cluster --region {source_region} --global-cluster-identifier {global_cluster} --target-db-cluster-identifier {target_arn}",
};

pub(super) const REMOVE: Operation = Operation {
    name: "rds:RemoveFromGlobalCluster",
    plane: Plane::Control,
    host: Host::TargetRegion,
    mutates: true,
    permission: Permission::Iam {
        action: "rds:RemoveFromGlobalCluster",
        resource: "arn:aws:rds::{account}:global-cluster:{global_cluster} and the ARN of the cluster",
    },
    manual: "aws rds remove-from-global-cluster --region {target_region} --global-cluster-identifier {global_cluster} --db-cluster-identifier {target_arn}",
};

pub(super) static ALL: [Operation; 8] = [
    DESCRIBE_GLOBAL,
    DESCRIBE_CLUSTERS,
    DESCRIBE_INSTANCES,
    DESCRIBE_EVENTS,
    GET_METRICS,
    FAILOVER,
    SWITCHOVER,
    REMOVE,
];

/// The looks that every step takes, at one region's endpoint.
pub(super) fn looks(route: &Route, region: &RegionId, cluster: &str) -> Vec<Call> {
    [DESCRIBE_GLOBAL, DESCRIBE_CLUSTERS]
        .iter()
        .map(|operation| operation.at([region.clone()]).by_hand(filled(operation, route, region, cluster)))
        .collect()
}

/// A call of an operation at a region's endpoint, with its manual command complete.
pub(super) fn call(operation: &Operation, route: &Route, region: &RegionId) -> Call {
    operation.at([region.clone()]).by_hand(filled(operation, route, region, route.to.as_str()))
}

fn filled(operation: &Operation, route: &Route, region: &RegionId, cluster: &str) -> String {
    operation
        .manual
        .replace("{region}", region.as_str())
        .replace("{source_region}", route.from_region.as_str())
        .replace("{target_region}", route.to_region.as_str())
        .replace("{global_cluster}", &route.global_cluster)
        .replace("{target_arn}", route.to.as_str())
        .replace("{cluster}", cluster.rsplit(':').next().unwrap_or(cluster))
}
