use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use tokio::sync::mpsc;

use super::{
    Evidence, Opinion, Standing,
    streak::{Rule, Streak},
};
use crate::{
    model::VantageId,
    probe::{Health, HealthProbe, Observation, ProbeCx, Subject, look},
    time::Monotonic,
};

/// Somebody who is asked what they think, and has no vote.
#[derive(Clone, Debug)]
pub(super) struct Adviser {
    pub(super) probe: Arc<dyn HealthProbe>,
    pub(super) every: Duration,
}

impl Adviser {
    /// Asks until cancelled, or until nobody listens. Whoever cannot be asked has no opinion: there is no control target.
    pub(super) async fn run(self, cx: ProbeCx, out: mpsc::Sender<Observation>) {
        let asking = async {
            loop {
                let began = cx.clock().monotonic();
                let outcome = look(self.probe.as_ref(), &cx).await;
                let (at, wall) = (cx.clock().monotonic(), cx.clock().wall());
                let (subject, vantage) = (self.probe.subject().clone(), self.probe.vantage().clone());
                if out.send(Observation { subject, vantage, at, wall, outcome }).await.is_err() {
                    return;
                }
                cx.clock().sleep((began + self.every).since(cx.clock().monotonic())).await;
            }
        };
        tokio::select! {
            biased;
            () = cx.cancel().cancelled() => {}
            () = asking => {}
        }
    }
}

/// What those who have no vote think of each region. It is kept beside the quorums, which never see it.
#[derive(Clone, Debug, Default)]
pub(super) struct Advice {
    by: BTreeMap<(Subject, VantageId), (Rule, Streak)>,
}

impl Advice {
    pub(super) fn of(advisers: &[Adviser]) -> Self {
        let by = advisers.iter().map(|Adviser { probe, every }| {
            // Whoever is asked has thresholds of their own.
            let rule = Rule { trip: 1, clear: 1, stale_after: *every * 3 };
            ((probe.subject().clone(), probe.vantage().clone()), (rule, Streak::default()))
        });
        Self { by: by.collect() }
    }

    /// Takes one opinion in.
    pub(super) fn take(&mut self, o: &Observation) {
        if let Some((rule, streak)) = self.by.get_mut(&(o.subject.clone(), o.vantage.clone())) {
            streak.take(o.at, &o.outcome, rule);
        }
    }

    /// Writes down beside a verdict what they think of its region.
    pub(super) fn beside(&self, standing: &mut Standing, region: &crate::model::RegionId, now: Monotonic) {
        let of_it = self.by.iter().filter(|((subject, _), _)| subject.region == *region);
        standing.because.advice = of_it
            .filter_map(|((subject, vantage), (rule, streak))| evidence(subject, vantage, rule, streak, now))
            .collect();
        let against: Vec<String> = standing
            .because
            .advice
            .iter()
            .filter(|advice| advice.opinion == Opinion::Down)
            .map(|advice| format!("{} ({})", advice.vantage, advice.last))
            .collect();
        if !against.is_empty() {
            standing.why.push_str(&format!("; against it without a vote: {}", Listed(&against)));
        }
    }
}

struct Listed<'a>(&'a [String]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

fn evidence(subject: &Subject, vantage: &VantageId, rule: &Rule, streak: &Streak, now: Monotonic) -> Option<Evidence> {
    let (at, last) = streak.last()?;
    let (opinion, run) = match streak.opinion(now, rule) {
        None => (Opinion::Unknown, 0),
        Some((health @ Health::Healthy, _)) => (Opinion::Healthy, streak.run_of(health)),
        Some((health @ Health::Unhealthy, _)) => (Opinion::Down, streak.run_of(health)),
    };
    let (vantage, probe) = (vantage.clone(), subject.probe.clone());
    Some(Evidence { vantage, probe, kind: subject.kind, opinion, streak: run, last: last.to_owned(), at })
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::{
        detect::{Verdict, Why},
        error::{Error, ErrorKind, Result},
        probe::{Latency, Outcome, Reading},
        time::Timestamp,
    };

    #[derive(Debug)]
    struct Route53(Subject, VantageId);

    #[async_trait]
    impl HealthProbe for Route53 {
        fn subject(&self) -> &Subject {
            &self.0
        }

        fn vantage(&self) -> &VantageId {
            &self.1
        }

        async fn probe(&self, _: &ProbeCx) -> Result<Reading> {
            Err(Error::new(ErrorKind::Unavailable, "nobody asks it here"))
        }
    }

    #[test]
    fn an_opinion_stands_beside_the_verdict_and_moves_nothing() {
        let subject = Subject::infrastructure("aws.route53_checkers".parse().unwrap(), "us-east-1".parse().unwrap());
        let vantage: VantageId = "route53".parse().unwrap();
        let probe = Arc::new(Route53(subject.clone(), vantage.clone()));
        let mut advice = Advice::of(&[Adviser { probe, every: Duration::from_secs(30) }]);
        let second = |s| Monotonic::new(Duration::from_secs(s));
        let mut told = |at, outcome, now| {
            let (subject, vantage) = (subject.clone(), vantage.clone());
            advice.take(&Observation { subject, vantage, at: second(at), wall: Timestamp::UNIX_EPOCH, outcome });
            let mut standing = Standing {
                verdict: Verdict::Healthy,
                since: Monotonic::ZERO,
                why: "us-east-1 healthy: 3 of 3 observers".to_owned(),
                because: Why::default(),
            };
            advice.beside(&mut standing, &"eu-west-1".parse().unwrap(), second(now));
            assert!(standing.because.advice.is_empty(), "it says nothing of another region");
            advice.beside(&mut standing, &"us-east-1".parse().unwrap(), second(now));
            assert_eq!((standing.verdict, standing.because.observers.len()), (Verdict::Healthy, 0));
            (standing.because.advice[0].opinion, standing.why)
        };
        let bad = Outcome::Looked(Reading::unhealthy(Latency::default(), "2 of 16 checkers of Route 53 pass"));
        let (opinion, why) = told(30, bad.clone(), 31);
        assert_eq!(opinion, Opinion::Down);
        let said = "us-east-1 healthy: 3 of 3 observers; against it without a vote: route53 (2 of 16 checkers of Route 53 pass)";
        assert_eq!(why, said);
        let blind = Outcome::CouldNotLook(Error::new(ErrorKind::Unavailable, "us-east-1 does not answer").into());
        assert_eq!(told(60, blind, 61).0, Opinion::Unknown);
        // What nobody has repeated for three intervals is no opinion any more.
        assert_eq!(told(90, bad, 180).0, Opinion::Unknown);
    }
}
