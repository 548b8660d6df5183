use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    plan::Call,
    step::{Observed, Reversibility, Step, StepCx},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::CacheRoute;
use crate::{
    Clients,
    aurora_global::RpoEvidence,
    elasticache_global::{api::Api, operations, view::DatastoreView},
};

/// How often progress is looked for.
const EVERY: Duration = Duration::from_secs(3);
/// How many looks in a row may say that nothing runs before that is believed.
const IDLE_LOOKS: u32 = 20;

/// Makes a secondary the primary: `FailoverGlobalReplicationGroup`, in the new primary's region.
///
/// Irreversible: replication is asynchronous, and what had not arrived is gone, in a failback as well.
#[derive(Clone, Debug)]
pub struct PromoteCache {
    api: Api,
}

/// What a promotion found out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CachePromoted {
    /// The replication group that is primary now.
    pub primary: String,
    /// What is known of the writes that were lost.
    pub rpo: RpoEvidence,
}

impl PromoteCache {
    /// The step, over these clients.
    #[must_use]
    pub fn new(clients: Clients) -> Self {
        Self { api: Api::new(clients) }
    }

    async fn look(&self, route: &CacheRoute) -> Result<Observed<()>> {
        let datastore = self.api.datastore(&route.to_region, &route.datastore).await?;
        Ok(judge(&datastore, route))
    }

    async fn output(&self, cx: &StepCx, route: &CacheRoute) -> CachePromoted {
        let before = cx.before().and_then(|before| before.get("at")).and_then(|at| Timestamp::deserialize(at).ok());
        let given_up_at = before.unwrap_or_else(|| cx.clock.wall());
        let sample = match self.api.last_lag(&route.to_region, &route.to, given_up_at).await {
            Ok(sample) => sample,
            Err(error) => {
                cx.progress(format!("the lag at promotion is unknown: {error}"));
                None
            }
        };
        CachePromoted { primary: route.to.clone(), rpo: RpoEvidence::new(sample, given_up_at) }
    }
}

/// The completion predicate: the datastore is available, and the new primary has the role.
fn judge(datastore: &DatastoreView, route: &CacheRoute) -> Observed<()> {
    let blocked = |reason: String| Observed::Blocked { reason };
    let Some(member) = datastore.member(&route.to_region, &route.to) else {
        return blocked(format!("{} in {} is not a member of {}", route.to, route.to_region, route.datastore));
    };
    match datastore.status.as_str() {
        "available" if member.is_primary => Observed::Done { output: () },
        "available" if member.status != "associated" => {
            blocked(format!("{} in {} is {}: it does not hold the data yet", route.to, route.to_region, member.status))
        }
        "available" => Observed::NotStarted,
        "primary-only" if member.is_primary => Observed::Done { output: () },
        "primary-only" | "deleting" | "deleted" => blocked(format!("{} is {}", route.datastore, datastore.status)),
        // `modifying`, or a word that is not known yet: something runs, and ends by itself.
        _ => Observed::InFlight,
    }
}

#[async_trait]
impl Step for PromoteCache {
    const KIND: &'static str = "aws.elasticache_global/promote";
    type Params = CacheRoute;
    type Output = CachePromoted;

    fn reversibility(&self) -> Reversibility {
        Reversibility::Irreversible
    }

    fn calls(&self, route: &CacheRoute) -> Vec<Call> {
        let failover = operations::call(&operations::FAILOVER, route)
            .arg("GlobalReplicationGroupId", route.datastore.as_str())
            .arg("PrimaryRegion", route.to_region.as_str())
            .arg("PrimaryReplicationGroupId", route.to.as_str());
        [&operations::DESCRIBE, &operations::DESCRIBE_GROUP, &operations::LIST_METRICS, &operations::GET_METRICS]
            .into_iter()
            .map(|operation| operations::call(operation, route))
            .chain([failover])
            .collect()
    }

    fn keeps_before_image(&self) -> Option<bool> {
        Some(true)
    }

    async fn before_image(&self, cx: &StepCx, route: &CacheRoute) -> Result<Option<Value>> {
        let datastore = self.api.datastore(&route.to_region, &route.datastore).await?;
        let primary = datastore.primary().map(|member| json!({ "region": member.region, "group": member.group }));
        Ok(Some(json!({ "at": cx.clock.wall(), "primary": primary })))
    }

