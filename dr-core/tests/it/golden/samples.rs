//! One entry of each kind, with every field filled.

use std::time::Duration;

use async_trait::async_trait;
use dr_core::{
    decision::{Blocker, Choice, ConditionState, LogEntry, RegionReading},
    detect::{Evidence, GrayFailure, Opinion, Verdict, Why},
    error::{Effect, Error, ErrorKind, Failure, Result, Retry},
    journal::{Decision, Entry, HealthNews, Intent, Outcome, RequestId, RunEnd, Signed, StandingEffect},
    model::{ApplicationId, Objectives, OwnerId, RegionId, ResourceId, RunId, SafetyRuleId, StepId},
    plan::{Call, Goal, GoalKind, Inventory, Mode, Phase, Plan, PlanBuilder, PlanDigest, Ungraceful},
    probe::CheckKind,
    step::{Observed, Reversibility, Step, StepCx},
    time::Monotonic,
    validation::{Finding, FindingsDigest, Severity},
};
use serde_json::{Value, json};

/// A step of the samples' plan.
#[derive(Debug)]
struct Act(Reversibility);

#[async_trait]
impl Step for Act {
    const KIND: &'static str = "golden.act";
    type Params = Value;
    type Output = Value;

    fn reversibility(&self) -> Reversibility {
        self.0
    }

    fn calls(&self, _: &Value) -> Vec<Call> {
        Vec::new()
    }

    async fn observe(&self, _: &StepCx, _: &Value) -> Result<Observed<Value>> {
        Ok(Observed::NotStarted)
    }

    async fn execute(&self, _: &StepCx, _: &Value) -> Result<Value> {
        Ok(Value::Null)
    }

    async fn compensate(&self, _: &StepCx, _: &Value, _: Option<&Value>) -> Result<()> {
        Ok(())
    }
}

fn plan() -> Plan {
    let region = |name: &str| RegionId::new(name).unwrap();
    let goal =
        Goal { kind: GoalKind::Failover, from: region("us-east-1"), to: region("eu-west-1"), mode: Mode::Ungraceful };
    let objectives = Objectives { rto: Duration::from_secs(300), rpo: Duration::from_secs(60) };
    let mut plan = PlanBuilder::new(ApplicationId::new("shop").unwrap(), goal, objectives);
    plan.step("fence", &Act(Reversibility::Reversible), &json!({ "region": "us-east-1" })).phase(Phase::Fence);
    plan.step("promote", &Act(Reversibility::Irreversible), &json!({ "cluster": "orders" }))
        .phase(Phase::Promote)
        .after("fence")
        .gate("promote the standby?");
    plan.step("shift", &Act(Reversibility::Reversible), &json!({ "ttl_s": 60 })).phase(Phase::Shift).after("promote");
    plan.build().unwrap()
}

fn owner() -> OwnerId {
    OwnerId::new("host-1/4711").unwrap()
}

fn step(name: &str) -> StepId {
    StepId::new(name).unwrap()
}

fn text(words: &str) -> String {
    words.to_owned()
}

fn digest() -> PlanDigest {
    serde_json::from_value(json!("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")).unwrap()
}

fn outcome(name: &str, attempt: u32, outcome: Outcome) -> Entry {
    Entry::StepOutcome { step: step(name), attempt, outcome }
}

fn intent(name: &str, attempt: u32) -> Entry {
    Entry::StepIntent(Intent {
        step: step(name),
        attempt,
        before: Some(json!({ "writer": "us-east-1" })),
        params: json!({ "z": 0.1 + 0.2, "a": [1, u64::MAX, i64::MIN, null, true, 1e-7], "text": "é\u{1F600}\n\0" }),
    })
}

fn failed() -> Outcome {
    let error = Error::new(ErrorKind::Throttled, "slow down")
        .during("rds:FailoverGlobalCluster")
        .with_retry(Retry::Backoff)
        .with_effect(Effect::NotApplied);
    Outcome::Failed { failure: Failure::from(error) }
}

fn said(entry: LogEntry) -> Entry {
    Entry::Decision(Box::new(entry))
}

