use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{SafetyRuleId, StepId};

/// One thing that is wrong with a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum PlanProblem {
    /// A name that breaks the rules of names.
    #[error("{0}")]
    BadName(String),
    /// Two steps share a name.
    #[error("two steps are named {0}: name each once")]
    DuplicateStep(StepId),
    /// A step waits for one that is not in the plan.
    #[error("{step} comes after {missing}, which is not in the plan")]
    MissingStep {
        /// The step that waits.
        step: StepId,
        /// What it waits for.
        missing: StepId,
    },
    /// Steps wait for each other.
    #[error("these steps wait for each other: {}", .0.iter().map(StepId::as_str).collect::<Vec<_>>().join(" -> "))]
    Cycle(Vec<StepId>),
    /// A step without a time limit.
    #[error("{0} has no time limit: give it a timeout above zero")]
    NoTimeout(StepId),
    /// A step that is never tried.
    #[error("{0} allows no attempt: allow at least one")]
    NoAttempt(StepId),
    /// Parameters that do not encode, or that the step does not take.
    #[error("{step}: {message}")]
    BadParams {
        /// The step.
        step: StepId,
        /// What is wrong with them.
        message: String,
    },
    /// A plan from a region to itself.
    #[error("the plan goes from {0} to {0}: name two regions")]
    SameRegion(String),
    /// A stored plan of a form this program does not know.
    #[error("the plan has format {0}, this program reads format 1: use the program that wrote it")]
    Format(u32),
    /// A group shares its name with another group, or with a step.
    #[error("the group {0} shares its name with another group or a step: name each once")]
    DuplicateGroup(StepId),
    /// A group has a member that is neither a step nor a group.
    #[error("the group {group} has a member {member}, which is not in the plan")]
    UnknownMember {
        /// The group.
        group: StepId,
        /// The member.
        member: StepId,
    },
    /// A step or group is a member twice.
    #[error("{member} is a member of {first} and again of {second}: make it a member of one group, once")]
    TwoGroups {
        /// The member.
        member: StepId,
        /// The group that names it first.
        first: StepId,
        /// The group that names it again.
        second: StepId,
    },
    /// Groups are members of each other.
    #[error("these groups are in each other: {}", .0.iter().map(StepId::as_str).collect::<Vec<_>>().join(" in "))]
    GroupCycle(Vec<StepId>),
    /// A group without a member.
    #[error("the group {0} has no member")]
    EmptyGroup(StepId),
    /// A group whose time is up before it begins.
    #[error("the group {0} has a deadline of zero: give it time, or none")]
    NoGroupDeadline(StepId),
    /// A child plan that goes elsewhere, or by other rules, than the plan that takes it in.
    #[error("the child plan {child} is a {goal}: a child has the goal of the plan that takes it in")]
    ChildGoal {
        /// The child.
        child: StepId,
        /// What it is for.
        goal: String,
    },
    /// A minimum of success that is none.
    #[error("{step} would be content with {percent} %: write 0 to 99")]
    Percent {
        /// The step.
        step: StepId,
        /// What was written.
        percent: u8,
    },
    /// A region that stays as it is, and is left or entered.
    #[error("the plan moves {0}, which cannot stand by at the same time")]
    StandingRegion(String),
    /// A safety rule that cannot work.
    #[error("the safety rule {rule}: {message}")]
    BadRule {
        /// The rule.
        rule: SafetyRuleId,
        /// What is wrong with it.
        message: String,
    },
    /// A plan that does nothing.
    #[error("the plan has no step")]
    Empty,
}

/// Everything that is wrong with a plan, at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvalidPlan(pub Vec<PlanProblem>);

impl fmt::Display for InvalidPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the plan has {} problem(s)", self.0.len())?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for InvalidPlan {}
