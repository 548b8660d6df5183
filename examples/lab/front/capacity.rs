use std::time::Duration;

use dr_core::time::Monotonic;

/// What a region can serve, in requests a second: an order passes through every service, so the weakest one decides.
///
/// `services` are pairs of ready and full replica counts; `full` is what the region serves at full size.
#[must_use]
pub fn capacity(services: impl IntoIterator<Item = (u32, u32)>, full: f64) -> f64 {
    services
        .into_iter()
        .map(|(ready, wanted)| if wanted == 0 { 1.0 } else { f64::from(ready) / f64::from(wanted) })
        .reduce(f64::min)
        .map_or(0.0, |share| share * full)
}

/// Lets through as many requests a second as the capacity of the moment, with bursts of up to a second's worth.
#[derive(Clone, Debug)]
pub struct Admission {
    tokens: f64,
    filled: Monotonic,
}

impl Admission {
    /// The longest burst.
    const BURST: Duration = Duration::from_secs(1);

    /// With one burst in hand.
    #[must_use]
    pub fn new(now: Monotonic, rate: f64) -> Self {
        Self { tokens: rate * Self::BURST.as_secs_f64(), filled: now }
    }

    /// Whether a request that arrives now is served, when `rate` requests a second can be.
    pub fn admit(&mut self, now: Monotonic, rate: f64) -> bool {
        let earned = now.since(self.filled).as_secs_f64() * rate;
        self.filled = now;
        self.tokens = (self.tokens + earned).min((rate * Self::BURST.as_secs_f64()).max(1.0));
        if rate <= 0.0 || self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Monotonic {
        Monotonic::new(Duration::from_millis(ms))
    }

    #[test]
    fn the_weakest_service_decides() {
        let rate = capacity([(6, 6), (1, 4), (3, 3)], 40.0);
        assert!((rate - 10.0).abs() < 1e-9, "{rate}");
    }

    #[test]
    fn nothing_is_served_without_a_ready_replica() {
        assert!(capacity([(6, 6), (0, 4)], 40.0).abs() < 1e-9);
        assert!(!Admission::new(at(0), 0.0).admit(at(60_000), 0.0));
    }

    #[test]
    fn over_time_as_many_are_served_as_the_rate_says() {
        let mut admission = Admission::new(at(0), 5.0);
        let served = (0..10_000).step_by(50).filter(|ms| admission.admit(at(*ms), 5.0)).count();
        // 20 a second arrive for ten seconds; 5 a second are served, and one burst of 5.
        assert!((54..=55).contains(&served), "{served}");
    }

    #[test]
    fn growing_helps_at_once() {
        let mut admission = Admission::new(at(0), 1.0);
        assert!(admission.admit(at(0), 1.0));
        assert!(!admission.admit(at(10), 1.0));
        assert!(admission.admit(at(110), 10.0));
    }
}
