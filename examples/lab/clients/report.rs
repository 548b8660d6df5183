use std::{collections::BTreeMap, net::Ipv4Addr};

use dr_core::time::Monotonic;
use serde::{Deserialize, Serialize};

use super::{FailureKind, Operation, Records};

/// The stretch of time that a report is about, in seconds of the lab's time since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// From here; the lab's start when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_s: Option<f64>,
    /// Until here; now when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_s: Option<f64>,
}

impl Window {
    /// Everything so far.
    pub const ALL: Self = Self { from_s: None, to_s: None };

    /// From `from_s` until now.
    #[must_use]
    pub const fn since(from_s: f64) -> Self {
        Self { from_s: Some(from_s), to_s: None }
    }

    /// From `from_s` until `to_s`.
    #[must_use]
    pub const fn between(from_s: f64, to_s: f64) -> Self {
        Self { from_s: Some(from_s), to_s: Some(to_s) }
    }
}

/// A stretch without a successful write.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// Whose; absent when it was everybody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<u32>,
    /// The last success before it.
    pub from_s: f64,
    /// The first success after it, or the end of the window.
    pub to_s: f64,
    /// Whether it had not ended when the window did.
    pub open: bool,
}

impl Gap {
    /// How long it was, in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.to_s - self.from_s
    }
}

/// What happened to the clients in one second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// Which second, counted from the lab's start.
    pub second: u64,
    /// Attempts that succeeded, reads and writes.
    pub ok: usize,
    /// Attempts that failed, by how.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub errors: BTreeMap<FailureKind, usize>,
}

/// A client was led to another address.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flip {
    /// Who.
    pub client: u32,
    /// When.
    pub at_s: f64,
    /// From here.
    pub from: Ipv4Addr,
    /// To here.
    pub to: Ipv4Addr,
}

/// What the clients felt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClientReport {
    /// Where the window begins.
    pub from_s: f64,
    /// Where it ends.
    pub to_s: f64,
    /// How many clients there are.
    pub clients: u32,
    /// Writes acknowledged in the window.
    pub writes_acked: usize,
    /// Reads that found the order.
    pub reads_ok: usize,
    /// Failed attempts, by how.
    pub failures: BTreeMap<FailureKind, usize>,
    /// The longest stretch without a successful write that any one client felt: what the recovery time is measured by.
    pub longest_gap: Option<Gap>,
    /// Each client's longest stretch.
    pub gaps: Vec<Gap>,
    /// The longest stretch in which no client wrote successfully.
    pub global_gap: Option<Gap>,
    /// Second by second; seconds in which nothing happened are left out.
    pub buckets: Vec<Bucket>,
    /// When each client was led elsewhere.
    pub flips: Vec<Flip>,
}

impl ClientReport {
    /// Works the report out of what the clients remember.
    #[must_use]
    pub fn of(records: &Records, clients: u32, window: Window, now: Monotonic) -> Self {
        let (from_s, to_s) = (window.from_s.unwrap_or(0.0), window.to_s.unwrap_or_else(|| seconds(now)));
        let inside = |at: Monotonic| (from_s..=to_s).contains(&seconds(at));
        let writes = |client: Option<u32>| -> Vec<f64> {
            records
                .acknowledged
                .iter()
                .filter(|write| client.is_none_or(|client| client == write.client))
                .map(|write| seconds(write.at))
                .collect()
        };
        let gaps: Vec<Gap> = (1..=clients)
            .filter_map(|client| Some(Gap { client: Some(client), ..longest(writes(Some(client)), from_s, to_s)? }))
            .collect();
        let attempts = || records.attempts.iter().filter(|attempt| inside(attempt.at));
        let mut failures = BTreeMap::new();
        let mut buckets: BTreeMap<u64, Bucket> = BTreeMap::new();
        for attempt in attempts() {
            let second = attempt.at.since_origin().as_secs();
            let bucket = buckets.entry(second).or_insert_with(|| Bucket { second, ..Bucket::default() });
            match attempt.failure {
                None => bucket.ok += 1,
                Some(kind) => {
                    *bucket.errors.entry(kind).or_default() += 1;
                    *failures.entry(kind).or_default() += 1;
                }
            }
        }
        let succeeded = |operation| {
            attempts().filter(|attempt| attempt.operation == operation && attempt.failure.is_none()).count()
        };
        let flips = records.resolved.iter().filter(|resolved| inside(resolved.at)).filter_map(|resolved| {
            let from = resolved.from?;
            Some(Flip { client: resolved.client, at_s: seconds(resolved.at), from, to: resolved.to })
        });
        Self {
            from_s,
            to_s,
            clients,
            writes_acked: succeeded(Operation::Write),
            reads_ok: succeeded(Operation::Read),
            failures,
            longest_gap: gaps.iter().copied().max_by(|a, b| a.seconds().total_cmp(&b.seconds())),
            global_gap: longest(writes(None), from_s, to_s),
            gaps,
            buckets: buckets.into_values().collect(),
            flips: flips.collect(),
        }
    }