    async fn observe(&self, cx: &StepCx, route: &CacheRoute) -> Result<Observed<CachePromoted>> {
        Ok(match self.look(route).await? {
            Observed::Done { output: () } => Observed::Done { output: self.output(cx, route).await },
            Observed::NotStarted => Observed::NotStarted,
            Observed::InFlight => Observed::InFlight,
            Observed::Blocked { reason } => Observed::Blocked { reason },
        })
    }

    async fn execute(&self, cx: &StepCx, route: &CacheRoute) -> Result<CachePromoted> {
        cx.progress(format!("asking {} to promote {}", route.to_region, route.to));
        match self.api.failover(&route.datastore, &route.to_region, &route.to).await {
            // "Not available" may well be the news that an earlier request, whose reply was lost, is being carried out.
            Err(error) if matches!(error.kind(), ErrorKind::PreconditionFailed | ErrorKind::Invalid) => {
                match self.look(route).await {
                    Ok(Observed::InFlight | Observed::Done { .. }) => {}
                    _ => return Err(error),
                }
            }
            asked => asked?,
        }
        let idle = AtomicU32::new(0);
        cx.poll_until(EVERY, || async {
            match self.look(route).await? {
                Observed::Done { output: () } => Ok(Some(())),
                Observed::InFlight => {
                    idle.store(0, Ordering::Relaxed);
                    Ok(None)
                }
                // A describe can lag behind the call that it follows: idle is believed only when it stays so.
                Observed::NotStarted if idle.fetch_add(1, Ordering::Relaxed) < IDLE_LOOKS => Ok(None),
                Observed::NotStarted => Err(Error::new(
                    ErrorKind::PostconditionFailed,
                    format!("the request to promote {} was accepted and came to nothing", route.to),
                )),
                Observed::Blocked { reason } => Err(Error::new(ErrorKind::PreconditionFailed, reason)),
            }
        })
        .await?;
        Ok(self.output(cx, route).await)
    }

    async fn verify(&self, _cx: &StepCx, route: &CacheRoute, _output: &CachePromoted) -> Result<()> {
        let (status, nodes) = self.api.group(&route.to_region, &route.to).await?;
        if status == "available" && nodes > 0 {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::PostconditionFailed,
            format!("replication group {} in {} is {status} with {nodes} node(s)", route.to, route.to_region),
        ))
    }

    async fn compensate(&self, _cx: &StepCx, route: &CacheRoute, _output: Option<&CachePromoted>) -> Result<()> {
        Err(Error::new(
            ErrorKind::Unsupported,
            format!("the promotion of {} cannot be taken back: fail back with another", route.to),
        )
        .with_effect(Effect::NotApplied))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elasticache_global::view::CacheMember;

    fn route() -> CacheRoute {
        CacheRoute {
            datastore: "ldgnf-carts".to_owned(),
            from_region: "us-east-1".parse().unwrap(),
            from: "carts-use1".to_owned(),
            to_region: "eu-west-1".parse().unwrap(),
            to: "carts-euw1".to_owned(),
        }
    }

    fn seen(status: &str, is_primary: bool, member: &str) -> Observed<()> {
        let member = CacheMember {
            region: "eu-west-1".to_owned(),
            group: "carts-euw1".to_owned(),
            is_primary,
            status: member.to_owned(),
        };
        judge(&DatastoreView { status: status.to_owned(), engine_version: None, members: vec![member] }, &route())
    }

    #[test]
    fn it_is_over_only_when_available_and_primary() {
        assert_eq!(seen("available", true, "associated"), Observed::Done { output: () });
        assert_eq!(seen("modifying", true, "associated"), Observed::InFlight);
        assert_eq!(seen("a-new-word", false, "associated"), Observed::InFlight);
        assert_eq!(seen("available", false, "associated"), Observed::NotStarted);
        assert!(matches!(seen("available", false, "associating"), Observed::Blocked { .. }));
        assert!(matches!(seen("primary-only", false, "associated"), Observed::Blocked { .. }));
    }
}
