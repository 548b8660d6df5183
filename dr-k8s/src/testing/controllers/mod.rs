//! The controllers of the cluster: deployments, replica sets, the scheduler, the nodes' kubelets and the autoscaler.
//!
//! They act at moments of the world's clock, and their writes are no effects: nobody asked for them.

mod autoscaler;
mod deployment;
mod pod;
mod replica_set;
mod rollout;
mod status;

use super::state::State;

impl State {
    /// Lets every controller act until none has anything left to do.
    pub(super) fn reconcile(&mut self) {
        // Each round moves a rollout on; a rollout has fewer rounds than it has pods, and the bound
        // is there so that a mistake in a controller cannot hang a test.
        for _ in 0..10_000 {
            let before = self.store.version();
            self.reconcile_deployments();
            self.reconcile_replica_sets();
            self.schedule_pods();
            if self.store.version() == before {
                break;
            }
        }
    }
}
