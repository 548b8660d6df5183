//! The Aurora double as the real Rust SDK sees it.

use std::time::Duration;

use aws_sdk_rds::{error::ProvideErrorMetadata as _, types::GlobalCluster};
use dr_core::testing::{Fault, FaultRule};

use crate::two_regions::{EU_ARN, TwoRegions, US_ARN, eu, us};

fn writer(global: &GlobalCluster) -> &str {
    let members = global.global_cluster_members();
    members.iter().find(|member| member.is_writer() == Some(true)).and_then(|member| member.db_cluster_arn()).unwrap()
}

fn failover_status(global: &GlobalCluster) -> Option<&str> {
    global.failover_state().and_then(|state| state.status()).map(|status| status.as_str())
}

impl TwoRegions {
    async fn global(&self, endpoint: &dr_core::model::RegionId) -> GlobalCluster {
        let call =
            self.clients.for_reads(endpoint).rds().describe_global_clusters().global_cluster_identifier("orders");
        self.passing(call.send()).await.unwrap().global_clusters()[0].clone()
    }
}

#[tokio::test]
async fn an_idle_global_database_is_told_alike_by_both_regions() {
    let two = TwoRegions::new();
    let global = two.global(&us()).await;
    assert_eq!(two.global(&eu()).await, global);
    assert_eq!(
        (global.status(), global.engine(), writer(&global)),
        (Some("available"), Some("aurora-postgresql"), US_ARN)
    );
    assert_eq!(failover_status(&global), None);
    assert_eq!(global.failover_state().and_then(|state| state.to_db_cluster_arn()), None);
    let [primary, secondary] = global.global_cluster_members() else { panic!("{global:?}") };
    assert_eq!(primary.readers(), [EU_ARN]);
    assert_eq!(secondary.synchronization_status().map(|status| status.as_str()), Some("connected"));
    assert_eq!(secondary.global_write_forwarding_status().map(|status| status.as_str()), Some("disabled"));
}

#[tokio::test]
async fn clusters_and_instances_are_told_by_their_own_region_only() {
    let two = TwoRegions::new();
    let rds = two.clients.for_reads(&eu());
    let clusters = rds.rds().describe_db_clusters().db_cluster_identifier(EU_ARN).send().await.unwrap();
    let cluster = &clusters.db_clusters()[0];
    assert_eq!((cluster.status(), cluster.engine_version()), (Some("available"), Some("16.4")));
    assert_eq!(cluster.replication_source_identifier(), Some(US_ARN));
    assert_eq!(cluster.global_cluster_identifier(), Some("orders"));
    assert_eq!(cluster.db_cluster_members().len(), 2);
    let instances = rds
        .rds()
        .describe_db_instances()
        .filters(aws_sdk_rds::types::Filter::builder().name("db-cluster-id").values(EU_ARN).build())
        .send()
        .await
        .unwrap();
    let names: Vec<_> =
        instances.db_instances().iter().filter_map(|instance| instance.db_instance_identifier()).collect();
    assert_eq!(names, ["orders-euw1-1", "orders-euw1-2"]);
    let elsewhere = rds.rds().describe_db_clusters().db_cluster_identifier(US_ARN).send().await.unwrap_err();
    assert!(elsewhere.into_service_error().is_db_cluster_not_found_fault());
}

