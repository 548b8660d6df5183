use super::Opinion;
use crate::time::Monotonic;

/// What one observer makes of all its checks of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    /// There are no checks of this kind.
    Absent,
    /// None of them can be judged.
    Unknown,
    /// All pass; `failing` when failures are coming in that are not enough to trip.
    Green {
        /// Whether they are.
        failing: bool,
    },
    /// Some have failed, the first of them since then, and others pass.
    Amber {
        /// Since when.
        since: Monotonic,
    },
    /// All have failed, the last of them since then.
    Red {
        /// Since when.
        since: Monotonic,
    },
}

/// What one observer makes of the region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stand {
    pub(super) opinion: Opinion,
    /// Since when the region was down to it, when it is.
    pub(super) down_since: Option<Monotonic>,
    /// Since when transactions failed, when infrastructure checks either pass or fail with them.
    pub(super) gray_since: Option<Monotonic>,
    /// Since when infrastructure checks failed, when transactions either pass or fail with them.
    pub(super) checks_fail_since: Option<Monotonic>,
}

impl Stand {
    const fn plain(opinion: Opinion) -> Self {
        Self { opinion, down_since: None, gray_since: None, checks_fail_since: None }
    }

    /// The opinion that follows from both kinds of check.
    pub(super) fn from_kinds(infrastructure: Colour, transaction: Colour) -> Self {
        use Colour::{Absent, Amber, Green, Red, Unknown};
        match (infrastructure, transaction) {
            (Absent, Absent) => Self::plain(Opinion::Unknown),
            (Red { since: i }, Red { since: t }) => {
                let (down_since, gray_since, checks_fail_since) = (Some(i.max(t)), Some(t), Some(i));
                Self { opinion: Opinion::Down, down_since, gray_since, checks_fail_since }
            }
            (Red { since }, Absent) | (Absent, Red { since }) => {
                Self { down_since: Some(since), ..Self::plain(Opinion::Down) }
            }
            // One kind has failed and the other has begun to: which failure it is will show.
            (Green { failing: true }, Red { .. } | Amber { .. })
            | (Red { .. } | Amber { .. }, Green { failing: true }) => Self::plain(Opinion::Suspect),
            (_, Red { since } | Amber { since }) => {
                Self { gray_since: Some(since), ..Self::plain(Opinion::WritesFail) }
            }
            (Red { since }, Green { .. }) => {
                Self { checks_fail_since: Some(since), ..Self::plain(Opinion::ChecksFail) }
            }
            (Red { .. } | Amber { .. }, _) => Self::plain(Opinion::Partial),
            (Unknown, _) | (_, Unknown) => Self::plain(Opinion::Unknown),
            (Green { .. } | Absent, Green { .. } | Absent) => Self::plain(Opinion::Healthy),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const EARLY: Monotonic = Monotonic::new(Duration::from_secs(10));
    const LATE: Monotonic = Monotonic::new(Duration::from_secs(20));

    #[test]
    fn kinds_must_agree_before_a_region_is_down() {
        use Colour::{Absent, Amber, Green, Red, Unknown};
        let red = Red { since: EARLY };
        let amber = Amber { since: EARLY };
        let green = Green { failing: false };
        let wavering = Green { failing: true };
        for (infrastructure, transaction, opinion) in [
            (red, red, Opinion::Down),
            (red, Absent, Opinion::Down),
            (Absent, red, Opinion::Down),
            (green, red, Opinion::WritesFail),
            (amber, red, Opinion::WritesFail),
            (Unknown, red, Opinion::WritesFail),
            (wavering, red, Opinion::Suspect),
            (red, wavering, Opinion::Suspect),
            (red, green, Opinion::ChecksFail),
            (amber, green, Opinion::Partial),
            (red, Unknown, Opinion::Partial),
            (amber, Absent, Opinion::Partial),
            (green, Unknown, Opinion::Unknown),
            (Unknown, green, Opinion::Unknown),
            (Unknown, Unknown, Opinion::Unknown),
            (Absent, Absent, Opinion::Unknown),
            (green, green, Opinion::Healthy),
            (wavering, green, Opinion::Healthy),
        ] {
            let stand = Stand::from_kinds(infrastructure, transaction);
            assert_eq!(stand.opinion, opinion, "{infrastructure:?} and {transaction:?}");
            assert_eq!(stand.down_since.is_some(), opinion == Opinion::Down, "{infrastructure:?} and {transaction:?}");
        }
    }

    #[test]
    fn down_dates_from_the_later_kind_and_gray_from_the_one_that_fails_alone() {
        let stand = Stand::from_kinds(Colour::Red { since: LATE }, Colour::Red { since: EARLY });
        assert_eq!(
            (stand.down_since, stand.gray_since, stand.checks_fail_since),
            (Some(LATE), Some(EARLY), Some(LATE))
        );
    }
}
