use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::{Query, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use dr_core::{
    journal::{Ed25519Signer, PublicKey},
    model::RegionId,
    probe::{
        Outcome,
        remote::{BootId, Cursor, Nonce, Question, ReadingLog},
    },
    time::{Monotonic, SharedClock},
};
use serde::{Deserialize, Serialize};

/// What the service answers from.
#[derive(Debug)]
pub(crate) struct Observer {
    pub(crate) clock: SharedClock,
    pub(crate) region: RegionId,
    pub(crate) signer: Ed25519Signer,
    pub(crate) public: PublicKey,
    pub(crate) log: Mutex<ReadingLog>,
    /// After how long without a look something is wrong here.
    pub(crate) silence: Duration,
    pub(crate) started: Monotonic,
}

impl Observer {
    pub(crate) fn log(&self) -> MutexGuard<'_, ReadingLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The routes.
pub(crate) fn router(observer: Arc<Observer>) -> Router {
    Router::new()
        .route("/v1/readings", get(readings))
        .route("/health", get(health))
        .route("/identity", get(identity))
        .with_state(observer)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    nonce: Nonce,
    boot: Option<BootId>,
    after: Option<u64>,
}

async fn readings(State(observer): State<Arc<Observer>>, Query(asked): Query<Asked>) -> Response {
    let after = match (asked.boot, asked.after) {
        (Some(boot), Some(seq)) => Some(Cursor { boot, seq }),
        (None, None) => None,
        _ => return problem(StatusCode::BAD_REQUEST, "`boot` and `after` go together"),
    };
    let question = Question { nonce: asked.nonce, after };
    let now = observer.clock.monotonic();
    let statement = observer.log().answer(&question, now);
    match statement.sign(&observer.signer).await {
        Ok(signed) => json(StatusCode::OK, &signed),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, error.message()),
    }
}

/// How the observer does; of the regions it says nothing here.
#[derive(Debug, Serialize)]
struct Health {
    observer: String,
    /// `starting`, `observing`, `impaired` or `stalled`.
    status: &'static str,
    /// Why it is impaired.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    boot: BootId,
    looks: u64,
    /// Since the last look.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_look_s: Option<f64>,
    up_s: f64,
}

async fn health(State(observer): State<Arc<Observer>>) -> Response {
    let now = observer.clock.monotonic();
    let log = observer.log();
    let up = now.since(observer.started);
    let last_look = log.last().map(|last| now.since(last.at));
    let reason = log.latest().find_map(|reading| match &reading.outcome {
        Outcome::ObserverImpaired { reason } => Some(reason.clone()),
        _ => None,
    });
    let status = match last_look {
        None if up <= observer.silence => "starting",
        Some(silence) if silence <= observer.silence => match reason {
            Some(_) => "impaired",
            None => "observing",
        },
        _ => "stalled",
    };
    let health = Health {
        observer: log.observer().to_string(),
        status,
        reason,
        boot: log.boot(),
        looks: log.newest(),
        last_look_s: last_look.map(|last_look| last_look.as_secs_f64()),
        up_s: up.as_secs_f64(),
    };
    drop(log);
    // One that is impaired does what it should: it says so. One that has stalled wants a restart.
    let code = if status == "stalled" { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    json(code, &health)
}

#[derive(Debug, Serialize)]
struct Identity {
    observer: String,
    region: String,
    algorithm: &'static str,
    public_key: String,
    fingerprint: String,
    boot: BootId,
    version: &'static str,
}

async fn identity(State(observer): State<Arc<Observer>>) -> Response {
    let (name, boot) = {
        let log = observer.log();
        (log.observer().to_string(), log.boot())
    };
    let identity = Identity {
        observer: name,
        region: observer.region.to_string(),
        algorithm: "ed25519",
        public_key: observer.public.to_string(),
        fingerprint: observer.public.fingerprint(),
        boot,
        version: env!("CARGO_PKG_VERSION"),
    };
    json(StatusCode::OK, &identity)
}

#[derive(Debug, Serialize)]
struct Problem<'a> {
    error: &'a str,
}

fn problem(code: StatusCode, error: &str) -> Response {
    json(code, &Problem { error })
}

fn json(code: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(text) => (code, [(CONTENT_TYPE, "application/json")], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
