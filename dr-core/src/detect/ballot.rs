use std::{sync::Arc, time::Duration};

use super::{
    CheckPolicy, Evidence, GrayFailure, Opinion, QuorumPolicy, Verdict, Why,
    damping::Merit,
    stand::{Colour, Stand},
    streak::{Rule, Streak},
    suspicion::Waits,
    timeline::{Input, Machine},
};
use crate::{
    model::VantageId,
    probe::{CheckKind, Health, Observation, Spoken},
    time::Monotonic,
};

/// The state of a quorum at one moment: every observer's streaks, and the verdict that came of them.
#[derive(Clone, Debug)]
pub(super) struct Ballot {
    policy: Arc<QuorumPolicy>,
    now: Monotonic,
    /// One row an observer, one streak a check, in the policy's order.
    streaks: Vec<Vec<Streak>>,
    /// The same for the waits between good looks.
    waits: Vec<Vec<Waits>>,
    /// From how many standard deviations on a wait is suspicious.
    deviations: f64,
    /// Whether the region is asked to take writes: if not, transactions that fail there are as they should be.
    takes_writes: bool,
    verdict: Verdict,
    gray: Option<GrayFailure>,
    blocked: Option<String>,
    tripped: Option<Monotonic>,
    /// Whether the region was last held unhealthy, when it was held to be anything.
    lost: Option<bool>,
    merit: Merit,
    suppressed: bool,
}

impl CheckPolicy {
    fn rule(&self) -> Rule {
        Rule { trip: self.trip, clear: self.clear, stale_after: self.stale_after }
    }
}

/// What the readings alone ask for, before hold-down has its say.
struct Proposal {
    verdict: Verdict,
    gray: Option<GrayFailure>,
    blocked: Option<String>,
}

impl Proposal {
    const fn plain(verdict: Verdict) -> Self {
        Self { verdict, gray: None, blocked: None }
    }
}

impl Ballot {
    pub(super) fn new(policy: Arc<QuorumPolicy>) -> Self {
        let (checks, observers) = (policy.checks.len(), policy.observers.len());
        Self {
            now: Monotonic::ZERO,
            streaks: vec![vec![Streak::default(); checks]; observers],
            waits: vec![vec![Waits::default(); checks]; observers],
            deviations: policy.suspicion.map_or(f64::INFINITY, |suspicion| suspicion.deviations()),
            policy,
            takes_writes: true,
            verdict: Verdict::Unknown,
            gray: None,
            blocked: None,
            tripped: None,
            lost: None,
            merit: Merit::default(),
            suppressed: false,
        }
    }

    /// The verdict as it is told: one that changes too often is a suspicion, whatever it says at the moment.
    pub(super) fn verdict(&self) -> Verdict {
        match self.verdict {
            Verdict::Unknown => Verdict::Unknown,
            _ if self.suppressed => Verdict::Suspect,
            verdict => verdict,
        }
    }

    /// What each observer holds, in the policy's order.
    fn stands(&self) -> Vec<Stand> {
        let judge = |row| {
            let transaction = match self.takes_writes {
                true => self.colour(row, CheckKind::Transaction),
                false => Colour::Absent,
            };
            Stand::from_kinds(self.colour(row, CheckKind::Infrastructure), transaction)
        };
        self.streaks.iter().map(|row| judge(row)).collect()
    }

    /// Whether the region is asked to take writes.
    pub(super) fn takes_writes(&self) -> bool {
        self.takes_writes
    }

    /// Whether enough observers saw a transaction come out like this when they last looked.
    pub(super) fn sees_writes(&self, wanted: Health) -> bool {
        let sees = |row: &&Vec<Streak>| {
            let mut checks =
                self.policy.checks.iter().zip(*row).filter(|(check, _)| check.kind == CheckKind::Transaction);
            checks.any(|(check, streak)| streak.latest(self.now, &check.rule()) == Some(wanted))
        };
        self.streaks.iter().filter(sees).count() >= self.policy.quorum
    }

    /// Whether enough observers hold that transactions fail.
    pub(super) fn holds_writes_failed(&self) -> bool {
        let failed = self.streaks.iter().map(|row| self.colour(row, CheckKind::Transaction));
        failed.filter(|colour| matches!(colour, Colour::Red { .. } | Colour::Amber { .. })).count()
            >= self.policy.quorum
    }

