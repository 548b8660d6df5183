//! A world of two regions on a clock that the test moves, with an Aurora database, a cache, and the real SDK's clients.

use std::{future::Future, pin::pin, sync::Arc, task::Poll};

use aws_credential_types::Credentials;
use dr_aws::{
    Clients,
    testing::{World, elasticache::DatastoreSetup, rds::GlobalSetup},
};
use dr_core::{
    model::{Plane, RegionId},
    testing::Fault,
    time::ManualClock,
};

pub(crate) const US_ARN: &str = "arn:aws:rds:us-east-1:111122223333:cluster:orders-use1";
pub(crate) const EU_ARN: &str = "arn:aws:rds:eu-west-1:111122223333:cluster:orders-euw1";

pub(crate) fn region(name: &str) -> RegionId {
    RegionId::new(name).unwrap()
}

pub(crate) fn us() -> RegionId {
    region("us-east-1")
}

pub(crate) fn eu() -> RegionId {
    region("eu-west-1")
}

pub(crate) struct TwoRegions {
    pub(crate) clock: ManualClock,
    pub(crate) world: World,
    pub(crate) clients: Clients,
}

impl TwoRegions {
    /// Two regions with nothing in them.
    pub(crate) fn empty() -> Self {
        let clock = ManualClock::new();
        let world = World::builder(Arc::new(clock.clone())).region(us()).region(eu()).build();
        let clients = Clients::builder(Arc::new(clock.clone()))
            .credentials(Credentials::new("AKIDEXAMPLE", "secret", None, None, "test"))
            .http_client(&us(), world.http_client(&us()))
            .http_client(&eu(), world.http_client(&eu()))
            .build();
        Self { clock, world, clients }
    }

    /// Two regions with the global database `orders` and the datastore `ldgnf-carts`, both led from `us-east-1`.
    pub(crate) fn new() -> Self {
        let two = Self::empty();
        let database = GlobalSetup::postgres("orders").member(us(), "orders-use1").member(eu(), "orders-euw1");
        two.world.rds().create(&database).unwrap();
        let cache = DatastoreSetup::new("ldgnf-carts").member(us(), "carts-use1").member(eu(), "carts-euw1");
        two.world.elasticache().create(&cache).unwrap();
        two
    }

    /// Takes every plane of `us-east-1` away.
    pub(crate) fn lose_us(&self) {
        self.world.faults().switch_region(&us(), Some(Fault::BlackHole));
    }

    /// Gives it back.
    pub(crate) fn restore_us(&self) {
        for plane in Plane::ALL {
            self.world.faults().switch(&us(), plane, None);
        }
    }

    /// Drives `work` to its end; whenever everything waits, time passes to the next moment that somebody waits for.
    pub(crate) async fn passing<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        for _ in 0..100_000 {
            for _ in 0..100 {
                if let Poll::Ready(value) = futures::poll!(work.as_mut()) {
                    return value;
                }
                tokio::task::yield_now().await;
            }
            self.clock.advance_to_next();
        }
        panic!("nothing that is waited for ever happens")
    }

    /// Lets everything that is due now happen.
    pub(crate) async fn settle(&self) {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
}
