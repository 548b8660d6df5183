use dr_core::time::Monotonic;

/// The limit of the Route 53 API: five requests a second for an account, over all operations (developer guide, "Limits").
#[derive(Clone, Debug)]
pub(super) struct TokenBucket {
    tokens: f64,
    filled: Monotonic,
}

const RATE: f64 = 5.0;

impl TokenBucket {
    pub(super) const fn full(now: Monotonic) -> Self {
        Self { tokens: RATE, filled: now }
    }

    /// Takes one request's token; false when there is none.
    pub(super) fn take(&mut self, now: Monotonic) -> bool {
        self.tokens = RATE.min(now.since(self.filled).as_secs_f64().mul_add(RATE, self.tokens));
        self.filled = self.filled.max(now);
        let taken = self.tokens >= 1.0;
        if taken {
            self.tokens -= 1.0;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn five_a_second() {
        let at = |ms| Monotonic::new(Duration::from_millis(ms));
        let mut bucket = TokenBucket::full(at(0));
        assert_eq!((0..10).filter(|_| bucket.take(at(0))).count(), 5);
        assert!(!bucket.take(at(199)));
        assert!(bucket.take(at(201)));
        assert_eq!((0..10).filter(|_| bucket.take(at(5_000))).count(), 5);
    }
}
