//! The journal in a bucket of S3, so that a run that was started on one machine is adopted by another when its lease lapses.
//!
//! **Put the bucket outside the region that may fail**: in the witness's region, or in the standby's. A journal that is lost with
//! the region that it was to be failed over from holds the run at the worst moment.
//!
//! # Objects
//!
//! | key, after the prefix | holds | written |
//! |---|---|---|
//! | `runs/RUN/log/00000000000000000001` | one slot of the run's log: a claim, a release, or the records of one append | once, `If-None-Match: *` |
//! | `runs/RUN/requests/00000000000000000001` | one request of its inbox | once, `If-None-Match: *` |
//! | `runs/RUN/lease` | who holds the run, and until when | `If-None-Match: *`, then `If-Match` |
//! | `index/00000000000000000001/RUN` | that the run exists, and its place among the runs | once, before its first record |
//! | `ended/RUN` | that the run is over; only to save looking | after its last record |
//!
//! `RUN` is the run's name with `!` for `/`. Slots, requests and index entries are never changed and never deleted.
//!
//! # Fencing without transactions
//!
//! S3 has no transaction over two objects: between looking at the lease and writing a record, the lease can pass on. So the
//! lease object decides nothing but whom to wait for. **The log itself is the fence**:
//!
//! 1. Slots are numbered without a gap, and a slot is created only if it is not there. Whoever writes slot *n* has read every
//!    slot before it.
//! 2. Whoever takes the lease writes a *claim* with the new epoch into the next slot before it does anything else. It holds the
//!    run once its claim stands, and not before.
//! 3. An append goes into the slot after the last that its writer knows, and only while the last claim that it knows is its own.
//!
//! A stale engine knows of no claim but its own. The slot that it would write next is taken, at the latest by the new holder's
//! claim: its create is refused (412), it reads what stands there, finds a higher epoch, and is fenced. There is no moment
//! between a check and a write, because the write is the check. Were it to write just before the claim, then its records were
//! appended while it held the run, and the new holder, whose claim is refused at that slot, reads them before it claims the next.
//! Nothing here depends on clocks, on how old a read is, or on how late a request arrives: a request that hangs in the network
//! and lands an hour later finds its slot taken, or lands where it would have been in time. Clocks decide only how long a
//! dead holder is waited for.
//!
//! A release is a slot, too: after it nobody appends until somebody claims.
//!
//! # Replies that say nothing
//!
//! A timeout, a broken connection, a 5xx: the object may be there. The same bytes are sent again; a 412 then means that
//! *something* is there, and what is there is read: each object carries a mark of its own (`writer`), so equal bytes are this
//! very write, and anything else is somebody else's. A 412 to a first attempt is read in the same way, since whatever is
//! between us and S3 may have sent the request twice. What the statuses mean
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>):
//!
//! | status | means | so |
//! |---|---|---|
//! | 412 `PreconditionFailed` | the object is there, or is another one | read it: ours, or refused |
//! | 404 with `If-Match` | the object is gone | refused |
//! | 409 `ConditionalRequestConflict` | another request was under way; nothing was written | send again |
//! | 503 `SlowDown`, 429 | nothing was written | wait, send again |
//! | 500, a broken connection, no answer | not known | send again, the same bytes |
//!
//! # A store that is not S3
//!
//! All of this rests on `If-None-Match: *`, and a store that takes the header and heeds it not would let two engines write. So a
//! handle's first lease is written a second time as if it were not there: a store that takes that is refused
//! ([`Unsupported`](dr_core::error::ErrorKind::Unsupported)) before anything depends on it. The laws of a journal are tested on
//! moto as well as on our own double.
//!
//! S3 is strongly consistent (<https://aws.amazon.com/s3/consistency/>): a list or a read after a write shows it. The safety
//! above does without that; what needs it is only that a reader sees the newest records.
//!
//! # Cost
//!
//! An append is one PUT; taking a run up is a GET, two PUTs (three the first time) and the slots that are not known yet, sixteen at a time; a look at
//! an inbox without news is one GET.
//!
//! # Rights and settings
//!
//! `s3:GetObject` and `s3:PutObject` on `BUCKET/PREFIX*`, and `s3:ListBucket` on the bucket: without it, an object that is not there
//! reads as 403 rather than 404. **Grant nobody `s3:DeleteObject`**, and let no lifecycle rule expire the prefix: a slot that is
//! gone lets its number be written again. Versioning keeps what a mistake would overwrite.

mod inbox;
mod index;
mod journal;
mod keys;
mod lease;
mod log;
mod run;
mod slot;
mod store;

pub use journal::S3Journal;
