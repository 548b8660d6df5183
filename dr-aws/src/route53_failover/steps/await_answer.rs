use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use async_trait::async_trait;
use dr_core::{
    error::{Error, ErrorKind, Result},
    plan::Call,
    step::{Observed, Reversibility, Step, StepCx},
    time::{Clock, Timestamp},
};
use futures::future::join_all;
use serde::{Deserialize, Serialize};

use crate::route53_failover::{DnsQuery, RecordType};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(2);

/// The name that moves, and where to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwaitAnswerParams {
    /// The public name.
    pub record: String,
    /// The type asked for.
    pub record_type: RecordType,
    /// The authoritative servers; all of them must have moved.
    pub name_servers: Vec<String>,
    /// The name of the region that shall be answered.
    pub wanted: String,
    /// The name of the region that shall no longer be answered.
    pub unwanted: String,
}

/// When the answer had moved, and what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerEvidence {
    /// When the last server had moved.
    pub flipped_at: Timestamp,
    /// The addresses that are answered now.
    pub addresses: BTreeSet<IpAddr>,
    /// How long resolvers keep an answer; old answers live that long after the flip.
    pub ttl: Duration,
}

/// Waits until every authoritative server answers the wanted region and none the other.
///
/// A load balancer's addresses change, so the answer is compared with what the region's own name resolves to at the same
/// servers at the same time: a non-empty subset of the wanted region's, disjoint from the other's.
#[derive(Clone, Copy, Debug, Default)]
pub struct AwaitAnswer;

impl AwaitAnswer {
    async fn look(params: &AwaitAnswerParams, clock: &dyn Clock) -> Result<Option<AnswerEvidence>> {
        let ask = |server: &str, name: &str| {
            let query = DnsQuery { server: server.to_owned(), name: name.to_owned(), record_type: params.record_type };
            async move { query.ask(clock).await }
        };
        let looks = params.name_servers.iter().map(|server| async move {
            let (public, wanted, unwanted) =
                futures::join!(ask(server, &params.record), ask(server, &params.wanted), ask(server, &params.unwanted));
            Ok::<_, Error>((public?, wanted?, unwanted?))
        });
        let mut addresses = BTreeSet::new();
        let mut ttl = Duration::ZERO;
        for look in join_all(looks).await {
            let (public, wanted, unwanted) = look?;
            let moved = !public.addresses.is_empty()
                && public.addresses.is_subset(&wanted.addresses)
                && public.addresses.is_disjoint(&unwanted.addresses);
            if !moved {
                return Ok(None);
            }
            addresses.extend(public.addresses);
            ttl = ttl.max(public.ttl);
        }
        Ok((!addresses.is_empty()).then(|| AnswerEvidence { flipped_at: clock.wall(), addresses, ttl }))
    }
}

#[async_trait]
impl Step for AwaitAnswer {
    const KIND: &'static str = "aws.route53_failover/await-answer";
    type Params = AwaitAnswerParams;
    type Output = AnswerEvidence;

    fn reversibility(&self) -> Reversibility {
        Reversibility::ReadOnly
    }

    fn calls(&self, _: &AwaitAnswerParams) -> Vec<Call> {
        // DNS answers come from Route 53's globally distributed data plane, which no region's loss takes away.
        Vec::new()
    }

    async fn observe(&self, cx: &StepCx, params: &AwaitAnswerParams) -> Result<Observed<AnswerEvidence>> {
        Ok(match Self::look(params, &*cx.clock).await? {
            Some(output) => Observed::Done { output },
            None => Observed::NotStarted,
        })
    }

    async fn execute(&self, cx: &StepCx, params: &AwaitAnswerParams) -> Result<AnswerEvidence> {
        let evidence = cx.poll_until(EVERY, || Self::look(params, &*cx.clock)).await?;
        cx.progress(format!("{} answers {:?}", params.record, evidence.addresses));
        Ok(evidence)
    }

    async fn verify(&self, cx: &StepCx, params: &AwaitAnswerParams, _: &AnswerEvidence) -> Result<()> {
        match Self::look(params, &*cx.clock).await? {
            Some(_) => Ok(()),
            None => Err(Error::new(
                ErrorKind::PostconditionFailed,
                format!("{} moved to {} and moved away again", params.record, params.wanted),
            )),
        }
    }

    async fn compensate(&self, _: &StepCx, _: &AwaitAnswerParams, _: Option<&AnswerEvidence>) -> Result<()> {
        Ok(())
    }
}
