//! The engine: runs a plan so that a process which dies at any moment loses nothing and does nothing twice.
//!
//! The heart is two pure functions: [`RunView`] folds the journal's records, and [`decide`] says from the plan and that
//! view what should be under way. Around them one loop writes, listens and lets attempts be made; nothing that an attempt
//! does is believed until it is journalled.
//!
//! A run, with the names of [`RunState`]:
//!
//! ```text
//!            create            run                     every step done    (no recovery goal)
//!   (none) ─────────► Pending ─────► Running ──────────┬──────────────────┬─► Completed / CompletedWithExceptions
//!                                    ▲  │  ▲           │        green, and stayed so
//!                a gate is reached   │  │  │           ├─► MonitoringHealth ─┤
//!           WaitingForApproval ◄─────┼──┤  │           │                     └─► Failed: it did not
//!                │ approve ──────────┘  │  │ retry     ├─ the plan's deadline ─► TimedOut (a drill that stands: Dirty)
//!                │                      │  │ skip, ungraceful
//!                ├ reject ──────────────┼──┤ resume    └─ cancel
//!                └ nobody in time       │  │ override       │
//!                     │                 ▼  │                ▼
//!                     │   PausedByFailure, PausedByOperator │
//!                     └─► Cancelling ◄──────────────────────┘
//!                             ├─ nothing stands ─► Cancelled; TimedOut when nobody answered in time
//!                             └─ effects stand ──► Dirty, with the list
//!
//!   any of them ── lease or journal lost ──► Held (this engine lets go; the journal's state stays, and is taken up again)
//! ```
//!
//! A step, with the names of [`StepState`]; each arrow with a `*` is one durable append, so that a step costs two:
//!
//! ```text
//!   Pending ─*intent─► Running ─*outcome─► Done
//!      │                 │  └───*outcome─► Failed ─ pause, next attempt ─► Running
//!      │                 │                   └ attempts used up: the run is paused by failure
//!      │                 └ engine gone ──► Interrupted ─ taken up: observe first ─► Running
//!      └─ skip ─► Skipped
//!   Done, Failed, Interrupted ─ cancelled ─*intent─► Compensating ─*outcome─► Compensated
//! ```
//!
//! An attempt: before-image (the first one only) → **intent** → observe → execute, if nobody has → verify → **outcome**.
//! An error that leaves open whether the world changed is followed by another look at the world, never by a repetition.
//!
//! A group has no state of its own: [`GroupView`] is what its members come to. A member that failed for good, or a deadline
//! that has passed, makes the group failed and the run wait; a retry, a skip or a switch of the group is one of each member
//! that it makes sense for.
//!
//! [`Control::Ungraceful`] puts the plan's rules for ungraceful mode in force, for the run, a group or a step: a step that may
//! insist or be content with less is tried again by that rule if it had failed, and sees the switch at once if it is under way;
//! one that may be passed over is, if it has not begun or fails for good. A step without a rule is never affected.
//!
//! The guarantees that comments refer to by number:
//!
//! 1. Intent is journalled before an effect, the outcome after; two syncs a step and no more.
//! 2. Observe first: on resume, and after an error of indefinite effect, the engine asks the world, not the log.
//! 3. One owner: every append carries the lease's epoch and the expected sequence; a stale engine can append nothing.
//! 4. A failed step pauses the run; pauses, approvals and decisions are records and survive a restart.
//! 5. An irreversible step has an approval gate or a named, journalled waiver.
//! 6. Every mutation journals its before-image, captured once.
//! 7. Postconditions are observed effects, never an API's 200.
//! 8. Any DAG; ready steps run at once; the run's length is its critical path.
//! 9. Losing the journal holds the run; losing a watcher does nothing.
//! 10. No decision reads wall time. (It enters once, when a run is taken up: to know how much of its deadline is spent.)

mod announce;
mod answer;
mod approval;
mod ask;
mod attempt;
mod backoff;
mod builder;
mod control;
mod deadline;
mod decide;
mod engine;
mod follow;
mod frontier;
mod group_view;
mod health;
mod lease_keeper;
mod listen;
mod listing;
mod mail;
#[cfg(feature = "sim")]
mod meddle;
mod monitoring;
mod new_run;
mod rpo;
mod run_diff;
mod run_id;
mod run_state;
mod runner;
mod safety;
mod standing;
mod step_view;
mod switch;
mod term;
#[cfg(test)]
mod tests;
mod traffic;
mod view;
mod watched;

pub use answer::{answer, new_token};
pub use approval::{Answer, ApprovalRequest, Approver, AskApprover, AutoApprove, GateQuestion};
pub(crate) use attempt::GRACE;
pub(crate) use backoff::pause_after;
pub use builder::{EngineBuilder, OnPause};
pub use control::{Control, accept};
pub use decide::{Command, decide};
pub use engine::Engine;
pub use follow::{Followed, follow};
pub use group_view::{GroupState, GroupView};
pub use health::{ApplicationHealth, HealthReading, HealthSource};
pub use listing::RunSummary;
#[cfg(feature = "sim")]
pub(crate) use meddle::Meddle;
pub use monitoring::{Monitoring, RecoveryTime};
pub use new_run::NewRun;
pub use rpo::Rpo;
pub use run_diff::{Deviating, Deviation, GateAnswer, RunDiff, diff_run};
pub use run_id::{new_run_id, run_id_from};
pub use run_state::RunState;
pub use step_view::{StepState, StepView};
pub use traffic::TrafficSource;
pub use view::{Approval, Cancel, Note, Refusal, RunView, Switch};
pub use watched::WatchedHealth;
