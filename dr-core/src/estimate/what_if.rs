use std::{fmt, str::FromStr, time::Duration};

use super::{Distribution, Model, Symptom};
use crate::{
    plan::Phase,
    spec::{format_duration, parse_duration},
};

/// One change of a model, to see what it would be worth.
#[derive(Clone, Debug, PartialEq)]
pub enum WhatIf {
    /// Resolvers keep answers this long.
    Ttl(Duration),
    /// Every probe looks this often; timeouts that no longer fit into it shrink with it.
    Interval(Duration),
    /// So many failures in a row count.
    Trip(u32),
    /// The quorum must agree this long.
    Dwell(Duration),
    /// A person takes about this long to say yes.
    Decision(Duration),
    /// A look at the lost region runs into this.
    Symptom(Symptom),
    /// The standby always has its full size: its scaling takes no time.
    PreScaled,
    /// A step takes this long, always.
    Step(String, Duration),
}

/// Text that is no change of a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} changes nothing: write ttl=20s, interval=1s, trip=2, dwell=5s, decision=2m, symptom=refused|black-hole, prescaled, \
     or step:NAME=30s"
)]
pub struct InvalidWhatIf(String);

impl FromStr for WhatIf {
    type Err = InvalidWhatIf;

    fn from_str(text: &str) -> Result<Self, InvalidWhatIf> {
        let invalid = || InvalidWhatIf(text.to_owned());
        let Some((what, value)) = text.split_once('=') else {
            return if text == "prescaled" { Ok(Self::PreScaled) } else { Err(invalid()) };
        };
        let length = || parse_duration(value).map_err(|_| invalid());
        let positive = || length().and_then(|length| if length.is_zero() { Err(invalid()) } else { Ok(length) });
        match what {
            "ttl" => Ok(Self::Ttl(length()?)),
            "interval" => Ok(Self::Interval(positive()?)),
            "trip" => match value.parse() {
                Ok(0) | Err(_) => Err(invalid()),
                Ok(trip) => Ok(Self::Trip(trip)),
            },
            "dwell" => Ok(Self::Dwell(length()?)),
            "decision" => Ok(Self::Decision(length()?)),
            "symptom" => match value {
                "refused" => Ok(Self::Symptom(Symptom::Refused)),
                "black-hole" => Ok(Self::Symptom(Symptom::BlackHole)),
                _ => Err(invalid()),
            },
            _ => match what.strip_prefix("step:") {
                Some(step) if !step.is_empty() => Ok(Self::Step(step.to_owned(), length()?)),
                _ => Err(invalid()),
            },
        }
    }
}

impl fmt::Display for WhatIf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Ttl(to) => format!("ttl={}", format_duration(*to)),
            Self::Interval(to) => format!("interval={}", format_duration(*to)),
            Self::Trip(to) => format!("trip={to}"),
            Self::Dwell(to) => format!("dwell={}", format_duration(*to)),
            Self::Decision(to) => format!("decision={}", format_duration(*to)),
            Self::Symptom(Symptom::Refused) => "symptom=refused".to_owned(),
            Self::Symptom(Symptom::BlackHole) => "symptom=black-hole".to_owned(),
            Self::PreScaled => "prescaled".to_owned(),
            Self::Step(step, to) => format!("step:{step}={}", format_duration(*to)),
        };
        f.pad(&text)
    }
}

impl Model {
    /// The model with one thing changed. Everything else keeps its luck, so that two predictions differ by the change alone.
    ///
    /// # Errors
    ///
    /// When the model has nothing of the kind, in a sentence.
    pub fn with(&self, change: &WhatIf) -> Result<Self, String> {
        let mut model = self.clone();
        match change {
            WhatIf::Ttl(to) => model.traffic.ttl = *to,
            WhatIf::Decision(to) => {
                model.decision =
                    if to.is_zero() { Distribution::ZERO } else { Distribution::Exponential { mean: *to } };
            }
            WhatIf::PreScaled => {
                let scaling = model.steps.iter_mut().filter(|step| matches!(step.phase, Phase::Scale | Phase::Ready));
                scaling.for_each(|step| step.takes = Distribution::ZERO);
            }
            WhatIf::Step(name, to) => {
                let Some(step) = model.steps.iter_mut().find(|step| step.id == **name) else {
                    let known: Vec<&str> = self.steps.iter().map(|step| step.id.as_str()).collect();
                    return Err(format!("there is no step {name}; there are: {}", known.join(", ")));
                };
                step.takes = Distribution::fixed(*to);
            }
            WhatIf::Interval(_) | WhatIf::Trip(_) | WhatIf::Dwell(_) | WhatIf::Symptom(_) => {
                let Some(detection) = &mut model.detection else {
                    return Err(format!("{change}: nothing has to be noticed in this plan"));
                };
                match change {
                    WhatIf::Interval(to) => detection.probes.iter_mut().for_each(|probe| {
                        probe.interval = *to;
                        probe.timeout = probe.timeout.min(*to);
                    }),
                    WhatIf::Trip(to) => detection.probes.iter_mut().for_each(|probe| probe.trip = *to),
                    WhatIf::Dwell(to) => detection.dwell = *to,
                    WhatIf::Symptom(to) => detection.symptom = *to,
                    _ => {}
                }
            }
        }
        Ok(model)
    }
}
