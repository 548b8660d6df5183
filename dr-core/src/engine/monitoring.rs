use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ApplicationHealth, HealthReading};
use crate::{journal::HealthNews, plan::RecoveryGoal};

/// What a run has seen of its application's health since its last step. Durations count from the run's creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monitoring {
    /// When the last step had ended.
    pub began: Duration,
    /// What was seen last, by the engine that watches now.
    pub health: Option<ApplicationHealth>,
    /// Since when it is green, while it is.
    pub green_since: Option<Duration>,
    /// When it turned green for good, once it has.
    pub recovered: Option<Duration>,
    /// How often it turned green and did not stay so.
    pub relapses: u32,
    /// What was seen last, for a person.
    pub why: String,
}

impl Monitoring {
    pub(super) fn new(began: Duration) -> Self {
        Self { began, health: None, green_since: None, recovered: None, relapses: 0, why: String::new() }
    }

    /// Takes in what is new.
    pub(super) fn apply(&mut self, news: &HealthNews, elapsed: Duration, why: &str) {
        match news {
            HealthNews::Watched => {}
            HealthNews::Green => {
                self.health = Some(ApplicationHealth::Green);
                self.green_since = Some(elapsed);
            }
            HealthNews::Red => self.not_green(ApplicationHealth::Red),
            HealthNews::Unknown => self.not_green(ApplicationHealth::Unknown),
            HealthNews::Stayed { since } => self.recovered = Some(*since),
        }
        why.clone_into(&mut self.why);
    }

    fn not_green(&mut self, health: ApplicationHealth) {
        self.health = Some(health);
        self.relapses += u32::from(self.green_since.take().is_some());
    }

    /// Another engine watches now: what was not seen cannot be said to have lasted.
    pub(super) fn interrupted(&mut self) {
        if self.recovered.is_none() {
            (self.health, self.green_since) = (None, None);
        }
    }

    /// What a look adds to what is known; nothing when it says the same again.
    pub(super) fn news(&self, goal: &RecoveryGoal, reading: &HealthReading, elapsed: Duration) -> Option<HealthNews> {
        if self.recovered.is_some() {
            return None;
        }
        if reading.health == ApplicationHealth::Green
            && let Some(since) = self.green_since
        {
            return (elapsed.saturating_sub(since) >= goal.stays).then_some(HealthNews::Stayed { since });
        }
        (self.health != Some(reading.health)).then_some(match reading.health {
            ApplicationHealth::Green => HealthNews::Green,
            ApplicationHealth::Red => HealthNews::Red,
            ApplicationHealth::Unknown => HealthNews::Unknown,
        })
    }

    /// When the run gives up watching.
    pub(super) fn until(&self, goal: &RecoveryGoal) -> Duration {
        self.began.saturating_add(goal.within)
    }
}

/// How long it took to have the application back: the steps, and the time until its health was green for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryTime {
    /// From the run's creation to the end of its last step.
    pub execution: Duration,
    /// From there to the moment from which health stayed green.
    pub until_green: Duration,
    /// The recovery time objective.
    pub objective: Duration,
}

impl RecoveryTime {
    /// Both together.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.execution + self.until_green
    }

    /// Whether the objective was met.
    #[must_use]
    pub fn met(&self) -> bool {
        self.total() <= self.objective
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    /// Feeds looks, one a second, and collects the seconds at which something was new.
    fn watch(looks: &str) -> (Monitoring, Vec<(u64, HealthNews)>) {
        let goal = RecoveryGoal { stays: s(3), within: s(60) };
        let mut monitoring = Monitoring::new(s(0));
        let mut told = Vec::new();
        for (at, look) in (0..).zip(looks.chars()) {
            if look == '|' {
                monitoring.interrupted();
                continue;
            }
            let health = match look {
                'g' => ApplicationHealth::Green,
                'r' => ApplicationHealth::Red,
                _ => ApplicationHealth::Unknown,
            };
            if let Some(news) = monitoring.news(&goal, &HealthReading { health, why: String::new() }, s(at)) {
                monitoring.apply(&news, s(at), "");
                told.push((at, news));
            }
        }
        (monitoring, told)
    }

    #[test]
    fn green_counts_from_when_it_stayed_so() {
        let (monitoring, told) = watch("rrggrggggg");
        assert_eq!(monitoring.recovered, Some(s(5)));
        assert_eq!(monitoring.relapses, 1);
        let names: Vec<u64> = told.iter().map(|(at, _)| *at).collect();
        assert_eq!(names, [0, 2, 4, 5, 8], "red, green, red, green, stayed");
        assert_eq!(told.last().map(|(_, news)| news.clone()), Some(HealthNews::Stayed { since: s(5) }));
    }

    #[test]
    fn unknown_is_not_green() {
        assert_eq!(watch("gg?ggg").0.recovered, None);
        assert_eq!(watch("gg?gggg").0.recovered, Some(s(3)));
    }

    #[test]
    fn what_the_engine_before_saw_does_not_count() {
        let (monitoring, told) = watch("ggg|gggg");
        assert_eq!(monitoring.recovered, Some(s(4)));
        assert_eq!(monitoring.relapses, 0, "nobody saw it turn");
        assert_eq!(told.len(), 3);
    }
}
