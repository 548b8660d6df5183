use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use rusqlite::{OptionalExtension as _, params};

use super::{
    SqliteJournal,
    failure::failed,
    inbox,
    rows::{check, last, names, number, page, unsigned},
};
use crate::{
    error::{Effect, Error, Result},
    journal::{
        Entry, Journal, Lease, Record, Request, RequestId, Seq, Submitted,
        refusal::{held, not_at_end},
        wire,
    },
    model::{Epoch, OwnerId, RunId},
    time::Timestamp,
};

#[async_trait]
impl Journal for SqliteJournal {
    async fn acquire(&self, run: &RunId, owner: &OwnerId, ttl: Duration) -> Result<Lease> {
        let (run, owner, now) = (run.clone(), owner.clone(), self.clock.wall());
        self.write(move |transaction| {
            let storage = |e| failed("acquire", e);
            let row = transaction
                .query_row("SELECT owner, epoch, expires FROM leases WHERE run = ?1", [run.as_str()], |row| {
                    Ok((row.get::<_, Option<String>>(0)?, unsigned(row, 1)?, row.get::<_, i64>(2)?))
                })
                .optional()
                .map_err(storage)?;
            let mut epoch = Epoch(1);
            if let Some((other, earlier, expires)) = row {
                let expires = Timestamp::from_millis(expires);
                if let Some(other) = other.filter(|other| other != owner.as_str())
                    && expires > now
                {
                    return Err(held(&run, &other, expires));
                }
                epoch = Epoch(earlier + 1);
            }
            let expires = now + ttl;
            transaction
                .execute(
                    "INSERT INTO leases (run, owner, epoch, expires) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (run) DO UPDATE SET owner = ?2, epoch = ?3, expires = ?4",
                    params![run.as_str(), owner.as_str(), number(epoch.0), expires.as_millis()],
                )
                .map_err(storage)?;
            Ok(Lease { run, owner, epoch, expires })
        })
        .await
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease> {
        let lease = Lease { expires: self.clock.wall() + ttl, ..lease.clone() };
        self.write(move |transaction| {
            check(transaction, &lease)?;
            transaction
                .execute(
                    "UPDATE leases SET expires = ?2 WHERE run = ?1",
                    params![lease.run.as_str(), lease.expires.as_millis()],
                )
                .map_err(|e| failed("renew", e))?;
            Ok(lease)
        })
        .await
    }

    async fn release(&self, lease: Lease) -> Result<()> {
        self.write(move |transaction| {
            transaction
                .execute(
                    "UPDATE leases SET owner = NULL WHERE run = ?1 AND epoch = ?2 AND owner = ?3",
                    params![lease.run.as_str(), number(lease.epoch.0), lease.owner.as_str()],
                )
                .map_err(|e| failed("release", e))?;
            Ok(())
        })
        .await
    }

    async fn append(&self, lease: &Lease, expect: Seq, entries: Vec<Entry>) -> Result<Seq> {
        let (lease, at) = (lease.clone(), self.clock.wall());
        self.write(move |transaction| {
            // Before the commit nothing is written.
            let storage = |e| failed("append", e).with_effect(Effect::NotApplied);
            check(transaction, &lease)?;
            let (mut seq, mut digest) = last(transaction, &lease.run)?;
            if seq != expect {
                return Err(not_at_end(&lease.run, expect, seq));
            }
            let run = lease.run.as_str();
            for entry in &entries {
                seq = seq.next();
                let text = wire::encode(&lease.run, seq, at, lease.epoch, entry)?;
                digest = digest.then(text.as_bytes());
                // Parsed once, not at each append: what every step does twice.
                transaction
                    .prepare_cached("INSERT INTO records (run, seq, record, digest) VALUES (?1, ?2, ?3, ?4)")
                    .and_then(|mut insert| insert.execute(params![run, number(seq.0), text, digest.as_bytes()]))
                    .map_err(storage)?;
                if seq == Seq(1) {
                    transaction.execute("INSERT INTO runs (run) VALUES (?1)", [run]).map_err(storage)?;
                }
                if matches!(entry, Entry::RunEnded { .. }) {
                    transaction.execute("UPDATE runs SET ended = 1 WHERE run = ?1", [run]).map_err(storage)?;
                }
            }
            Ok(seq)
        })
        .await
    }

    fn read<'a>(&'a self, run: &'a RunId, after: Seq) -> BoxStream<'a, Result<Record>> {
        let pages = futures::stream::try_unfold(Some(after), move |after| async move {
            let Some(after) = after else { return Ok::<_, Error>(None) };
            let wanted = run.clone();
            let page = self.on_thread(move |connection| page(connection, &wanted, after)).await?;
            let next = page.next();
            Ok(Some((futures::stream::iter(page.records(run)), next)))
        });
        pages.try_flatten().boxed()
    }

    async fn open_runs(&self) -> Result<Vec<RunId>> {
        self.on_thread(|connection| names(connection, "SELECT run FROM runs WHERE ended = 0 ORDER BY n")).await
    }

    async fn runs(&self) -> Result<Vec<RunId>> {
        self.on_thread(|connection| names(connection, "SELECT run FROM runs ORDER BY n")).await
    }

    async fn submit(&self, run: &RunId, request: Request) -> Result<RequestId> {
        let run = run.clone();
        self.write(move |transaction| inbox::submit(transaction, &run, &request)).await
    }

    async fn requests(&self, run: &RunId, after: RequestId) -> Result<Vec<Submitted>> {
        let run = run.clone();
        self.on_thread(move |connection| inbox::requests(connection, &run, after)).await
    }
}
