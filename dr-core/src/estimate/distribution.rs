use std::{fmt, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::{
    duration::{self as text, DurationText},
    format_duration,
};

/// The standard normal's 95th percentile.
const Z95: f64 = 1.644_853_626_951_472_7;

/// How a length of time is spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "is", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Distribution {
    /// Always the same.
    Fixed {
        /// The length.
        #[serde(with = "text")]
        #[schemars(with = "DurationText")]
        value: Duration,
    },
    /// Anything in between, with equal chances.
    Uniform {
        /// The shortest.
        #[serde(with = "text")]
        #[schemars(with = "DurationText")]
        from: Duration,
        /// The longest.
        #[serde(with = "text")]
        #[schemars(with = "DurationText")]
        to: Duration,
    },
    /// Log-normal, which is how lengths of work are usually spread: never negative, and with a long tail.
    LogNormal {
        /// Half are no longer.
        #[serde(with = "text")]
        #[schemars(with = "DurationText")]
        p50: Duration,
        /// Nineteen of twenty are no longer.
        #[serde(with = "text")]
        #[schemars(with = "DurationText")]
        p95: Duration,
    },
    /// Exponential: what comes by chance at a steady rate, such as a person who looks up.
    Exponential {
        /// The mean.
        #[serde(with = "text")]
        #[schemars(with = "DurationText")]
        mean: Duration,
    },
}

impl Distribution {
    /// No time at all.
    pub const ZERO: Self = Self::Fixed { value: Duration::ZERO };

    /// Always the same.
    #[must_use]
    pub const fn fixed(value: Duration) -> Self {
        Self::Fixed { value }
    }

    /// Log-normal through these two percentiles; fixed when they are one, or nothing is spread.
    #[must_use]
    pub fn spread(p50: Duration, p95: Duration) -> Self {
        if p95 <= p50 || p50.is_zero() { Self::Fixed { value: p50.max(p95) } } else { Self::LogNormal { p50, p95 } }
    }

    /// What is wrong with it.
    pub(super) fn problem(&self) -> Option<String> {
        match self {
            Self::Uniform { from, to } if from > to => Some(format!("{self}: `from` is longer than `to`")),
            Self::LogNormal { p50, .. } if p50.is_zero() => {
                Some(format!("{self}: a log-normal length is never zero; write `is: fixed`"))
            }
            Self::LogNormal { p50, p95 } if p95 < p50 => Some(format!("{self}: `p95` is shorter than `p50`")),
            _ => None,
        }
    }

    /// Ready to draw from.
    pub(super) fn ready(&self) -> Ready {
        match self {
            Self::Fixed { value } => Ready::Fixed(value.as_secs_f64()),
            Self::Uniform { from, to } => {
                Ready::Uniform(from.as_secs_f64(), (to.as_secs_f64() - from.as_secs_f64()).max(0.0))
            }
            Self::LogNormal { p50, p95 } => {
                let sigma = (p95.as_secs_f64() / p50.as_secs_f64()).ln() / Z95;
                Ready::LogNormal(p50.as_secs_f64(), if sigma.is_finite() { sigma } else { 0.0 })
            }
            Self::Exponential { mean } => Ready::Exponential(mean.as_secs_f64()),
        }
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let t = |d: &Duration| format_duration(*d);
        match self {
            Self::Fixed { value } => write!(f, "{}", t(value)),
            Self::Uniform { from, to } => write!(f, "{} to {}", t(from), t(to)),
            Self::LogNormal { p50, p95 } => write!(f, "{} (p95 {})", t(p50), t(p95)),
            Self::Exponential { mean } => write!(f, "about {}", t(mean)),
        }
    }
}

/// A distribution in seconds, with what can be computed beforehand computed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ready {
    Fixed(f64),
    Uniform(f64, f64),
    LogNormal(f64, f64),
    Exponential(f64),
}

impl Ready {
    /// The length that a number drawn from [0, 1) stands for.
    pub(super) fn at(self, u: f64) -> f64 {
        match self {
            Self::Fixed(value) => value,
            Self::Uniform(from, width) => from + width * u,
            Self::LogNormal(median, sigma) => median * (sigma * normal(u)).exp(),
            Self::Exponential(mean) => -mean * (1.0 - u).ln(),
        }
    }

