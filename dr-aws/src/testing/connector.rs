use std::io;

use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::Response as SmithyResponse,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use dr_core::model::RegionId;
use http_body_util::BodyExt as _;

use super::{World, dispatch::Reply};

/// The Rust SDK's way into a world without a socket: requests go straight to the dispatcher.
///
/// Give it to the configuration of a client of `region`; the endpoint that the client resolves does not matter.
#[derive(Clone, Debug)]
pub struct WorldHttpClient {
    world: World,
    region: RegionId,
}

impl World {
    /// An HTTP client whose every request arrives at the endpoint of `region`.
    #[must_use]
    pub fn http_client(&self, region: &RegionId) -> SharedHttpClient {
        SharedHttpClient::new(WorldHttpClient { world: self.clone(), region: region.clone() })
    }
}

impl HttpClient for WorldHttpClient {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for WorldHttpClient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self { world, region } = self.clone();
        HttpConnectorFuture::new(async move {
            let (parts, body) =
                request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?.into_parts();
            let body: Bytes = body.collect().await.map_err(ConnectorError::user)?.to_bytes();
            match world.dispatch(&region, http::Request::from_parts(parts, body)).await {
                Reply::Answer(response) => answer(response),
                Reply::Refused => {
                    Err(ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionRefused).into()).never_connected())
                }
                Reply::Broken => Err(ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionReset).into())),
            }
        })
    }
}

fn answer(response: http::Response<Bytes>) -> Result<HttpResponse, ConnectorError> {
    SmithyResponse::try_from(response.map(SdkBody::from)).map_err(|error| ConnectorError::user(error.into()))
}
