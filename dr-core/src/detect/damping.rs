use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Verdict;
use crate::time::Monotonic;

/// When a verdict that keeps changing is not acted on: the flap damping of RFC 2439, section 4.
///
/// Each change between unhealthy and not unhealthy adds a penalty, which halves with every half-life. From `suppress` on
/// the verdict is suspended, and it counts again once the penalty has sunk to `reuse`. A region that fails, recovers and
/// fails again is neither somewhere to flee from by itself nor somewhere to flee to.
///
/// An observer that goes blind is no change of the region: turning unknown and back adds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damping {
    /// What each change adds.
    pub penalty: u32,
    /// From which penalty on the verdict is suspended.
    pub suppress: u32,
    /// At which penalty it counts again; below `suppress`.
    pub reuse: u32,
    /// In what time a penalty halves.
    pub half_life: Duration,
    /// The longest that a verdict is suspended after the last change, however many there were.
    pub max_suppress: Duration,
}

impl Default for Damping {
    /// The fourth change within some minutes suspends the verdict: lost, back, lost again, back again.
    fn default() -> Self {
        Self {
            penalty: 1_000,
            suppress: 3_000,
            reuse: 1_000,
            half_life: Duration::from_secs(600),
            max_suppress: Duration::from_secs(3_600),
        }
    }
}

impl Damping {
    /// What keeps these numbers from damping anything, or from ever letting go; empty when nothing does.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.half_life.is_zero() || self.max_suppress.is_zero() {
            problems.push("damping needs a half-life and a longest suppression above zero".to_owned());
        }
        if self.penalty == 0 || self.reuse == 0 {
            problems.push("damping needs a penalty and a reuse threshold above zero".to_owned());
        }
        if self.reuse >= self.suppress {
            problems.push(format!(
                "damping lets a verdict go at {} and suspends it from {}: reuse below suppress",
                self.reuse, self.suppress
            ));
        } else if self.ceiling() < f64::from(self.suppress) {
            problems.push(format!(
                "damping never suspends: after {} s a penalty of {} has sunk below {}; allow a longer suppression or a shorter half-life",
                self.max_suppress.as_secs(),
                self.suppress,
                self.reuse
            ));
        }
        problems
    }

    /// The penalty that takes `max_suppress` to sink to `reuse`. More is never kept.
    fn ceiling(&self) -> f64 {
        f64::from(self.reuse) * (self.max_suppress.as_secs_f64() / self.half_life.as_secs_f64()).exp2()
    }
}

/// A verdict that is not acted on because it changed too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// What the verdict would be.
    pub would_be: Verdict,
    /// The penalty at the moment, which halves with every half-life.
    pub penalty: u32,
    /// When the verdict counts again, if it does not change before.
    pub reuse_at: Monotonic,
    /// How long that is from the moment at which this is said.
    pub left: Duration,
}

/// What a verdict has gathered in penalties.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Merit {
    /// The penalty, and when it was that.
    penalty: f64,
    at: Monotonic,
    reuse_at: Option<Monotonic>,
}

impl Merit {
    /// Adds the penalty of one change at `now`.
    pub(super) fn punish(&mut self, now: Monotonic, policy: &Damping) {
        let suppressed = self.is_suppressed(now);
        self.penalty = (self.penalty_at(now, policy) + f64::from(policy.penalty)).min(policy.ceiling());
        self.at = now;
        if suppressed || self.penalty >= f64::from(policy.suppress) {
            let halves = (self.penalty / f64::from(policy.reuse)).log2().max(0.0);
            let left = Duration::try_from_secs_f64(policy.half_life.as_secs_f64() * halves).unwrap_or(Duration::MAX);
            let until = now + left.min(policy.max_suppress);
            // A change while suspended never shortens the suspension, whatever the rounding says.
            self.reuse_at = Some(self.reuse_at.map_or(until, |before| before.max(until)));
        }
    }

    /// Whether the verdict is suspended at `now`.
    pub(super) fn is_suppressed(&self, now: Monotonic) -> bool {
        self.reuse_at.is_some_and(|reuse_at| now < reuse_at)
    }

    /// When it counts again, if it was ever suspended.
    pub(super) fn reuse_at(&self) -> Option<Monotonic> {
        self.reuse_at
    }

    /// What is left of the penalty at `now`.
    pub(super) fn penalty_at(&self, now: Monotonic, policy: &Damping) -> f64 {
        self.penalty * (-now.since(self.at).as_secs_f64() / policy.half_life.as_secs_f64()).exp2()
    }

