use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
};

/// What waits for what, by place.
#[derive(Debug)]
pub(super) struct Edges {
    steps: usize,
    /// What is waited for, and who waits.
    pairs: Vec<(usize, usize)>,
    /// Whether a step waits for one that stands behind it.
    backwards: bool,
}

impl Edges {
    pub(super) fn with_steps(steps: usize) -> Self {
        Self { steps, pairs: Vec::new(), backwards: false }
    }

    pub(super) fn add(&mut self, before: usize, at: usize) {
        self.backwards |= before >= at;
        self.pairs.push((before, at));
    }

    /// An order in which each step follows what it waits for, as given where the edges leave a choice; nothing when that is
    /// the order given.
    ///
    /// # Errors
    ///
    /// One cycle, which ends with the step it begins with.
    pub(super) fn order(&self) -> Result<Option<Vec<usize>>, Vec<usize>> {
        if !self.backwards {
            return Ok(None);
        }
        let mut followers: Vec<Vec<usize>> = vec![Vec::new(); self.steps];
        let mut waits = vec![0_usize; self.steps];
        for (before, at) in &self.pairs {
            if let (Some(list), Some(n)) = (followers.get_mut(*before), waits.get_mut(*at)) {
                list.push(*at);
                *n += 1;
            }
        }
        let mut ready: BinaryHeap<Reverse<usize>> =
            waits.iter().enumerate().filter(|(_, n)| **n == 0).map(|(at, _)| Reverse(at)).collect();
        let mut order = Vec::with_capacity(waits.len());
        while let Some(Reverse(at)) = ready.pop() {
            order.push(at);
            for follower in followers.get(at).into_iter().flatten() {
                if let Some(n) = waits.get_mut(*follower) {
                    *n -= 1;
                    if *n == 0 {
                        ready.push(Reverse(*follower));
                    }
                }
            }
        }
        if order.len() == waits.len() { Ok(Some(order)) } else { Err(self.cycle(&order)) }
    }

    /// One cycle among the steps that could not be ordered, for the message.
    fn cycle(&self, ordered: &[usize]) -> Vec<usize> {
        let ordered: BTreeSet<usize> = ordered.iter().copied().collect();
        let mut before: Vec<Vec<usize>> = vec![Vec::new(); self.steps];
        for (one, at) in &self.pairs {
            if let Some(list) = before.get_mut(*at) {
                list.push(*one);
            }
        }
        let Some(mut at) = (0..self.steps).find(|at| !ordered.contains(at)) else { return Vec::new() };
        let mut path: Vec<usize> = Vec::new();
        let mut seen = BTreeSet::new();
        // Every unordered step waits for another unordered one, so that walking back must come round.
        while seen.insert(at) {
            path.push(at);
            match before.get(at).into_iter().flatten().find(|before| !ordered.contains(before)) {
                Some(before) => at = *before,
                None => break,
            }
        }
        let mut round: Vec<usize> = path.into_iter().skip_while(|p| *p != at).collect();
        round.reverse();
        // Told from the step that was written first, so that equal plans give equal messages.
        let first = round.iter().enumerate().min_by_key(|(_, at)| **at).map_or(0, |(place, _)| place);
        round.rotate_left(first);
        round.extend(round.first().copied());
        round
    }
}
