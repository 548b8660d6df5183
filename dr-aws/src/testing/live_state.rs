use std::{
    fmt,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use dr_core::{
    model::{Plane, RegionId},
    testing::{Fault, FaultBoard},
    time::{Monotonic, Timestamp},
};
use tokio::sync::watch;

use super::{History, WorldCx};

/// Which planes of which regions answer, at the moment of a transition.
pub type Health<'a> = &'a dyn Fn(&RegionId, Plane) -> bool;

/// A state machine in which things also happen by themselves: after a time, or when a region comes or goes.
pub(super) trait Machine: Clone + Send + Sync + 'static {
    /// Applies everything that is due; true when anything changed.
    fn advance(&mut self, now: Monotonic, health: Health<'_>) -> bool;
    /// The next moment at which something is due.
    fn next_deadline(&self) -> Option<Monotonic>;
}

/// A machine kept up to date with the world's clock and fault board. Clones share one machine.
///
/// Every look brings it up to date first. Inside a Tokio runtime a task does so as well whenever something is due or
/// the board changes, so that a transition sees the health of its own moment and watchers hear of it at once.
pub(super) struct LiveState<M> {
    inner: Arc<Inner<M>>,
}

struct Inner<M> {
    cx: WorldCx,
    history: History<M>,
    changes: watch::Sender<u64>,
    followed: AtomicBool,
}

impl<M> Clone for LiveState<M> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<M> fmt::Debug for LiveState<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveState").finish_non_exhaustive()
    }
}

impl<M: Machine> LiveState<M> {
    pub(super) fn new(cx: WorldCx, state: M) -> Self {
        let history = History::new(cx.clock().clone(), state);
        let inner = Inner { cx, history, changes: watch::Sender::new(0), followed: AtomicBool::new(false) };
        Self { inner: Arc::new(inner) }
    }

    pub(super) fn cx(&self) -> &WorldCx {
        &self.inner.cx
    }

    /// The state at this moment.
    pub(super) fn now(&self) -> Arc<M> {
        self.follow();
        self.inner.settle();
        self.inner.history.now()
    }

    /// The state as it was at a moment: for stale reads.
    pub(super) fn at(&self, moment: Monotonic) -> Arc<M> {
        self.follow();
        self.inner.settle();
        // What was due by then was perhaps only noted later, when somebody looked.
        let mut state = M::clone(&self.inner.history.at(moment));
        let faults = self.cx().faults();
        state.advance(moment, &|region, plane| serves(faults, region, plane));
        Arc::new(state)
    }

    /// Changes the state, which is brought up to date first; a change that fails leaves it as it was.
    pub(super) fn change<R, E>(
        &self,
        change: impl FnOnce(&mut M, Monotonic, Health<'_>) -> Result<R, E>,
    ) -> Result<R, E> {
        self.follow();
        self.inner.settle();
        let now = self.cx().clock().monotonic();
        let faults = self.cx().faults();
        let result =
            self.inner.history.try_write(|state| change(state, now, &|region, plane| serves(faults, region, plane)));
        if result.is_ok() {
            self.inner.announce();
        }
        result
    }

    /// Sees a new number at each change.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.follow();
        self.inner.changes.subscribe()
    }

    /// Whether a plane of a region answers.
    pub(super) fn serves(&self, region: &RegionId, plane: Plane) -> bool {
        serves(self.cx().faults(), region, plane)
    }

    /// The wall time of a moment of the world's clock.
    pub(super) fn wall(&self, moment: Monotonic) -> Timestamp {
        let clock = self.cx().clock();
        let (wall, now) = (clock.wall(), clock.monotonic());
        let millis = |d: std::time::Duration| i64::try_from(d.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(
            wall.as_millis().saturating_sub(millis(now.since(moment))).saturating_add(millis(moment.since(now))),
        )
    }

    fn follow(&self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if !self.inner.followed.swap(true, Ordering::Relaxed) {
            runtime.spawn(follow(Arc::downgrade(&self.inner)));
        }
    }
}

impl<M: Machine> Inner<M> {
    fn settle(&self) {
        let now = self.cx.clock().monotonic();
        let faults = self.cx.faults();
        let advanced = self.history.try_write(|state| {
            if state.advance(now, &|region, plane| serves(faults, region, plane)) { Ok(()) } else { Err(()) }
        });
        if advanced.is_ok() {
            self.announce();
        }
    }

    fn announce(&self) {
        self.changes.send_modify(|version| *version += 1);
    }
}

async fn follow<M: Machine>(machine: Weak<Inner<M>>) {
    let (mut board, mut changes, clock) = match machine.upgrade() {
        Some(inner) => (inner.cx.faults().watch(), inner.changes.subscribe(), inner.cx.clock().clone()),
        None => return,
    };
    loop {
        let deadline = {
            let Some(inner) = machine.upgrade() else { return };
            inner.settle();
            board.mark_unchanged();
            changes.mark_unchanged();
            inner.history.now().next_deadline()
        };
        let due = async {
            match deadline {
                Some(deadline) => clock.sleep(deadline.since(clock.monotonic())).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            changed = board.changed() => if changed.is_err() { return },
            changed = changes.changed() => if changed.is_err() { return },
        }
    }
}

/// Slow, throttled or stale is still there; refused, black-holed or broken is not.
fn serves(faults: &FaultBoard, region: &RegionId, plane: Plane) -> bool {
    !matches!(
        faults.plane(region, plane),
        Some(
            Fault::Refuse
                | Fault::BlackHole
                | Fault::ServerError
                | Fault::ReplyLost
                | Fault::NoReply
                | Fault::LateApply { .. }
        )
    )
}
