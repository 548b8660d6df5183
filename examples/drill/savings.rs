//! What warming the standby on suspicion saves: two drills on one lab, beside each other.

use std::{fmt, fs, path::Path};

use dr_core::{
    plan::{GoalKind, Phase},
    report::{DrillReport, Offset, RunReport, spoken},
};
use serde::{Deserialize, Serialize};

use crate::{exit::Stop, measure::ended};

/// The folder of the drill that warmed nothing, inside that of the one that did.
pub(crate) const WITHOUT: &str = "without";
const FILE: &str = "drill-marks.json";

/// The moments of one drill that are compared, in seconds. What is counted from the verdict has none of the luck in it by
/// which the fault met the observers' looks sooner or later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Marks {
    /// From the fault to the verdict.
    detected_s: Option<f64>,
    /// From the verdict until every service of the standby had been seen at full size.
    full_size_s: Option<f64>,
    /// From the verdict until the standby's stores took writes.
    promoted_s: Option<f64>,
    /// From the verdict until DNS answered the standby.
    answered_s: Option<f64>,
    /// The longest gap that a client felt.
    rto_s: Option<f64>,
    /// From the fault until the standby began to be warmed, and until that was done.
    warmed_s: Option<(f64, f64)>,
    /// How many steps were done by then.
    warmed_steps: usize,
}

impl Marks {
    pub(crate) fn of(report: &DrillReport) -> Self {
        let (measured, verdict) = (&report.measured, report.measured.detect_s);
        let kind = |kind| report.runs.iter().find(|run: &&RunReport| run.goal.kind == kind);
        let failover = kind(GoalKind::Failover);
        let since = |at: Option<f64>| Some(at? - verdict?);
        let warm = kind(GoalKind::Prewarm);
        let scaled = || warm.into_iter().flat_map(|run| &run.steps).filter(|step| step.phase == Phase::Scale);
        let begun = scaled().filter_map(|step| step.started).map(Offset::secs).min_by(f64::total_cmp);
        let done = scaled().filter_map(|step| step.ended).map(Offset::secs).max_by(f64::total_cmp);
        Self {
            detected_s: verdict,
            full_size_s: since(failover.and_then(|run| ended(run, Phase::Ready))),
            promoted_s: since(measured.promote_s),
            answered_s: since(measured.dns_s),
            rto_s: measured.rto_s,
            warmed_s: begun.zip(done),
            warmed_steps: scaled().filter(|step| step.ended.is_some()).count(),
        }
    }

    pub(crate) fn write(&self, folder: &Path) -> Result<(), Stop> {
        let text = serde_json::to_string(self).map_err(|e| Stop::stopped(e.to_string()))?;
        fs::write(folder.join(FILE), text).map_err(|e| Stop::stopped(format!("the marks cannot be written: {e}")))
    }

    pub(crate) fn read(folder: &Path) -> Result<Self, Stop> {
        let file = folder.join(FILE);
        let gone = |e: String| Stop::stopped(format!("the drill to compare with is not in {}: {e}", file.display()));
        let text = fs::read_to_string(&file).map_err(|e| gone(e.to_string()))?;
        serde_json::from_str(&text).map_err(|e| gone(e.to_string()))
    }
}

/// One of the spans that are compared.
type Of = fn(&Marks) -> Option<f64>;

/// Two drills beside each other, and the seconds between them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Savings {
    without: Marks,
    with: Marks,
    /// Sooner at full size.
    full_size_saved_s: Option<f64>,
    /// Sooner with DNS, which is the sooner recovery.
    answered_saved_s: Option<f64>,
}

impl Savings {
    pub(crate) fn between(without: Marks, with: Marks) -> Self {
        let saved = |of: Of| Some(of(&without)? - of(&with)?);
        Self {
            without,
            with,
            full_size_saved_s: saved(|marks| marks.full_size_s),
            answered_saved_s: saved(|marks| marks.answered_s),
        }
    }

