use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use dr_core::{
    model::{Plane, RegionId},
    testing::{CallSite, Fault, FaultBoard},
    time::SharedClock,
};
use http::{Method, Request, Response, StatusCode, header};
use serde::{Deserialize, Serialize};

use super::{Admission, Health, Platform, capacity};
use crate::{
    orders::{Database, NewOrder, OrderId, Stores},
    platform::Service,
    wire::{Answer, Door},
};

/// Why the application did not serve a request that it did read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// More requests than its replicas can carry.
    Overloaded,
    /// The database here does not write.
    ReadOnly,
    /// The cache here does not write.
    CacheReadOnly,
    /// It failed.
    Internal,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Overloaded => "overloaded",
            Self::ReadOnly => "read-only",
            Self::CacheReadOnly => "cache-read-only",
            Self::Internal => "internal",
        })
    }
}

/// The body of a reply that refuses.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Refused {
    pub(crate) error: Refusal,
}

/// Whether the answer to a request arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delivery {
    /// It does.
    Kept,
    /// The request is served, and the connection breaks before the answer.
    Lost,
    /// The request is served, and the answer never comes.
    Held,
    /// The connection breaks at once, and the request is served after this delay all the same.
    Late(Duration),
}

/// One region's application.
#[derive(Debug)]
pub struct Front {
    region: RegionId,
    clock: SharedClock,
    board: FaultBoard,
    stores: Stores,
    database: Arc<dyn Database>,
    platform: Arc<dyn Platform>,
    services: &'static [Service],
    full_rate: f64,
    admission: Mutex<Admission>,
}

impl Front {
    /// The application of `region`, which at full size serves `full_rate` requests a second.
    #[must_use]
    pub fn new(
        region: RegionId,
        clock: SharedClock,
        board: FaultBoard,
        stores: Stores,
        database: Arc<dyn Database>,
        platform: Arc<dyn Platform>,
        full_rate: f64,
    ) -> Self {
        let admission = Mutex::new(Admission::new(clock.monotonic(), full_rate));
        let services = &crate::platform::SERVICES;
        Self { region, clock, board, stores, database, platform, services, full_rate, admission }
    }

    /// What the region can serve now, in requests a second.
    #[must_use]
    pub fn capacity(&self) -> f64 {
        let ready = |service: &Service| (self.platform.ready_replicas(&self.region, service.name), service.full);
        capacity(self.services.iter().map(ready), self.full_rate)
    }

    /// Goes through a fault of this region: on to the answer, or to what becomes of the request instead.
    async fn meet(&self, plane: Plane, operation: &str) -> Result<Delivery, Answer> {
        self.meet_at(&self.region, plane, operation).await
    }

    async fn meet_at(&self, region: &RegionId, plane: Plane, operation: &str) -> Result<Delivery, Answer> {
        match self.board.decide(&CallSite { region, plane, operation }) {
            Some(Fault::Refuse) => Err(Answer::HangUp),
            Some(Fault::ReplyLost) => Ok(Delivery::Lost),
            Some(Fault::NoReply) => Ok(Delivery::Held),
            Some(Fault::LateApply { delay_ms }) => Ok(Delivery::Late(Duration::from_millis(delay_ms))),
            Some(Fault::BlackHole) => {
                self.wait_for_daylight(region, plane).await;
                Err(Answer::HangUp)
            }
            Some(Fault::Slow { delay_ms }) => {
                self.clock.sleep(Duration::from_millis(delay_ms)).await;
                Ok(Delivery::Kept)
            }
            Some(Fault::Throttle) => Err(refuse(Refusal::Overloaded)),
            Some(Fault::ServerError) => Err(refuse(Refusal::Internal)),
            // A stale read: a replica answers from the past anyway.
            _ => Ok(Delivery::Kept),
        }
    }

    /// Completes when the board has changed and the plane's switch is not (or no longer) set to a black hole.
    async fn wait_for_daylight(&self, region: &RegionId, plane: Plane) {
        let mut changes = self.board.watch();
        while changes.changed().await.is_ok() {
            if self.board.plane(region, plane) != Some(Fault::BlackHole) {
                return;
            }
        }
    }

    fn health(&self) -> Answer {
        let ready = self.capacity() > 0.0;
        let body = Health {
            status: if ready { "ok".to_owned() } else { "no ready replica".to_owned() },
            region: self.region.clone(),
            writer: self.database.is_writable(&self.region),
            epoch: self.stores.epoch(),
        };
        json(if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, &body)
    }

