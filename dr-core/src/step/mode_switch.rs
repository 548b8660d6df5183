use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Whether a step has been switched to ungraceful: shared with the attempt that is being made, which sees it at once.
#[derive(Clone, Debug, Default)]
pub struct ModeSwitch(Arc<AtomicBool>);

impl ModeSwitch {
    /// A switch that stands at ungraceful, or not.
    #[must_use]
    pub fn new(ungraceful: bool) -> Self {
        Self(Arc::new(AtomicBool::new(ungraceful)))
    }

    /// Switches to ungraceful; there is no way back.
    pub fn throw(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it was switched.
    #[must_use]
    pub fn is_thrown(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
