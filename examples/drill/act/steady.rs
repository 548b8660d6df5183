use std::time::Duration;

use dr_core::{
    detect::Verdict,
    report::MomentKind,
    validation::{CheckCx, Finding, Severity},
};

use crate::{drill::Drill, exit::Stop};

/// How long the observers may take to find everything well.
const PATIENCE: Duration = Duration::from_secs(240);
/// How long clients are watched before anything is broken.
const BASELINE: Duration = Duration::from_secs(30);

/// Sees that everything is well before it is broken, and remembers what it looked like.
pub(crate) async fn steady(drill: &mut Drill) -> Result<(), Stop> {
    drill.narrator.act("Steady state");
    let active = drill.platform.active()?;
    let standby = drill.platform.standby()?;
    let deadline = drill.clock.monotonic() + PATIENCE;
    loop {
        let standings = drill.standings.borrow().clone();
        let verdict = |region| standings.get(region).map_or(Verdict::Unknown, |standing| standing.verdict);
        // The standby takes no orders while it stands by, so it is well when it is seen and not lost.
        let standby_seen = !matches!(verdict(&standby), Verdict::Unknown | Verdict::Unhealthy);
        if verdict(&active) == Verdict::Healthy && standby_seen {
            break;
        }
        if drill.clock.monotonic() > deadline {
            let why: Vec<String> = standings.values().map(|standing| standing.why.clone()).collect();
            return Err(Stop::stopped(format!("the stack is not well, so nothing was broken: {}", why.join("; "))));
        }
        drill.clock.sleep(Duration::from_secs(1)).await;
    }
    preflight(drill).await?;
    drill.clock.sleep(BASELINE).await;
    drill.diary.before = Some(drill.lab.state().await?);
    let (at, message) = (drill.now_s(), format!("{active} serves, {standby} stands by, clients write"));
    drill.note(at, MomentKind::Note, Some(&active), message);
    Ok(())
}

/// How often the preflight looks before it believes what it found: one slow answer is no reason to call a drill off.
const LOOKS: u32 = 3;
/// Between two looks.
const BETWEEN: Duration = Duration::from_secs(10);

/// Runs every driver's validations: what must be true before anyone needs it.
async fn preflight(drill: &mut Drill) -> Result<(), Stop> {
    let mut blocking = 0;
    for look in 1..=LOOKS {
        let findings = look_once(drill).await?;
        blocking = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        for finding in &findings {
            drill.narrator.say("preflight", &finding.to_string());
        }
        drill.narrator.say("preflight", &format!("{} finding(s), {blocking} of them blocking", findings.len()));
        drill.diary.preflight = findings;
        if blocking == 0 {
            return Ok(());
        }
        if look < LOOKS {
            drill.clock.sleep(BETWEEN).await;
        }
    }
    Err(Stop::stopped(format!(
        "the preflight found {blocking} thing(s) that would make a failover fail, so nothing was broken"
    )))
}

async fn look_once(drill: &Drill) -> Result<Vec<Finding>, Stop> {
    let mut findings = Vec::new();
    for resource in drill.platform.topology.resources() {
        let Some(driver) = drill.platform.drivers.get(&resource.kind) else { continue };
        for validation in driver.validations(resource)? {
            let cx = CheckCx { topology: &drill.platform.topology, clock: drill.clock.clone() };
            match validation.check(&cx).await {
                Ok(found) => findings.extend(found),
                Err(error) => drill.narrator.say("preflight", &format!("{} could not look: {error}", validation.id())),
            }
        }
    }
    Ok(findings)
}
