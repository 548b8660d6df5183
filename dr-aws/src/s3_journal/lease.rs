//! The object that says whom to wait for. It fences nobody: the log does.

use std::time::Duration;

use bytes::Bytes;
use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    journal::{Holding, Lease},
    model::{Epoch, OwnerId, RunId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::store::{Object, When};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Held {
    /// Nobody after a release; the epoch stays, so that it only ever grows.
    pub(super) owner: Option<OwnerId>,
    pub(super) epoch: Epoch,
    pub(super) expires: Timestamp,
    /// A mark of this one write.
    pub(super) writer: String,
}

impl Held {
    pub(super) fn new(owner: Option<&OwnerId>, epoch: Epoch, expires: Timestamp, writer: String) -> Self {
        Self { owner: owner.cloned(), epoch, expires, writer }
    }

    /// Whether it is still this lease.
    pub(super) fn is(&self, lease: &Lease) -> bool {
        self.epoch == lease.epoch && self.owner.as_ref() == Some(&lease.owner)
    }

    /// What is kept of the lease, by the rules that all journals share.
    pub(super) fn holding(self) -> Holding {
        Holding { epoch: self.epoch, owner: self.owner, expires: self.expires }
    }

    pub(super) fn encode(&self) -> Result<Bytes> {
        serde_json::to_vec(self).map(Bytes::from).map_err(|e| {
            Error::new(ErrorKind::Internal, format!("a lease does not encode: {e}")).with_effect(Effect::NotApplied)
        })
    }

    pub(super) fn decode(run: &RunId, object: &Object) -> Result<Self> {
        serde_json::from_slice(&object.body).map_err(|e| {
            let message = format!("the lease of run {run} cannot be read: {e}");
            Error::new(ErrorKind::Corrupt, message).with_effect(Effect::NotApplied)
        })
    }
}

/// What the lease's object must be, for a write that follows this look at it.
pub(super) fn unchanged(seen: Option<&Object>) -> When<'_> {
    seen.map_or(When::Absent, |object| When::Is(&object.etag))
}

/// The lease of an owner, from now on.
pub(super) fn granted(run: &RunId, owner: &OwnerId, epoch: Epoch, now: Timestamp, ttl: Duration) -> Lease {
    Lease { run: run.clone(), owner: owner.clone(), epoch, expires: now + ttl }
}
