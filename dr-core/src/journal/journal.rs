use std::{fmt::Debug, time::Duration};

use async_trait::async_trait;
use futures::stream::BoxStream;

use super::{Entry, Lease, Record, Request, RequestId, Seq, Submitted};
use crate::{
    error::Result,
    model::{OwnerId, RunId},
};

/// Where runs are written down.
///
/// ```
/// use dr_core::{error::Result, journal::Journal};
///
/// /// How many runs somebody has to look after.
/// async fn unfinished(journal: &dyn Journal) -> Result<usize> {
///     Ok(journal.open_runs().await?.len())
/// }
/// ```
#[async_trait]
pub trait Journal: Debug + Send + Sync + 'static {
    /// Takes the run's lease, with an epoch larger than every earlier one.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::error::ErrorKind::Conflict) while another owner's lease has not lapsed.
    async fn acquire(&self, run: &RunId, owner: &OwnerId, ttl: Duration) -> Result<Lease>;

    /// Lets a lease last `ttl` from now, and never shorter than before: a renewal that was held up or repeated on its way
    /// comes after a later one, on which the holder counts already ([`Holding`](super::Holding) has the rules).
    ///
    /// # Errors
    ///
    /// [`Fenced`](crate::error::ErrorKind::Fenced) when it has passed to another.
    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease>;

    /// Gives the lease back.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::error::ErrorKind::Storage) when the store fails; the lease then lapses by itself.
    async fn release(&self, lease: Lease) -> Result<()>;

    /// Adds entries after `expect`, all or none, durable when it returns, and answers the place of the last.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::error::ErrorKind::Conflict) when the run does not end at `expect`,
    /// [`Fenced`](crate::error::ErrorKind::Fenced) when the lease has passed to another,
    /// [`Storage`](crate::error::ErrorKind::Storage) when the store fails, with the effect it may have had.
    async fn append(&self, lease: &Lease, expect: Seq, entries: Vec<Entry>) -> Result<Seq>;

    /// The run's records after `after`, in order, up to the last that is there now. The first that cannot be had ends the
    /// stream: [`Corrupt`](crate::error::ErrorKind::Corrupt) when it is not what was written,
    /// [`Storage`](crate::error::ErrorKind::Storage) when the store fails.
    fn read<'a>(&'a self, run: &'a RunId, after: Seq) -> BoxStream<'a, Result<Record>>;

    /// The runs that have no end yet, oldest first.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::error::ErrorKind::Storage) when the store fails.
    async fn open_runs(&self) -> Result<Vec<RunId>>;

    /// Every run, oldest first.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::error::ErrorKind::Storage) when the store fails.
    async fn runs(&self) -> Result<Vec<RunId>>;

    /// Puts a request into the run's inbox, durable when it returns, and answers its place. It needs no lease and disturbs
    /// no holder of one. A request that repeats an earlier one of the same token, whenever it was sent, is that one. A run
    /// that has ended takes requests too; nobody will answer them.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::error::ErrorKind::NotFound) when the journal has no such run,
    /// [`Conflict`](crate::error::ErrorKind::Conflict) when the token was used for another request,
    /// [`Storage`](crate::error::ErrorKind::Storage) when the store fails: then ask again with the same token.
    async fn submit(&self, run: &RunId, request: Request) -> Result<RequestId>;

    /// The requests in the run's inbox after `after`, in order and without a gap; none when the journal has no such run.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::error::ErrorKind::Storage) when the store fails.
    async fn requests(&self, run: &RunId, after: RequestId) -> Result<Vec<Submitted>>;
}
