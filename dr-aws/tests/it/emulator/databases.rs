use dr_aws::{aurora_global::AuroraGlobal, elasticache_global::ElastiCacheGlobal};
use dr_core::{
    driver::{Driver, SurveyCx},
    plan::Inventory,
};

use super::server::Moto;
use crate::{
    carry_out::topology,
    stage::{east, west},
};

async fn survey(moto: &Moto, driver: &dyn Driver, resource: &str) -> Inventory {
    let topology = topology();
    let resource = topology.resource(&resource.parse().unwrap()).unwrap();
    driver.survey(resource, &SurveyCx { topology: &topology, clock: moto.step_cx().clock }).await.unwrap()
}

#[tokio::test]
async fn a_global_database_is_seen_and_what_is_not_told_stays_unknown() {
    let Some(moto) = Moto::start() else { return };
    let global = moto.clients.for_writes(&east());
    let global = global.rds().create_global_cluster().global_cluster_identifier("orders").engine("aurora-postgresql");
    global.send().await.unwrap();
    for (region, name) in [(east(), "orders-use1"), (west(), "orders-euw1")] {
        let clients = moto.clients.for_writes(&region);
        let cluster = clients.rds().create_db_cluster().db_cluster_identifier(name).engine("aurora-postgresql");
        let cluster =
            cluster.global_cluster_identifier("orders").master_username("root").master_user_password("password");
        cluster.send().await.unwrap();
        let instance = clients.rds().create_db_instance().db_instance_identifier(format!("{name}-1"));
        let instance =
            instance.db_cluster_identifier(name).engine("aurora-postgresql").db_instance_class("db.r6g.large");
        instance.send().await.unwrap();
    }
    let inventory = survey(&moto, &AuroraGlobal::new(moto.clients.clone()), "orders-db").await;
    let store = inventory.store(&"orders-db".parse().unwrap()).unwrap();
    let seen = store.members.iter().map(|it| (it.region.as_str(), it.writer, it.available_instances));
    let (west, east) = (("eu-west-1", Some(false), Some(1)), ("us-east-1", Some(true), Some(1)));
    assert_eq!(seen.collect::<Vec<_>>(), [west, east]);
    // moto answers no lag: it is unknown, and not none.
    assert!(store.members.iter().all(|member| member.lag.is_none()));
    let unknown = inventory.unknown.iter().filter(|it| it.contains("cloudwatch:GetMetricData"));
    assert_eq!(unknown.count(), 2, "{:?}", inventory.unknown);
}

#[tokio::test]
async fn an_operation_that_the_emulator_lacks_is_told_and_nothing_is_guessed() {
    let Some(moto) = Moto::start() else { return };
    let inventory = survey(&moto, &ElastiCacheGlobal::new(moto.clients.clone()), "carts").await;
    let store = inventory.store(&"carts".parse().unwrap()).unwrap();
    assert!(store.members.iter().all(|member| member.writer.is_none() && member.available_instances.is_none()));
    let unknown = inventory.unknown.iter().filter(|it| it.contains("elasticache:DescribeGlobalReplicationGroups"));
    assert_eq!(unknown.count(), 2, "{:?}", inventory.unknown);
}