    /// Whether enough observers hold that transactions pass, and none saw one fail since.
    pub(super) fn holds_writes(&self) -> bool {
        let colours = || self.streaks.iter().map(|row| self.colour(row, CheckKind::Transaction));
        let steady = colours().filter(|colour| *colour == Colour::Green { failing: false }).count();
        let fails =
            |colour| matches!(colour, Colour::Red { .. } | Colour::Amber { .. } | Colour::Green { failing: true });
        steady >= self.policy.quorum && !colours().any(fails)
    }

    /// The observers for whom, in some kind of check, every good look is overdue. One that is blind waits for nothing.
    fn overdue(&self) -> impl Iterator<Item = &VantageId> {
        let late = |streaks: &[Streak], waits: &[Waits], kind: CheckKind| {
            let mut known = 0_usize;
            for ((check, streak), waits) in self.policy.checks.iter().zip(streaks).zip(waits) {
                if check.kind != kind || streak.latest(self.now, &check.rule()).is_none() {
                    continue;
                }
                match waits.overdue_at() {
                    Some(overdue_at) if self.now >= overdue_at => known += 1,
                    _ => return false,
                }
            }
            known > 0
        };
        let rows = self.policy.observers.iter().zip(self.streaks.iter().zip(&self.waits));
        rows.filter(move |(_, (streaks, waits))| {
            late(streaks, waits, CheckKind::Infrastructure)
                || (self.takes_writes && late(streaks, waits, CheckKind::Transaction))
        })
        .map(|(observer, _)| &observer.vantage)
    }

    fn colour(&self, row: &[Streak], kind: CheckKind) -> Colour {
        let (mut present, mut known, mut failing) = (false, 0, false);
        let mut red: Vec<Monotonic> = Vec::new();
        for (check, streak) in self.policy.checks.iter().zip(row).filter(|(check, _)| check.kind == kind) {
            present = true;
            let Some((health, since)) = streak.opinion(self.now, &check.rule()) else { continue };
            known += 1;
            match health {
                Health::Unhealthy => red.push(since),
                Health::Healthy => failing |= streak.is_failing(),
            }
        }
        match (red.iter().min(), red.iter().max()) {
            _ if !present => Colour::Absent,
            _ if known == 0 => Colour::Unknown,
            (_, Some(&since)) if red.len() == known => Colour::Red { since },
            (Some(&since), _) => Colour::Amber { since },
            _ => Colour::Green { failing },
        }
    }

    /// Since when a quorum has held what `since` dates, someone outside the pair among them; and whether only that
    /// someone is missing.
    fn quorum_since(&self, stands: &[Stand], since: impl Fn(&Stand) -> Option<Monotonic>) -> (Option<Monotonic>, bool) {
        let mut dates: Vec<Monotonic> = stands.iter().filter_map(&since).collect();
        dates.sort_unstable();
        let Some(&agreed) = dates.get(self.policy.quorum.saturating_sub(1)) else { return (None, false) };
        let outside = self
            .policy
            .observers
            .iter()
            .zip(stands)
            .filter(|(observer, _)| self.policy.is_outside(observer))
            .filter_map(|(_, stand)| since(stand))
            .min();
        (outside.map(|outside| outside.max(agreed)), outside.is_none())
    }

