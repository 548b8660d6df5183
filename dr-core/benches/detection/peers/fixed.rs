use super::Heartbeats;
use crate::trace::INTERVAL;

/// A fixed timeout: so many intervals after the last heartbeat. Three is what most systems are set to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fixed(pub(crate) f64);

impl Heartbeats for Fixed {
    fn arrived(&mut self, _number: f64, at: f64) -> f64 {
        at + self.0 * INTERVAL
    }
}
