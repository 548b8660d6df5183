//! A world of two regions with clients that call it, in process or over loopback.

use std::{sync::Arc, time::Duration};

use aws_credential_types::Credentials;
use dr_aws::{
    Clients, RegionClients, Timeouts,
    testing::{Endpoint, World},
};
use dr_core::{
    driver::BreakerPolicy,
    model::RegionId,
    time::{ManualClock, SharedClock, SystemClock},
};

pub(crate) fn region(name: &str) -> RegionId {
    RegionId::new(name).unwrap()
}

pub(crate) fn east() -> RegionId {
    region("us-east-1")
}

pub(crate) fn west() -> RegionId {
    region("eu-west-1")
}

pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) clock: ManualClock,
    pub(crate) clients: Clients,
    /// Open for as long as the stage stands.
    endpoints: Vec<Endpoint>,
}

impl Stage {
    fn world() -> (World, ManualClock) {
        let clock = ManualClock::new();
        // So that times are of this century.
        clock.advance(Duration::from_secs(1_790_000_000));
        let world = World::builder(Arc::new(clock.clone())).region(east()).region(west()).build();
        world.route53().set_throttle(false);
        (world, clock)
    }

    fn clients(clock: SharedClock) -> dr_aws::ClientsBuilder {
        let secret = Credentials::new("AKIDEXAMPLE", "a-secret", None, None, "tests");
        // The clients' clock is the machine's: what times out here is what hangs, and the limits are far off.
        let limit = Duration::from_secs(60);
        let timeouts = Timeouts { connect: limit, attempt: limit, operation: limit };
        Clients::builder(clock).credentials(secret).timeouts(timeouts).read_attempts(1)
    }

    pub(crate) fn in_process() -> Self {
        let (world, clock) = Self::world();
        let clients = Self::clients(Arc::new(SystemClock::new()))
            .http_client(&east(), world.http_client(&east()))
            .http_client(&west(), world.http_client(&west()))
            .build();
        Self { world, clock, clients, endpoints: Vec::new() }
    }

    /// The west through clients of a journal's own, whose calls no breaker refuses.
    pub(crate) fn west_for_a_journal(&self) -> RegionClients {
        let clients = Self::clients(Arc::new(SystemClock::new()))
            .http_client(&west(), self.world.http_client(&west()))
            .breaker(BreakerPolicy { trip: u32::MAX, ..BreakerPolicy::default() });
        clients.build().for_writes(&west())
    }

    pub(crate) async fn over_http() -> Self {
        let (world, clock) = Self::world();
        let mut clients = Self::clients(Arc::new(SystemClock::new()));
        let mut endpoints = Vec::new();
        for region in [east(), west()] {
            let endpoint = world.serve(&region, "127.0.0.1:0".parse().unwrap()).await.unwrap();
            clients = clients.endpoint(&region, endpoint.url());
            endpoints.push(endpoint);
        }
        Self { world, clock, clients: clients.build(), endpoints }
    }

    pub(crate) fn is_in_process(&self) -> bool {
        self.endpoints.is_empty()
    }

    /// Both ways in.
    pub(crate) async fn each() -> [Self; 2] {
        [Self::in_process(), Self::over_http().await]
    }

    pub(crate) fn east(&self) -> RegionClients {
        self.clients.for_writes(&east())
    }

    pub(crate) fn west(&self) -> RegionClients {
        self.clients.for_writes(&west())
    }

    pub(crate) fn endpoint(&self, region: &RegionId) -> &Endpoint {
        self.endpoints.iter().find(|endpoint| endpoint.region() == region).unwrap()
    }
}
