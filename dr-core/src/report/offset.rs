use std::fmt;

use serde::{Deserialize, Serialize};

use crate::time::Monotonic;

/// A moment of a drill: seconds of the world's time since the fault, negative before it.
///
/// Displays as runbooks write it: `T+33.4 s`, `T+120 s`, `T−15 s`.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Offset(f64);

impl Offset {
    /// The moment of the fault.
    pub const ZERO: Self = Self(0.0);

    /// The moment `seconds` after the fault. What is not a number counts as the fault itself.
    #[must_use]
    pub fn from_secs(seconds: f64) -> Self {
        Self(if seconds.is_finite() { seconds } else { 0.0 })
    }

    /// The moment at which a clock read `at`, when it read `fault` at the fault.
    #[must_use]
    pub fn between(fault: Monotonic, at: Monotonic) -> Self {
        Self(at.since(fault).as_secs_f64() - fault.since(at).as_secs_f64())
    }

    /// Seconds since the fault.
    #[must_use]
    pub const fn secs(self) -> f64 {
        self.0
    }

    /// Seconds from `earlier` to this moment.
    #[must_use]
    pub fn since(self, earlier: Self) -> f64 {
        self.0 - earlier.0
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0.0 { '−' } else { '+' };
        let text = number(self.0.abs());
        f.pad(&format!("T{sign}{text} s"))
    }
}

/// Seconds with one decimal below a hundred, whole above.
fn number(seconds: f64) -> String {
    let text = if seconds < 99.95 { format!("{seconds:.1}") } else { format!("{seconds:.0}") };
    match text.strip_suffix(".0") {
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

/// A length of time as people say it: `0.4 s`, `33 s`, `2 min 14 s`.
#[must_use]
pub fn spoken(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    if seconds < 10.0 {
        return format!("{} s", number(seconds));
    }
    // Rounded before it is taken apart, so that nothing says `1 min 60 s`.
    let whole = seconds.round();
    let minutes = (whole / 60.0).floor();
    let rest = whole - minutes * 60.0;
    match (minutes > 0.0, rest > 0.0) {
        (false, _) => format!("{whole:.0} s"),
        (true, false) => format!("{minutes:.0} min"),
        (true, true) => format!("{minutes:.0} min {rest:.0} s"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn moments_read_as_runbooks_write_them() {
        assert_eq!(Offset::from_secs(33.42).to_string(), "T+33.4 s");
        assert_eq!(Offset::from_secs(120.4).to_string(), "T+120 s");
        assert_eq!(Offset::from_secs(-15.0).to_string(), "T−15 s");
        assert_eq!(Offset::ZERO.to_string(), "T+0 s");
    }

    #[test]
    fn a_moment_before_the_fault_is_negative() {
        let at = |seconds| Monotonic::new(Duration::from_secs(seconds));
        assert_eq!(Offset::between(at(60), at(90)), Offset::from_secs(30.0));
        assert_eq!(Offset::between(at(60), at(20)), Offset::from_secs(-40.0));
    }

    #[test]
    fn lengths_read_as_people_say_them() {
        assert_eq!(spoken(0.42), "0.4 s");
        assert_eq!(spoken(33.4), "33 s");
        assert_eq!(spoken(59.7), "1 min");
        assert_eq!(spoken(134.0), "2 min 14 s");
        assert_eq!(spoken(-1.0), "0 s");
    }
}
