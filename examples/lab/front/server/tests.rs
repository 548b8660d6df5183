use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use dr_core::{
    testing::FaultRule,
    time::{ScaledClock, SystemClock},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    orders::Promotion,
    wire::{CallError, Connection, serve},
};

#[derive(Debug)]
struct Stand {
    writable: AtomicBool,
    cache: AtomicBool,
    ready: AtomicU32,
}

impl Database for Stand {
    fn is_writable(&self, _region: &RegionId) -> bool {
        self.writable.load(Ordering::Relaxed)
    }

    fn lag(&self, _replica: &RegionId) -> Duration {
        Duration::ZERO
    }

    fn promotions(&self, _after: usize) -> Vec<Promotion> {
        Vec::new()
    }

    fn is_replica(&self, _region: &RegionId) -> bool {
        false
    }
}

impl Platform for Stand {
    fn ready_replicas(&self, _region: &RegionId, _service: &str) -> u32 {
        self.ready.load(Ordering::Relaxed)
    }

    fn cache_is_writable(&self, _region: &RegionId) -> bool {
        self.cache.load(Ordering::Relaxed)
    }
}

struct Bench {
    stand: Arc<Stand>,
    board: FaultBoard,
    region: RegionId,
    addr: std::net::SocketAddr,
    stores: Stores,
    _cancel: tokio_util::sync::DropGuard,
}

impl Bench {
    async fn new() -> Self {
        let region = RegionId::new("us-east-1").unwrap();
        let stand = Arc::new(Stand {
            writable: AtomicBool::new(true),
            cache: AtomicBool::new(true),
            ready: AtomicU32::new(10),
        });
        let clock: SharedClock = Arc::new(SystemClock::new());
        let board = FaultBoard::new();
        let stores = Stores::new(clock.clone(), board.clone(), stand.clone(), &region, &[]);
        let front =
            Front::new(region.clone(), clock, board.clone(), stores.clone(), stand.clone(), stand.clone(), 1_000.0);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let cancel = CancellationToken::new();
        tokio::spawn(serve(listener, Arc::new(front), cancel.clone()));
        Self { stand, board, region, addr, stores, _cancel: cancel.drop_guard() }
    }

    async fn send(&self, request: http::request::Builder, body: &str) -> Result<(u16, String), CallError> {
        let clock = SystemClock::new();
        let mut connection = Connection::open(&clock, self.addr, Duration::from_secs(5)).await?;
        let request = request.header(header::HOST, "api.ecommerce.com").body(body.to_owned().into()).unwrap();
        let response = connection.call(&clock, request, Duration::from_secs(5)).await?;
        Ok((response.status().as_u16(), String::from_utf8(response.into_body().to_vec()).unwrap()))
    }

    async fn order(&self, n: u64) -> Result<(u16, String), CallError> {
        let body = serde_json::to_string(&NewOrder::named(OrderId::of(1, n), 1)).unwrap();
        self.send(Request::post("/orders"), &body).await
    }

    async fn get(&self, path: &str) -> Result<(u16, String), CallError> {
        self.send(Request::get(path), "").await
    }
}

#[tokio::test]
async fn an_order_is_acknowledged_when_it_is_stored_and_can_be_read() {
    let bench = Bench::new().await;
    let (status, body) = bench.order(1).await.unwrap();
    assert_eq!(status, 201, "{body}");
    assert!(body.contains(r#""epoch":0"#), "{body}");
    assert_eq!(bench.order(1).await.unwrap().0, 200, "a retry finds it");
    assert_eq!(bench.get("/orders/c01-000001").await.unwrap(), (200, body));
    assert_eq!(bench.get("/orders/c01-000002").await.unwrap().0, 404);
    assert_eq!(bench.send(Request::post("/orders"), "no order").await.unwrap().0, 400);
    assert_eq!(
        bench.send(Request::post("/orders"), r#"{"confirm":true}"#).await.unwrap().0,
        201,
        "any JSON object is an order"
    );
}

#[tokio::test]
async fn health_is_deep_and_names_the_region() {
    let bench = Bench::new().await;
    let (status, body) = bench.get("/health").await.unwrap();
    assert_eq!(status, 200);
    assert!(body.contains(r#""region":"us-east-1","writer":true"#), "{body}");
    bench.stand.writable.store(false, Ordering::Relaxed);
    assert!(bench.get("/health").await.unwrap().1.contains(r#""writer":false"#));
    bench.stand.ready.store(0, Ordering::Relaxed);
    assert_eq!(bench.get("/health").await.unwrap().0, 503);
}

#[tokio::test]
async fn nothing_is_stored_where_database_or_cache_are_read_only() {
    let bench = Bench::new().await;
    bench.stand.cache.store(false, Ordering::Relaxed);
    assert_eq!(bench.order(1).await.unwrap(), (503, r#"{"error":"cache-read-only"}"#.to_owned()));
    bench.stand.cache.store(true, Ordering::Relaxed);
    bench.stand.writable.store(false, Ordering::Relaxed);
    assert_eq!(bench.order(1).await.unwrap(), (503, r#"{"error":"read-only"}"#.to_owned()));
    assert_eq!(bench.stores.count(&bench.region), 0);
}

#[tokio::test]
async fn too_few_replicas_shed_load() {
    let bench = Bench::new().await;
    bench.stand.ready.store(0, Ordering::Relaxed);
    assert_eq!(bench.order(1).await.unwrap(), (503, r#"{"error":"overloaded"}"#.to_owned()));
}

#[tokio::test]
async fn a_lost_reply_leaves_the_order_stored() {
    let bench = Bench::new().await;
    bench.board.add(FaultRule::new(Fault::ReplyLost).on("app:POST /orders").times(1));
    assert_eq!(bench.order(1).await, Err(CallError::Broken));
    assert_eq!(bench.order(1).await.unwrap().0, 200);
    assert_eq!(bench.stores.count(&bench.region), 1);
}

#[tokio::test]
async fn a_refusing_region_resets_connections() {
    let bench = Bench::new().await;
    bench.board.switch(&bench.region, Plane::Application, Some(Fault::Refuse));
    assert!(matches!(bench.get("/health").await, Err(CallError::Broken | CallError::Refused)));
    bench.board.clear();
    assert_eq!(bench.get("/health").await.unwrap().0, 200);
}

#[tokio::test]
async fn a_black_hole_answers_nothing_and_stores_nothing() {
    let bench = Bench::new().await;
    bench.board.switch(&bench.region, Plane::Application, Some(Fault::BlackHole));
    let clock = ScaledClock::new(20.0);
    let mut connection = Connection::open(&clock, bench.addr, Duration::from_secs(4)).await.unwrap();
    let body = serde_json::to_string(&NewOrder::named(OrderId::of(1, 1), 1)).unwrap();
    let request = Request::post("/orders").header(header::HOST, "api").body(body.into()).unwrap();
    let answer = connection.call(&clock, request, Duration::from_secs(2)).await;
    assert_eq!(answer.map(|_| ()), Err(CallError::TimedOut));
    assert_eq!(bench.stores.count(&bench.region), 0);
    bench.board.clear();
    assert_eq!(bench.order(1).await.unwrap().0, 201);
}
