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
    endpoints: Endpoints,
    admin: SocketAddr,
    clock: SharedClock,
    machine: Arc<SystemClock>,
}

impl LabClient {
    /// A client of the lab that wrote this env file.
    ///
    /// # Errors
    ///
    /// As [`Endpoints::read_env`]; [`ErrorKind::Unavailable`] when that lab does not stand any more.
    pub async fn from_env_file(path: &Path) -> Result<Self> {
        let client = Self::new(Endpoints::read_env(path)?)?;
        client.marks().await?;
        Ok(client)
    }

    /// A client of the lab at these endpoints.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] when the admin URL is not one of a lab.
    pub fn new(endpoints: Endpoints) -> Result<Self> {
        let admin = endpoints.admin.strip_prefix("http://").and_then(|address| address.parse().ok());
        let admin = admin.ok_or_else(|| {
            Error::new(ErrorKind::Invalid, format!("{:?} is no admin endpoint of a lab", endpoints.admin))
        })?;
        let clock: SharedClock = Arc::new(endpoints.clock());
        Ok(Self { endpoints, admin, clock, machine: Arc::new(SystemClock::new()) })
    }

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
        let mut connection = Connection::open(self.machine.as_ref(), self.admin, LIMIT).await.map_err(|e| {
            fail(ErrorKind::Unavailable, format!("the lab does not answer: {e}")).with_effect(Effect::NotApplied)
        })?;
        let response = connection
            .call(self.machine.as_ref(), request, LIMIT)
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
        self.get("/state").await
    }

    async fn clients(&self, window: Window) -> Result<ClientReport> {
        let parameters = [("from_s", window.from_s), ("to_s", window.to_s)];
        let query: Vec<_> =
            parameters.iter().filter_map(|(name, value)| value.map(|value| format!("{name}={value}"))).collect();
        self.get(&format!("/clients?{}", query.join("&"))).await
    }

    async fn audit(&self, since_s: Option<f64>) -> Result<Audit> {
        match since_s {
            Some(since_s) => self.get(&format!("/audit?since_s={since_s}")).await,
            None => self.get("/audit").await,
        }
    }

    async fn effects(&self) -> Result<Vec<EffectRecord>> {
        self.get("/effects").await
    }

    async fn inject(&self, request: &FaultRequest) -> Result<Mark> {
        self.post("/faults", request).await
    }

    async fn heal(&self) -> Result<Mark> {
        self.call(Method::DELETE, "/faults", Bytes::new()).await
    }

    async fn set_lag(&self, lag: Duration) -> Result<()> {
        let lag_ms = u64::try_from(lag.as_millis()).unwrap_or(u64::MAX);
        let _: LagRequest = self.post("/lag", &LagRequest { lag_ms }).await?;
        Ok(())
    }

    async fn mark(&self, label: &str) -> Result<Mark> {
        self.post("/marks", &MarkRequest { label: label.to_owned() }).await
    }

    async fn marks(&self) -> Result<Vec<Mark>> {
        self.get("/marks").await
    }
}
