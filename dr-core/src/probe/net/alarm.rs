use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use futures::future::BoxFuture;

use crate::time::{Clock, Monotonic};

/// The limits of one look, on one timer.
///
/// A look has several limits, one after the other, and nearly always meets them all. So the timer is set once, for the
/// soonest moment at which any of them could pass, and set again only if the look is still under way by then.
pub(super) struct Alarm<'c> {
    clock: &'c dyn Clock,
    /// No phase that begins after now has a limit shorter than this.
    shortest: Duration,
    timer: Option<(Monotonic, BoxFuture<'static, ()>)>,
}

/// A limit has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Late;

impl<'c> Alarm<'c> {
    /// For a look none of whose phases has a limit shorter than `shortest`.
    pub(super) fn new(clock: &'c dyn Clock, shortest: Duration) -> Self {
        Self { clock, shortest, timer: None }
    }

    pub(super) fn now(&self) -> Monotonic {
        self.clock.monotonic()
    }

    /// Runs `future` until it is done, or until `deadline`.
    pub(super) async fn before<F: Future>(&mut self, deadline: Monotonic, future: F) -> Result<F::Output, Late> {
        let mut future = pin!(future);
        // A timer that was set for a later moment would be too late now.
        self.timer.take_if(|(at, _)| *at > deadline);
        poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(output));
            }
            loop {
                let (_, timer) = match &mut self.timer {
                    Some(timer) => timer,
                    none => {
                        let now = self.clock.monotonic();
                        if now >= deadline {
                            return Poll::Ready(Err(Late));
                        }
                        let at = deadline.min(now + self.shortest);
                        // Once it has been worth a timer, it is worth an exact one.
                        self.shortest = Duration::MAX;
                        none.insert((at, self.clock.sleep(at.since(now))))
                    }
                };
                if timer.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                self.timer = None;
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::pending,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use futures::FutureExt as _;

    use super::*;
    use crate::time::{ManualClock, Timestamp};

    /// A manual clock that counts the timers it gives out.
    #[derive(Debug, Default)]
    struct Counted {
        clock: ManualClock,
        timers: Arc<AtomicUsize>,
    }

    impl Clock for Counted {
        fn wall(&self) -> Timestamp {
            self.clock.wall()
        }

        fn monotonic(&self) -> Monotonic {
            self.clock.monotonic()
        }

        fn sleep(&self, d: Duration) -> BoxFuture<'static, ()> {
            self.timers.fetch_add(1, Ordering::SeqCst);
            self.clock.sleep(d)
        }
    }

    const fn s(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// A future that is pending once.
    async fn soon() {
        let mut asked = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut asked, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    #[test]
    fn three_phases_that_meet_their_limits_take_one_timer() {
        let clock = Counted::default();
        let mut alarm = Alarm::new(&clock, s(2));
        for limit in [4, 2, 3] {
            let deadline = alarm.now() + s(limit);
            assert_eq!(futures::executor::block_on(alarm.before(deadline, soon())), Ok(()));
        }
        assert_eq!(clock.timers.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_future_that_is_ready_takes_none_and_wins_over_a_limit_that_has_passed() {
        let clock = Counted::default();
        let mut alarm = Alarm::new(&clock, s(2));
        assert_eq!(alarm.before(Monotonic::ZERO, async { 7 }).now_or_never(), Some(Ok(7)));
        assert_eq!(alarm.before(Monotonic::ZERO, pending::<()>()).now_or_never(), Some(Err(Late)));
        assert_eq!(clock.timers.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn each_limit_passes_when_it_should_and_not_before() {
        for (limits, ends) in [(vec![4], vec![4]), (vec![4, 2], vec![4, 6]), (vec![2, 60, 1], vec![2, 62, 63])] {
            let clock = Counted::default();
            let shortest = s(limits.iter().copied().min().unwrap());
            let mut alarm = Alarm::new(&clock, shortest);
            let mut ended = Vec::new();
            for limit in limits {
                let deadline = alarm.now() + s(limit);
                let mut waiting = Box::pin(alarm.before(deadline, pending::<()>()));
                while (&mut waiting).now_or_never().is_none() {
                    clock.clock.advance(s(1));
                }
                ended.push(clock.monotonic().since_origin().as_secs());
            }
            assert_eq!(ended, ends);
        }
    }

    #[test]
    fn a_timer_set_for_the_first_phase_is_not_too_late_for_the_second() {
        let clock = Counted::default();
        let mut alarm = Alarm::new(&clock, s(10));
        let deadline = alarm.now() + s(10);
        futures::executor::block_on(alarm.before(deadline, soon())).unwrap();
        // A limit on the whole look, which has come closer.
        let mut waiting = Box::pin(alarm.before(Monotonic::new(s(3)), pending::<()>()));
        assert_eq!((&mut waiting).now_or_never(), None);
        clock.clock.advance(s(3));
        assert_eq!(waiting.now_or_never(), Some(Err(Late)));
    }
}
