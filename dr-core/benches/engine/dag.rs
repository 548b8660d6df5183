use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Layers of steps, each of which waits for every step of the layer before: the form that our peer's builder knows.
#[derive(Clone, Debug)]
pub(crate) struct Layers {
    pub(crate) name: &'static str,
    pub(crate) widths: Vec<usize>,
}

impl Layers {
    /// One after another.
    pub(crate) fn chain(steps: usize) -> Self {
        Self { name: "chain", widths: vec![1; steps] }
    }

    /// One, then all the others at once but the last.
    pub(crate) fn fan(steps: usize) -> Self {
        Self { name: "fan", widths: vec![1, steps.saturating_sub(2), 1] }
    }

    /// Layers of 1 to 20 steps, drawn from the seed; the last is of one.
    pub(crate) fn random(steps: usize, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (mut widths, mut left) = (Vec::new(), steps.saturating_sub(1));
        while left > 0 {
            let width = random.random_range(1..=20).min(left);
            widths.push(width);
            left -= width;
        }
        widths.push(1);
        Self { name: "random layers", widths }
    }

    pub(crate) fn steps(&self) -> usize {
        self.widths.iter().sum()
    }

    /// For each step, the steps that it waits for.
    pub(crate) fn after(&self) -> Vec<Vec<usize>> {
        let (mut after, mut before) = (Vec::new(), 0..0);
        for width in &self.widths {
            let first = after.len();
            after.extend(std::iter::repeat_n(before.collect::<Vec<_>>(), *width));
            before = first..after.len();
        }
        after
    }
}

/// A graph in which each step waits for up to three of the fifty before it, and its steps' durations in milliseconds.
pub(crate) fn random(steps: usize, seed: u64) -> (Vec<Vec<usize>>, Vec<u64>) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut graph = Vec::with_capacity(steps);
    let mut takes = Vec::with_capacity(steps);
    for at in 0..steps {
        let wanted = if at == 0 { 0 } else { random.random_range(0..=3) };
        let mut after: Vec<usize> = (0..wanted).map(|_| random.random_range(at.saturating_sub(50)..at)).collect();
        after.sort_unstable();
        after.dedup();
        graph.push(after);
        takes.push(random.random_range(1..=60_000));
    }
    (graph, takes)
}
