use async_trait::async_trait;
use dr_core::{
    error::{ErrorKind, Result},
    model::VantageId,
    probe::{HealthProbe, Latency, ProbeCx, Reading, Subject},
};

use super::{DnsQuery, RecordType};

/// Whether the authority answers the public name at all.
#[derive(Clone, Debug)]
pub struct PublicName {
    subject: Subject,
    vantage: VantageId,
    query: DnsQuery,
}

impl PublicName {
    /// A probe that asks one authoritative server.
    #[must_use]
    pub fn new(subject: Subject, vantage: VantageId, server: String, name: String, record_type: RecordType) -> Self {
        Self { subject, vantage, query: DnsQuery { server, name, record_type } }
    }
}

#[async_trait]
impl HealthProbe for PublicName {
    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn vantage(&self) -> &VantageId {
        &self.vantage
    }

    async fn probe(&self, cx: &ProbeCx) -> Result<Reading> {
        let started = cx.clock().monotonic();
        let answer = self.query.ask(&**cx.clock()).await;
        let latency = Latency::of(cx.clock().monotonic().since(started));
        match answer {
            Ok(answer) if answer.addresses.is_empty() => {
                Ok(Reading::unhealthy(latency, format!("{} has no address", self.query.name)))
            }
            Ok(answer) => Ok(Reading::healthy(latency, format!("{} is {:?}", self.query.name, answer.addresses))),
            Err(error) if error.kind() == ErrorKind::Invalid => Err(error),
            Err(error) => Ok(Reading::unhealthy(latency, error.to_string())),
        }
    }
}
