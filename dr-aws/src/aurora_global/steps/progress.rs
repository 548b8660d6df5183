//! How far a promotion has come, as the two describes tell it together.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    time::Duration,
};

use dr_core::{
    error::{Error, ErrorKind, Result},
    model::RegionId,
    step::{Observed, StepCx},
};
use serde_json::{Value, json};

use super::Route;
use crate::aurora_global::{
    api::Api,
    view::{ClusterView, GlobalView},
};

/// How often progress is looked for. Describes are cheap, and a failover's seconds are not.
pub(super) const EVERY: Duration = Duration::from_secs(3);
/// How many looks in a row may say that nothing runs before that is believed: a minute before anything was seen to run,
/// as a describe can lag far behind the call that it follows, and a few seconds afterwards.
const IDLE_LOOKS: (u32, u32) = (20, 4);

/// How far `route.to` has come on its way to be the writer, seen from the endpoint of `at`.
pub(super) async fn observe(api: &Api, at: &RegionId, route: &Route) -> Result<Observed<()>> {
    let global = api.global(at, &route.global_cluster).await?;
    // The cluster itself is known only to its own region.
    let cluster = api.cluster(&route.to_region, &route.to).await?;
    Ok(judge(&global, &cluster, route))
}

/// The completion predicate: nothing in progress, the target is the writer, and its cluster is available.
pub(super) fn judge(global: &GlobalView, cluster: &ClusterView, route: &Route) -> Observed<()> {
    let blocked = |reason: String| Observed::Blocked { reason };
    let Some(member) = global.member(&route.to) else {
        return blocked(format!("{} is not a member of global cluster {}", route.to, route.global_cluster));
    };
    match &global.transfer {
        Some(transfer) if !transfer.goes_to(&route.to) => blocked(format!(
            "global cluster {} is {} towards {}",
            route.global_cluster,
            transfer.status,
            transfer.to.as_deref().unwrap_or("an unknown cluster")
        )),
        // Of either kind: one that is not ours ends by itself as well, and then the next look tells what is left to do.
        Some(_) => Observed::InFlight,
        None if member.is_writer && cluster.status == "available" => Observed::Done { output: () },
        None if member.is_writer => Observed::InFlight,
        None => match member.sync.as_deref() {
            Some("connected") | None => Observed::NotStarted,
            Some(other) => blocked(format!("{} is {other}: it cannot be promoted until it is connected", route.to)),
        },
    }
}

/// Makes of a refusal what it may well be: the news that an earlier request, whose reply was lost, is being carried out.
pub(super) async fn accepted(asked: Result<()>, api: &Api, at: &RegionId, route: &Route) -> Result<()> {
    match asked {
        Err(error) if error.kind() == ErrorKind::PreconditionFailed => match observe(api, at, route).await {
            Ok(Observed::InFlight | Observed::Done { .. }) => Ok(()),
            _ => Err(error),
        },
        other => other,
    }
}

/// Waits for the end of what was asked for.
pub(super) async fn wait(cx: &StepCx, api: &Api, at: &RegionId, route: &Route) -> Result<()> {
    let moved = AtomicBool::new(false);
    let idle = AtomicU32::new(0);
    cx.poll_until(EVERY, || async {
        match observe(api, at, route).await? {
            Observed::Done { output: () } => Ok(Some(())),
            Observed::InFlight => {
                moved.store(true, Ordering::Relaxed);
                idle.store(0, Ordering::Relaxed);
                Ok(None)
            }
            Observed::NotStarted => {
                let (patience, what) = match moved.load(Ordering::Relaxed) {
                    true => (IDLE_LOOKS.1, "ended without a promotion"),
                    false => (IDLE_LOOKS.0, "did not begin"),
                };
                if idle.fetch_add(1, Ordering::Relaxed) < patience {
                    return Ok(None);
                }
                Err(Error::new(
                    ErrorKind::PostconditionFailed,
                    format!("the request to promote {} was accepted and {what}; see the cluster's events", route.to),
                ))
            }
            Observed::Blocked { reason } => Err(Error::new(ErrorKind::PreconditionFailed, reason)),
        }
    })
    .await
}

/// What stood before: who wrote, and when it was asked.
pub(super) async fn before_image(cx: &StepCx, api: &Api, at: &RegionId, route: &Route) -> Result<Option<Value>> {
    let global = api.global(at, &route.global_cluster).await?;
    let members = global.members.iter().map(
        |member| json!({ "arn": member.arn, "is_writer": member.is_writer, "synchronization_status": member.sync }),
    );
    Ok(Some(json!({
        "at": cx.clock.wall(),
        "writer": global.writer().map(|writer| writer.arn.clone()),
        "members": members.collect::<Vec<_>>(),
    })))
}

/// Looks with other eyes: the cluster has an available instance, and one of its instances writes.
pub(super) async fn verify(api: &Api, route: &Route) -> Result<()> {
    let failed = |message: String| Error::new(ErrorKind::PostconditionFailed, message);
    let instances = api.available_instances(&route.to_region, &route.to).await?;
    if instances == 0 {
        return Err(failed(format!("{} has no available instance", route.to)));
    }
    let cluster = api.cluster(&route.to_region, &route.to).await?;
    if !cluster.has_writer_instance {
        return Err(failed(format!("no instance of {} is a writer", route.to)));
    }
    Ok(())
}
