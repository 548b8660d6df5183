use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use dr_core::{
    model::{RegionId, RunId},
    time::Timestamp,
    validation::Finding,
};
use dr_lab::{FaultPreset, StackState};
use serde::{Deserialize, Serialize};

use crate::exit::Stop;

/// How far the drill is. Each act can be begun again from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Act {
    /// Everything is well, and measured.
    Steady,
    /// The region is broken.
    Break,
    /// It is noticed.
    Detect,
    /// The plan is made and shown.
    Plan,
    /// The failover runs.
    Failover,
    /// Clients are served again; the region is repaired.
    Repair,
    /// The way back is planned and shown.
    PlanBack,
    /// The failback runs.
    Failback,
    /// The stack settles, and is compared with how it began.
    Settle,
    /// All is measured and reported.
    Report,
}

/// A moment that the report tells of, in the lab's seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Noted {
    pub(crate) at_s: f64,
    pub(crate) kind: dr_core::report::MomentKind,
    pub(crate) region: Option<RegionId>,
    pub(crate) what: String,
}

/// What a drill must remember beyond its process: everything that is not in the journal or in the lab.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Diary {
    pub(crate) act: Act,
    pub(crate) fault: FaultPreset,
    pub(crate) region: RegionId,
    pub(crate) seed: u64,
    pub(crate) time_scale: f64,
    /// The lab that the drill runs against; none for an embedded one, which dies with its drill.
    pub(crate) lab: Option<PathBuf>,
    pub(crate) began: Timestamp,
    pub(crate) began_s: f64,
    pub(crate) before: Option<StackState>,
    pub(crate) fault_s: Option<f64>,
    pub(crate) fault_at: Option<Timestamp>,
    pub(crate) detected_s: Option<f64>,
    pub(crate) failover: Option<RunId>,
    pub(crate) healed_s: Option<f64>,
    pub(crate) failback: Option<RunId>,
    pub(crate) after: Option<StackState>,
    pub(crate) differences: Vec<String>,
    pub(crate) moments: Vec<Noted>,
    pub(crate) preflight: Vec<Finding>,
    /// Of two drills that are compared: which this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) prewarm: Option<Prewarm>,
    /// The run that warmed the standby.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) warmed: Option<RunId>,
}

/// One of two drills that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Prewarm {
    /// The standby stays as it is until the verdict has fallen.
    Without,
    /// It is warmed on suspicion.
    With,
}

const FILE: &str = "drill.json";

impl Diary {
    /// Reads the diary of a folder.
    pub(crate) fn read(folder: &Path) -> Result<Self, Stop> {
        let file = folder.join(FILE);
        let text = fs::read_to_string(&file).map_err(|e| {
            Stop::usage(format!(
                "there is no drill to take up in {}: {e}; name its folder with --report",
                folder.display()
            ))
        })?;
        serde_json::from_str(&text).map_err(|e| Stop::usage(format!("{} is not a drill's diary: {e}", file.display())))
    }

    /// Writes it, whole or not at all, so that a kill at any moment leaves one that can be read.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), Stop> {
        let failed = |e: std::io::Error| Stop::stopped(format!("{} cannot be written: {e}", folder.display()));
        let text = serde_json::to_string_pretty(self).map_err(|e| Stop::stopped(e.to_string()))?;
        fs::create_dir_all(folder).map_err(failed)?;
        let beside = folder.join("drill.json.partial");
        let mut file = fs::File::create(&beside).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        fs::rename(&beside, folder.join(FILE)).map_err(failed)
    }

    /// Whether a drill was left unfinished in a folder, against a lab that may still stand.
    pub(crate) fn unfinished(folder: &Path) -> bool {
        Self::read(folder).is_ok_and(|diary| diary.lab.is_some() && diary.act != Act::Report)
    }
}
