use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use dr_core::time::{Clock as _, ManualClock};

use super::*;

#[derive(Debug)]
struct Script {
    writable: Mutex<Vec<RegionId>>,
    lag_ms: AtomicU64,
    changes: Mutex<Vec<Promotion>>,
    replicas: Mutex<Vec<RegionId>>,
}

impl Database for Script {
    fn is_writable(&self, region: &RegionId) -> bool {
        self.writable.lock().unwrap().contains(region)
    }

    fn lag(&self, _replica: &RegionId) -> Duration {
        Duration::from_millis(self.lag_ms.load(Ordering::Relaxed))
    }

    fn promotions(&self, after: usize) -> Vec<Promotion> {
        self.changes.lock().unwrap()[after..].to_vec()
    }

    fn is_replica(&self, region: &RegionId) -> bool {
        self.replicas.lock().unwrap().contains(region)
    }
}

struct Bench {
    clock: ManualClock,
    board: FaultBoard,
    database: Arc<Script>,
    stores: Stores,
    next: u64,
}

fn east() -> RegionId {
    RegionId::new("us-east-1").unwrap()
}

fn west() -> RegionId {
    RegionId::new("eu-west-1").unwrap()
}

impl Bench {
    fn new(lag_ms: u64) -> Self {
        let clock = ManualClock::new();
        let board = FaultBoard::new();
        let database = Arc::new(Script {
            writable: Mutex::new(vec![east()]),
            lag_ms: AtomicU64::new(lag_ms),
            changes: Mutex::default(),
            replicas: Mutex::new(vec![west()]),
        });
        let stores = Stores::new(Arc::new(clock.clone()), board.clone(), database.clone(), &east(), &[west()]);
        clock.advance(Duration::from_secs(100));
        Self { clock, board, database, stores, next: 0 }
    }

    /// One order a second, and a second after the last.
    fn orders(&mut self, region: &RegionId, n: u64) -> Vec<OrderId> {
        (0..n)
            .map(|_| {
                self.next += 1;
                let id = OrderId::of(1, self.next);
                self.stores.put(region, &NewOrder::named(id.clone(), 1)).unwrap();
                self.clock.advance(Duration::from_secs(1));
                id
            })
            .collect()
    }

    fn change(&self, region: &RegionId, epoch: u64, kind: PromotionKind) {
        let at = self.clock.monotonic();
        self.database.changes.lock().unwrap().push(Promotion { at, region: region.clone(), epoch: Epoch(epoch), kind });
        *self.database.writable.lock().unwrap() = vec![region.clone()];
        self.database.replicas.lock().unwrap().retain(|r| r != region);
    }

    fn survivors(&self) -> Vec<OrderId> {
        self.stores.surviving().orders.into_iter().map(|o| o.id).collect()
    }
}

#[test]
fn a_replica_lags_by_the_lag_and_no_more() {
    let mut bench = Bench::new(2_500);
    let ids = bench.orders(&east(), 5);
    // Stored 5, 4, 3, 2 and 1 seconds ago.
    assert_eq!(bench.stores.count(&west()), 3);
    assert!(bench.stores.get(&west(), &ids[2]).is_some());
    assert!(bench.stores.get(&west(), &ids[3]).is_none());
}

#[test]
fn a_standby_refuses_orders() {
    let bench = Bench::new(0);
    let order = NewOrder::named(OrderId::of(1, 1), 1);
    assert_eq!(bench.stores.put(&west(), &order), Err(ReadOnly));
}

#[test]
fn a_retry_is_no_second_order() {
    let bench = Bench::new(0);
    let order = NewOrder::named(OrderId::of(1, 1), 1);
    assert!(bench.stores.put(&east(), &order).unwrap().created);
    assert!(!bench.stores.put(&east(), &order).unwrap().created);
    assert_eq!(bench.stores.count(&east()), 1);
}

#[test]
fn a_failover_loses_exactly_what_had_not_crossed_when_the_region_was_cut_off() {
    let mut bench = Bench::new(2_500);
    let ids = bench.orders(&east(), 5);
    bench.stores.advance();
    bench.board.switch(&east(), Plane::Data, Some(Fault::BlackHole));
    bench.clock.advance(Duration::from_secs(60));
    bench.change(&west(), 1, PromotionKind::Failover);
    assert_eq!(bench.survivors(), ids[..3]);

    let after = bench.orders(&west(), 2);
    assert_eq!(bench.stores.surviving().orders[3].epoch, Epoch(1));

    bench.board.clear();
    bench.database.replicas.lock().unwrap().push(east());
    let surviving = bench.stores.surviving();
    let discarded: Vec<_> = surviving.discarded.iter().map(|d| d.order.id.clone()).collect();
    assert_eq!(discarded, ids[3..]);
    assert!(surviving.split_brain.is_empty());
    bench.clock.advance(Duration::from_secs(3));
    assert!(bench.stores.get(&east(), &after[1]).is_some(), "the rejoined volume is shipped to again");
}

#[test]
fn a_switchover_loses_nothing_whatever_the_lag() {
    let mut bench = Bench::new(60_000);
    let ids = bench.orders(&east(), 5);
    assert_eq!(bench.stores.count(&west()), 0);
    bench.change(&west(), 1, PromotionKind::Switchover);
    assert_eq!(bench.survivors(), ids);
    bench.orders(&west(), 1);
    assert!(bench.stores.surviving().discarded.is_empty());
    bench.change(&east(), 2, PromotionKind::Switchover);
    assert_eq!(bench.survivors().len(), 6);
}

#[test]
fn two_writers_after_a_detach_are_seen() {
    let mut bench = Bench::new(0);
    bench.orders(&east(), 1);
    bench.change(&west(), 1, PromotionKind::Detach);
    bench.database.writable.lock().unwrap().push(east());
    let astray = bench.orders(&east(), 1);
    bench.orders(&west(), 1);
    let surviving = bench.stores.surviving();
    assert_eq!(surviving.region, west());
    assert_eq!(surviving.split_brain.iter().map(|o| o.id.clone()).collect::<Vec<_>>(), astray);
    assert_eq!(surviving.split_brain[0].epoch, Epoch(0), "it does not know of the promotion");
}
