/// How many looks may run at once: some kept for each lane, the rest for whoever needs them.
///
/// A lane is one vantage looking at one region. A region that swallows packets holds each slot for a whole timeout. It may
/// fill its own and all that are shared, and never those that are kept for looking at the other region: that is the region
/// one wants to know about then.
#[derive(Debug)]
pub(super) struct Slots {
    kept: usize,
    shared: usize,
    shared_in_use: usize,
    in_use: Vec<usize>,
}

impl Slots {
    /// `total` slots for `lanes` lanes: half of them kept, in equal parts; one a lane at least.
    pub(super) fn new(total: usize, lanes: usize) -> Self {
        let lanes = lanes.max(1);
        let kept = (total / (2 * lanes)).max(1);
        Self { kept, shared: total.saturating_sub(kept * lanes), shared_in_use: 0, in_use: vec![0; lanes] }
    }

    /// Takes a slot for `lane`; false when there is none for it.
    pub(super) fn take(&mut self, lane: usize) -> bool {
        let Some(in_use) = self.in_use.get_mut(lane) else { return false };
        if *in_use >= self.kept {
            if self.shared_in_use >= self.shared {
                return false;
            }
            self.shared_in_use += 1;
        }
        *in_use += 1;
        true
    }

    /// Gives back a slot of `lane`.
    pub(super) fn give_back(&mut self, lane: usize) {
        let Some(in_use) = self.in_use.get_mut(lane) else { return };
        if *in_use > self.kept {
            self.shared_in_use = self.shared_in_use.saturating_sub(1);
        }
        *in_use = in_use.saturating_sub(1);
    }

    /// Whether `lane` would get a slot.
    pub(super) fn has(&self, lane: usize) -> bool {
        self.in_use.get(lane).is_some_and(|in_use| *in_use < self.kept) || self.shared_in_use < self.shared
    }
}