    fn read(&self, id: &str) -> Answer {
        match self.stores.get(&self.region, &OrderId(id.to_owned())) {
            Some(order) => json(StatusCode::OK, &order),
            None => status(StatusCode::NOT_FOUND),
        }
    }

    fn write(&self, body: &[u8]) -> Answer {
        let Ok(new) = serde_json::from_slice::<NewOrder>(body) else { return status(StatusCode::BAD_REQUEST) };
        // The session comes first, so that an order is never stored whose reply would have to be a refusal.
        if !self.regions().any(|region| self.platform.cache_is_writable(&region)) {
            return refuse(Refusal::CacheReadOnly);
        }
        match self.stores.put(&self.writer(), &new) {
            Ok(placed) => json(if placed.created { StatusCode::CREATED } else { StatusCode::OK }, &placed.order),
            Err(_) => refuse(Refusal::ReadOnly),
        }
    }

    /// Where the application sends an order: to its own cluster when that writes, to the writer's otherwise, as the global
    /// database's writer endpoint leads it. So a region with clients and without a writer serves them while the writer's
    /// region is there, and only then.
    fn writer(&self) -> RegionId {
        if self.database.is_writable(&self.region) { self.region.clone() } else { self.stores.writer() }
    }

    fn regions(&self) -> impl Iterator<Item = RegionId> {
        self.stores.regions().into_iter()
    }

    fn admit(&self) -> bool {
        let rate = self.capacity();
        self.admission.lock().unwrap_or_else(PoisonError::into_inner).admit(self.clock.monotonic(), rate)
    }

    async fn serve(self: &Arc<Self>, request: Request<Bytes>) -> Result<Answer, Answer> {
        let path = request.uri().path();
        let method = request.method();
        let order = path.strip_prefix("/orders/").filter(|id| !id.is_empty());
        // The operation's name holds no id, so that a fault can be set on all orders at once.
        let operation = match (order, path) {
            (Some(_), _) => format!("app:{method} /orders/{{id}}"),
            (None, path) => format!("app:{method} {path}"),
        };
        let delivery = self.meet(Plane::Application, &operation).await?;
        if (method, path) == (&Method::GET, "/health") {
            // Deep: it asks the database.
            self.meet(Plane::Data, "aurora:select").await?;
            return Ok(self.health());
        }
        let is_write = (method, path) == (&Method::POST, "/orders");
        if !is_write && (method != Method::GET || order.is_none()) {
            return Ok(status(StatusCode::NOT_FOUND));
        }
        if !self.admit() {
            return Ok(refuse(Refusal::Overloaded));
        }
        if is_write {
            self.meet_at(&self.writer(), Plane::Data, "aurora:insert").await?;
        } else {
            self.meet(Plane::Data, "aurora:select").await?;
        }
        if let Delivery::Late(delay) = delivery {
            let (front, body) = (Arc::clone(self), request.into_body());
            tokio::spawn(async move {
                front.clock.sleep(delay).await;
                front.write(&body);
            });
            return Ok(Answer::HangUp);
        }
        let answer = match order {
            Some(id) => self.read(id),
            None => self.write(request.body()),
        };
        match delivery {
            Delivery::Lost => Ok(Answer::HangUp),
            Delivery::Held => std::future::pending().await,
            Delivery::Kept | Delivery::Late(_) => Ok(answer),
        }
    }
}

impl Door for Front {
    fn admits(&self) -> bool {
        self.board.plane(&self.region, Plane::Application) != Some(Fault::Refuse)
    }

    async fn answer(self: Arc<Self>, request: Request<Bytes>) -> Answer {
        self.serve(request).await.unwrap_or_else(|instead| instead)
    }
}

fn refuse(why: Refusal) -> Answer {
    let code =
        if why == Refusal::Internal { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::SERVICE_UNAVAILABLE };
    json(code, &Refused { error: why })
}

fn status(code: StatusCode) -> Answer {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = code;
    Answer::Reply(response)
}

fn json<T: Serialize>(code: StatusCode, body: &T) -> Answer {
    let Ok(body) = serde_json::to_vec(body) else { return status(StatusCode::INTERNAL_SERVER_ERROR) };
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = code;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    Answer::Reply(response)
}

#[cfg(test)]
mod tests;
