//! Traces: what three observers would have met, look by look, drawn from a seed.
//!
//! A trace holds what the network and the target did to each look, and not what anybody made of it: which answer came after
//! how long, which never came. Every detector reads the same trace with its own timeouts.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

pub(crate) const OBSERVERS: usize = 3;
/// Infrastructure checks and synthetic writes.
pub(crate) const KINDS: usize = 2;
/// Seconds between the beginnings of two looks.
pub(crate) const INTERVAL: f64 = 1.0;

/// What came of a look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Came {
    /// An answer, so many seconds after it began.
    Answer(f64),
    /// A refusal, so many seconds after it began.
    Refusal(f64),
    /// Nothing.
    Silence,
}

/// One look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) begin: f64,
    /// Its number, counted in intervals.
    pub(crate) number: f64,
    pub(crate) came: Came,
    /// Whether the observer could reach its control target.
    pub(crate) connected: bool,
}

/// What happens to the region, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Refuse,
    BlackHole,
    /// Writes are swallowed, everything else answers.
    Gray,
}

/// A trace of looks, by observer and kind, and the observers' own pauses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    pub(crate) looks: Vec<Vec<Vec<Look>>>,
    /// From when to when each observer stood still, in order.
    pub(crate) pauses: Vec<Vec<(f64, f64)>>,
    pub(crate) fault: Option<f64>,
    pub(crate) seconds: f64,
}

/// The conditions that a trace is drawn under.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weather {
    /// One look in a hundred takes a Pareto-distributed time (shape 1.3, from 100 ms) instead of a log-normal one.
    pub(crate) heavy_tails: bool,
    /// Gilbert-Elliott loss on each observer's path.
    pub(crate) loss: bool,
    /// Each observer stands still some times an hour, for 1 to 15 s.
    pub(crate) pauses: bool,
    /// An observer, and one time in five two of them, are cut off from everything some times an hour, for 5 to 60 s.
    pub(crate) partitions: bool,
}

/// Log-normal: 25 ms in the median, 0.4 the deviation of its logarithm.
fn latency(random: &mut ChaCha8Rng, heavy: bool) -> f64 {
    if heavy && random.random_bool(0.01) {
        let u: f64 = random.random_range(f64::EPSILON..1.0);
        return (0.1 * u.powf(-1.0 / 1.3)).min(30.0);
    }
    // Box and Muller.
    let (u, v): (f64, f64) = (random.random_range(f64::EPSILON..1.0), random.random_range(0.0..1.0));
    let normal = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
    0.025 * (0.4 * normal).exp()
}

/// A loss that comes in bursts: a good state that loses one look in a thousand, a bad one that loses half of them. It turns
/// bad once in ten minutes and good again after five seconds, on average.
#[derive(Clone, Copy, Debug, Default)]
struct GilbertElliott {
    bad: bool,
}

impl GilbertElliott {
    fn lost(&mut self, random: &mut ChaCha8Rng) -> bool {
        // Each observer looks twice an interval.
        let turns = if self.bad { 0.2 / 2.0 } else { (1.0 / 600.0) / 2.0 };
        if random.random_bool(turns) {
            self.bad = !self.bad;
        }
        random.random_bool(if self.bad { 0.5 } else { 0.001 })
    }
}

fn spells(random: &mut ChaCha8Rng, seconds: f64, an_hour: f64, from: f64, to: f64) -> Vec<(f64, f64)> {
    let (mut at, mut all) = (0.0, Vec::new());
    loop {
        let u: f64 = random.random_range(f64::EPSILON..1.0);
        at += -u.ln() * 3_600.0 / an_hour;
        if at >= seconds {
            return all;
        }
        let length = random.random_range(from..to);
        all.push((at, at + length));
        at += length;
    }
}

fn within(spells: &[(f64, f64)], at: f64) -> Option<f64> {
    spells.iter().find(|(from, to)| *from <= at && at < *to).map(|(_, to)| *to)
}

/// Draws a trace.
pub(crate) fn draw(seed: u64, seconds: f64, weather: Weather, fault: Option<(Fault, f64)>) -> Trace {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut cut = vec![Vec::new(); OBSERVERS];
    if weather.partitions {
        for spell in spells(&mut random, seconds, 6.0, 5.0, 60.0) {
            let who = random.random_range(0..OBSERVERS);
            cut[who].push(spell);
            if random.random_bool(0.2) {
                cut[(who + 1) % OBSERVERS].push(spell);
            }
        }
    }
    let mut trace = Trace { seconds, fault: fault.map(|(_, at)| at), ..Trace::default() };
    for cut in &cut {
        let pauses = if weather.pauses { spells(&mut random, seconds, 6.0, 1.0, 15.0) } else { Vec::new() };
        let mut path = GilbertElliott::default();
        let phases: Vec<f64> = (0..KINDS).map(|_| random.random_range(0.0..INTERVAL)).collect();
        let mut kinds = vec![Vec::new(); KINDS];
        let mut number = 0.0;
        while number * INTERVAL < seconds {
            for (kind, looks) in kinds.iter_mut().enumerate() {
                let begin = number * INTERVAL + phases[kind];
                // Drawn for every look, so that the weather of one trace does not hang on the settings of another.
                let (took, lost) = (latency(&mut random, weather.heavy_tails), weather.loss && path.lost(&mut random));
                if within(&pauses, begin).is_some() {
                    continue;
                }
                let connected = within(cut, begin).is_none();
                let struck = fault.filter(|(fault, at)| begin >= *at && (*fault != Fault::Gray || kind == 1));
                let came = match struck {
                    _ if lost || !connected => Came::Silence,
                    Some((Fault::Refuse, _)) => Came::Refusal(took),
                    Some((Fault::BlackHole | Fault::Gray, _)) => Came::Silence,
                    None => Came::Answer(took),
                };
                looks.push(Look { begin, number, came, connected });
            }
            number += 1.0;
        }
        trace.looks.push(kinds);
        trace.pauses.push(pauses);
    }
    trace
}

impl Trace {
    /// When an observer notices what happens at `at`: when its pause is over, if it stands still.
    pub(crate) fn noticed(&self, observer: usize, at: f64) -> (f64, bool) {
        match within(&self.pauses[observer], at) {
            Some(over) => (over, true),
            None => (at, false),
        }
    }
}