    /// How it is told, while the verdict is suspended.
    pub(super) fn told(&self, now: Monotonic, would_be: Verdict, policy: &Damping) -> Option<Suppression> {
        let reuse_at = self.reuse_at.filter(|reuse_at| now < *reuse_at)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a penalty is above zero, and what does not fit is shown as the greatest number"
        )]
        let penalty = self.penalty_at(now, policy).round() as u32;
        Some(Suppression { would_be, penalty, reuse_at, left: reuse_at.since(now) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn at(secs: u64) -> Monotonic {
        Monotonic::new(Duration::from_secs(secs))
    }

    #[test]
    fn four_changes_within_minutes_suspend_and_the_decay_lets_go() {
        let policy = Damping::default();
        let mut merit = Merit::default();
        for moment in [0, 60, 120] {
            merit.punish(at(moment), &policy);
            assert!(!merit.is_suppressed(at(moment)), "{merit:?}");
        }
        merit.punish(at(180), &policy);
        assert!(merit.is_suppressed(at(180)));
        let told = merit.told(at(180), Verdict::Healthy, &policy).unwrap();
        // 1000 * (2^-0.3 + 2^-0.2 + 2^-0.1 + 1), which takes log2 of 3.616 half-lives to sink to 1000.
        assert_eq!((told.penalty, told.left.as_secs()), (3_616, 1_112));
        assert!(merit.is_suppressed(at(180 + 1_112)) && !merit.is_suppressed(at(180 + 1_113)));
    }

    #[test]
    fn changes_that_lie_apart_suspend_nothing() {
        let mut merit = Merit::default();
        for hour in 0..100 {
            merit.punish(at(3_600 * hour), &Damping::default());
            assert!(!merit.is_suppressed(at(3_600 * hour)));
        }
    }

    #[test]
    fn numbers_that_damp_nothing_are_refused() {
        assert_eq!(Damping::default().problems(), [""; 0]);
        assert_eq!(Damping { reuse: 3_000, ..Damping::default() }.problems().len(), 1);
        assert_eq!(Damping { max_suppress: Duration::from_secs(60), ..Damping::default() }.problems().len(), 1);
        assert_eq!(Damping { half_life: Duration::ZERO, ..Damping::default() }.problems().len(), 1);
    }

    fn policy() -> impl Strategy<Value = Damping> {
        (1..3_000_u32, 1..2_000_u32, 1..8_000_u32, 1..2_000_u64, 1..10_000_u64).prop_map(
            |(penalty, reuse, above, half_life, max_suppress)| Damping {
                penalty,
                suppress: reuse + above,
                reuse,
                half_life: Duration::from_secs(half_life),
                max_suppress: Duration::from_secs(max_suppress),
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// One change more never makes a suspension begin later or end sooner.
        #[test]
        fn suppression_and_reuse_are_monotone(
            policy in policy().prop_filter("it can suspend", |policy| policy.problems().is_empty()),
            changes in prop::collection::vec(0..4_000_u64, 1..40),
            left_out in any::<prop::sample::Index>(),
        ) {
            let (mut all, mut fewer) = (Merit::default(), Merit::default());
            let left_out = left_out.index(changes.len());
            let mut now = 0;
            for (i, after) in changes.into_iter().enumerate() {
                now += after;
                all.punish(at(now), &policy);
                if i != left_out {
                    fewer.punish(at(now), &policy);
                }
                prop_assert!(all.is_suppressed(at(now)) || !fewer.is_suppressed(at(now)));
                prop_assert!(all.reuse_at() >= fewer.reuse_at().map(|until| Monotonic::new(until.since_origin().saturating_sub(Duration::from_micros(1)))));
                prop_assert!(all.reuse_at().is_none_or(|until| until.since(at(now)) <= policy.max_suppress));
                let before = all.penalty_at(at(now), &policy);
                prop_assert!(before >= all.penalty_at(at(now + 1), &policy), "a penalty only sinks");
            }
        }

        /// While it is suspended the penalty is above the reuse threshold, and at the end of it no longer.
        #[test]
        fn a_verdict_counts_again_when_its_penalty_has_sunk(
            policy in policy().prop_filter("it can suspend", |policy| policy.problems().is_empty()),
            changes in prop::collection::vec(0..4_000_u64, 1..40),
        ) {
            let mut merit = Merit::default();
            let mut now = 0;
            for after in changes {
                now += after;
                merit.punish(at(now), &policy);
            }
            if let Some(reuse_at) = merit.reuse_at().filter(|until| at(now) < *until) {
                let then = merit.penalty_at(reuse_at, &policy);
                let reuse = f64::from(policy.reuse);
                prop_assert!((then - reuse).abs() <= reuse * 1e-6 + 1e-3, "{then} at the end of a suspension that ends at {reuse}");
            }
        }
    }
}