    /// What kept it from being more, by what was measured.
    fn held_up(&self) -> &'static str {
        match (self.with.warmed_s, self.without.full_size_s, self.without.promoted_s) {
            (None, ..) => "nothing was warmed before the verdict",
            (_, Some(full), Some(promoted)) if full <= promoted => {
                "the standby's stores took longer than its services even without: traffic waits for both"
            }
            _ => "traffic waited for the services, and waits less",
        }
    }

    pub(crate) fn sentence(&self) -> String {
        let sooner = |saved: Option<f64>| match saved {
            None => "at an unknown distance".to_owned(),
            Some(s) if s >= 0.0 => format!("{} sooner", spoken(s)),
            Some(s) => format!("{} later", spoken(-s)),
        };
        format!(
            "Counted from the verdict, with pre-warming the standby was at full size {}, and DNS answered it {}: {}.",
            sooner(self.full_size_saved_s),
            sooner(self.answered_saved_s),
            self.held_up(),
        )
    }
}

impl fmt::Display for Savings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |value: Option<f64>| value.map_or_else(|| "unknown".to_owned(), spoken);
        writeln!(
            f,
            "  {:<38} {:>14} {:>14} {:>14}",
            "Pre-warming, counted from the verdict", "without", "with", "saved"
        )?;
        let rows: [(&str, Of); 4] = [
            ("standby seen at full size", |marks| marks.full_size_s),
            ("standby takes writes", |marks| marks.promoted_s),
            ("DNS answers the standby", |marks| marks.answered_s),
            ("longest gap a client felt (from T+0)", |marks| marks.rto_s),
        ];
        for (what, of) in rows {
            let (without, with) = (of(&self.without), of(&self.with));
            let saved = without.zip(with).map(|(without, with)| format!("{:+.1} s", without - with));
            let saved = saved.unwrap_or_else(|| "unknown".to_owned());
            writeln!(f, "  {what:<38} {:>14} {:>14} {saved:>14}", said(without), said(with))?;
        }
        let verdicts = (said(self.without.detected_s), said(self.with.detected_s));
        writeln!(f, "  {:<38} {:>14} {:>14}", "the verdict itself (from T+0)", verdicts.0, verdicts.1)?;
        if let Some((begun, done)) = self.with.warmed_s {
            let (begun, done) = (Offset::from_secs(begun), Offset::from_secs(done));
            writeln!(f, "  {} step(s) were made on suspicion, from {begun} to {done}.", self.with.warmed_steps)?;
        }
        writeln!(f, "  {}", self.sentence())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(full_size: f64, promoted: f64, warmed: Option<(f64, f64)>) -> Marks {
        Marks {
            detected_s: Some(40.0),
            full_size_s: Some(full_size),
            promoted_s: Some(promoted),
            answered_s: Some(full_size.max(promoted) + 30.0),
            rto_s: Some(150.0),
            warmed_s: warmed,
            warmed_steps: usize::from(warmed.is_some()) * 6,
        }
    }

    #[test]
    fn what_is_saved_is_what_was_measured() {
        let savings = Savings::between(marks(110.0, 60.0, None), marks(50.0, 60.0, Some((12.0, 24.0))));
        assert_eq!((savings.full_size_saved_s, savings.answered_saved_s), (Some(60.0), Some(50.0)));
        assert!(savings.sentence().ends_with("traffic waited for the services, and waits less."));
        assert!(savings.to_string().contains("6 step(s) were made on suspicion, from T+12"), "{savings}");
    }

    #[test]
    fn where_nothing_is_saved_it_says_so_and_why() {
        let savings = Savings::between(marks(30.0, 60.0, None), marks(5.0, 60.0, Some((12.0, 24.0))));
        assert_eq!(savings.answered_saved_s, Some(0.0));
        assert!(savings.sentence().contains("took longer than its services even without"), "{savings}");
        let later = Savings::between(marks(30.0, 60.0, None), marks(35.0, 60.0, None));
        assert!(later.sentence().contains("later") && later.sentence().contains("nothing was warmed"), "{later}");
    }
}
