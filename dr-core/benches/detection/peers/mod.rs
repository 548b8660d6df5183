//! The peers: failure detectors by heartbeats. A good look is a heartbeat, and from each of them on a detector says until when
//! it trusts. All see the same looks, and vote as ours do: two of three observers for the same kind of look.

mod chen;
mod fixed;
mod phi;

pub(crate) use chen::Chen;
pub(crate) use fixed::Fixed;
pub(crate) use phi::Phi;

use crate::trace::{Came, INTERVAL, KINDS, OBSERVERS, Trace};

/// How many must agree.
const QUORUM: usize = 2;

/// A detector of one stream of heartbeats.
pub(crate) trait Heartbeats {
    /// Takes the arrival of the heartbeat of that number in, and says until when the sender is trusted without another.
    fn arrived(&mut self, number: f64, at: f64) -> f64;
}

/// When the vote of `needed` detectors over some kind of look turns to suspicion and back, in order.
pub(crate) fn voted<D: Heartbeats>(trace: &Trace, observers: usize, make: impl Fn() -> D) -> Vec<(f64, bool)> {
    let needed = QUORUM.min(observers);
    let mut turns: Vec<(f64, usize, bool)> = Vec::new();
    for kind in 0..KINDS {
        for observer in 0..observers.min(OBSERVERS) {
            let mut detector = make();
            let mut beats: Vec<(f64, f64)> = trace.looks[observer][kind]
                .iter()
                .filter_map(|look| match look.came {
                    // Heartbeats are waited for without a limit of their own: one that is late is still one.
                    Came::Answer(took) => Some((trace.noticed(observer, look.begin + took).0, look.number)),
                    Came::Refusal(_) | Came::Silence => None,
                })
                .collect();
            beats.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut trusted_until: Option<f64> = None;
            for (at, number) in beats {
                if let Some(until) = trusted_until
                    && until < at
                {
                    turns.push((until, kind, true));
                    turns.push((at, kind, false));
                }
                trusted_until = Some(detector.arrived(number, at));
            }
            if let Some(until) = trusted_until.filter(|until| *until < trace.seconds) {
                turns.push((until, kind, true));
            }
        }
    }
    turns.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut against = [0_usize; KINDS];
    let mut said = false;
    let mut told = Vec::new();
    for (at, kind, suspects) in turns {
        if suspects {
            against[kind] += 1
        } else {
            against[kind] -= 1
        }
        let says = against.iter().any(|count| *count >= needed);
        if says != said {
            said = says;
            told.push((at, says));
        }
    }
    told
}

/// The waits that a detector knows before it has seen any.
pub(crate) const FIRST: f64 = 10.0 * INTERVAL;

/// A number of things, to divide by.
fn count(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::INFINITY, f64::from)
}
