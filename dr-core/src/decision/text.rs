//! The answer to "why did you (not) fail over?", in words.

use std::fmt;

use super::{Blocker, Choice, Decision};
use crate::{detect::Opinion, probe::Spoken};

impl Decision {
    /// The decision with its first reason: `hold: the kill switch is on (journal), by ada: change freeze`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let lost = || {
            let reading = self.readings.iter().find(|reading| reading.region == self.from);
            reading.map(|reading| reading.why.clone()).unwrap_or_default()
        };
        match (&self.choice, self.blockers.split_first()) {
            (Choice::Act { goal, by: Some(by) }, _) => format!("act: {goal}, as {} said: {}", by.who, lost()),
            (Choice::Act { goal, by: None }, _) => format!("act: {goal}: {}", lost()),
            (Choice::Ask { question, .. }, _) => format!("ask: {question}"),
            (Choice::Hold, None) => "hold".to_owned(),
            (Choice::Hold, Some((manual @ Blocker::Manual, []))) => {
                let to = self.to.as_ref().map_or("another region", |to| to.as_str());
                format!("hold: {manual}; nothing else speaks against going from {} to {to}: {}", self.from, lost())
            }
            (Choice::Hold, Some((first, []))) => format!("hold: {first}"),
            (Choice::Hold, Some((first, more))) => format!("hold: {first} (and {} more)", more.len()),
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.choice {
            Choice::Act { goal, by: None } => writeln!(f, "Acted: {goal}. Nothing spoke against it.")?,
            Choice::Act { goal, by: Some(by) } => {
                writeln!(f, "Acted: {goal}. {} said yes ({}), and nothing spoke against it.", by.who, by.why)?;
            }
            Choice::Ask { goal, question } => {
                writeln!(f, "Asked: {goal}. Nothing spoke against it, and the policy asks: {question}")?;
            }
            Choice::Hold => {
                writeln!(f, "Did not fail over from {}, because:", self.from)?;
                self.blockers.iter().try_for_each(|blocker| writeln!(f, "  - {blocker}"))?;
            }
        }
        if !self.conditions.is_empty() {
            writeln!(f, "Conditions:")?;
        }
        for condition in &self.conditions {
            let mark = if condition.holds { "holds" } else { "does not hold" };
            write!(f, "  - {} {mark}", condition.name)?;
            if let Some(so_for) = condition.so_for {
                write!(f, ", so for {} of {}", Spoken(so_for), Spoken(condition.lasting))?;
            }
            writeln!(f, ": {}", condition.saw)?;
        }
        writeln!(f, "Readings:")?;
        for reading in &self.readings {
            writeln!(f, "  - {} for {}: {}", reading.region, Spoken(reading.lasting), reading.why)?;
            for evidence in &reading.because.evidence {
                let opinion = match evidence.opinion {
                    Opinion::Healthy => "passes",
                    Opinion::Down => "fails",
                    _ => "unknown",
                };
                writeln!(
                    f,
                    "      {} by {}: {opinion}, {} in a row: {}",
                    evidence.probe, evidence.vantage, evidence.streak, evidence.last
                )?;
            }
        }
        Ok(())
    }
}
