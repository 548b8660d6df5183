use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use rusqlite::params;

use super::{
    SqliteJournal,
    failure::failed,
    inbox,
    rows::{check, holding, last, names, number, page},
};
use crate::{
    error::{Effect, Error, Result},
    journal::{
        Entry, Holding, Journal, Lease, Record, Request, RequestId, Seq, Submitted,
        refusal::{fenced, not_at_end},
        wire,
    },
    model::{OwnerId, RunId},
};

#[async_trait]
impl Journal for SqliteJournal {
    async fn acquire(&self, run: &RunId, owner: &OwnerId, ttl: Duration) -> Result<Lease> {
        let (run, owner, now) = (run.clone(), owner.clone(), self.clock.wall());
        self.write(move |transaction| {
            let storage = |e| failed("acquire", e);
            let earlier = holding(transaction, &run)?;
            let (lease, _) = Holding::take(earlier.as_ref(), &run, &owner, now, ttl)?;
            transaction
                .execute(
                    "INSERT INTO leases (run, owner, epoch, expires) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (run) DO UPDATE SET owner = ?2, epoch = ?3, expires = ?4",
                    params![run.as_str(), owner.as_str(), number(lease.epoch.0), lease.expires.as_millis()],
                )
                .map_err(storage)?;
            Ok(lease)
        })
        .await
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease> {
        let (lease, now) = (lease.clone(), self.clock.wall());
        self.write(move |transaction| {
            let holding = holding(transaction, &lease.run)?.ok_or_else(|| fenced(&lease))?;
            let renewed = holding.renewed(&lease, now, ttl)?;
            transaction
                .execute(
                    "UPDATE leases SET expires = ?2 WHERE run = ?1",
                    params![renewed.run.as_str(), renewed.expires.as_millis()],
                )
                .map_err(|e| failed("renew", e))?;
            Ok(renewed)
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
