use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A way for one call to go wrong.
///
/// Durations are in the world's own time (its `Clock`). In JSON: `{"fault":"slow","delay_ms":800}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Fault {
    /// The connection is refused or reset at once; nothing is applied.
    Refuse,
    /// The call is never answered; nothing is applied.
    BlackHole,
    /// The call is answered rightly, after this delay.
    Slow {
        /// Milliseconds of the world's time.
        delay_ms: u64,
    },
    /// The far side answers with its own words for "too many requests"; nothing is applied.
    Throttle,
    /// The far side answers with its own words for an internal error; nothing is applied.
    ServerError,
    /// The call is applied, and the connection breaks before the reply.
    ReplyLost,
    /// The call is applied, and never answered.
    NoReply,
    /// The connection breaks at once, and the call is applied after this delay all the same.
    LateApply {
        /// Milliseconds of the world's time.
        delay_ms: u64,
    },
    /// A read is answered with what was true this long ago. A write is not affected.
    StaleRead {
        /// Milliseconds of the world's time.
        age_ms: u64,
    },
}

impl Fault {
    /// A slow answer.
    #[must_use]
    pub fn slow(delay: Duration) -> Self {
        Self::Slow { delay_ms: millis(delay) }
    }

    /// A call that breaks now and is applied later.
    #[must_use]
    pub fn late_apply(delay: Duration) -> Self {
        Self::LateApply { delay_ms: millis(delay) }
    }

    /// A read of the past.
    #[must_use]
    pub fn stale_read(age: Duration) -> Self {
        Self::StaleRead { age_ms: millis(age) }
    }
}

fn millis(d: Duration) -> u64 {
    u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
}