#[tokio::test]
async fn a_failover_of_a_dark_region_is_followed_from_the_other() {
    let two = TwoRegions::new();
    two.lose_us();
    let calls = two.clients.for_writes(&eu());
    let request = calls
        .rds()
        .failover_global_cluster()
        .global_cluster_identifier("orders")
        .target_db_cluster_identifier(EU_ARN)
        .allow_data_loss(true);
    let reply = request.send().await.unwrap();
    let state = reply.global_cluster().and_then(|global| global.failover_state()).cloned().unwrap();
    assert_eq!(state.status().map(|status| status.as_str()), Some("pending"));
    assert_eq!((state.from_db_cluster_arn(), state.to_db_cluster_arn()), (Some(US_ARN), Some(EU_ARN)));
    assert_eq!(state.is_data_loss_allowed(), Some(true));
    two.clock.advance(Duration::from_secs(2));
    let global = two.global(&eu()).await;
    assert_eq!((global.status(), failover_status(&global)), (Some("failing-over"), Some("failing-over")));
    let cluster = calls.rds().describe_db_clusters().db_cluster_identifier("orders-euw1").send().await.unwrap();
    assert_eq!(cluster.db_clusters()[0].status(), Some("promoting"));
    two.clock.advance(Duration::from_secs(43));
    let global = two.global(&eu()).await;
    assert_eq!((failover_status(&global), writer(&global)), (None, EU_ARN));
    let old = &global.global_cluster_members()[0];
    assert_eq!(old.synchronization_status().map(|status| status.as_str()), Some("pending-resync"));
    assert_eq!(two.world.effects().count("rds:FailoverGlobalCluster", EU_ARN), 1);
    let events = calls.rds().describe_events().send().await.unwrap();
    let told: Vec<_> = events.events().iter().filter_map(|event| event.message()).collect();
    assert!(told.iter().any(|message| message.contains("RDS-EVENT-0238")), "{told:?}");
}

#[tokio::test]
async fn a_switchover_shows_a_status_that_the_sdk_does_not_know() {
    let two = TwoRegions::new();
    let calls = two.clients.for_writes(&us());
    let request = calls
        .rds()
        .switchover_global_cluster()
        .global_cluster_identifier("orders")
        .target_db_cluster_identifier(EU_ARN);
    request.send().await.unwrap();
    two.clock.advance(Duration::from_secs(2));
    let global = two.global(&us()).await;
    assert_eq!(failover_status(&global), Some("switching-over"));
    let known = aws_sdk_rds::types::FailoverStatus::values();
    assert!(!known.contains(&"switching-over"), "the SDK knows it now: say so in the docs");
    two.clock.advance(Duration::from_secs(30));
    assert_eq!(writer(&two.global(&us()).await), EU_ARN);
}

#[tokio::test]
async fn what_is_refused_is_refused_in_the_words_of_aws() {
    let two = TwoRegions::new();
    let at_us = two.clients.for_writes(&us());
    let at_eu = two.clients.for_writes(&eu());
    let switchover = |region: &dr_aws::RegionClients, id: &str, target: &str| {
        region
            .rds()
            .switchover_global_cluster()
            .global_cluster_identifier(id)
            .target_db_cluster_identifier(target)
            .send()
    };
    let wrong_endpoint = switchover(&at_eu, "orders", EU_ARN).await.unwrap_err().into_service_error();
    assert!(wrong_endpoint.is_invalid_global_cluster_state_fault());
    assert!(wrong_endpoint.message().is_some_and(|text| text.contains("Region of the current primary")));
    let unknown = switchover(&at_us, "shop", EU_ARN).await.unwrap_err().into_service_error();
    assert!(unknown.is_global_cluster_not_found_fault());
    let no_arn = switchover(&at_us, "orders", "orders-euw1").await.unwrap_err().into_service_error();
    assert!(no_arn.is_db_cluster_not_found_fault());

    let failover = at_eu.rds().failover_global_cluster().global_cluster_identifier("orders");
    let failover = failover.target_db_cluster_identifier(EU_ARN);
    let both = failover.clone().allow_data_loss(true).switchover(true).send().await.unwrap_err();
    assert_eq!(both.code(), Some("InvalidParameterCombination"));
    // Without AllowDataLoss it is a switchover, and this is not the primary's region.
    let neither = failover.clone().send().await.unwrap_err().into_service_error();
    assert!(neither.is_invalid_global_cluster_state_fault());
    two.world.rds().remove_instances(&eu(), "orders-euw1").unwrap();
    let headless = failover.allow_data_loss(true).send().await.unwrap_err().into_service_error();
    assert!(headless.is_invalid_db_cluster_state_fault(), "{headless:?}");

    let remove = at_us.rds().remove_from_global_cluster().global_cluster_identifier("orders");
    let primary = remove.db_cluster_identifier(US_ARN).send().await.unwrap_err().into_service_error();
    assert!(primary.is_invalid_global_cluster_state_fault());
    assert_eq!(two.world.effects().all(), []);
}