    /// Whether every draw is the same, so that none need be made.
    pub(super) const fn is_fixed(self) -> bool {
        matches!(self, Self::Fixed(_))
    }
}

/// The standard normal's quantile: P. J. Acklam's rational approximation, whose relative error is below 1.2e-9.
///
/// A quantile takes one number for one draw, which keeps draws apart: changing one distribution of a model changes no
/// other draw, so that two models are compared on the same luck.
fn normal(u: f64) -> f64 {
    const LOW: f64 = 0.024_25;
    let u = u.clamp(1e-15, 1.0 - 1e-15);
    let tail = |q: f64| {
        let top = ((((-7.784_894_002_430_293e-3 * q - 3.223_964_580_411_365e-1) * q - 2.400_758_277_161_838) * q
            - 2.549_732_539_343_734)
            * q
            + 4.374_664_141_464_968)
            * q
            + 2.938_163_982_698_783;
        let bottom = (((7.784_695_709_041_462e-3 * q + 3.224_671_290_700_398e-1) * q + 2.445_134_137_142_996) * q
            + 3.754_408_661_907_416)
            * q
            + 1.0;
        top / bottom
    };
    if u < LOW {
        tail((-2.0 * u.ln()).sqrt())
    } else if u > 1.0 - LOW {
        -tail((-2.0 * (1.0 - u).ln()).sqrt())
    } else {
        let q = u - 0.5;
        let r = q * q;
        let top = (((((-3.969_683_028_665_376e1 * r + 2.209_460_984_245_205e2) * r - 2.759_285_104_469_687e2) * r
            + 1.383_577_518_672_69e2)
            * r
            - 3.066_479_806_614_716e1)
            * r
            + 2.506_628_277_459_239)
            * q;
        let bottom = ((((-5.447_609_879_822_406e1 * r + 1.615_858_368_580_409e2) * r - 1.556_989_798_598_866e2) * r
            + 6.680_131_188_771_972e1)
            * r
            - 1.328_068_155_288_572e1)
            * r
            + 1.0;
        top / bottom
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn the_normal_quantile_is_the_normal_quantile() {
        for (u, z) in [(0.5, 0.0), (0.95, Z95), (0.05, -Z95), (0.99, 2.326_347_874), (0.001, -3.090_232_306)] {
            assert!((normal(u) - z).abs() < 1e-8, "{u}: {}", normal(u));
        }
    }

    #[test]
    fn a_log_normal_goes_through_its_percentiles() {
        let ready = Distribution::spread(s(20), s(60)).ready();
        assert!((ready.at(0.5) - 20.0).abs() < 1e-6);
        assert!((ready.at(0.95) - 60.0).abs() < 1e-5);
    }

    #[test]
    fn what_is_not_spread_is_fixed() {
        assert_eq!(Distribution::spread(s(0), s(0)), Distribution::ZERO);
        assert_eq!(Distribution::spread(s(5), s(5)), Distribution::fixed(s(5)));
        assert_eq!(Distribution::spread(s(0), s(3)), Distribution::fixed(s(3)));
    }

    #[test]
    fn the_others_cover_their_range() {
        let uniform = Distribution::Uniform { from: s(2), to: s(4) }.ready();
        assert_eq!((uniform.at(0.0), uniform.at(0.5)), (2.0, 3.0));
        let chance = Distribution::Exponential { mean: s(10) }.ready();
        assert!((chance.at(1.0 - (-1.0_f64).exp()) - 10.0).abs() < 1e-9);
    }

    #[test]
    fn nonsense_is_named() {
        assert!(Distribution::Uniform { from: s(4), to: s(2) }.problem().is_some());
        assert!(Distribution::LogNormal { p50: s(4), p95: s(2) }.problem().is_some());
        assert!(Distribution::LogNormal { p50: s(0), p95: s(2) }.problem().is_some());
        assert!(Distribution::ZERO.problem().is_none());
    }
}
