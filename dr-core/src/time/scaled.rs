#![expect(clippy::disallowed_methods, reason = "this is the one room that reads the machine's clocks")]

use std::time::{Duration, Instant};

use futures::{FutureExt as _, future::BoxFuture};

use super::{Clock, Monotonic, Timestamp};

/// A clock that runs `scale` times as fast as the machine's, so that a drill of a quarter of an hour takes a minute.
///
/// Several processes share one world by building the clock from the same anchor: a scaled clock's
/// wall and monotonic time are functions of the machine's wall time, the anchor and the scale.
#[derive(Clone, Debug)]
pub struct ScaledClock {
    anchor: Timestamp,
    scale: f64,
    started: Instant,
    /// Unscaled time between the anchor and `started`.
    ahead: Duration,
}

impl ScaledClock {
    /// A clock anchored at the present moment. A scale that is not a positive number counts as 1.
    #[must_use]
    pub fn new(scale: f64) -> Self {
        Self::anchored(Timestamp(jiff::Timestamp::now()), scale)
    }

    /// A clock that agrees with every other clock of the same anchor and scale, in this process or another.
    ///
    /// `anchor` is machine wall time: the moment at which the scaled clock's wall equalled the machine's.
    #[must_use]
    pub fn anchored(anchor: Timestamp, scale: f64) -> Self {
        let scale = if scale.is_finite() && scale > 0.0 { scale } else { 1.0 };
        let ahead = Timestamp(jiff::Timestamp::now()).since(anchor);
        Self { anchor, scale, started: Instant::now(), ahead }
    }

    /// How many of this clock's seconds pass in one of the machine's.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The machine's wall time at which this clock's wall equalled it.
    #[must_use]
    pub fn anchor(&self) -> Timestamp {
        self.anchor
    }

    fn elapsed(&self) -> Duration {
        (self.ahead + self.started.elapsed()).mul_f64(self.scale)
    }
}

impl Clock for ScaledClock {
    fn wall(&self) -> Timestamp {
        self.anchor + self.elapsed()
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic::new(self.elapsed())
    }

    fn sleep(&self, d: Duration) -> BoxFuture<'static, ()> {
        tokio::time::sleep(d.div_f64(self.scale)).boxed()
    }

    fn resolution(&self) -> Duration {
        Duration::from_millis(1).mul_f64(self.scale)
    }
}
