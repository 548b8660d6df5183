//! Every call that the driver makes: where it is served, what it needs, and what a person would type.

use dr_core::{
    driver::{Host, Operation, Permission},
    model::Plane,
    plan::Call,
};

use super::steps::CacheRoute;

pub(super) const DESCRIBE: Operation = Operation {
    name: "elasticache:DescribeGlobalReplicationGroups",
    plane: Plane::Control,
    host: Host::TargetRegion,
    mutates: false,
    permission: Permission::Iam { action: "elasticache:DescribeGlobalReplicationGroups", resource: "*" },
    manual: "aws elasticache describe-global-replication-groups --region {region} --global-replication-group-id {datastore} --show-member-info",
};

pub(super) const DESCRIBE_GROUP: Operation = Operation {
    name: "elasticache:DescribeReplicationGroups",
    plane: Plane::Control,
    host: Host::TargetRegion,
    mutates: false,
    permission: Permission::Iam { action: "elasticache:DescribeReplicationGroups", resource: "*" },
    manual: "aws elasticache describe-replication-groups --region {region} --replication-group-id {group}",
};

pub(super) const FAILOVER: Operation = Operation {
    name: "elasticache:FailoverGlobalReplicationGroup",
    plane: Plane::Control,
    host: Host::TargetRegion,
    mutates: true,
    permission: Permission::Iam {
        action: "elasticache:FailoverGlobalReplicationGroup",
        resource: "arn:aws:elasticache::{account}:globalreplicationgroup:{datastore} and the ARNs of its groups",
    },
    manual: "aws elasticache failover-global-replication-group --region {region} --global-replication-group-id {datastore} --primary-region {region} --primary-replication-group-id {group}",
};

pub(super) const LIST_METRICS: Operation = Operation {
    name: "cloudwatch:ListMetrics",
    plane: Plane::Data,
    host: Host::TargetRegion,
    mutates: false,
    permission: Permission::Iam { action: "cloudwatch:ListMetrics", resource: "*" },
    manual: "aws cloudwatch list-metrics --region {region} --namespace AWS/ElastiCache --metric-name GlobalDatastoreReplicationLag",
};

pub(super) const GET_METRICS: Operation = Operation {
    name: "cloudwatch:GetMetricData",
    plane: Plane::Data,
    host: Host::TargetRegion,
    mutates: false,
    permission: Permission::Iam { action: "cloudwatch:GetMetricData", resource: "*" },
    manual: "aws cloudwatch get-metric-data --region {region} --metric-data-queries file://lag.json",
};

pub(super) static ALL: [Operation; 5] = [DESCRIBE, DESCRIBE_GROUP, FAILOVER, LIST_METRICS, GET_METRICS];

/// A call of an operation in the new primary's region, with its manual command complete.
pub(super) fn call(operation: &Operation, route: &CacheRoute) -> Call {
    let command = operation
        .manual
        .replace("{region}", route.to_region.as_str())
        .replace("{datastore}", &route.datastore)
        .replace("{group}", &route.to);
    operation.at([route.to_region.clone()]).by_hand(command)
}
