use std::time::Duration;

use super::{
    Lease,
    refusal::{fenced, held},
};
use crate::{
    error::Result,
    model::{Epoch, OwnerId, RunId},
    time::Timestamp,
};

/// What a store keeps of a run's lease: the rules by which leases are given out and renewed, the same for every journal.
///
/// They are pure, so that a model checker can go through every order in which two engines meet them.
///
/// ```
/// use std::time::Duration;
/// use dr_core::{
///     journal::Holding,
///     model::{OwnerId, RunId},
///     time::Timestamp,
/// };
///
/// let (run, a, b) = (RunId::new("run-1")?, OwnerId::new("a")?, OwnerId::new("b")?);
/// let (now, ttl) = (Timestamp::from_millis(1_790_000_000_000), Duration::from_secs(30));
/// let (lease, holding) = Holding::take(None, &run, &a, now, ttl)?;
/// assert!(holding.admits(&lease));
/// assert!(Holding::take(Some(&holding), &run, &b, now, ttl).is_err());
/// let (later, _) = Holding::take(Some(&holding), &run, &b, now + ttl, ttl)?;
/// assert!(later.epoch > lease.epoch);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Holding {
    /// Of the last lease; it stays when the lease is given back, so that it only ever grows.
    pub epoch: Epoch,
    /// Who holds the lease; nobody after it was given back.
    pub owner: Option<OwnerId>,
    /// When it lapses.
    pub expires: Timestamp,
}

impl Holding {
    /// The lease that `owner` takes at `now`, and what the store keeps of it.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::error::ErrorKind::Conflict) while another owner's lease has not lapsed.
    pub fn take(
        earlier: Option<&Self>,
        run: &RunId,
        owner: &OwnerId,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<(Lease, Self)> {
        let mut epoch = Epoch(1);
        if let Some(earlier) = earlier {
            if let Some(other) = earlier.owner.as_ref().filter(|other| *other != owner)
                && earlier.expires > now
            {
                return Err(held(run, other.as_str(), earlier.expires));
            }
            epoch = Epoch(earlier.epoch.0 + 1);
        }
        let expires = now + ttl;
        let lease = Lease { run: run.clone(), owner: owner.clone(), epoch, expires };
        Ok((lease, Self { epoch, owner: Some(owner.clone()), expires }))
    }

    /// Whether this lease is the one that may write.
    #[must_use]
    pub fn admits(&self, lease: &Lease) -> bool {
        self.epoch == lease.epoch && self.owner.as_ref() == Some(&lease.owner)
    }

    /// The lease once it is renewed at `now`: it lasts `ttl` from then, and never shorter than before. A renewal that was
    /// held up or repeated on its way comes after a later one, on which its holder counts already.
    ///
    /// # Errors
    ///
    /// [`Fenced`](crate::error::ErrorKind::Fenced) when it has passed to another.
    pub fn renewed(&self, lease: &Lease, now: Timestamp, ttl: Duration) -> Result<Lease> {
        if !self.admits(lease) {
            return Err(fenced(lease));
        }
        Ok(Lease { expires: self.expires.max(now + ttl), ..lease.clone() })
    }
}
