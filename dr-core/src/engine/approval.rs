use std::{fmt, future::Future, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::{Control, RunView};
use crate::{
    error::Result,
    journal::Decision,
    model::{RunId, StepId},
    plan::{Goal, PlanDigest},
    validation::{Finding, FindingsDigest},
};

/// A gate as it is shown to whoever decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateQuestion {
    /// The step that waits.
    pub step: StepId,
    /// What is asked.
    pub question: String,
    /// Who may open it; empty for anybody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<String>,
    /// When the question expires, from the run's creation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Duration>,
}

/// What somebody is asked to decide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApprovalRequest {
    /// The run that waits.
    pub run: RunId,
    /// The plan that the decision is about: one approval opens all its gates.
    pub plan: PlanDigest,
    /// What the plan is for.
    pub goal: Goal,
    /// The gates that are reached.
    pub gates: Vec<GateQuestion>,
    /// What lint said of the plan.
    pub findings: Vec<Finding>,
}

impl ApprovalRequest {
    /// The request of a run that waits.
    #[must_use]
    pub fn of(view: &RunView) -> Self {
        let gates = view
            .steps()
            .filter(|(step, _)| view.asked().contains(&step.id))
            .filter_map(|(step, _)| {
                let gate = step.gate.as_ref()?;
                let (question, approvers) = (gate.question.clone(), gate.approvers.clone());
                Some(GateQuestion { step: step.id.clone(), question, approvers, due: view.due(step.id.as_str()) })
            })
            .collect();
        Self {
            run: view.run().clone(),
            plan: view.plan().digest().clone(),
            goal: view.plan().goal().clone(),
            gates,
            findings: view.findings().to_vec(),
        }
    }
}

impl ApprovalRequest {
    /// The control by which somebody decides, after having seen this request: it names the plan and the findings.
    #[must_use]
    pub fn decide(&self, answer: Answer) -> Control {
        let (plan, findings) = (self.plan.clone(), Some(FindingsDigest::of(&self.findings)));
        let Answer { decision, who, why } = answer;
        match decision {
            Decision::Approve => Control::Approve { plan, findings, who, why },
            Decision::Reject => Control::Reject { plan, findings, who, why },
        }
    }
}

/// What somebody decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What.
    pub decision: Decision,
    /// Who.
    pub who: String,
    /// Why.
    pub why: String,
}

/// Asks somebody, and hears the answer.
///
/// The engine calls `request` when a gate is reached and again when it takes the run up anew, then `poll` until there is
/// an answer. What was asked and answered outside the process must survive the process: a request may come twice.
///
/// ```
/// use async_trait::async_trait;
/// use dr_core::{engine::{Answer, Approver, ApprovalRequest}, error::Result, journal::Decision};
///
/// /// Lets a rehearsal through, and nothing else.
/// #[derive(Debug)]
/// struct RehearsalsOnly;
///
/// #[async_trait]
/// impl Approver for RehearsalsOnly {
///     async fn request(&self, _: &ApprovalRequest) -> Result<()> { Ok(()) }
///     async fn poll(&self, request: &ApprovalRequest) -> Result<Option<Answer>> {
///         let rehearsal = request.goal.kind == dr_core::plan::GoalKind::Rehearsal;
///         let decision = if rehearsal { Decision::Approve } else { Decision::Reject };
///         Ok(Some(Answer { decision, who: "policy".to_owned(), why: "only rehearsals run here".to_owned() }))
///     }
/// }
/// ```
#[async_trait]
pub trait Approver: fmt::Debug + Send + Sync + 'static {
    /// Puts the question. Asked again with the same run and plan, it changes nothing.
    ///
    /// # Errors
    ///
    /// When the question could not be put; the engine tries again.
    async fn request(&self, request: &ApprovalRequest) -> Result<()>;

    /// The answer, when there is one. May take as long as a person takes.
    ///
    /// # Errors
    ///
    /// When it could not be looked up; the engine tries again.
    async fn poll(&self, request: &ApprovalRequest) -> Result<Option<Answer>>;
}

/// Approves everything in somebody's name, which the journal keeps: for drills that were agreed on beforehand.
#[derive(Clone, Debug)]
pub struct AutoApprove {
    who: String,
    why: String,
}

impl AutoApprove {
    /// Approves in this name, for this reason.
    #[must_use]
    pub fn new(who: impl Into<String>, why: impl Into<String>) -> Self {
        Self { who: who.into(), why: why.into() }
    }
}

#[async_trait]
impl Approver for AutoApprove {
    async fn request(&self, _: &ApprovalRequest) -> Result<()> {
        Ok(())
    }

    async fn poll(&self, _: &ApprovalRequest) -> Result<Option<Answer>> {
        Ok(Some(Answer { decision: Decision::Approve, who: self.who.clone(), why: self.why.clone() }))
    }
}

type Ask = dyn Fn(ApprovalRequest) -> BoxFuture<'static, Result<Option<Answer>>> + Send + Sync;

/// Asks through a function: a question on the terminal, a chat, a callback of the embedding program.
///
/// ```
/// use dr_core::{engine::{Answer, AskApprover}, journal::Decision};
///
/// let approver = AskApprover::new(|request| async move {
///     println!("{}", request.goal);
///     Ok(Some(Answer { decision: Decision::Approve, who: "Ada".to_owned(), why: "as agreed".to_owned() }))
/// });
/// # let _ = approver;
/// ```
#[derive(Clone)]
pub struct AskApprover(Arc<Ask>);

impl AskApprover {
    /// Asks `ask` until it gives an answer. It may take as long as a person takes.
    pub fn new<F, Fut>(ask: F) -> Self
    where
        F: Fn(ApprovalRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Option<Answer>>> + Send + 'static,
    {
        Self(Arc::new(move |request| Box::pin(ask(request))))
    }
}

impl fmt::Debug for AskApprover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AskApprover").finish_non_exhaustive()
    }
}

#[async_trait]
impl Approver for AskApprover {
    async fn request(&self, _: &ApprovalRequest) -> Result<()> {
        Ok(())
    }

    async fn poll(&self, request: &ApprovalRequest) -> Result<Option<Answer>> {
        (self.0)(request.clone()).await
    }
}
