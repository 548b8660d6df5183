//! Who comes before whom.

use std::collections::BTreeMap;

use crate::plan::Plan;

/// A set of steps, by position in the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StepSet(Vec<u64>);

impl StepSet {
    pub(super) fn empty(steps: usize) -> Self {
        Self(vec![0; steps.div_ceil(64)])
    }

    pub(super) fn insert(&mut self, step: usize) {
        if let Some(word) = self.0.get_mut(step / 64) {
            *word |= 1 << (step % 64);
        }
    }

    pub(super) fn contains(&self, step: usize) -> bool {
        self.0.get(step / 64).is_some_and(|word| word & (1 << (step % 64)) != 0)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Keeps what is in `other` as well.
    fn retain(&mut self, other: &Self) {
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word &= more;
        }
    }

    fn iter(&self) -> impl Iterator<Item = usize> {
        let bits = |(at, word): (usize, &u64)| {
            let word = *word;
            (0..64).filter(move |bit| word & (1 << bit) != 0).map(move |bit| at * 64 + bit)
        };
        self.0.iter().enumerate().filter(|(_, word)| **word != 0).flat_map(bits)
    }
}

/// The edges of a plan, flat. Questions about ancestors are answered for a whole set of steps at once, in one pass over
/// the edges: nobody keeps the ancestors of every step, which are a hundred million pairs in a plan of ten thousand.
#[derive(Clone, Debug)]
pub(super) struct Graph {
    /// Where each step's edges begin in `before`; one more than there are steps.
    starts: Vec<usize>,
    before: Vec<usize>,
}

impl Graph {
    pub(super) fn new(plan: &Plan) -> Self {
        let steps = plan.steps();
        let mut graph = Self { starts: Vec::with_capacity(steps.len() + 1), before: Vec::with_capacity(steps.len()) };
        graph.starts.push(0);
        for step in steps {
            graph.before.extend(step.after.iter().filter_map(|id| plan.position(id.as_str())));
            graph.starts.push(graph.before.len());
        }
        graph
    }

    /// How many steps there are.
    pub(super) fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// The steps that a step waits for directly.
    pub(super) fn before(&self, step: usize) -> &[usize] {
        match (self.starts.get(step), self.starts.get(step + 1)) {
            (Some(from), Some(to)) => self.before.get(*from..*to).unwrap_or_default(),
            _ => &[],
        }
    }

    /// A set of these steps.
    pub(super) fn set(&self, steps: impl IntoIterator<Item = usize>) -> StepSet {
        let mut set = StepSet::empty(self.len());
        steps.into_iter().for_each(|step| set.insert(step));
        set
    }

    /// The steps that wait, directly or not, for at least one of these.
    pub(super) fn after_any(&self, these: &StepSet) -> StepSet {
        let mut after = StepSet::empty(self.len());
        if these.is_empty() {
            return after;
        }
        // Steps are in topological order: whatever a step waits for was settled before it.
        for step in 0..self.len() {
            if self.before(step).iter().any(|before| these.contains(*before) || after.contains(*before)) {
                after.insert(step);
            }
        }
        after
    }

    /// The steps that at least one of these waits for, directly or not.
    pub(super) fn before_any(&self, these: &StepSet) -> StepSet {
        let mut ahead = StepSet::empty(self.len());
        if these.is_empty() {
            return ahead;
        }
        for step in (0..self.len()).rev() {
            if these.contains(step) || ahead.contains(step) {
                self.before(step).iter().for_each(|before| ahead.insert(*before));
            }
        }
        ahead
    }

    /// The steps that wait, directly or not, for every one of these. All steps do when there are none.
    pub(super) fn after_all(&self, these: &StepSet) -> StepSet {
        let members: Vec<usize> = these.iter().collect();
        let mut after = self.set(0..self.len());
        // Sixty-four at a time: a word for each step says which of them it has behind it.
        for batch in members.chunks(64) {
            let mut own: BTreeMap<usize, u64> = BTreeMap::new();
            let mut all = 0;
            for (bit, step) in batch.iter().enumerate() {
                own.insert(*step, 1 << bit);
                all |= 1_u64 << bit;
            }
            let mut behind: Vec<u64> = Vec::with_capacity(self.len());
            let mut complete = StepSet::empty(self.len());
            for step in 0..self.len() {
                let word = self.before(step).iter().fold(0, |word, before| {
                    let passed = behind.get(*before).copied().unwrap_or_default();
                    word | passed | own.get(before).copied().unwrap_or_default()
                });
                if word == all {
                    complete.insert(step);
                }
                behind.push(word);
            }
            after.retain(&complete);
        }
        after
    }
}
