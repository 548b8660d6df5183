use super::{
    Blocker, Facts, History, Mode, Now, Policy,
    decide::{goal, is_fit, stopped, target},
};
use crate::{
    detect::{Standing, Verdict},
    model::RunId,
    plan::Goal,
    probe::Spoken,
};

/// What to do about warming the standby.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prewarm {
    /// Nothing, and why.
    Nothing {
        /// Why.
        why: String,
    },
    /// Warm it.
    Start {
        /// What for.
        goal: Goal,
        /// Why.
        why: String,
    },
    /// It is warm; wait for what comes.
    Wait {
        /// The run that warmed it.
        run: RunId,
    },
    /// Take back what was done.
    TakeBack {
        /// The run that warmed it.
        run: RunId,
        /// Why.
        why: String,
    },
}

/// Whether there is reason to expect the verdict: some observers are against the region, or it is gray and the dwell after which
/// that counts as lost runs.
#[must_use]
pub fn is_suspected(standing: &Standing) -> bool {
    match standing.verdict {
        Verdict::Suspect => true,
        Verdict::Gray => standing.because.blocked.is_some(),
        Verdict::Healthy | Verdict::Degraded | Verdict::Unhealthy | Verdict::Unknown => false,
    }
}

/// What to do about warming the standby, by the same inputs as [`decide`](super::decide). Pure.
///
/// What is warm stays so while the region is suspected or lost, at most for as long as the policy says; it is taken back when
/// the suspicion clears or grows old. A failover that starts keeps it, which is not said here.
#[must_use]
pub fn prewarm(policy: &Policy, facts: &Facts, history: &History, now: Now) -> Prewarm {
    let nothing = |why: &str| Prewarm::Nothing { why: why.to_owned() };
    let standing = facts.standing(&facts.writer);
    let (mut stop, from) = (Vec::new(), &facts.writer);
    stopped(facts, history, &mut stop);
    let stop = stop.first().map(Blocker::to_string);
    if let Some(warm) = &history.warm {
        let back = |why: String| Prewarm::TakeBack { run: warm.run.clone(), why };
        let keep = policy.prewarm.map(|prewarm| prewarm.keep);
        return match (standing, keep) {
            _ if stop.is_some() => back(stop.unwrap_or_default()),
            (_, None) => back("the policy warms nothing any more".to_owned()),
            (_, Some(keep)) if warm.ago >= keep => back(format!("no verdict has fallen within {}", Spoken(keep))),
            (Some(standing), _) if standing.verdict == Verdict::Healthy => {
                back(format!("the suspicion has cleared: {}", standing.why))
            }
            // Served in part, or gray without being on its way to a verdict, is how some suspicions end.
            (Some(standing), _)
                if matches!(standing.verdict, Verdict::Degraded | Verdict::Gray) && !is_suspected(standing) =>
            {
                back(format!("the suspicion has cleared: {}", standing.why))
            }
            _ => Prewarm::Wait { run: warm.run.clone() },
        };
    }
    let Some(limits) = policy.prewarm else { return nothing("the policy warms nothing") };
    let Some(standing) = standing.filter(|standing| is_suspected(standing)) else {
        return nothing("the region is not suspected");
    };
    if let Some(stop) = stop {
        return Prewarm::Nothing { why: stop };
    }
    if policy.mode == Mode::Manual {
        return nothing("the policy's mode is manual");
    }
    if let Some(window) = policy.windows.iter().find(|window| window.open_for(now.wall).is_some()) {
        return Prewarm::Nothing { why: format!("a window is open in which nothing starts by itself: {window}") };
    }
    if history.open.is_some() {
        return nothing("a run of the application has not ended");
    }
    if history.warmed_lately >= limits.per_hour {
        return Prewarm::Nothing {
            why: format!("the standby was warmed {} times within the hour", history.warmed_lately),
        };
    }
    match target(policy, facts, history) {
        Some(to) if !history.left.contains(to) && facts.standing(to).is_some_and(is_fit) => {
            Prewarm::Start { goal: goal(from, to), why: standing.why.clone() }
        }
        _ => nothing("there is no region that could take over"),
    }
}
