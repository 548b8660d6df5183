/// Whether a look goes where it is sent.
///
/// A redirect is not health: a login page, a maintenance page and a wrong `Host` all answer with one. Where it is part of
/// how the application answers, a look can follow it, and its reason then names each hop.
///
/// An answer whose status is among the expected ones is the answer, and is not followed. What a probe says in headers of
/// its own goes to the host that it was meant for, and to no other; and no hop leads from https to http.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Redirects {
    /// It does not.
    #[default]
    NotFollowed,
    /// Up to so many times (1 to 10), as long as the host stays the same.
    SameHost(u8),
    /// Up to so many times (1 to 10), wherever that is.
    AnyHost(u8),
}

impl Redirects {
    /// The most that can be asked for.
    pub(super) const MOST: u8 = 10;

    /// How many are followed.
    pub(super) fn most(self) -> u8 {
        match self {
            Self::NotFollowed => 0,
            Self::SameHost(most) | Self::AnyHost(most) => most,
        }
    }

    /// Whether `status` sends a look elsewhere, if it lets itself be sent.
    pub(super) fn takes(self, status: u16) -> bool {
        self != Self::NotFollowed && matches!(status, 301 | 302 | 303 | 307 | 308)
    }
}
