//! More laws of the lease.

use std::time::Duration;

use futures::future::join_all;

use super::{TTL, all, note, numbers, owner, run};
use crate::{
    error::{Effect, ErrorKind, Result},
    journal::{Journal, Lease, Seq, verify},
    time::{Clock as _, ManualClock},
};

/// Runs the laws.
pub(super) async fn check(clock: &ManualClock, one: &dyn Journal, two: &dyn Journal) {
    of_two_who_come_at_once_one_gets_it(one, two).await;
    a_lapsed_lease_that_nobody_took_goes_on(clock, one).await;
    a_lease_counts_from_when_it_was_asked_for(clock, one).await;
    a_renewal_makes_no_lease_shorter(clock, one, two).await;
    a_lease_that_was_never_granted_writes_nothing(one, two).await;
    epochs_only_grow(clock, one, two).await;
    each_holder_goes_on_where_the_last_one_stopped(clock, one, two).await;
}

async fn of_two_who_come_at_once_one_gets_it(one: &dyn Journal, two: &dyn Journal) {
    for n in 0..10 {
        let run = run(&format!("leases/race-{n}"));
        let (b, c) = (owner("b"), owner("c"));
        let came = join_all([one.acquire(&run, &b, TTL), two.acquire(&run, &c, TTL)]).await;
        let (got, refused): (Vec<_>, Vec<_>) = came.into_iter().partition(Result::is_ok);
        assert_eq!(got.len(), 1, "race {n}");
        let error = refused.into_iter().find_map(Result::err).unwrap();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Conflict, Effect::NotApplied));
    }
}

async fn a_lapsed_lease_that_nobody_took_goes_on(clock: &ManualClock, one: &dyn Journal) {
    // Lapsed means that others may take it, not that the holder is fenced: only a later epoch does that.
    let run = run("leases/late");
    let lease = one.acquire(&run, &owner("a"), TTL).await.unwrap();
    clock.advance(TTL * 3);
    one.append(&lease, Seq(0), vec![note(1)]).await.unwrap();
    let renewed = one.renew(&lease, TTL).await.unwrap();
    assert_eq!(renewed.epoch, lease.epoch);
    assert!(renewed.expires > clock.wall());
}

async fn a_lease_counts_from_when_it_was_asked_for(clock: &ManualClock, one: &dyn Journal) {
    let run = run("leases/term");
    let before = clock.wall();
    let lease = one.acquire(&run, &owner("a"), TTL).await.unwrap();
    assert!(lease.expires >= before + TTL && lease.expires <= clock.wall() + TTL, "{lease:?}");
    assert_eq!((lease.run.as_str(), lease.owner.as_str()), (run.as_str(), "a"));
}

async fn a_renewal_makes_no_lease_shorter(clock: &ManualClock, one: &dyn Journal, two: &dyn Journal) {
    // As one that was held up on its way, or repeated, after a later one.
    let run = run("leases/no-shorter");
    let (second, lease) = (Duration::from_secs(1), one.acquire(&run, &owner("a"), TTL).await.unwrap());
    clock.advance(TTL / 3);
    let renewed = one.renew(&lease, TTL).await.unwrap();
    let late = two.renew(&lease, TTL / 3).await.unwrap();
    assert_eq!((late.expires, late.epoch), (renewed.expires, lease.epoch));
    clock.advance(TTL - second);
    assert_eq!(two.acquire(&run, &owner("b"), TTL).await.unwrap_err().kind(), ErrorKind::Conflict);
    clock.advance(second * 2);
    assert!(two.acquire(&run, &owner("b"), TTL).await.unwrap().epoch > lease.epoch);
}

async fn a_lease_that_was_never_granted_writes_nothing(one: &dyn Journal, two: &dyn Journal) {
    let run = run("leases/forged");
    let lease = one.acquire(&run, &owner("a"), TTL).await.unwrap();
    let other_owner = Lease { owner: owner("b"), ..lease.clone() };
    let earlier = Lease { epoch: crate::model::Epoch(lease.epoch.0 - 1), ..lease.clone() };
    let later = Lease { epoch: crate::model::Epoch(lease.epoch.0 + 1), ..lease.clone() };
    for forged in [other_owner, earlier, later] {
        for journal in [one, two] {
            let error = journal.append(&forged, Seq(0), vec![note(9)]).await.unwrap_err();
            assert_eq!((error.kind(), error.effect()), (ErrorKind::Fenced, Effect::NotApplied), "{forged:?}");
            assert_eq!(journal.renew(&forged, TTL).await.unwrap_err().kind(), ErrorKind::Fenced);
        }
    }
    two.append(&lease, Seq(0), vec![note(1)]).await.unwrap();
    assert_eq!(numbers(&all(one, &run, 0).await), [1]);
}

async fn epochs_only_grow(clock: &ManualClock, one: &dyn Journal, two: &dyn Journal) {
    let run = run("leases/epochs");
    let mut last = crate::model::Epoch(0);
    for n in 0..12_u32 {
        let (journal, who) = if n % 2 == 0 { (one, "a") } else { (two, "b") };
        let lease = journal.acquire(&run, &owner(who), TTL).await.unwrap();
        assert!(lease.epoch > last, "{lease:?} after {last}");
        last = lease.epoch;
        // By a release, by lapsing, and by both.
        if n % 3 != 0 {
            journal.release(lease).await.unwrap();
        }
        if n % 3 != 1 {
            clock.advance(TTL + Duration::from_secs(1));
        }
    }
}

async fn each_holder_goes_on_where_the_last_one_stopped(clock: &ManualClock, one: &dyn Journal, two: &dyn Journal) {
    let run = run("leases/relay");
    for n in 0..9_u64 {
        let (journal, other) = if n % 2 == 0 { (one, two) } else { (two, one) };
        let lease = journal.acquire(&run, &owner(&format!("holder-{n}")), TTL).await.unwrap();
        assert_eq!(numbers(&all(journal, &run, 0).await), (0..n).collect::<Vec<_>>());
        journal.append(&lease, Seq(n), vec![note(n)]).await.unwrap();
        assert_eq!(numbers(&all(other, &run, n).await), [n]);
        clock.advance(TTL + Duration::from_secs(1));
    }
    let records = all(one, &run, 0).await;
    verify(&records).unwrap();
    assert!(records.is_sorted_by_key(|record| record.epoch));
}
