use std::{
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    time::Duration,
};

use bytes::Bytes;
use dr_core::{
    model::{Epoch, RegionId},
    time::SharedClock,
};
use http::{Request, StatusCode, header};
use http_body_util::Full;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::task::JoinSet;

use super::{Acknowledged, Attempt, FailureKind, Ledger, Operation, Resolved};
use crate::{
    dns::Resolver,
    front::Refused,
    orders::{NewOrder, Order, OrderId},
    wire::Connection,
};

/// How long a client waits for a connection, and for an answer.
const CONNECT: Duration = Duration::from_secs(2);
const ANSWER: Duration = Duration::from_millis(2_500);
/// Between an acknowledged order and the next one, and between a failed attempt and the next one, in milliseconds.
const THINK: std::ops::Range<u64> = 1_000..2_000;
const PAUSE: std::ops::Range<u64> = 500..1_000;
/// How often an acknowledged order is read back.
const READ_BACK: f64 = 0.25;

/// The clients: each writes one order after another, and tries an order until it is acknowledged.
#[derive(Clone, Debug)]
pub struct Population {
    /// The lab's time.
    pub clock: SharedClock,
    /// The authoritative name server.
    pub dns: SocketAddr,
    /// The public name.
    pub name: String,
    /// The port of the application.
    pub port: u16,
    /// How many there are.
    pub clients: u32,
    /// What their pauses are drawn from.
    pub seed: u64,
    /// What they remember.
    pub ledger: Ledger,
}

impl Population {
    /// Requests a second that the clients make when all goes well.
    #[must_use]
    pub fn demand(clients: u32) -> f64 {
        // A write every 1.5 s, and a quarter as many reads.
        f64::from(clients) / 1.5 * (1.0 + READ_BACK)
    }

    /// Lets the clients live until dropped.
    pub async fn run(self) {
        let mut clients = JoinSet::new();
        for number in 1..=self.clients {
            clients.spawn(Client::new(self.clone(), number).live());
        }
        while clients.join_next().await.is_some() {}
    }
}

struct Client {
    world: Population,
    number: u32,
    /// Each client has a resolver of its own, so that their caches expire at different moments.
    resolver: Resolver,
    rng: ChaCha8Rng,
    address: Option<Ipv4Addr>,
    connection: Option<Connection>,
}

impl Client {
    fn new(world: Population, number: u32) -> Self {
        let resolver = Resolver::new(world.clock.clone(), world.dns);
        let mut rng = ChaCha8Rng::seed_from_u64(world.seed);
        rng.set_stream(u64::from(number));
        Self { world, number, resolver, rng, address: None, connection: None }
    }

    async fn live(mut self) {
        self.pause(0..THINK.end).await;
        for seq in 1_u64.. {
            let id = OrderId::of(self.number, seq);
            while !self.write(&id).await {
                self.pause(PAUSE).await;
            }
            if self.rng.random_bool(READ_BACK) {
                self.read(&id).await;
            }
            self.pause(THINK).await;
        }
    }

    async fn pause(&mut self, range: std::ops::Range<u64>) {
        let ms = self.rng.random_range(range);
        self.world.clock.sleep(Duration::from_millis(ms)).await;
    }

    /// Tries to place an order; false when it was not acknowledged.
    async fn write(&mut self, id: &OrderId) -> bool {
        match self.try_write(id).await {
            Ok((region, epoch)) => {
                self.world.ledger.acknowledge(Acknowledged {
                    id: id.clone(),
                    client: self.number,
                    region,
                    epoch,
                    at: self.world.clock.monotonic(),
                });
                true
            }
            Err(failure) => {
                self.remember(Operation::Write, Some(failure));
                false
            }
        }
    }

    async fn try_write(&mut self, id: &OrderId) -> Result<(RegionId, Epoch), FailureKind> {
        let body =
            serde_json::to_vec(&NewOrder::named(id.clone(), self.number)).map_err(|_| FailureKind::ServerError)?;
        let request = Request::post("/orders").header(header::CONTENT_TYPE, "application/json").body(body.into());
        let (status, body) = self.call(request).await?;
        if !status.is_success() {
            return Err(refusal(&body));
        }
        // A 200 without the stored order in it is no acknowledgement.
        let order: Order = serde_json::from_slice(&body).map_err(|_| FailureKind::Broken)?;
        if order.id == *id { Ok((order.region, order.epoch)) } else { Err(FailureKind::Broken) }
    }

    async fn read(&mut self, id: &OrderId) {
        let outcome = self.try_read(id).await;
        self.remember(Operation::Read, outcome.err());
    }

    async fn try_read(&mut self, id: &OrderId) -> Result<(), FailureKind> {
        let request = Request::get(format!("/orders/{id}")).body(Full::new(Bytes::new()));
        match self.call(request).await? {
            (status, _) if status.is_success() => Ok(()),
            (StatusCode::NOT_FOUND, _) => Err(FailureKind::NotFound),
            (_, body) => Err(refusal(&body)),
        }
    }

    fn remember(&self, operation: Operation, failure: Option<FailureKind>) {
        let at = self.world.clock.monotonic();
        self.world.ledger.attempt(Attempt { client: self.number, operation, at, failure });
    }

    /// One request to wherever the public name leads now. A connection is kept while the address stays the same.
    async fn call(&mut self, request: http::Result<Request<Full<Bytes>>>) -> Result<(StatusCode, Bytes), FailureKind> {
        let mut request = request.map_err(|_| FailureKind::Broken)?;
        let host = header::HeaderValue::from_str(&self.world.name).map_err(|_| FailureKind::Broken)?;
        request.headers_mut().insert(header::HOST, host);
        let peer = self.peer().await?;
        let mut connection = match self.connection.take().filter(|connection| connection.peer() == peer) {
            Some(connection) => connection,
            None => Connection::open(self.world.clock.as_ref(), peer, CONNECT).await?,
        };
        let response = connection.call(self.world.clock.as_ref(), request, ANSWER).await?;
        self.connection = Some(connection);
        Ok((response.status(), response.into_body()))
    }

    async fn peer(&mut self) -> Result<SocketAddr, FailureKind> {
        let addresses = self.resolver.resolve(&self.world.name).await?;
        let address = *addresses.first().ok_or(FailureKind::Dns)?;
        if self.address != Some(address) {
            let from = self.address.replace(address);
            let at = self.world.clock.monotonic();
            self.world.ledger.resolve(Resolved { client: self.number, at, from, to: address });
        }
        Ok(SocketAddr::V4(SocketAddrV4::new(address, self.world.port)))
    }
}

fn refusal(body: &[u8]) -> FailureKind {
    serde_json::from_slice::<Refused>(body).map_or(FailureKind::ServerError, |refused| refused.error.into())
}