    fn propose(&self, stands: &[Stand]) -> Proposal {
        let k = self.policy.quorum;
        let count = |wanted: fn(Opinion) -> bool| stands.iter().filter(|stand| wanted(stand.opinion)).count();
        let (down, alone) = self.quorum_since(stands, |stand| stand.down_since);
        let grays = self.grays(stands);
        for (failure, dwell, since) in grays {
            if let Some(dwell) = dwell
                && since.is_some_and(|since| self.now >= since + dwell)
                && down.is_none_or(|since| self.now < since + self.policy.dwell)
            {
                let gray = down.is_none().then_some(failure);
                return Proposal { gray, ..Proposal::plain(Verdict::Unhealthy) };
            }
        }
        if let Some(since) = down {
            if self.now >= since + self.policy.dwell {
                return Proposal::plain(Verdict::Unhealthy);
            }
            return Proposal {
                blocked: Some(waiting("dwell", self.policy.dwell)),
                ..Proposal::plain(Verdict::Suspect)
            };
        }
        if alone {
            let blocked = Some("no observer outside the pair agrees".to_owned());
            return Proposal { blocked, ..Proposal::plain(Verdict::Suspect) };
        }
        if count(|o| o != Opinion::Unknown) < k {
            return Proposal::plain(Verdict::Unknown);
        }
        for (failure, dwell, since) in grays {
            let against = stands.iter().filter(|stand| failure.is_held_by(stand.opinion)).count();
            if against >= k {
                let blocked = match dwell {
                    Some(dwell) if since.is_some() => Some(waiting("gray dwell", dwell)),
                    Some(_) => Some("no observer outside the pair agrees".to_owned()),
                    None => None,
                };
                return Proposal { verdict: Verdict::Gray, gray: Some(failure), blocked };
            }
        }
        let fails = |o| matches!(o, Opinion::Partial | Opinion::WritesFail | Opinion::ChecksFail | Opinion::Down);
        if count(fails) >= k {
            return Proposal::plain(Verdict::Degraded);
        }
        match count(|o| !matches!(o, Opinion::Healthy | Opinion::Unknown)) {
            0 if self.overdue().count() < k => Proposal::plain(Verdict::Healthy),
            _ => Proposal::plain(Verdict::Suspect),
        }
    }

    /// Both gray failures: after how long each counts as unhealthy, and since when a quorum holds it.
    fn grays(&self, stands: &[Stand]) -> [(GrayFailure, Option<Duration>, Option<Monotonic>); 2] {
        let (writes, _) = self.quorum_since(stands, |stand| stand.gray_since);
        let (checks, _) = self.quorum_since(stands, |stand| stand.checks_fail_since);
        [
            (GrayFailure::WritesFail, self.policy.gray_dwell, writes),
            (GrayFailure::ChecksFail, self.policy.checks_fail_dwell, checks),
        ]
    }

    /// Whether enough observers hold the opposite of what tripped the verdict.
    fn is_cleared(&self, stands: &[Stand]) -> bool {
        let better = stands.iter().filter(|stand| match stand.opinion {
            Opinion::Healthy | Opinion::Partial => true,
            Opinion::WritesFail => self.policy.gray_dwell.is_none(),
            Opinion::ChecksFail => self.policy.checks_fail_dwell.is_none(),
            Opinion::Suspect | Opinion::Down | Opinion::Unknown => false,
        });
        better.count() >= self.policy.quorum
    }

    fn take(&mut self, at: Monotonic, o: &Observation) {
        let rows = self.policy.observers.iter().zip(self.streaks.iter_mut().zip(&mut self.waits));
        for (_, (streaks, waits)) in rows.filter(|(observer, _)| observer.vantage == o.vantage) {
            let checks = self.policy.checks.iter().zip(streaks.iter_mut().zip(waits));
            for (check, (streak, waits)) in checks.filter(|(check, _)| check.probe == o.subject.probe) {
                if streak.stale_at(&check.rule()).is_some_and(|stale_at| at >= stale_at) {
                    waits.forget();
                }
                streak.take(at, &o.outcome, &check.rule());
                match (&self.policy.suspicion, o.outcome.reading()) {
                    (None, _) => {}
                    (Some(suspicion), Some(reading)) if reading.is_healthy() => {
                        waits.good(at, suspicion, self.deviations);
                    }
                    (Some(_), _) => waits.spoilt(),
                }
            }
        }
    }

    /// Counts a change between unhealthy and not, lets a suspension end, and begins one.
    fn damp(&mut self) {
        let Some(damping) = self.policy.damping else { return };
        let lost = match self.verdict {
            Verdict::Unknown => None,
            verdict => Some(verdict == Verdict::Unhealthy),
        };
        if let (Some(before), Some(lost)) = (self.lost, lost)
            && before != lost
        {
            self.merit.punish(self.now, &damping);
        }
        self.lost = lost.or(self.lost);
        let suppressed = self.merit.is_suppressed(self.now);
        if self.suppressed && !suppressed && self.verdict == Verdict::Unhealthy {
            // It is told from now on, and what is told is held.
            self.tripped = Some(self.now);
        }
        self.suppressed = suppressed;
    }

