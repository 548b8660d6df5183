use std::time::Duration;

/// How long things take, in the world's time.
///
/// AWS publishes only "within a few minutes" for a promotion; these are the double's defaults, not a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timings {
    /// A request stays `pending` while the two clusters are verified.
    pub accept: Duration,
    /// From the call to the promotion, in a failover.
    pub failover: Duration,
    /// From the call to the promotion, in a switchover, to which the lag is added.
    pub switchover: Duration,
    /// A failover tries to fence the old primary for this long before it reports that it could not (it keeps trying).
    pub fence: Duration,
    /// `cancelling` lasts this long.
    pub cancel: Duration,
    /// From the moment that a demoted primary's region is back to the moment that its volume begins to be rebuilt.
    pub rejoin: Duration,
    /// Rebuilding a volume from the new primary.
    pub resync: Duration,
    /// A detached cluster is promoted in this time.
    pub detach: Duration,
    /// A new cluster or instance is `creating` for this long.
    pub create: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            accept: Duration::from_secs(1),
            failover: Duration::from_secs(45),
            switchover: Duration::from_secs(30),
            fence: Duration::from_secs(10),
            cancel: Duration::from_secs(5),
            rejoin: Duration::from_secs(5),
            resync: Duration::from_secs(60),
            detach: Duration::from_secs(30),
            create: Duration::from_secs(10),
        }
    }
}
