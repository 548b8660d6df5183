use std::collections::{BTreeMap, BTreeSet};

use super::Offset;
use crate::model::StepId;

/// A step as far as the critical path is concerned: when it ran, and what it had to wait for.
#[derive(Clone, Copy, Debug)]
pub struct Span<'a> {
    /// The step.
    pub id: &'a StepId,
    /// When its first attempt began.
    pub started: Offset,
    /// When it was done.
    pub ended: Offset,
    /// The steps that had to end before it.
    pub after: &'a [StepId],
}

/// The chain of steps that a run's length was made of, first to last.
///
/// It ends with the step that ended last, and before each step stands the one, of those it had to wait for, that ended
/// last: making any other step faster would not have ended the run earlier. Steps that the spans do not hold (skipped,
/// never begun) are passed over.
///
/// ```
/// use dr_core::{model::StepId, report::{Offset, Span, critical_path}};
///
/// let [fence, scale, shift] = ["fence", "scale", "shift"].map(|id| StepId::new(id).unwrap());
/// let at = Offset::from_secs;
/// let both = [fence.clone(), scale.clone()];
/// let path = critical_path(&[
///     Span { id: &fence, started: at(0.0), ended: at(4.0), after: &[] },
///     Span { id: &scale, started: at(0.0), ended: at(9.0), after: &[] },
///     Span { id: &shift, started: at(9.0), ended: at(12.0), after: &both },
/// ]);
/// assert_eq!(path, [&scale, &shift]);
/// ```
#[must_use]
pub fn critical_path<'a>(spans: &[Span<'a>]) -> Vec<&'a StepId> {
    let by_id: BTreeMap<&StepId, Span<'a>> = spans.iter().map(|span| (span.id, *span)).collect();
    let mut path = Vec::new();
    let mut seen = BTreeSet::new();
    let mut next = last_to_end(spans.iter().copied());
    while let Some(span) = next {
        // A cycle cannot come out of a plan; out of a file it can.
        if !seen.insert(span.id) {
            break;
        }
        path.push(span.id);
        next = last_to_end(span.after.iter().filter_map(|id| by_id.get(id).copied()));
    }
    path.reverse();
    path
}

/// The span that ended last; of several, the one that began last, and then the first by name.
fn last_to_end<'a>(spans: impl Iterator<Item = Span<'a>>) -> Option<Span<'a>> {
    spans.max_by(|a, b| {
        let by_end = a.ended.secs().total_cmp(&b.ended.secs());
        by_end.then(a.started.secs().total_cmp(&b.started.secs())).then(b.id.cmp(a.id))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(n: usize) -> StepId {
        StepId::new(format!("s{n}")).unwrap()
    }

    /// Runs of steps that depend on earlier ones, each begun when the last of those had ended, after a wait.
    fn runs() -> impl Strategy<Value = Vec<(StepId, f64, f64, Vec<StepId>)>> {
        let step = (0_u32..20, 0_u32..3, proptest::collection::vec(any::<prop::sample::Index>(), 0..3));
        proptest::collection::vec(step, 1..24).prop_map(|steps| {
            let mut run: Vec<(StepId, f64, f64, Vec<StepId>)> = Vec::new();
            for (length, wait, deps) in steps {
                let deps: BTreeSet<usize> = if run.is_empty() {
                    BTreeSet::new()
                } else {
                    deps.iter().map(|dep| dep.index(run.len())).collect()
                };
                let ready = deps.iter().map(|&dep| run[dep].2).fold(0.0, f64::max);
                let started = ready + f64::from(wait);
                run.push((id(run.len()), started, started + f64::from(length), deps.into_iter().map(id).collect()));
            }
            run
        })
    }

    proptest! {
        #[test]
        fn each_step_of_the_path_waited_for_the_one_before(run in runs()) {
            let spans: Vec<Span<'_>> = run
                .iter()
                .map(|(id, started, ended, after)| Span {
                    id,
                    started: Offset::from_secs(*started),
                    ended: Offset::from_secs(*ended),
                    after,
                })
                .collect();
            let span = |id: &StepId| *spans.iter().find(|span| span.id == id).unwrap();
            let path = critical_path(&spans);
            let end = spans.iter().map(|span| span.ended.secs()).fold(0.0, f64::max);
            prop_assert_eq!(span(path[path.len() - 1]).ended.secs(), end);
            prop_assert!(span(path[0]).after.is_empty());
            for pair in path.windows(2) {
                let (before, step) = (span(pair[0]), span(pair[1]));
                prop_assert!(step.after.contains(before.id));
                prop_assert!(step.after.iter().all(|dep| span(dep).ended <= before.ended));
            }
        }
    }

    #[test]
    fn nothing_ran_and_a_cycle_end_without_a_hang() {
        assert!(critical_path(&[]).is_empty());
        let (a, b) = (id(0), id(1));
        let at = Offset::from_secs;
        let (after_a, after_b) = ([b.clone()], [a.clone()]);
        let spans = [
            Span { id: &a, started: at(0.0), ended: at(1.0), after: &after_a },
            Span { id: &b, started: at(1.0), ended: at(2.0), after: &after_b },
        ];
        assert_eq!(critical_path(&spans), [&a, &b]);
    }
}
