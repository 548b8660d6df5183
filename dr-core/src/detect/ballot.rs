use std::{sync::Arc, time::Duration};

use super::{
    CheckPolicy, Evidence, Opinion, QuorumPolicy, Verdict, Why,
    stand::{Colour, Stand},
    streak::{Rule, Streak},
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
    /// Whether the region is asked to take writes: if not, transactions that fail there are as they should be.
    takes_writes: bool,
    verdict: Verdict,
    gray: bool,
    blocked: Option<String>,
    tripped: Option<Monotonic>,
}

impl CheckPolicy {
    fn rule(&self) -> Rule {
        Rule { trip: self.trip, clear: self.clear, stale_after: self.stale_after }
    }
}

/// What the readings alone ask for, before hold-down has its say.
struct Proposal {
    verdict: Verdict,
    gray: bool,
    blocked: Option<String>,
}

impl Proposal {
    const fn plain(verdict: Verdict) -> Self {
        Self { verdict, gray: false, blocked: None }
    }
}

impl Ballot {
    pub(super) fn new(policy: Arc<QuorumPolicy>) -> Self {
        let row = vec![Streak::default(); policy.checks.len()];
        Self {
            now: Monotonic::ZERO,
            streaks: vec![row; policy.observers.len()],
            policy,
            takes_writes: true,
            verdict: Verdict::Unknown,
            gray: false,
            blocked: None,
            tripped: None,
        }
    }

    pub(super) fn verdict(&self) -> Verdict {
        self.verdict
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
        let (gray, _) = self.quorum_since(stands, |stand| stand.gray_since);
        if let Some(gray_dwell) = self.policy.gray_dwell
            && gray.is_some_and(|since| self.now >= since + gray_dwell)
            && down.is_none_or(|since| self.now < since + self.policy.dwell)
        {
            return Proposal { verdict: Verdict::Unhealthy, gray: down.is_none(), blocked: None };
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
        if count(|o| matches!(o, Opinion::Gray | Opinion::Down)) >= k {
            let blocked = match self.policy.gray_dwell {
                Some(dwell) if gray.is_some() => Some(waiting("gray dwell", dwell)),
                Some(_) => Some("no observer outside the pair agrees".to_owned()),
                None => None,
            };
            return Proposal { verdict: Verdict::Degraded, gray: true, blocked };
        }
        if count(|o| matches!(o, Opinion::Partial | Opinion::Gray | Opinion::Down)) >= k {
            return Proposal::plain(Verdict::Degraded);
        }
        match count(|o| !matches!(o, Opinion::Healthy | Opinion::Unknown)) {
            0 => Proposal::plain(Verdict::Healthy),
            _ => Proposal::plain(Verdict::Suspect),
        }
    }

    /// Whether enough observers hold the opposite of what tripped the verdict.
    fn is_cleared(&self, stands: &[Stand]) -> bool {
        let gray_counts = self.policy.gray_dwell.is_some();
        let better = stands.iter().filter(|stand| match stand.opinion {
            Opinion::Healthy | Opinion::Partial => true,
            Opinion::Gray => !gray_counts,
            Opinion::Suspect | Opinion::Down | Opinion::Unknown => false,
        });
        better.count() >= self.policy.quorum
    }

    fn take(&mut self, at: Monotonic, o: &Observation) {
        let rows = self.policy.observers.iter().zip(&mut self.streaks);
        for (_, row) in rows.filter(|(observer, _)| observer.vantage == o.vantage) {
            let checks = self.policy.checks.iter().zip(row);
            for (check, streak) in checks.filter(|(check, _)| check.probe == o.subject.probe) {
                streak.take(at, &o.outcome, &check.rule());
            }
        }
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
    }

    /// The next moment, after now, at which something changes by itself.
    fn next_deadline(&self) -> Option<Monotonic> {
        let stands = self.stands();
        let stale = self.streaks.iter().flat_map(|row| {
            self.policy.checks.iter().zip(row).filter_map(|(check, streak)| streak.stale_at(&check.rule()))
        });
        let dwell = self.quorum_since(&stands, |stand| stand.down_since).0.map(|since| since + self.policy.dwell);
        let gray = self
            .policy
            .gray_dwell
            .and_then(|dwell| self.quorum_since(&stands, |stand| stand.gray_since).0.map(|since| since + dwell));
        let held = self.tripped.map(|tripped| tripped + self.policy.hold_down);
        stale.chain(dwell).chain(gray).chain(held).filter(|deadline| *deadline > self.now).min()
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
            blocked: self.blocked.clone(),
            evidence: evidence.collect(),
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
