use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use dr_core::time::SharedClock;

use crate::checkers::{Probe, ProbeKind, poll};

/// A target group's own health check: this often, and this many results in a row turn it round.
const INTERVAL: Duration = Duration::from_secs(10);
const IN_A_ROW: u32 = 2;

/// A region's load balancer: whether its targets are healthy, which is what an alias that evaluates its target asks.
#[derive(Clone, Debug)]
pub(crate) struct LoadBalancer {
    healthy: Arc<AtomicBool>,
    target: SocketAddr,
}

impl LoadBalancer {
    pub(crate) fn new(target: SocketAddr) -> Self {
        Self { healthy: Arc::new(AtomicBool::new(true)), target }
    }

    pub(crate) fn is_healthy(&self) -> bool {
        self.healthy.load(Ordering::Relaxed)
    }

    /// Looks after its target until dropped.
    pub(crate) async fn run(self, clock: SharedClock) {
        let kind = ProbeKind::Http { host: self.target.to_string(), path: "/health".to_owned(), search: None };
        let probe = Probe { target: Some(self.target), kind, interval: INTERVAL };
        let mut against = 0;
        loop {
            let seen = poll(clock.as_ref(), &probe).await.is_ok();
            against = if seen == self.is_healthy() { 0 } else { against + 1 };
            if against == IN_A_ROW {
                self.healthy.store(seen, Ordering::Relaxed);
                against = 0;
            }
            clock.sleep(INTERVAL).await;
        }
    }
}