#[tokio::test]
async fn a_lost_reply_was_applied_once_and_a_late_call_is_applied_later() {
    let two = TwoRegions::new();
    two.world.faults().add(FaultRule::new(Fault::ReplyLost).on("rds:FailoverGlobalCluster").times(1));
    let calls = two.clients.for_writes(&eu());
    let request = calls
        .rds()
        .failover_global_cluster()
        .global_cluster_identifier("orders")
        .target_db_cluster_identifier(EU_ARN)
        .allow_data_loss(true);
    let error = two.passing(request.send()).await.unwrap_err();
    assert_eq!(dr_aws::classify("rds:FailoverGlobalCluster", error).effect(), dr_core::error::Effect::Indefinite);
    assert_eq!(two.world.effects().count("rds:FailoverGlobalCluster", EU_ARN), 1);

    let two = TwoRegions::new();
    two.world.faults().add(FaultRule::new(Fault::late_apply(Duration::from_secs(3))).on("rds:SwitchoverGlobalCluster"));
    let calls = two.clients.for_writes(&us());
    let request = calls
        .rds()
        .switchover_global_cluster()
        .global_cluster_identifier("orders")
        .target_db_cluster_identifier(EU_ARN);
    request.send().await.unwrap_err();
    assert_eq!(failover_status(&two.global(&us()).await), None);
    two.clock.advance(Duration::from_secs(3));
    two.settle().await;
    assert_eq!(failover_status(&two.global(&us()).await), Some("pending"));
    assert_eq!(two.world.effects().count("rds:SwitchoverGlobalCluster", EU_ARN), 1);
}

#[tokio::test]
async fn a_stale_read_tells_the_past() {
    let two = TwoRegions::new();
    two.clock.advance(Duration::from_secs(60));
    let calls = two.clients.for_writes(&eu());
    let request = calls
        .rds()
        .failover_global_cluster()
        .global_cluster_identifier("orders")
        .target_db_cluster_identifier(EU_ARN)
        .allow_data_loss(true);
    request.send().await.unwrap();
    two.clock.advance(Duration::from_secs(50));
    assert_eq!(writer(&two.global(&eu()).await), EU_ARN);
    let stale = Fault::stale_read(Duration::from_secs(30));
    let rule = two.world.faults().add(FaultRule::new(stale).on("rds:Describe*"));
    let global = two.global(&eu()).await;
    assert_eq!((writer(&global), failover_status(&global)), (US_ARN, Some("failing-over")));
    two.world.faults().remove(rule);
    assert_eq!(writer(&two.global(&eu()).await), EU_ARN);
}

#[tokio::test]
async fn a_dark_region_answers_nothing_within_the_deadline() {
    let two = TwoRegions::new();
    two.lose_us();
    let calls = two.clients.for_writes(&us());
    let error = two.passing(calls.rds().describe_global_clusters().send()).await.unwrap_err();
    let error = dr_aws::classify("rds:DescribeGlobalClusters", error);
    assert_eq!(error.kind(), dr_core::error::ErrorKind::Timeout);
}

