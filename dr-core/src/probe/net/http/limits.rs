use std::time::Duration;

/// How long the parts of a look may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// For resolving, connecting and TLS together.
    pub(super) connect: Duration,
    /// From the request to the head of the answer, and again for the body.
    pub(super) response: Duration,
    /// For the whole look.
    pub(super) total: Option<Duration>,
}

impl Limits {
    /// As Route 53's checkers: 4 s for a connection, 2 s for the head of the answer, 2 s for its body.
    pub(super) const ROUTE53: Self =
        Self { connect: Duration::from_secs(4), response: Duration::from_secs(2), total: None };

    /// No part of a look has a limit shorter than this.
    pub(super) fn shortest(self) -> Duration {
        self.connect.min(self.response)
    }

    /// The longest look of `requests`, one after the other, with a body at the end of the last.
    pub(super) fn longest(self, requests: u32, body: bool) -> Duration {
        let one = self.connect.saturating_add(self.response);
        let body = if body { self.response } else { Duration::ZERO };
        let phases = one.saturating_mul(requests).saturating_add(body);
        self.total.map_or(phases, |total| total.min(phases))
    }
}
