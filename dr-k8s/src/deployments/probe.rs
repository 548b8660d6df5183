use async_trait::async_trait;
use dr_core::{
    error::{ErrorKind, Result},
    model::VantageId,
    probe::{HealthProbe, Latency, ProbeCx, Reading, Subject},
};
use http::Request;

use crate::{ClusterAccess, Clusters};

/// Whether a cluster's API server says that it is ready.
///
/// It tells of the cluster, not of the application: the pods of a cluster whose API server is gone go on serving. It is
/// worth watching in the standby, where a failover needs it.
#[derive(Clone, Debug)]
pub struct ApiServer {
    subject: Subject,
    vantage: VantageId,
    clusters: Clusters,
    access: ClusterAccess,
}

impl ApiServer {
    /// A probe of one region's cluster.
    #[must_use]
    pub fn new(subject: Subject, vantage: VantageId, clusters: Clusters, access: ClusterAccess) -> Self {
        Self { subject, vantage, clusters, access }
    }
}

#[async_trait]
impl HealthProbe for ApiServer {
    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn vantage(&self) -> &VantageId {
        &self.vantage
    }

    async fn probe(&self, cx: &ProbeCx) -> Result<Reading> {
        let started = cx.clock().monotonic();
        let client = self.clusters.client(&self.subject.region, &self.access).await?;
        let request = Request::get("/readyz").body(Vec::new());
        let answer = match request {
            Ok(request) => self.clusters.read("k8s:get /readyz", client.request_text(request)).await,
            Err(e) => return Err(dr_core::error::Error::new(ErrorKind::Internal, e.to_string())),
        };
        let latency = Latency::of(cx.clock().monotonic().since(started));
        match answer {
            Ok(text) => Ok(Reading::healthy(latency, format!("the API server answers {:?}", text.trim()))),
            // Without permission to look, nothing was seen.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(error),
            Err(error) => Ok(Reading::unhealthy(latency, error.to_string())),
        }
    }
}
