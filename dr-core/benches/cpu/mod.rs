//! Processor time, which a busy machine does not stretch.

use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

/// What this process has used so far, all its threads together.
pub(crate) fn spent() -> Duration {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(tv_sec.unsigned_abs(), u32::try_from(tv_nsec).unwrap_or_default())
}
