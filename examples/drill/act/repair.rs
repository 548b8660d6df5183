use std::time::Duration;

use dr_core::{detect::Verdict, report::MomentKind};

use crate::{drill::Drill, exit::Stop};

/// How long clients stay in the standby region, as they would while the other is repaired.
const STAY: Duration = Duration::from_secs(60);
/// How long the region may take to look well again.
const PATIENCE: Duration = Duration::from_secs(600);

/// The region comes back.
pub(crate) async fn repair(drill: &mut Drill) -> Result<(), Stop> {
    drill.narrator.act("The region comes back");
    let region = drill.diary.region.clone();
    if drill.diary.healed_s.is_none() {
        drill.clock.sleep(STAY).await;
        let mark = drill.lab.heal().await?;
        drill.diary.healed_s = Some(mark.at_s);
        drill.note(mark.at_s, MomentKind::RegionBack, Some(&region), format!("{region} is repaired"));
        drill.diary.write(&drill.folder)?;
    }
    let mut standings = drill.standings.clone();
    let well = standings.wait_for(|all| {
        // It takes no orders, since it is no longer the writer: that it is seen and not lost is all it can be.
        all.get(&region).is_some_and(|standing| !matches!(standing.verdict, Verdict::Unhealthy | Verdict::Unknown))
    });
    match dr_core::time::timeout(&*drill.clock, PATIENCE, well).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) => Err(Stop::stopped("nobody watches any more")),
        Err(_) => {
            Err(Stop::stopped(format!("{region} was repaired and does not look well after {} s", PATIENCE.as_secs())))
        }
    }
}
