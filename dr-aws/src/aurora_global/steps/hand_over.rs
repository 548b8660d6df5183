use std::{pin::pin, time::Duration};

use async_trait::async_trait;
use dr_core::{
    error::Result,
    plan::{Call, Mode},
    step::{Observed, Reversibility, Step, StepCx},
};
use futures::future::{Either, select};
use serde_json::Value;

use super::{Promote, Promoted, Route, Switchover};
use crate::Clients;

/// How often an attempt that waits for a switchover looks whether it has been told to insist.
const LOOK: Duration = Duration::from_secs(1);

/// Moves the writer by a [`Switchover`], and by a failover that may lose data ([`Promote`]) once the step is in ungraceful
/// mode: for resources whose block says `ungraceful: failover`.
///
/// The two are different calls, each in its own region, and never one with the flags of both. While a switchover is in
/// progress RDS refuses a failover; the step then waits for its end (Aurora gives up by itself when the primary is gone), and
/// the next attempt asks for the failover. Irreversible, because the plan cannot know whether it will be forced.
#[derive(Clone, Debug)]
pub struct HandOver {
    switchover: Switchover,
    promote: Promote,
}

impl HandOver {
    /// The step, over these clients.
    #[must_use]
    pub fn new(clients: Clients) -> Self {
        Self { switchover: Switchover::new(clients.clone()), promote: Promote::new(clients) }
    }
}

/// Ends when somebody has switched the step to ungraceful.
async fn switched(cx: &StepCx) {
    while cx.mode() == Mode::Graceful {
        cx.clock.sleep(LOOK).await;
    }
}

#[async_trait]
impl Step for HandOver {
    const KIND: &'static str = "aws.aurora_global/hand-over";
    type Params = Route;
    type Output = Promoted;

    fn reversibility(&self) -> Reversibility {
        Reversibility::Irreversible
    }

    fn calls(&self, route: &Route) -> Vec<Call> {
        let mut calls = self.switchover.calls(route);
        for call in self.promote.calls(route) {
            if !calls.contains(&call) {
                calls.push(call);
            }
        }
        calls
    }

    async fn before_image(&self, cx: &StepCx, route: &Route) -> Result<Option<Value>> {
        match cx.mode() {
            Mode::Graceful => self.switchover.before_image(cx, route).await,
            Mode::Ungraceful => self.promote.before_image(cx, route).await,
        }
    }

    async fn observe(&self, cx: &StepCx, route: &Route) -> Result<Observed<Promoted>> {
        match cx.mode() {
            Mode::Graceful => self.switchover.observe(cx, route).await,
            Mode::Ungraceful => self.promote.observe(cx, route).await,
        }
    }

    async fn execute(&self, cx: &StepCx, route: &Route) -> Result<Promoted> {
        if cx.mode() == Mode::Graceful {
            let handing = pin!(self.switchover.execute(cx, route));
            match select(handing, pin!(switched(cx))).await {
                Either::Left((ended, _)) => return ended,
                Either::Right(((), _)) => cx.progress("told to insist: a failover, with data loss allowed"),
            }
        }
        self.promote.execute(cx, route).await
    }

    async fn verify(&self, cx: &StepCx, route: &Route, output: &Promoted) -> Result<()> {
        self.switchover.verify(cx, route, output).await
    }

    async fn compensate(&self, cx: &StepCx, route: &Route, output: Option<&Promoted>) -> Result<()> {
        self.promote.compensate(cx, route, output).await
    }
}
