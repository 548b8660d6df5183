//! What is known of a run's log.

use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    journal::{Digest, Entry, Lease, Record, Seq},
    model::{Epoch, OwnerId},
};

use super::slot::{Header, Says};

/// The end of a run's log, as far as it was read. A pure fold of its slots.
#[derive(Clone, Debug)]
pub(super) struct Tail {
    /// The last record's place after each slot, from the first slot on.
    ends: Vec<Seq>,
    pub(super) seq: Seq,
    pub(super) digest: Digest,
    /// The epoch of the last claim.
    pub(super) epoch: Epoch,
    /// Who claimed it; nobody after a release.
    holder: Option<OwnerId>,
    pub(super) ended: bool,
}

impl Default for Tail {
    fn default() -> Self {
        Self { ends: Vec::new(), seq: Seq(0), digest: Digest::START, epoch: Epoch(0), holder: None, ended: false }
    }
}

impl Tail {
    /// The slot that is written next.
    pub(super) fn next_slot(&self) -> u64 {
        u64::try_from(self.ends.len()).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// The slot from which on a reader finds what comes after a record.
    pub(super) fn slot_after(&self, seq: Seq) -> u64 {
        let before = self.ends.partition_point(|end| *end <= seq);
        u64::try_from(before).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// Whether this lease may append.
    pub(super) fn admits(&self, lease: &Lease) -> bool {
        self.epoch == lease.epoch && self.holder.as_ref() == Some(&lease.owner)
    }

    /// Takes the next slot in.
    ///
    /// # Errors
    ///
    /// When the slot is not one that the rules allow there: then the log is not what was written.
    pub(super) fn take(&mut self, header: &Header, records: &[Record]) -> Result<()> {
        let against = |why: String| {
            let message = format!("slot {} of the journal of run {} is damaged: {why}", header.slot, header.run);
            Error::new(ErrorKind::Corrupt, message).with_effect(Effect::NotApplied)
        };
        match &header.says {
            Says::Claim { owner } => {
                if header.epoch <= self.epoch {
                    return Err(against(format!("it claims epoch {} after {}", header.epoch, self.epoch)));
                }
                self.epoch = header.epoch;
                self.holder = Some(owner.clone());
            }
            Says::Release | Says::Records { .. } if header.epoch != self.epoch || self.holder.is_none() => {
                return Err(against(format!("it is of epoch {}, which did not hold the run", header.epoch)));
            }
            Says::Release => self.holder = None,
            Says::Records { .. } => {
                for record in records {
                    if record.seq != self.seq.next() {
                        return Err(against(format!("record {} stands after record {}", record.seq, self.seq)));
                    }
                    self.seq = record.seq;
                    self.digest = record.digest;
                    self.ended |= matches!(record.entry, Entry::RunEnded { .. });
                }
            }
        }
        self.ends.push(self.seq);
        Ok(())
    }
}
