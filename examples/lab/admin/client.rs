use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    testing::EffectRecord,
    time::{SharedClock, SystemClock},
};
use http::{Method, Request, header};
use serde::{Serialize, de::DeserializeOwned};

use super::server::{LagRequest, MarkRequest, Problem};
use crate::{
    audit::Audit,
    clients::{ClientReport, Window},
    control::{LabControl, Mark},
    endpoints::Endpoints,
    preset::FaultRequest,
    state::StackState,
    wire::Connection,
};

/// How long the admin endpoint is waited for, in the machine's time: it is on this machine and not part of the world.
const LIMIT: Duration = Duration::from_secs(10);

/// A lab that stands in another process.
#[derive(Clone, Debug)]
pub struct LabClient {
    wire: Wire,
    endpoints: Endpoints,
    clock: SharedClock,
}

impl LabClient {
    /// A client of the lab that wrote this env file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Storage`] when the file cannot be read, [`ErrorKind::Invalid`] when a lab did not write it,
    /// [`ErrorKind::Unavailable`] when that lab does not stand any more.
    pub async fn from_env_file(path: &Path) -> Result<Self> {
        Self::connect(&Endpoints::admin_of(path)?).await
    }

    /// A client of the lab with this admin endpoint.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] when the URL is not one of a lab, [`ErrorKind::Unavailable`] when no lab answers there.
    pub async fn connect(admin_url: &str) -> Result<Self> {
        let admin = admin_url.strip_prefix("http://").and_then(|address| address.parse().ok());
        let admin = admin
            .ok_or_else(|| Error::new(ErrorKind::Invalid, format!("{admin_url:?} is no admin endpoint of a lab")))?;
        let wire = Wire { admin, machine: SystemClock::new() };
        let endpoints: Endpoints = wire.get("/endpoints").await?;
        let clock: SharedClock = Arc::new(endpoints.clock());
        Ok(Self { wire, endpoints, clock })
    }
}

/// The way to the admin endpoint.
#[derive(Clone, Debug)]
struct Wire {
    admin: SocketAddr,
    machine: SystemClock,
}

impl Wire {
    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.call(Method::GET, path, Bytes::new()).await
    }

    async fn post<B: Serialize, T: DeserializeOwned>(&self, path: &str, body: &B) -> Result<T> {
        let body = serde_json::to_vec(body).map_err(|e| {
            Error::new(ErrorKind::Internal, "the request does not serialise")
                .with_effect(Effect::NotApplied)
                .with_source(e)
        })?;
        self.call(Method::POST, path, body.into()).await
    }

    async fn call<T: DeserializeOwned>(&self, method: Method, path: &str, body: Bytes) -> Result<T> {
        let operation = format!("lab:{method} {}", path.split('?').next().unwrap_or(path));
        let fail = |kind, message: String| Error::new(kind, message).during(operation.clone());
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.admin.to_string())
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.into())
            .map_err(|e| fail(ErrorKind::Invalid, e.to_string()).with_effect(Effect::NotApplied))?;
        let mut connection = Connection::open(&self.machine, self.admin, LIMIT).await.map_err(|e| {
            fail(ErrorKind::Unavailable, format!("the lab does not answer: {e}")).with_effect(Effect::NotApplied)
        })?;
        let response = connection
            .call(&self.machine, request, LIMIT)
            .await
            .map_err(|e| fail(ErrorKind::Unavailable, format!("the lab does not answer: {e}")))?;
        if response.status().is_success() {
            return serde_json::from_slice(response.body())
                .map_err(|e| fail(ErrorKind::Invalid, format!("the lab's answer makes no sense: {e}")));
        }
        let kind = match response.status().as_u16() {
            400 => ErrorKind::Invalid,
            404 => ErrorKind::NotFound,
            _ => ErrorKind::Internal,
        };
        let problem = serde_json::from_slice::<Problem>(response.body()).map(|problem| problem.error);
        Err(fail(kind, problem.unwrap_or_else(|_| response.status().to_string())).with_effect(Effect::NotApplied))
    }
}

#[async_trait]
impl LabControl for LabClient {
    fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    fn clock(&self) -> SharedClock {
        self.clock.clone()
    }

    async fn state(&self) -> Result<StackState> {
        self.wire.get("/state").await
    }

    async fn clients(&self, window: Window) -> Result<ClientReport> {
        let parameters = [("from_s", window.from_s), ("to_s", window.to_s)];
        let query: Vec<_> =
            parameters.iter().filter_map(|(name, value)| value.map(|value| format!("{name}={value}"))).collect();
        self.wire.get(&format!("/clients?{}", query.join("&"))).await
    }

    async fn audit(&self, since_s: Option<f64>) -> Result<Audit> {
        match since_s {
            Some(since_s) => self.wire.get(&format!("/audit?since_s={since_s}")).await,
            None => self.wire.get("/audit").await,
        }
    }

    async fn effects(&self) -> Result<Vec<EffectRecord>> {
        self.wire.get("/effects").await
    }

    async fn inject(&self, request: &FaultRequest) -> Result<Mark> {
        self.wire.post("/faults", request).await
    }

    async fn heal(&self) -> Result<Mark> {
        self.wire.call(Method::DELETE, "/faults", Bytes::new()).await
    }

    async fn set_lag(&self, lag: Duration) -> Result<()> {
        let lag_ms = u64::try_from(lag.as_millis()).unwrap_or(u64::MAX);
        let _: LagRequest = self.wire.post("/lag", &LagRequest { lag_ms }).await?;
        Ok(())
    }

    async fn mark(&self, label: &str) -> Result<Mark> {
        self.wire.post("/marks", &MarkRequest { label: label.to_owned() }).await
    }

    async fn marks(&self) -> Result<Vec<Mark>> {
        self.wire.get("/marks").await
    }
}
