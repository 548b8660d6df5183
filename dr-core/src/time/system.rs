#![expect(clippy::disallowed_methods, reason = "this is the one room that reads the machine's clocks")]

use std::time::{Duration, Instant};

use futures::{FutureExt as _, future::BoxFuture};

use super::{Clock, Monotonic, Timestamp};

/// The machine's clocks, as they are.
#[derive(Clone, Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock whose monotonic origin is now.
    #[must_use]
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn wall(&self) -> Timestamp {
        Timestamp(jiff::Timestamp::now())
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic::new(self.origin.elapsed())
    }

    fn sleep(&self, d: Duration) -> BoxFuture<'static, ()> {
        tokio::time::sleep(d).boxed()
    }
}