    /// When the last client had been led to `address`; none while one of those that were led elsewhere has not been.
    #[must_use]
    pub fn all_flipped_to(&self, address: Ipv4Addr) -> Option<f64> {
        let mut moved: BTreeMap<u32, f64> = BTreeMap::new();
        for flip in &self.flips {
            if flip.to == address {
                moved.insert(flip.client, flip.at_s);
            } else {
                moved.remove(&flip.client);
            }
        }
        let everybody = u32::try_from(moved.len()).is_ok_and(|n| n == self.clients);
        if everybody { moved.into_values().reduce(f64::max) } else { None }
    }
}

/// The longest stretch between successes that reaches into the window. It counts whole, from the success before the window began.
fn longest(mut successes: Vec<f64>, from_s: f64, to_s: f64) -> Option<Gap> {
    successes.sort_by(f64::total_cmp);
    let before = successes.iter().copied().rfind(|at| *at < from_s);
    let mut last = before.unwrap_or(from_s);
    let mut gaps = Vec::new();
    for at in successes.into_iter().filter(|at| (from_s..=to_s).contains(at)) {
        gaps.push(Gap { client: None, from_s: last, to_s: at, open: false });
        last = at;
    }
    if last < to_s {
        gaps.push(Gap { client: None, from_s: last, to_s, open: true });
    }
    gaps.into_iter().max_by(|a, b| a.seconds().total_cmp(&b.seconds()))
}

fn seconds(at: Monotonic) -> f64 {
    at.since_origin().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use dr_core::model::{Epoch, RegionId};

    use super::*;
    use crate::{
        clients::{Acknowledged, Attempt, Ledger, Resolved},
        orders::OrderId,
    };

    fn at(s: f64) -> Monotonic {
        Monotonic::new(Duration::from_secs_f64(s))
    }

    fn ledger(writes: &[(u32, f64)]) -> Ledger {
        let ledger = Ledger::new();
        for (n, (client, s)) in (0..).zip(writes) {
            ledger.acknowledge(Acknowledged {
                id: OrderId::of(*client, n),
                client: *client,
                region: RegionId::new("us-east-1").unwrap(),
                epoch: Epoch(0),
                at: at(*s),
            });
        }
        ledger
    }

    #[test]
    fn recovery_time_is_the_longest_gap_of_the_unluckiest_client() {
        // Client 2 comes back at 90, client 1 at 50; the fault strikes at 10.5.
        let writes = [(1, 9.0), (2, 10.0), (1, 50.0), (1, 52.0), (2, 90.0), (1, 91.0), (2, 92.0)];
        let report = ClientReport::of(&ledger(&writes).records(), 2, Window::since(10.5), at(93.0));
        assert_eq!(report.longest_gap, Some(Gap { client: Some(2), from_s: 10.0, to_s: 90.0, open: false }));
        assert_eq!(report.global_gap, Some(Gap { client: None, from_s: 10.0, to_s: 50.0, open: false }));
        assert_eq!(report.writes_acked, 5);
    }

    #[test]
    fn a_client_that_never_comes_back_has_an_open_gap() {
        let report = ClientReport::of(&ledger(&[(1, 5.0)]).records(), 1, Window::ALL, at(300.0));
        assert_eq!(report.longest_gap, Some(Gap { client: Some(1), from_s: 5.0, to_s: 300.0, open: true }));
    }

    #[test]
    fn what_lies_outside_the_window_is_not_counted() {
        let ledger = ledger(&[(1, 1.0), (1, 20.0), (1, 22.0), (1, 60.0)]);
        ledger.attempt(Attempt {
            client: 1,
            operation: Operation::Read,
            at: at(21.5),
            failure: Some(FailureKind::NotFound),
        });
        let report = ClientReport::of(&ledger.records(), 1, Window::between(20.0, 23.0), at(100.0));
        assert_eq!(report.writes_acked, 2);
        assert_eq!(report.failures, BTreeMap::from([(FailureKind::NotFound, 1)]));
        assert_eq!(report.buckets.iter().map(|b| (b.second, b.ok)).collect::<Vec<_>>(), [(20, 1), (21, 0), (22, 1)]);
    }

    #[test]
    fn dns_has_flipped_when_it_has_for_everybody() {
        let ledger = ledger(&[]);
        let (east, west) = (Ipv4Addr::new(127, 0, 1, 1), Ipv4Addr::new(127, 0, 2, 1));
        let flip = |client, s| ledger.resolve(Resolved { client, at: at(s), from: Some(east), to: west });
        flip(1, 30.0);
        assert_eq!(ClientReport::of(&ledger.records(), 2, Window::ALL, at(99.0)).all_flipped_to(west), None);
        flip(2, 70.0);
        assert_eq!(ClientReport::of(&ledger.records(), 2, Window::ALL, at(99.0)).all_flipped_to(west), Some(70.0));
    }
}
