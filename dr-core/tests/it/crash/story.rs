//! The two runs that are disturbed: one that goes to its end with every kind of trouble, and one that is called off.

use std::time::Duration;

use dr_core::{
    engine::{Control, RunState, RunView},
    model::{ApplicationId, Objectives, RegionId},
    plan::{Goal, GoalKind, Mode, Plan, PlanBuilder, RetryPolicy},
};
use serde::{Deserialize, Serialize};

use super::world::{Blind, Look, Params, Promote, TurnOn, World};

/// Which run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Story {
    /// A failover: a look, refusals and lost replies, a step that is retried by hand, one that is skipped, a gate that is
    /// approved, an irreversible step, and what follows it.
    Forward,
    /// The same until its gate, where it is called off; one step is taken back only at the second try.
    Back,
    /// One step that does not look before it acts: what the others would be if the engine did not make them look.
    Blind,
}

impl Story {
    /// Those that must end well wherever they are disturbed.
    pub(super) const ALL: [Self; 2] = [Self::Forward, Self::Back];

    /// What must have happened in the world at the end, sorted.
    pub(super) fn effects(self) -> Vec<&'static str> {
        match self {
            Self::Blind => vec!["on fence"],
            Self::Forward => vec!["on db", "on fence", "on notify", "on scale", "on shift"],
            Self::Back => vec!["off fence", "off scale", "off warm", "on fence", "on scale", "on warm"],
        }
    }

    /// How the run ends.
    pub(super) fn end(self) -> RunState {
        match self {
            Self::Blind => RunState::Completed,
            Self::Forward => RunState::CompletedWithExceptions,
            Self::Back => RunState::Cancelled,
        }
    }

    pub(super) fn plan(self, world: &World) -> Plan {
        let (turn_on, promote, look) = (TurnOn(world.clone()), Promote(world.clone()), Look(world.clone()));
        let goal = Goal {
            kind: GoalKind::Failover,
            from: RegionId::new("us-east-1").unwrap(),
            to: RegionId::new("eu-west-1").unwrap(),
            mode: Mode::Ungraceful,
        };
        let objectives = Objectives { rto: Duration::from_secs(300), rpo: Duration::from_secs(60) };
        let mut plan = PlanBuilder::new(ApplicationId::new("shop").unwrap(), goal, objectives);
        plan.deadline(Duration::from_secs(24 * 3600));
        let params = |key: &str, takes: u64| Params { key: key.to_owned(), takes, ..Params::default() };
        let retry = RetryPolicy { attempts: 4, first: Duration::from_secs(1), most: Duration::from_secs(10) };
        if self == Self::Blind {
            plan.step("fence", &Blind(world.clone()), &params("fence", 0)).retry(retry);
            return plan.build().unwrap();
        }
        plan.step("assess", &look, &params("db", 0));
        plan.step("fence", &turn_on, &params("fence", 2_000)).after("assess").retry(retry);
        match self {
            Self::Forward => {
                let scale = Params { refused: 1, reply_lost: true, ..params("scale", 9_000) };
                let notify = Params { denied: 1, ..params("notify", 0) };
                let optional = Params { denied: usize::MAX, ..params("optional", 0) };
                let db = Params { reply_lost: true, ..params("db", 12_000) };
                plan.step("scale", &turn_on, &scale).retry(retry);
                plan.step("notify", &turn_on, &notify).after("fence").retry(retry);
                plan.step("optional", &turn_on, &optional).after("notify").retry(retry);
                plan.step("promote", &promote, &db).after("fence").gate("there is no way back").retry(retry);
                plan.step("shift", &turn_on, &params("shift", 1_000)).after("promote").after("scale").retry(retry);
                plan.step("confirm", &look, &params("shift", 0)).after("shift").after("optional");
            }
            Self::Back | Self::Blind => {
                let scale = Params { undo_refused: 1, reply_lost: true, ..params("scale", 9_000) };
                plan.step("scale", &turn_on, &scale).after("fence").retry(retry);
                plan.step("warm", &turn_on, &params("warm", 20_000)).retry(retry);
                plan.step("promote", &promote, &params("db", 0))
                    .after("scale")
                    .after("warm")
                    .gate("there is no way back")
                    .retry(retry);
            }
        }
        plan.build().unwrap()
    }

    /// What the person at the console decides, who knows only what the journal says.
    pub(super) fn decide(self, view: &RunView) -> Option<Control> {
        let (who, why) = ("operator".to_owned(), "as agreed".to_owned());
        match (self, view.state()) {
            (_, RunState::PausedByFailure) => {
                let (step, _) = view.failed_for_good().next()?;
                let step = step.id.clone();
                Some(if step.as_str() == "optional" {
                    Control::Skip { step, who, why }
                } else {
                    Control::Retry { step, who, why }
                })
            }
            (Self::Forward, RunState::WaitingForApproval) => {
                Some(Control::Approve { plan: view.plan().digest().clone(), findings: None, who, why })
            }
            (Self::Back, RunState::WaitingForApproval) => Some(Control::Cancel { who, why, compensate: true }),
            _ => None,
        }
    }
}