fn decision(choice: Choice) -> dr_core::decision::Decision {
    let region = |name: &str| RegionId::new(name).unwrap();
    let evidence = Evidence {
        vantage: "witness".parse().unwrap(),
        probe: "storefront".parse().unwrap(),
        kind: CheckKind::Infrastructure,
        opinion: Opinion::Down,
        streak: 3,
        last: text("connect timed out after 4 s"),
        at: Monotonic::new(Duration::from_millis(62_500)),
    };
    let because = Why {
        quorum: 2,
        observers: vec![("witness".parse().unwrap(), Opinion::Down), ("west".parse().unwrap(), Opinion::Unknown)],
        gray: Some(GrayFailure::WritesFail),
        evidence: vec![evidence],
        ..Why::default()
    };
    let (run, left) = (RunId::new("run-1").unwrap(), Duration::from_millis(1500));
    let (east, why) = (region("us-east-1"), text("in words"));
    let blockers = match choice {
        Choice::Hold => vec![
            Blocker::RegionUnseen { region: east.clone() },
            Blocker::RegionNotLost { region: east.clone(), verdict: Verdict::Suspect, why: why.clone() },
            Blocker::QuorumIncomplete { region: east.clone(), against: 1, quorum: 2, seeing: 2, observers: 3 },
            Blocker::NowhereToGo,
            Blocker::TargetUnfit { region: east.clone(), verdict: Verdict::Unknown, why: why.clone() },
            Blocker::WouldFailBack { region: east.clone() },
            Blocker::Condition { name: text("lag"), why: why.clone() },
            Blocker::KillSwitch { place: text("journal"), who: text("ada"), why: why.clone() },
            Blocker::RunOpen { run: run.clone(), goal: goal(), waits: None },
            Blocker::Manual,
            Blocker::Window { why: why.clone(), left },
            Blocker::Spacing { run: run.clone(), left },
            Blocker::BlockPeriod { run, left },
            Blocker::Refused { who: text("ada"), why: why.clone() },
            Blocker::StartFailed { why: why.clone(), left },
        ],
        _ => Vec::new(),
    };
    let lasting = Duration::from_secs(30);
    dr_core::decision::Decision {
        choice,
        from: east.clone(),
        to: Some(region("eu-west-1")),
        blockers,
        conditions: vec![ConditionState {
            name: text("lag"),
            holds: false,
            so_for: Some(left),
            lasting,
            saw: why.clone(),
        }],
        readings: vec![RegionReading { region: east, verdict: Verdict::Unhealthy, lasting, why, because }],
    }
}

fn goal() -> Goal {
    let region = |name: &str| RegionId::new(name).unwrap();
    Goal { kind: GoalKind::Failover, from: region("us-east-1"), to: region("eu-west-1"), mode: Mode::Ungraceful }
}

fn decisions() -> Vec<(&'static str, Entry)> {
    let run = || RunId::new("run-2").unwrap();
    let signed = Signed { who: text("ada"), why: text("go") };
    let (who, why) = (|| text("ada"), || text("in words"));
    let changed = |choice, run| said(LogEntry::Changed { decision: decision(choice), run, by: owner() });
    vec![
        ("decision", said(LogEntry::Opened { application: ApplicationId::new("shop").unwrap(), by: owner() })),
        ("decision.hold", changed(Choice::Hold, None)),
        ("decision.ask", changed(Choice::Ask { goal: goal(), question: text("fail over?") }, None)),
        ("decision.act", changed(Choice::Act { goal: goal(), by: Some(signed) }, Some(run()))),
        ("decision.not-started", said(LogEntry::NotStarted { run: run(), why: why() })),
        ("decision.by-hand", said(LogEntry::ByHand { run: run(), goal: goal(), who: who(), why: why() })),
        ("decision.answered", said(LogEntry::Answered { yes: true, who: who(), why: why() })),
        ("decision.acknowledged", said(LogEntry::Acknowledged { run: run(), who: who(), why: why() })),
        ("decision.kill-switch", said(LogEntry::KillSwitch { on: true, who: who(), why: why() })),
        ("decision.prewarming", said(LogEntry::Prewarming { run: run(), goal: goal(), why: why() })),
        ("decision.prewarm-over", said(LogEntry::PrewarmOver { run: run(), kept: true, why: why() })),
    ]
}

