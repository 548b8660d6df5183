//! Events: what a run tells those who watch. A watcher never stops a failover, so a sink cannot fail.

mod event;
mod sink;

pub use event::{Event, EventKind};
pub use sink::{ChannelSink, EventSink, FanOut, NullSink};
