//! The laws of the inbox.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use serde_json::json;

use super::{TTL, all, end, note, numbers, owner, run};
use crate::{
    error::{Effect, ErrorKind, Result},
    journal::{Journal, Request, RequestId, Seq, Submitted},
    model::{RequestToken, RunId},
    time::{Clock as _, ManualClock},
};

/// Runs the inbox's laws.
pub(super) async fn check<F, Fut>(clock: &ManualClock, one: &dyn Journal, two: &dyn Journal, open: F)
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<Arc<dyn Journal>>>,
{
    a_request_needs_no_lease_and_fences_nobody(clock, one, two).await;
    requests_are_kept_in_order(clock, one, two).await;
    a_request_that_is_sent_again_is_one_request(clock, one, two).await;
    a_token_stands_for_one_request(clock, one).await;
    a_run_that_is_not_there_has_no_inbox(clock, one).await;
    a_run_that_has_ended_still_keeps_what_is_asked(clock, one, two).await;
    runs_have_inboxes_of_their_own(clock, one).await;
    two_askers_are_both_heard(clock, one, two).await;
    what_was_asked_is_there_for_whoever_opens_the_store_later(clock, one, open).await;
    all_runs_are_told_oldest_first(one, two).await;
}

fn request(clock: &ManualClock, token: &str) -> Request {
    Request {
        token: RequestToken::new(token).unwrap(),
        control: json!({ "control": "pause", "who": "Ada", "why": format!("é\u{1F600} {token}"), "n": u64::MAX }),
        at: clock.wall(),
        by: owner("asker"),
    }
}

async fn begun(journal: &dyn Journal, run: &RunId) {
    let lease = journal.acquire(run, &owner("a"), TTL).await.unwrap();
    journal.append(&lease, Seq(0), vec![note(1)]).await.unwrap();
}

fn tokens(submitted: &[Submitted]) -> Vec<(u64, String)> {
    submitted.iter().map(|one| (one.id.0, one.request.token.to_string())).collect()
}

async fn a_request_needs_no_lease_and_fences_nobody(clock: &ManualClock, one: &dyn Journal, two: &dyn Journal) {
    let run = run("inbox/held");
    let lease = one.acquire(&run, &owner("a"), TTL).await.unwrap();
    one.append(&lease, Seq(0), vec![note(1)]).await.unwrap();
    assert!(one.requests(&run, RequestId(0)).await.unwrap().is_empty());
    let asked = request(clock, "t-1");
    assert_eq!(two.submit(&run, asked.clone()).await.unwrap(), RequestId(1));
    for journal in [one, two] {
        let there = journal.requests(&run, RequestId(0)).await.unwrap();
        assert_eq!(there, [Submitted { id: RequestId(1), request: asked.clone() }], "as it was sent, to the last byte");
    }
    // The holder writes on as before, and the request is no record of the run.
    one.append(&lease, Seq(1), vec![note(2)]).await.unwrap();
    one.renew(&lease, TTL).await.unwrap();
    assert_eq!(numbers(&all(two, &run, 0).await), [1, 2]);
}

async fn requests_are_kept_in_order(clock: &ManualClock, one: &dyn Journal, two: &dyn Journal) {
    let run = run("inbox/order");
    begun(one, &run).await;
    for (n, journal) in (1..=12).zip([one, two].into_iter().cycle()) {
        // Tokens that do not sort as they came, and a clock that is of no account.
        let asked = request(clock, &format!("t-{}", 100 - n));
        assert_eq!(journal.submit(&run, asked).await.unwrap(), RequestId(n));
    }
    for journal in [one, two] {
        let there = tokens(&journal.requests(&run, RequestId(0)).await.unwrap());
        assert_eq!(there, (1..=12).map(|n| (n, format!("t-{}", 100 - n))).collect::<Vec<_>>());
        assert_eq!(tokens(&journal.requests(&run, RequestId(10)).await.unwrap()), there[10..]);
        assert!(journal.requests(&run, RequestId(12)).await.unwrap().is_empty());
        assert!(journal.requests(&run, RequestId(99)).await.unwrap().is_empty());
    }
}

async fn a_request_that_is_sent_again_is_one_request(clock: &ManualClock, one: &dyn Journal, two: &dyn Journal) {
    let run = run("inbox/again");
    begun(one, &run).await;
    let first = request(clock, "t-1");
    assert_eq!(one.submit(&run, first.clone()).await.unwrap(), RequestId(1));
    assert_eq!(one.submit(&run, request(clock, "t-2")).await.unwrap(), RequestId(2));
    // Whoever lost the reply asks again, later, through any handle, perhaps from another process.
    clock.advance(Duration::from_secs(1));
    let again = Request { by: owner("asker-restarted"), ..request(clock, "t-1") };
    assert_ne!(again.at, first.at);
    assert_eq!(one.submit(&run, again.clone()).await.unwrap(), RequestId(1));
    assert_eq!(two.submit(&run, again).await.unwrap(), RequestId(1));
    let there = two.requests(&run, RequestId(0)).await.unwrap();
    assert_eq!(tokens(&there), [(1, "t-1".to_owned()), (2, "t-2".to_owned())]);
    assert_eq!(there[0].request, first, "the first one stays");
}

