use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use dr_core::error::{Error, ErrorKind, Result};
use http::{Method, Request, Response, StatusCode, header};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::query::{parameters, seconds};
use crate::{
    clients::Window,
    control::LabControl,
    wire::{Answer, Door},
};

/// The body of `POST /lag`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LagRequest {
    pub(super) lag_ms: u64,
}

/// The body of `POST /marks`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MarkRequest {
    pub(super) label: String,
}

/// The body of a refusal.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Problem {
    pub(super) error: String,
}

/// Who answers at the admin endpoint.
pub(crate) struct AdminDoor {
    lab: Arc<dyn LabControl>,
}

impl AdminDoor {
    pub(crate) fn new(lab: Arc<dyn LabControl>) -> Self {
        Self { lab }
    }

    async fn serve(&self, request: &Request<Bytes>) -> Result<Response<Bytes>> {
        let lab = &self.lab;
        let parameters = parameters(request.uri().query());
        let number = |name| seconds(&parameters, name).map_err(|e| Error::new(ErrorKind::Invalid, e));
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/endpoints") => json(lab.endpoints()),
            (&Method::GET, "/state") => json(&lab.state().await?),
            (&Method::GET, "/clients") => {
                let window = Window { from_s: number("from_s")?, to_s: number("to_s")? };
                json(&lab.clients(window).await?)
            }
            (&Method::GET, "/audit") => json(&lab.audit(number("since_s")?).await?),
            (&Method::GET, "/effects") => json(&lab.effects().await?),
            (&Method::GET, "/faults") => json(&lab.state().await?.faults),
            (&Method::POST, "/faults") => json(&lab.inject(&read(request)?).await?),
            (&Method::DELETE, "/faults") => json(&lab.heal().await?),
            (&Method::POST, "/lag") => {
                let LagRequest { lag_ms } = read(request)?;
                lab.set_lag(Duration::from_millis(lag_ms)).await?;
                json(&LagRequest { lag_ms })
            }
            (&Method::GET, "/marks") => json(&lab.marks().await?),
            (&Method::POST, "/marks") => {
                let MarkRequest { label } = read(request)?;
                json(&lab.mark(&label).await?)
            }
            (method, path) => Err(Error::new(ErrorKind::NotFound, format!("there is no {method} {path}"))),
        }
    }
}

impl fmt::Debug for AdminDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminDoor").finish_non_exhaustive()
    }
}

impl Door for AdminDoor {
    async fn answer(self: Arc<Self>, request: Request<Bytes>) -> Answer {
        Answer::Reply(self.serve(&request).await.unwrap_or_else(|error| refuse(&error)))
    }
}

fn read<T: DeserializeOwned>(request: &Request<Bytes>) -> Result<T> {
    serde_json::from_slice(request.body())
        .map_err(|e| Error::new(ErrorKind::Invalid, format!("the body is not what it should be: {e}")))
}

fn json<T: Serialize + ?Sized>(value: &T) -> Result<Response<Bytes>> {
    let body = serde_json::to_vec(value)
        .map_err(|e| Error::new(ErrorKind::Internal, "the answer does not serialise").with_source(e))?;
    let mut response = Response::new(Bytes::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    Ok(response)
}

fn refuse(error: &Error) -> Response<Bytes> {
    let mut response = json(&Problem { error: error.message().to_owned() }).unwrap_or_default();
    *response.status_mut() = match error.kind() {
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    response
}