/// Every entry but `run-created`, whose plan a newer builder may fill in otherwise: that one is read, and written again.
pub(super) fn all() -> Vec<(&'static str, Entry)> {
    let mut all = vec![
        ("engine-started", Entry::EngineStarted { owner: owner() }),
        ("step-intent", intent("promote", 2)),
        ("step-outcome", outcome("promote", 2, Outcome::Done { output: json!({ "lag_s": 0.1 }), already: true })),
        ("step-outcome.failed", outcome("promote", 1, failed())),
        ("step-outcome.skipped", outcome("shift", 0, Outcome::Skipped { reason: text("by hand") })),
        ("step-outcome.compensated", outcome("fence", 3, Outcome::Compensated)),
        ("compensation-intent", Entry::CompensationIntent { step: step("fence"), attempt: 3 }),
        (
            "approval-requested",
            Entry::ApprovalRequested { step: step("promote"), question: text("promote the standby?"), due: None },
        ),
        (
            "approval-decided",
            Entry::ApprovalDecided {
                plan: digest(),
                findings: None,
                decision: Decision::Approve,
                who: text("ada"),
                why: text("the region is gone"),
            },
        ),
        (
            "approval-decided.reject",
            Entry::ApprovalDecided {
                plan: digest(),
                findings: None,
                decision: Decision::Reject,
                who: text("bob"),
                why: text("wait"),
            },
        ),
        ("paused", Entry::Paused { reason: text("promote failed"), step: Some(step("promote")), who: None }),
        ("paused.by-operator", Entry::Paused { reason: text("look first"), step: None, who: Some(text("ada")) }),
        ("resumed", Entry::Resumed { who: text("ada"), why: text("looked") }),
        ("retry-requested", Entry::RetryRequested { step: step("promote"), who: text("ada"), why: text("again") }),
        ("skip-requested", Entry::SkipRequested { step: step("shift"), who: text("ada"), why: text("done by hand") }),
        (
            "mode-switched",
            Entry::ModeSwitched { step: Some(step("promote")), who: text("ada"), why: text("the region is gone") },
        ),
        ("mode-switched.run", Entry::ModeSwitched { step: None, who: text("ada"), why: text("the region is gone") }),
        ("run-created.groups", created_with(grouped())),
        ("cancel-requested", Entry::CancelRequested { who: text("ada"), why: text("it healed"), compensate: true }),
        ("request-answered", Entry::RequestAnswered { request: RequestId(3), refused: Some(text("it has ended")) }),
        ("note", Entry::Note { topic: text("lag"), value: json!({ "seconds": 0.25, "of": ["orders"] }) }),
        ("run-ended", Entry::RunEnded { end: RunEnd::Completed, summary: text("every step is done") }),
        ("run-ended.failed", Entry::RunEnded { end: RunEnd::Failed, summary: text("it cannot go on") }),
        ("run-ended.cancelled", Entry::RunEnded { end: RunEnd::Cancelled, summary: text("taken back") }),
        ("run-ended.timed-out", Entry::RunEnded { end: RunEnd::TimedOut, summary: text("after an hour") }),
        (
            "run-ended.completed-with-exceptions",
            Entry::RunEnded { end: RunEnd::CompletedWithExceptions, summary: text("all but shift") },
        ),
        ("run-ended.dirty", Entry::RunEnded { end: RunEnd::Dirty, summary: text("left as it is: scale") }),
        (
            "effects-left",
            Entry::EffectsLeft {
                effects: vec![StandingEffect {
                    step: step("scale"),
                    resource: Some(ResourceId::new("storefront").unwrap()),
                    region: Some(RegionId::new("eu-west-1").unwrap()),
                    why: text("past the point of no return nothing is taken back"),
                }],
            },
        ),
        (
            "approval-requested.due",
            Entry::ApprovalRequested {
                step: step("promote"),
                question: text("promote the standby?"),
                due: Some(Duration::from_millis(3_600_250)),
            },
        ),
        (
            "approval-decided.findings",
            Entry::ApprovalDecided {
                plan: digest(),
                findings: Some(FindingsDigest::of(&[])),
                decision: Decision::Approve,
                who: text("ada"),
                why: text("nothing was found"),
            },
        ),
        ("approval-expired", Entry::ApprovalExpired { step: step("promote") }),
        (
            "rule-refused",
            Entry::RuleRefused { step: step("shift"), rule: rule(), why: text("promote is to be done before") },
        ),
        (
            "rule-overridden",
            Entry::RuleOverridden { rule: rule(), who: text("ada"), why: text("the store is read-only anyway") },
        ),
        ("health", health(HealthNews::Watched, "")),
        ("health.green", health(HealthNews::Green, "1 of 1000 requests fail")),
        ("health.red", health(HealthNews::Red, "half of the requests fail")),
        ("health.unknown", health(HealthNews::Unknown, "no metric arrives")),
        ("health.stayed", health(HealthNews::Stayed { since: Duration::from_secs(61) }, "0 of 1000 requests fail")),
    ];
    all.extend(decisions());
    all
}