    fn evaluate(&mut self) {
        let stands = self.stands();
        let proposal = self.propose(&stands);
        let held = self.tripped.is_some_and(|tripped| self.now.since(tripped) < self.policy.hold_down);
        let next = match (self.verdict, proposal.verdict) {
            (_, verdict @ (Verdict::Unhealthy | Verdict::Unknown)) => verdict,
            (Verdict::Unhealthy, _) if held || !self.is_cleared(&stands) => Verdict::Unhealthy,
            (Verdict::Unknown, _) if held => Verdict::Unknown,
            (_, verdict) => verdict,
        };
        if next == Verdict::Unhealthy && self.verdict != Verdict::Unhealthy {
            self.tripped = Some(self.now);
        }
        if next == proposal.verdict {
            (self.gray, self.blocked) = (proposal.gray, proposal.blocked);
        } else {
            self.blocked = Some(match held {
                true => waiting("hold-down", self.policy.hold_down),
                false => "too few observers hold it cleared".to_owned(),
            });
        }
        self.verdict = next;
        self.damp();
    }

    /// The next moment, after now, at which something changes by itself.
    fn next_deadline(&self) -> Option<Monotonic> {
        let stands = self.stands();
        let stale = self.streaks.iter().flat_map(|row| {
            self.policy.checks.iter().zip(row).filter_map(|(check, streak)| streak.stale_at(&check.rule()))
        });
        let dwell = self.quorum_since(&stands, |stand| stand.down_since).0.map(|since| since + self.policy.dwell);
        let gray = self.grays(&stands).into_iter().filter_map(|(_, dwell, since)| Some(since? + dwell?));
        let overdue = self.waits.iter().flatten().filter_map(Waits::overdue_at);
        let reuse = self.merit.reuse_at();
        let held = self.tripped.map(|tripped| tripped + self.policy.hold_down);
        stale
            .chain(dwell)
            .chain(gray)
            .chain(held)
            .chain(overdue)
            .chain(reuse)
            .filter(|deadline| *deadline > self.now)
            .min()
    }

    /// Why the verdict is what it is.
    pub(super) fn why(&self) -> Why {
        let stands = self.stands();
        let observers =
            self.policy.observers.iter().zip(&stands).map(|(o, stand)| (o.vantage.clone(), stand.opinion)).collect();
        let evidence = self.policy.observers.iter().zip(&self.streaks).flat_map(|(o, row)| {
            let checks = self.policy.checks.iter().zip(row);
            let counts = |check: &CheckPolicy| self.takes_writes || check.kind != CheckKind::Transaction;
            checks
                .filter(move |(check, _)| counts(check))
                .filter_map(|(check, streak)| self.evidence(&o.vantage, check, streak))
        });
        Why {
            quorum: self.policy.quorum,
            observers,
            gray: self.gray,
            stands_by: !self.takes_writes,
            suppressed: self.policy.damping.and_then(|damping| self.merit.told(self.now, self.verdict, &damping)),
            overdue: self.overdue().cloned().collect(),
            blocked: self.blocked.clone(),
            evidence: evidence.collect(),
            advice: Vec::new(),
        }
    }

    fn evidence(&self, vantage: &VantageId, check: &CheckPolicy, streak: &Streak) -> Option<Evidence> {
        let (at, last) = streak.last()?;
        let (opinion, run) = match streak.opinion(self.now, &check.rule()) {
            None => (Opinion::Unknown, 0),
            Some((Health::Healthy, _)) => (Opinion::Healthy, streak.run_of(Health::Healthy)),
            Some((Health::Unhealthy, _)) => (Opinion::Down, streak.run_of(Health::Unhealthy)),
        };
        let silence = self.now.since(at);
        let last = match silence >= check.stale_after {
            true => format!("nothing heard for {}", Spoken(silence)),
            false => last.to_owned(),
        };
        let (vantage, probe) = (vantage.clone(), check.probe.clone());
        Some(Evidence { vantage, probe, kind: check.kind, opinion, streak: run, last, at })
    }
}

fn waiting(what: &str, limit: Duration) -> String {
    format!("the {what} of {} has not passed", Spoken(limit))
}

impl Machine for Ballot {
    fn step(&mut self, at: Monotonic, told: &[&Input]) {
        while let Some(deadline) = self.next_deadline()
            && deadline < at
        {
            self.now = deadline;
            self.evaluate();
        }
        self.now = at;
        for input in told {
            match input {
                Input::TakesWrites(asked) => self.takes_writes = *asked,
                Input::Observed(o) => self.take(at, o),
            }
        }
        self.evaluate();
    }

    fn now(&self) -> Monotonic {
        self.now
    }
}