async fn a_token_stands_for_one_request(clock: &ManualClock, one: &dyn Journal) {
    let run = run("inbox/token");
    begun(one, &run).await;
    one.submit(&run, request(clock, "t-1")).await.unwrap();
    let other = Request { control: json!({ "control": "cancel" }), ..request(clock, "t-1") };
    let error = one.submit(&run, other).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Conflict, Effect::NotApplied));
    assert_eq!(one.requests(&run, RequestId(0)).await.unwrap().len(), 1);
}

async fn a_run_that_is_not_there_has_no_inbox(clock: &ManualClock, one: &dyn Journal) {
    let run = run("inbox/none");
    let error = one.submit(&run, request(clock, "t-1")).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::NotFound, Effect::NotApplied));
    // A lease alone is no run.
    one.acquire(&run, &owner("a"), TTL).await.unwrap();
    assert_eq!(one.submit(&run, request(clock, "t-1")).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(one.requests(&run, RequestId(0)).await.unwrap().is_empty());
}

async fn a_run_that_has_ended_still_keeps_what_is_asked(clock: &ManualClock, one: &dyn Journal, two: &dyn Journal) {
    // Whoever asks cannot know that the run is ending just now: it is for the asker to see that nobody answers any more.
    let run = run("inbox/ended");
    let lease = one.acquire(&run, &owner("a"), TTL).await.unwrap();
    one.append(&lease, Seq(0), vec![note(1), end()]).await.unwrap();
    assert_eq!(two.submit(&run, request(clock, "t-1")).await.unwrap(), RequestId(1));
    assert_eq!(one.requests(&run, RequestId(0)).await.unwrap().len(), 1);
}

async fn runs_have_inboxes_of_their_own(clock: &ManualClock, one: &dyn Journal) {
    // One's name begins with the other's.
    let (left, right) = (run("inbox/own"), run("inbox/own/more"));
    begun(one, &left).await;
    begun(one, &right).await;
    assert_eq!(one.submit(&left, request(clock, "t-1")).await.unwrap(), RequestId(1));
    assert_eq!(one.submit(&right, request(clock, "t-1")).await.unwrap(), RequestId(1));
    assert_eq!(one.submit(&right, request(clock, "t-2")).await.unwrap(), RequestId(2));
    assert_eq!(tokens(&one.requests(&left, RequestId(0)).await.unwrap()), [(1, "t-1".to_owned())]);
    assert_eq!(one.requests(&right, RequestId(0)).await.unwrap().len(), 2);
}

async fn two_askers_are_both_heard(clock: &ManualClock, one: &dyn Journal, two: &dyn Journal) {
    let run = run("inbox/race");
    begun(one, &run).await;
    let mut heard = Vec::new();
    for n in 0..10 {
        let asks = [(one, "one"), (two, "two")].map(|(journal, who)| {
            let asked = request(clock, &format!("{who}-{n}"));
            journal.submit(&run, asked)
        });
        let read = one.requests(&run, RequestId(0));
        let (ids, read) = futures::join!(join_all(asks), read);
        heard.extend(ids.into_iter().map(|id| id.unwrap().0));
        // Whoever reads meanwhile sees no place before those that come ahead of it.
        let seen: Vec<u64> = read.unwrap().iter().map(|one| one.id.0).collect();
        assert_eq!(seen, (1..=seen.len() as u64).collect::<Vec<_>>());
    }
    heard.sort_unstable();
    assert_eq!(heard, (1..=20).collect::<Vec<_>>());
    // The same request by both at once is one.
    let both = [one, two].map(|journal| journal.submit(&run, request(clock, "same")));
    let ids: Vec<RequestId> = join_all(both).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(ids, [RequestId(21), RequestId(21)]);
    assert_eq!(two.requests(&run, RequestId(0)).await.unwrap().len(), 21);
}

async fn what_was_asked_is_there_for_whoever_opens_the_store_later<F, Fut>(
    clock: &ManualClock,
    one: &dyn Journal,
    open: F,
) where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<Arc<dyn Journal>>>,
{
    let run = run("inbox/later");
    begun(one, &run).await;
    one.submit(&run, request(clock, "t-1")).await.unwrap();
    let later = open().await.unwrap();
    assert_eq!(tokens(&later.requests(&run, RequestId(0)).await.unwrap()), [(1, "t-1".to_owned())]);
    assert_eq!(later.submit(&run, request(clock, "t-1")).await.unwrap(), RequestId(1));
    assert_eq!(later.submit(&run, request(clock, "t-2")).await.unwrap(), RequestId(2));
}

async fn all_runs_are_told_oldest_first(one: &dyn Journal, two: &dyn Journal) {
    for (name, ended) in [("all/z", false), ("all/a", true), ("all/m", false)] {
        let lease = one.acquire(&run(name), &owner("a"), TTL).await.unwrap();
        one.append(&lease, Seq(0), vec![note(1)]).await.unwrap();
        if ended {
            one.append(&lease, Seq(1), vec![end()]).await.unwrap();
        }
    }
    // A lease alone is no run.
    two.acquire(&run("all/none"), &owner("a"), TTL).await.unwrap();
    let mut runs = two.runs().await.unwrap();
    runs.retain(|id| id.as_str().contains("/all/"));
    let names: Vec<&str> = runs.iter().map(RunId::as_str).collect();
    assert_eq!(names, ["conformance/all/z", "conformance/all/a", "conformance/all/m"]);
}
