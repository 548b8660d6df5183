use dr_core::report::MomentKind;
use dr_lab::FaultRequest;

use crate::{drill::Drill, exit::Stop};

/// Breaks the active region.
pub(crate) async fn break_region(drill: &mut Drill) -> Result<(), Stop> {
    drill.narrator.act("Fault");
    let region = drill.diary.region.clone();
    // A drill that was killed right here may have broken the region already: breaking it again would move the moment.
    if !drill.lab.state().await?.faults.is_empty() {
        let known = drill.lab.marks().await?.into_iter().rev().find(|mark| mark.label == dr_lab::control::FAULT);
        if let Some(mark) = known.filter(|mark| mark.at_s >= drill.diary.began_s) {
            return broken(drill, mark.at_s);
        }
        return Err(Stop::stopped("the lab has faults that this drill did not set: heal it first"));
    }
    let request = FaultRequest { preset: Some(drill.diary.fault), region: Some(region), ..FaultRequest::default() };
    let mark = drill.lab.inject(&request).await?;
    broken(drill, mark.at_s)
}

fn broken(drill: &mut Drill, at_s: f64) -> Result<(), Stop> {
    drill.diary.fault_s = Some(at_s);
    let ago = (drill.now_s() - at_s).max(0.0);
    let wall = drill.clock.wall().as_millis();
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of a drill")]
    let at = dr_core::time::Timestamp::from_millis(wall - (ago * 1000.0) as i64);
    drill.diary.fault_at = Some(at);
    let (region, what) = (drill.diary.region.clone(), drill.diary.fault);
    drill.note(at_s, MomentKind::Fault, Some(&region), format!("{what}: {}", story(what, region.as_str())));
    Ok(())
}

/// What happens, for somebody who was not there.
pub(crate) fn story(fault: dr_lab::FaultPreset, region: &str) -> String {
    use dr_lab::FaultPreset;
    match fault {
        FaultPreset::Refuse => format!("everything in {region} refuses connections, its API and Route 53's with it"),
        FaultPreset::Blackhole => format!("everything in {region} falls silent, its API and Route 53's with it"),
        FaultPreset::Gray => format!("{region} answers reads and health checks, and fails every order"),
        FaultPreset::ControlPlane => {
            format!("the APIs of {region} fall silent, Route 53's with them, while its application goes on")
        }
    }
}