#[tokio::test]
async fn a_global_database_is_made_through_the_api() {
    let two = TwoRegions::empty();
    let at_us = two.clients.for_writes(&us());
    let at_eu = two.clients.for_writes(&eu());
    let create = at_us.rds().create_global_cluster().global_cluster_identifier("Shop").engine("aurora-postgresql");
    let made = create.engine_version("16.4").send().await.unwrap();
    assert_eq!(made.global_cluster().and_then(|global| global.global_cluster_identifier()), Some("shop"));
    for (calls, cluster) in [(&at_us, "shop-use1"), (&at_eu, "shop-euw1")] {
        let create = calls.rds().create_db_cluster().db_cluster_identifier(cluster).engine("aurora-postgresql");
        let create = create.global_cluster_identifier("shop").master_username("shop").master_user_password("not-kept");
        let made = create.send().await.unwrap();
        assert_eq!(made.db_cluster().and_then(|cluster| cluster.status()), Some("creating"));
    }
    let failover = at_eu.rds().failover_global_cluster().global_cluster_identifier("shop").allow_data_loss(true);
    let failover = failover.target_db_cluster_identifier("arn:aws:rds:eu-west-1:111122223333:cluster:shop-euw1");
    two.clock.advance(Duration::from_secs(20));
    // The documented recipe ends here with a secondary that has no instance.
    let headless = failover.clone().send().await.unwrap_err().into_service_error();
    assert!(headless.is_invalid_db_cluster_state_fault());
    let create =
        at_eu.rds().create_db_instance().db_instance_identifier("shop-euw1-1").db_cluster_identifier("shop-euw1");
    create.db_instance_class("db.r6g.large").engine("aurora-postgresql").send().await.unwrap();
    two.clock.advance(Duration::from_secs(20));
    failover.send().await.unwrap();
    let second = at_eu.rds().create_db_cluster().db_cluster_identifier("shop-2").engine("aurora-postgresql");
    let second = second.global_cluster_identifier("shop").send().await.unwrap_err().into_service_error();
    assert!(second.is_invalid_global_cluster_state_fault());
}

#[tokio::test]
async fn the_lost_volume_is_a_snapshot_that_can_be_kept() {
    let two = TwoRegions::new();
    two.lose_us();
    let calls = two.clients.for_writes(&eu());
    let failover = calls.rds().failover_global_cluster().global_cluster_identifier("orders").allow_data_loss(true);
    failover.target_db_cluster_identifier(EU_ARN).send().await.unwrap();
    two.clock.advance(Duration::from_secs(60));
    two.settle().await;
    two.restore_us();
    two.settle().await;
    two.clock.advance(Duration::from_secs(10));
    let calls = two.clients.for_writes(&us());
    let found = calls.rds().describe_db_cluster_snapshots().db_cluster_identifier("orders-use1").send().await.unwrap();
    let [snapshot] = found.db_cluster_snapshots() else { panic!("{found:?}") };
    let id = snapshot.db_cluster_snapshot_identifier().unwrap();
    assert!(id.starts_with("rds:unplanned-global-failover-orders-use1-"), "{id}");
    let copy = calls.rds().copy_db_cluster_snapshot().source_db_cluster_snapshot_identifier(id);
    let copy = copy.target_db_cluster_snapshot_identifier("kept").send().await.unwrap();
    assert_eq!(copy.db_cluster_snapshot().and_then(|copy| copy.snapshot_type()), Some("manual"));
}

#[tokio::test]
async fn an_operation_that_the_double_lacks_is_named() {
    let two = TwoRegions::new();
    let error = two.clients.for_writes(&us()).rds().describe_db_proxies().send().await.unwrap_err();
    assert!(error.message().is_some_and(|text| text.contains("rds:DescribeDBProxies")), "{error:?}");
}

#[tokio::test]
async fn whoever_plays_the_database_hears_of_a_promotion_as_it_happens() {
    let two = TwoRegions::new();
    let rds = two.world.rds().clone();
    let mut changes = rds.changes();
    two.lose_us();
    let calls = two.clients.for_writes(&eu());
    let failover = calls.rds().failover_global_cluster().global_cluster_identifier("orders").allow_data_loss(true);
    failover.target_db_cluster_identifier(EU_ARN).send().await.unwrap();
    let promoted = two
        .passing(async {
            while !rds.is_writable(&eu(), "orders-euw1") {
                changes.changed().await.unwrap();
            }
            two.world.clock().monotonic()
        })
        .await;
    assert_eq!(promoted.since_origin(), Duration::from_secs(45));
    let roles = rds.roles("orders").unwrap();
    assert_eq!(roles.epoch, 1);
    assert!(roles.last.is_some_and(|promotion| promotion.data_loss_allowed));
    assert!(!rds.is_replicating("orders", &us()));
}
