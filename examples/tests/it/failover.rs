//! Regions lost and databases moved, with the clients' ledger as the judge.

use std::{collections::BTreeSet, time::Duration};

use dr_lab::{FaultPreset, Lab, audit::Audit, orders::OrderId};

use crate::by_hand::{EAST_CLUSTER, WEST_CLUSTER, east, rds, until, west};

const LAG: Duration = Duration::from_secs(5);

/// Orders that were acknowledged and that the writer's volume does not hold, counted without the audit.
pub(crate) fn missing(lab: &Lab) -> BTreeSet<OrderId> {
    let acknowledged = lab.ledger().records().acknowledged;
    let stored: BTreeSet<_> = lab.stores().surviving().orders.into_iter().map(|order| order.id).collect();
    acknowledged.into_iter().map(|write| write.id).filter(|id| !stored.contains(id)).collect()
}

pub(crate) fn lost(audit: &Audit) -> BTreeSet<OrderId> {
    audit.lost.iter().map(|write| write.id.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_loses_what_had_not_crossed_to_the_write() {
    let lab = Lab::builder().seed(11).lag(LAG).build().await.unwrap();
    until(&lab, "steady state", async || lab.ledger().acknowledged() >= 100).await;
    let control = lab.control();
    let fault = control.inject(&FaultPreset::Blackhole.into()).await.unwrap();
    rds(&lab, &west(), "FailoverGlobalCluster", WEST_CLUSTER, "&AllowDataLoss=true").await;
    until(&lab, "the standby's database to write", async || {
        lab.world().rds().is_writable(&west(), "ecommerce-secondary")
    })
    .await;

    let audit = control.audit(None).await.unwrap();
    assert_eq!(audit.surviving_region, west());
    assert!(audit.writes_lost > 0, "twelve clients write within five seconds");
    assert_eq!(lost(&audit), missing(&lab));
    // What was lost is exactly what had been stored less than the lag before the fault.
    let young = lab.ledger().records().acknowledged.into_iter().filter(|write| {
        let stored = lab.stores().get(&east(), &write.id).map(|order| order.stored_at);
        stored.is_some_and(|at| fault.at().since(at) < LAG)
    });
    assert_eq!(young.count(), audit.writes_lost);
    assert!((audit.rpo_s - audit.lost[0].age_s).abs() < 1e-9);

    // The region comes back, its volume is rebuilt, and what it alone held is thrown away.
    control.heal().await.unwrap();
    until(&lab, "the old writer to rejoin", async || {
        control.state().await.unwrap().database["ecommerce-production"] == "connected"
    })
    .await;
    let after = control.audit(None).await.unwrap();
    assert_eq!(lost(&after), lost(&audit));
    // An order whose reply the fault cut off is thrown away as well, but nobody had been told of it.
    let told: BTreeSet<_> = lab.ledger().records().acknowledged.into_iter().map(|write| write.id).collect();
    let discarded = lab.stores().surviving().discarded.into_iter().map(|discarded| discarded.order.id);
    assert_eq!(discarded.filter(|id| told.contains(id)).collect::<BTreeSet<_>>(), lost(&audit));
    assert_eq!((after.duplicated, after.split_brain), (0, 0));
    lab.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switchover_loses_nothing_whatever_the_lag() {
    let lab = Lab::builder().seed(12).clients(8).lag(LAG).build().await.unwrap();
    until(&lab, "steady state", async || lab.ledger().acknowledged() >= 60).await;
    rds(&lab, &east(), "SwitchoverGlobalCluster", WEST_CLUSTER, "").await;
    until(&lab, "the standby's database to write", async || {
        lab.world().rds().is_writable(&west(), "ecommerce-secondary")
    })
    .await;
    assert!(!lab.world().rds().is_writable(&east(), "ecommerce-production"));
    let audit = lab.control().audit(None).await.unwrap();
    assert_eq!((audit.writes_lost, missing(&lab).len()), (0, 0));
    assert_eq!(audit.surviving_region, west());

    // And back, as a failback does.
    rds(&lab, &west(), "SwitchoverGlobalCluster", EAST_CLUSTER, "").await;
    until(&lab, "the first region's database to write", async || {
        lab.world().rds().is_writable(&east(), "ecommerce-production")
    })
    .await;
    assert_eq!(lab.control().audit(None).await.unwrap().writes_lost, 0);
    lab.shutdown().await;
}
