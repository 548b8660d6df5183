//! The ElastiCache double as the real Rust SDK sees it.

use std::time::Duration;

use aws_sdk_elasticache::types::GlobalReplicationGroup;

use crate::two_regions::{TwoRegions, eu, us};

impl TwoRegions {
    async fn datastore(&self) -> GlobalReplicationGroup {
        let calls = self.clients.for_reads(&eu());
        let call = calls.elasticache().describe_global_replication_groups().show_member_info(true);
        let call = call.global_replication_group_id("ldgnf-carts");
        call.send().await.unwrap().global_replication_groups()[0].clone()
    }
}

fn roles(datastore: &GlobalReplicationGroup) -> Vec<(&str, &str)> {
    let members = datastore.members().iter();
    members.map(|member| (member.replication_group_region().unwrap(), member.role().unwrap())).collect()
}

#[tokio::test]
async fn a_failover_of_a_dark_region_is_followed_from_the_other() {
    let two = TwoRegions::new();
    assert_eq!(roles(&two.datastore().await), [("us-east-1", "PRIMARY"), ("eu-west-1", "SECONDARY")]);
    two.lose_us();
    let calls = two.clients.for_writes(&eu());
    let failover = calls.elasticache().failover_global_replication_group().global_replication_group_id("ldgnf-carts");
    let failover = failover.primary_region("eu-west-1").primary_replication_group_id("carts-euw1");
    failover.clone().send().await.unwrap();
    assert_eq!(two.datastore().await.status(), Some("modifying"));
    let again = failover.send().await.unwrap_err().into_service_error();
    assert!(again.is_invalid_global_replication_group_state_fault());
    two.clock.advance(Duration::from_secs(30));
    let datastore = two.datastore().await;
    assert_eq!(datastore.status(), Some("available"));
    assert_eq!(roles(&datastore), [("us-east-1", "SECONDARY"), ("eu-west-1", "PRIMARY")]);
    assert_eq!(two.world.effects().count("elasticache:FailoverGlobalReplicationGroup", "eu-west-1/carts-euw1"), 1);
    assert!(two.world.elasticache().is_writable(&eu(), "carts-euw1"));
}

#[tokio::test]
async fn members_are_told_only_when_asked_for() {
    let two = TwoRegions::new();
    let calls = two.clients.for_reads(&us());
    let found = calls.elasticache().describe_global_replication_groups().send().await.unwrap();
    assert_eq!(found.global_replication_groups()[0].members(), []);
}

#[tokio::test]
async fn what_is_refused_is_refused_in_the_words_of_aws() {
    let two = TwoRegions::new();
    let calls = two.clients.for_writes(&us());
    let failover = |id: &str, region: &str, group: &str| {
        let call = calls.elasticache().failover_global_replication_group().global_replication_group_id(id);
        call.primary_region(region).primary_replication_group_id(group).send()
    };
    let error = failover("carts", "eu-west-1", "carts-euw1").await.unwrap_err().into_service_error();
    assert!(error.is_global_replication_group_not_found_fault());
    let error = failover("ldgnf-carts", "eu-west-1", "carts-euw1").await.unwrap_err().into_service_error();
    assert!(error.is_invalid_parameter_value_exception(), "{error:?}");
    assert_eq!(two.world.effects().all(), []);
}

#[tokio::test]
async fn a_disassociated_group_stands_by_itself() {
    let two = TwoRegions::new();
    let calls = two.clients.for_writes(&eu());
    let call = calls.elasticache().disassociate_global_replication_group().global_replication_group_id("ldgnf-carts");
    call.replication_group_id("carts-euw1").replication_group_region("eu-west-1").send().await.unwrap();
    two.clock.advance(Duration::from_secs(20));
    assert_eq!(two.datastore().await.status(), Some("primary-only"));
    let groups =
        calls.elasticache().describe_replication_groups().replication_group_id("carts-euw1").send().await.unwrap();
    let group = &groups.replication_groups()[0];
    assert_eq!((group.status(), group.global_replication_group_info()), (Some("available"), None));
    assert!(group.node_groups()[0].primary_endpoint().is_some());
}
