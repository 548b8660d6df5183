use std::{
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    timetable::Timetable,
    window::{Kept, Packed, SampleWindow},
};
use crate::{
    model::VantageId,
    probe::{HealthProbe, Subject},
    time::Monotonic,
};

/// What a [`Sampler`](super::Sampler) remembers of each target, readable while it runs.
///
/// ```
/// use std::sync::Arc;
/// use dr_core::{probe::Sampler, time::SystemClock};
///
/// let sampler = Sampler::new(Arc::new(SystemClock::new()));
/// let windows = sampler.windows(); // to keep, and to read while the sampler runs elsewhere
/// for (_vantage, subject, window) in windows.iter() {
///     println!("{}: p99 {:?}", subject.probe, window.latency(0.99));
/// }
/// assert_eq!(windows.tally().looks, 0, "it does not run yet");
/// ```
#[derive(Clone, Debug, Default)]
pub struct SampleWindows(Arc<Shared>);

/// What a sampler did since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Looks that were made.
    pub looks: u64,
    /// Turns at which no look was made, since the observer could not keep up.
    pub overloaded: u64,
    /// Looks that were thrown away, and turns that went by, since the observer stood still or its clocks jumped.
    pub polluted: u64,
    /// How often the observer stood still.
    pub pauses: u64,
    /// The longest time that it stood still.
    pub longest_pause: Duration,
}

#[derive(Debug, Default)]
struct Shared {
    table: OnceLock<Table>,
    looks: AtomicU64,
    overloaded: AtomicU64,
    polluted: AtomicU64,
    pauses: AtomicU64,
    longest_pause_us: AtomicU64,
}

#[derive(Debug)]
struct Table {
    entries: Vec<Entry>,
    /// The entries' places in the order of their keys.
    by_key: Vec<u32>,
}

#[derive(Debug)]
struct Entry {
    probe: Arc<dyn HealthProbe>,
    interval: Duration,
    first: Monotonic,
    kept: Mutex<Kept>,
}

impl Entry {
    fn key(&self) -> (&VantageId, &Subject) {
        (self.probe.vantage(), self.probe.subject())
    }

    fn window(&self) -> SampleWindow {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        SampleWindow::new(self.interval, kept.unpack(self.first, self.interval))
    }
}

impl SampleWindows {
    /// The last looks at `subject` from `vantage`; none when it is not sampled, or the sampler does not run yet.
    #[must_use]
    pub fn window(&self, vantage: &VantageId, subject: &Subject) -> Option<SampleWindow> {
        let table = self.0.table.get()?;
        let entry = |place: &u32| table.entries.get(usize::try_from(*place).ok()?);
        let at = table.by_key.partition_point(|place| entry(place).is_some_and(|e| e.key() < (vantage, subject)));
        let found = entry(table.by_key.get(at)?)?;
        (found.key() == (vantage, subject)).then(|| found.window())
    }

    /// The last looks at everything, target by target.
    pub fn iter(&self) -> impl Iterator<Item = (&VantageId, &Subject, SampleWindow)> {
        let entries = self.0.table.get().map(|table| table.entries.as_slice()).unwrap_or_default();
        entries.iter().map(|entry| (entry.probe.vantage(), entry.probe.subject(), entry.window()))
    }

    /// What the sampler did so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let Shared { looks, overloaded, polluted, pauses, longest_pause_us, .. } = self.0.as_ref();
        Tally {
            looks: looks.load(Ordering::Relaxed),
            overloaded: overloaded.load(Ordering::Relaxed),
            polluted: polluted.load(Ordering::Relaxed),
            pauses: pauses.load(Ordering::Relaxed),
            longest_pause: Duration::from_micros(longest_pause_us.load(Ordering::Relaxed)),
        }
    }

    /// Makes room for the looks of these probes, all of it at once.
    pub(super) fn open(&self, probes: &[(Arc<dyn HealthProbe>, Duration)], timetable: &Timetable) {
        let mut first = vec![Monotonic::ZERO; probes.len()];
        for turn in timetable.first_turns() {
            if let Some(at) = usize::try_from(turn.target).ok().and_then(|target| first.get_mut(target)) {
                *at = turn.due;
            }
        }
        let entry = |((probe, interval), first): (&(Arc<dyn HealthProbe>, Duration), Monotonic)| Entry {
            probe: Arc::clone(probe),
            interval: *interval,
            first,
            kept: Mutex::new(Kept::new()),
        };
        let entries: Vec<Entry> = probes.iter().zip(first).map(entry).collect();
        let mut by_key: Vec<u32> = (0..u32::try_from(entries.len()).unwrap_or(u32::MAX)).collect();
        by_key.sort_by_key(|place| usize::try_from(*place).ok().and_then(|place| entries.get(place)).map(Entry::key));
        // A sampler runs once, and its windows are opened once.
        drop(self.0.table.set(Table { entries, by_key }));
    }

    pub(super) fn keep(&self, target: u32, sample: Packed) {
        let entries = self.0.table.get().map(|table| table.entries.as_slice()).unwrap_or_default();
        if let Some(entry) = usize::try_from(target).ok().and_then(|target| entries.get(target)) {
            entry.kept.lock().unwrap_or_else(PoisonError::into_inner).push(sample);
        }
    }

    pub(super) fn count_look(&self) {
        self.0.looks.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_overloaded(&self) {
        self.0.overloaded.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_polluted(&self) {
        self.0.polluted.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_pause(&self, length: Duration) {
        self.0.pauses.fetch_add(1, Ordering::Relaxed);
        let us = u64::try_from(length.as_micros()).unwrap_or(u64::MAX);
        self.0.longest_pause_us.fetch_max(us, Ordering::Relaxed);
    }
}
