use super::{
    InvalidModel, Model, Percentiles, Prediction, Share, Stages, StepShare,
    compile::Compiled,
    draw::Draw,
    percentiles::quantile,
    queue::{Played, Queue},
};

/// How many recovery times a prediction keeps for its curve.
const CURVE: usize = 512;

/// Plays a model's drills on an event queue and adds them up.
///
/// # Errors
///
/// [`InvalidModel`] with everything that keeps the model from being played.
pub fn predict(model: &Model) -> Result<Prediction, InvalidModel> {
    let compiled = Compiled::new(model)?;
    let (mut draw, mut queue) = (Draw::default(), Queue::default());
    let mut tally = Tally::new(&compiled, model.drills);
    for drill in 0..model.drills {
        draw.again(&compiled, model.seed, drill);
        let played = queue.play(&compiled, &draw, drill);
        tally.add(&compiled, &played, &queue.done);
    }
    Ok(tally.into_prediction(model, &compiled))
}

/// Drills, added up.
#[derive(Debug)]
pub(super) struct Tally {
    recovered: Vec<f64>,
    lags: Vec<f64>,
    stages: [Vec<f64>; 5],
    critical: Vec<u32>,
    stopped: Vec<u32>,
}

impl Tally {
    pub(super) fn new(model: &Compiled, drills: u32) -> Self {
        let room = usize::try_from(drills).unwrap_or_default();
        Self {
            recovered: Vec::with_capacity(room),
            lags: Vec::with_capacity(room),
            stages: std::array::from_fn(|_| Vec::with_capacity(room)),
            critical: vec![0; model.steps.len()],
            stopped: vec![0; model.steps.len()],
        }
    }

    /// Adds a drill; `done` says when each step was done.
    pub(super) fn add(&mut self, model: &Compiled, played: &Played, done: &[Option<f64>]) {
        self.lags.extend(played.lag);
        self.recovered.push(played.recovered().unwrap_or(f64::INFINITY));
        let Some(moved) = played.moved else {
            self.blame(model, done);
            return;
        };
        let parts = [played.detected, played.decided, moved, played.published, played.followed];
        for (stage, part) in self.stages.iter_mut().zip(parts) {
            stage.push(part);
        }
        self.follow_back(model, done);
    }

    /// The steps that could have ended, all they waited for being done, and did not.
    fn blame(&mut self, model: &Compiled, done: &[Option<f64>]) {
        let is_done = |at: &usize| done.get(*at).is_some_and(Option::is_some);
        for (at, step) in model.steps.iter().enumerate() {
            if !is_done(&at)
                && step.after.iter().all(is_done)
                && let Some(count) = self.stopped.get_mut(at)
            {
                *count += 1;
            }
        }
    }

    /// From the step that moved traffic last, each time to the one, of those it waited for, that ended last.
    fn follow_back(&mut self, model: &Compiled, done: &[Option<f64>]) {
        let end = |at: usize| done.get(at).copied().flatten().unwrap_or_default();
        let last = |of: &[usize]| of.iter().copied().max_by(|a, b| end(*a).total_cmp(&end(*b)));
        let mut next = last(&model.moved_by);
        while let Some(at) = next {
            if let Some(count) = self.critical.get_mut(at) {
                *count += 1;
            }
            next = model.steps.get(at).and_then(|step| last(&step.after));
        }
    }

    pub(super) fn into_prediction(mut self, model: &Model, compiled: &Compiled) -> Prediction {
        let drills = self.recovered.len();
        let rto_objective = model.objectives.rto.as_secs_f64();
        let rpo_objective = model.objectives.rpo.as_secs_f64();
        let met = |values: &[f64], objective: f64| {
            Share::of(values.iter().filter(|value| **value <= objective).count(), drills)
        };
        let rto = Percentiles::of(&mut self.recovered);
        let known = compiled.lag.is_some();
        let rpo_met = known.then(|| met(&self.lags, rpo_objective));
        let stopped = self.recovered.iter().filter(|time| time.is_infinite()).count();
        let mut medians = self.stages.iter_mut().map(|stage| {
            stage.sort_unstable_by(f64::total_cmp);
            quantile(stage, 0.5).unwrap_or_default()
        });
        let mut median = || medians.next().unwrap_or_default();
        let stages =
            Stages { detection: median(), decision: median(), run: median(), publish: median(), clients: median() };
        Prediction {
            application: model.application.clone(),
            drills: model.drills,
            seed: model.seed,
            rto,
            rto_objective,
            rpo_objective,
            rto_met: met(&self.recovered, rto_objective),
            rpo: known.then(|| Percentiles::of(&mut self.lags)),
            rpo_met,
            stopped: Share::of(stopped, drills),
            stages,
            steps: self.shares(compiled, drills),
            curve: thinned(&self.recovered),
        }
    }

    fn shares(&self, model: &Compiled, drills: usize) -> Vec<StepShare> {
        #[expect(clippy::cast_precision_loss, reason = "at most ten million drills")]
        let of = |count: Option<&u32>| f64::from(count.copied().unwrap_or_default()) / drills.max(1) as f64;
        let mut shares: Vec<StepShare> = model
            .steps
            .iter()
            .enumerate()
            .map(|(at, step)| StepShare {
                step: step.id.clone(),
                critical: of(self.critical.get(at)),
                stopped: of(self.stopped.get(at)),
            })
            .filter(|share| share.critical > 0.0 || share.stopped > 0.0)
            .collect();
        shares.sort_by(|a, b| b.critical.total_cmp(&a.critical));
        shares
    }
}

fn thinned(sorted: &[f64]) -> Vec<f64> {
    let finite: Vec<f64> = sorted.iter().copied().filter(|time| time.is_finite()).collect();
    if finite.len() <= CURVE {
        return finite;
    }
    (0..CURVE).filter_map(|n| finite.get(n * (finite.len() - 1) / (CURVE - 1)).copied()).collect()
}