/// A plan with everything that plans learnt after the first format was written.
fn grouped() -> Plan {
    let region = |name: &str| RegionId::new(name).unwrap();
    let child = plan();
    let mut plan = PlanBuilder::new(ApplicationId::new("company").unwrap(), child.goal().clone(), *child.objectives());
    plan.standing(region("ap-southeast-2"));
    plan.step("freeze", &Act(Reversibility::Reversible), &Value::Null)
        .phase(Phase::Freeze)
        .ungraceful(Ungraceful::MinimumSuccess { percent: 80 });
    plan.step("ask", &Act(Reversibility::Irreversible), &Value::Null)
        .after("freeze")
        .gate("go on?")
        .approvers(["ada", "bob"])
        .gate_expires(Duration::from_secs(600))
        .ungraceful(Ungraceful::Force);
    plan.serial("first", &["freeze", "ask"]);
    plan.child("shop", &child).after("first").deadline(Duration::from_secs(1200));
    plan.build().unwrap()
}

fn rule() -> SafetyRuleId {
    SafetyRuleId::new("no-traffic-before-promoted").unwrap()
}

fn health(news: HealthNews, why: &str) -> Entry {
    Entry::Health { news, elapsed: Duration::from_millis(91_500), why: text(why) }
}

/// The first entry of a run.
pub(super) fn created() -> Entry {
    created_with(plan())
}

fn created_with(plan: Plan) -> Entry {
    Entry::RunCreated {
        plan: Box::new(plan),
        inventory: Box::new(Inventory::default()),
        findings: vec![Finding {
            severity: Severity::Warning,
            subject: text("shift"),
            check: text("W32 long-ttl"),
            message: text("the TTL is 60 s"),
            evidence: json!({ "ttl_s": 60 }),
            remedy: text("lower it"),
        }],
        waivers: vec![
            serde_json::from_value(json!({
                "rule": "W32", "step": "shift", "who": "ada", "why": "the zone moves soon", "until": "2027-03-31",
            }))
            .unwrap(),
        ],
        unattended: Some(Signed { who: text("ada"), why: text("a rehearsal") }),
        by: owner(),
    }
}

/// A run from its creation to its end.
pub(super) fn run() -> Vec<Entry> {
    let approved = plan().digest().clone();
    let done = |output: Value| Outcome::Done { output, already: false };
    vec![
        created(),
        Entry::EngineStarted { owner: owner() },
        intent("fence", 1),
        outcome("fence", 1, done(Value::Null)),
        Entry::ApprovalRequested { step: step("promote"), question: text("promote the standby?"), due: None },
        Entry::ApprovalDecided {
            plan: approved,
            findings: None,
            decision: Decision::Approve,
            who: text("ada"),
            why: text("now"),
        },
        intent("promote", 1),
        outcome("promote", 1, failed()),
        Entry::EngineStarted { owner: owner() },
        intent("promote", 2),
        outcome("promote", 2, done(json!({ "writer": "eu-west-1", "lag_s": 0.1 }))),
        Entry::SkipRequested { step: step("shift"), who: text("ada"), why: text("done by hand") },
        outcome("shift", 0, Outcome::Skipped { reason: text("done by hand") }),
        Entry::Note { topic: text("rpo"), value: json!({ "seconds": 0.35 }) },
        Entry::RunEnded { end: RunEnd::CompletedWithExceptions, summary: text("all but shift") },
    ]
}
