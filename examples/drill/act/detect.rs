use std::time::Duration;

use dr_core::{
    detect::{Standing, Verdict},
    error::Error,
    model::RegionId,
    probe::ProbeCx,
    report::MomentKind,
};
use dr_lab::FaultPreset;

use super::{decide::ask_the_policy, warm::meanwhile};
use crate::{diary::Prewarm, drill::Drill, exit::Stop};

/// How long detection may take before the drill gives up.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long the observers may take to find out where the standby region stands.
const KNOWN_WITHIN: Duration = Duration::from_secs(60);
/// Between two looks at a control plane, and how many in a row must fail.
const EVERY: Duration = Duration::from_secs(10);
const TRIP: u32 = 3;

/// Waits until the loss is noticed, by nothing but what can be seen from outside.
pub(crate) async fn detect(drill: &mut Drill) -> Result<(), Stop> {
    drill.narrator.act("Detection");
    let region = drill.diary.region.clone();
    let (at_s, why) = match (drill.diary.fault, drill.diary.prewarm) {
        (FaultPreset::ControlPlane, _) => control_plane(drill).await?,
        (_, Some(Prewarm::With)) => {
            let (found, warmed) = meanwhile(drill, verdict(drill)).await?;
            drill.diary.warmed = warmed;
            found?
        }
        _ => verdict(drill).await?,
    };
    drill.hear();
    drill.diary.detected_s = Some(at_s);
    let after = drill.diary.fault_s.map_or(0.0, |fault| at_s - fault);
    drill.note(
        at_s,
        MomentKind::Decided,
        Some(&region),
        format!("leave {region}, {after:.0} s after the fault: {why}"),
    );
    let standby = drill.platform.standby()?;
    match standing_of(drill, &standby).await {
        Some(standing) if matches!(standing.verdict, Verdict::Unhealthy | Verdict::Unknown) => {
            Err(Stop::stopped(format!("never toward a region that is not known to be well: {}", standing.why)))
        }
        _ => ask_the_policy(drill).await,
    }
}

/// Where a region stands, as soon as it is known: a drill that was taken up has only just begun to look, and may learn of
/// the loss before it has heard of the other region.
async fn standing_of(drill: &Drill, region: &RegionId) -> Option<Standing> {
    let mut standings = drill.standings.clone();
    let known = standings.wait_for(|all| all.get(region).is_some_and(|standing| standing.verdict != Verdict::Unknown));
    // Nobody can say in time: then that is what is known of it.
    let _ = dr_core::time::timeout(&*drill.clock, KNOWN_WITHIN, known).await;
    drill.standings.borrow().get(region).cloned()
}

/// The quorum's verdict on the region.
async fn verdict(drill: &Drill) -> Result<(f64, String), Stop> {
    let region = drill.diary.region.clone();
    let mut standings = drill.standings.clone();
    let unhealthy =
        standings.wait_for(|all| all.get(&region).is_some_and(|standing| standing.verdict == Verdict::Unhealthy));
    let found = dr_core::time::timeout(&*drill.clock, PATIENCE, unhealthy).await;
    match found {
        Ok(Ok(all)) => Ok(all.get(&region).map_or((0.0, String::new()), |standing| {
            (standing.since.since_origin().as_secs_f64(), standing.why.clone())
        })),
        Ok(Err(_)) => Err(Stop::stopped("nobody watches any more")),
        Err(_) => {
            let why = drill.standings.borrow().get(&region).map(|standing| standing.why.clone()).unwrap_or_default();
            Err(Stop::stopped(format!("the loss was not noticed within {} s: {why}", PATIENCE.as_secs())))
        }
    }
}

/// The region's API, which no client sees: its application may be well, and leaving it is an operator's decision. The
/// drill decides as the runbook would, when every look fails three times in a row.
async fn control_plane(drill: &mut Drill) -> Result<(f64, String), Stop> {
    let region = drill.diary.region.clone();
    let mut probes = Vec::new();
    for resource in drill.platform.topology.resources() {
        let Some(driver) = drill.platform.drivers.get(&resource.kind) else { continue };
        let found = driver.probes(resource)?;
        probes.extend(found.into_iter().filter(|probe| probe.subject().region == region));
    }
    let deadline = drill.clock.monotonic() + PATIENCE;
    let cx = ProbeCx::new(drill.clock.clone());
    let mut streak = 0;
    loop {
        let looks = futures::future::join_all(probes.iter().map(|probe| probe.probe(&cx))).await;
        let lost: Vec<String> = probes
            .iter()
            .zip(looks)
            .filter_map(|(probe, look)| {
                let why = match look {
                    Ok(reading) if reading.is_healthy() => return None,
                    Ok(reading) => reading.reason,
                    Err(error) => Error::to_string(&error),
                };
                Some(format!("{}: {why}", probe.subject().probe))
            })
            .collect();
        streak = if lost.is_empty() { 0 } else { streak + 1 };
        if let Some(first) = lost.first() {
            drill.narrator.say("control plane", &format!("look {streak} of {TRIP} failed: {first}"));
        }
        if streak >= TRIP {
            let why = format!("its control plane failed {TRIP} looks in a row ({})", lost.join("; "));
            return Ok((drill.now_s(), why));
        }
        if drill.clock.monotonic() > deadline {
            return Err(Stop::stopped(format!("the loss of {region}'s control plane was not noticed")));
        }
        drill.clock.sleep(EVERY).await;
    }
}
