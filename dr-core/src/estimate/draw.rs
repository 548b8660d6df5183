use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::compile::Compiled;
use crate::model::RunId;

/// The luck of one drill: every number that both engines need, drawn in one order before the drill begins, each from [0, 1).
///
/// Numbers are drawn whether a model uses them or not, so that two models that differ in one thing have the same luck in
/// everything else.
#[derive(Debug, Default)]
pub(super) struct Draw {
    /// By observer with a vote, then by probe: how far into its interval the first look after the fault comes.
    pub(super) looks: Vec<f64>,
    /// How far into the decider's tick the fault comes.
    pub(super) tick: f64,
    pub(super) decision: f64,
    pub(super) publish: f64,
    pub(super) lag: f64,
    /// By step: how long the first attempt takes, and whether it fails.
    pub(super) steps: Vec<(f64, f64)>,
    pub(super) clients: Vec<Client>,
    /// What later attempts are drawn from.
    later: u64,
}

/// The luck of one client.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Client {
    /// How much of the TTL its resolver has left.
    pub(super) cached: f64,
    /// Whether its resolver overstays, and by how much.
    pub(super) overstays: f64,
    pub(super) by: f64,
    pub(super) reconnect: f64,
}

impl Draw {
    /// Draws the luck of drill number `drill`.
    pub(super) fn again(&mut self, model: &Compiled, seed: u64, drill: u32) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from(drill));
        self.later = rng.next_u64();
        [self.tick, self.decision, self.publish, self.lag] = [rng.random(), rng.random(), rng.random(), rng.random()];
        let looks = model.detection.as_ref().map_or(0, |detection| detection.outside.len() * detection.probes.len());
        self.looks.clear();
        self.looks.extend((0..looks).map(|_| rng.random::<f64>()));
        self.steps.clear();
        self.steps.extend((0..model.steps.len()).map(|_| (rng.random::<f64>(), rng.random::<f64>())));
        self.clients.clear();
        let (overstays, spread) = (model.overstay.is_some(), !model.reconnect.is_fixed());
        // Clients come last: what they leave undrawn moves nobody else's luck.
        self.clients.extend((0..model.clients).map(|_| {
            let cached = unit32(&mut rng);
            let reconnect = if spread { unit32(&mut rng) } else { 0.0 };
            let (overstays, by) = if overstays { (unit32(&mut rng), unit32(&mut rng)) } else { (1.0, 0.0) };
            Client { cached, overstays, by, reconnect }
        }));
    }

    /// The luck of attempt number `attempt` (from 1) of a step: how long it takes, and whether it fails.
    pub(super) fn attempt(&self, step: usize, attempt: u32) -> (f64, f64) {
        if attempt <= 1 {
            return self.steps.get(step).copied().unwrap_or_default();
        }
        // Later attempts are rare; they have a stream of their own, so that nothing else moves.
        let mut rng = ChaCha8Rng::seed_from_u64(self.later ^ (step as u64));
        rng.set_stream(u64::from(attempt));
        (rng.random(), rng.random())
    }
}

/// A number from [0, 1) in steps of 2^-32: fine enough for a client, at half the cost.
fn unit32(rng: &mut ChaCha8Rng) -> f64 {
    f64::from(rng.next_u32()) / 4_294_967_296.0
}

/// The name of a drill's run: the engine draws the pauses between attempts from it.
#[expect(clippy::expect_used, reason = "a word and digits follow the rules of names")]
pub(super) fn run_of(drill: u32) -> RunId {
    RunId::new(format!("drill-{drill}")).expect("the rules of names")
}
