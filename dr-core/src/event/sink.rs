use std::{fmt::Debug, sync::Arc};

use tokio::sync::mpsc;

use super::Event;

/// Receives events. Synchronous and infallible: a watcher never stops a failover.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use dr_core::event::{Event, EventSink};
///
/// #[derive(Debug, Default)]
/// struct Counter(AtomicUsize);
///
/// impl EventSink for Counter {
///     fn emit(&self, _: &Event) { self.0.fetch_add(1, Ordering::Relaxed); }
/// }
/// ```
pub trait EventSink: Debug + Send + Sync + 'static {
    /// Takes one event. Must not block.
    fn emit(&self, event: &Event);
}

/// Drops everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct NullSink;

impl EventSink for NullSink {
    fn emit(&self, _: &Event) {}
}

/// Passes events to a channel, for a task that renders or stores them. A receiver that is gone is no error.
#[derive(Clone, Debug)]
pub struct ChannelSink(mpsc::UnboundedSender<Event>);

impl ChannelSink {
    /// A sink and the end to read from.
    #[must_use]
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Event>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }
}

impl EventSink for ChannelSink {
    fn emit(&self, event: &Event) {
        // The reader is gone: nobody watches any more, which is no reason to stop.
        let _ = self.0.send(event.clone());
    }
}

/// Passes every event to each of several sinks.
#[derive(Clone, Debug, Default)]
pub struct FanOut(pub Vec<Arc<dyn EventSink>>);

impl EventSink for FanOut {
    fn emit(&self, event: &Event) {
        self.0.iter().for_each(|sink| sink.emit(event));
    }
}
