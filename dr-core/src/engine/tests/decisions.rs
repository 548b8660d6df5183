//! What should happen next, asked right after each record.

use std::time::Duration;

use serde_json::json;

use super::world::{TurnOn, World, builder, params, run_id, step_id};
use crate::{
    engine::{Command, Control, RunView, StepView, accept, backoff, decide, decide::wants},
    error::{Effect, Error, ErrorKind, Failure, Retry},
    journal::{Decision, Entry, HealthNews, Intent, Outcome, RunEnd, Seq},
    model::{Epoch, OwnerId, RunId, SafetyRuleId},
    plan::{Inventory, Plan, PlanBuilder, RecoveryGoal, RetryPolicy, Ungraceful, ZoneFact},
    time::Timestamp,
};

/// A run that is told what happened, record by record.
struct Told {
    plan: Plan,
    view: RunView,
    now: Timestamp,
}

impl Told {
    /// `a` and `b` beside each other, `c` after both; each is tried twice.
    fn new() -> Self {
        let mut plan = Self::draft();
        plan.deadline(Duration::from_secs(600));
        Self::of(plan.build().unwrap())
    }

    fn draft() -> PlanBuilder {
        let act = TurnOn(World::new());
        let mut plan = builder();
        let retry = || RetryPolicy { attempts: 2, first: Duration::from_secs(4), most: Duration::from_secs(60) };
        plan.step("a", &act, &params("a", 0)).retry(retry());
        plan.step("b", &act, &params("b", 0)).retry(retry());
        plan.step("c", &act, &params("c", 0)).retry(retry()).after("a").after("b");
        plan
    }

    /// The same three steps as a child called `child`.
    fn child() -> Self {
        let mut plan = builder();
        plan.child("child", &Self::draft().build().unwrap());
        Self::of(plan.build().unwrap())
    }

    fn of(plan: Plan) -> Self {
        Self::surveyed(plan, Inventory::default())
    }

    fn surveyed(plan: Plan, inventory: Inventory) -> Self {
        let created = Entry::RunCreated {
            plan: Box::new(plan.clone()),
            inventory: Box::new(inventory),
            findings: Vec::new(),
            waivers: Vec::new(),
            unattended: None,
            by: OwnerId::new("engine").unwrap(),
        };
        let view = RunView::new(run_id(), Seq(1), Timestamp::UNIX_EPOCH, &created).unwrap();
        Self { plan, view, now: Timestamp::UNIX_EPOCH }
    }

    fn say(&mut self, entry: Entry) -> Vec<Command> {
        self.view.apply(Seq(self.view.seq().0 + 1), self.now, Epoch(1), &entry);
        self.next()
    }

    fn next(&self) -> Vec<Command> {
        decide(&self.plan, &self.view, self.now)
    }

    fn begins(&mut self, step: &str, attempt: u32) -> Vec<Command> {
        self.say(Entry::StepIntent(Intent { step: step_id(step), attempt, before: None, params: json!(null) }))
    }

    fn ends(&mut self, step: &str, attempt: u32, outcome: Outcome) -> Vec<Command> {
        self.say(Entry::StepOutcome { step: step_id(step), attempt, outcome })
    }

    fn done(&mut self, step: &str) -> Vec<Command> {
        self.begins(step, 1);
        self.ends(step, 1, Outcome::Done { output: json!(1), already: false })
    }

    fn asked(&mut self, entry: fn(String, String) -> Entry) -> Vec<Command> {
        self.say(entry("Ada".to_owned(), "as agreed".to_owned()))
    }

    fn retried(&mut self, step: &str) -> Vec<Command> {
        self.say(Entry::RetryRequested { step: step_id(step), who: "Ada".to_owned(), why: "again".to_owned() })
    }
}

fn failed(retry: Retry) -> Outcome {
    let error = Error::new(ErrorKind::Unavailable, "no").with_effect(Effect::NotApplied).with_retry(retry);
    Outcome::Failed { failure: Failure::from(error) }
}

fn cancel(who: String, why: String) -> Entry {
    Entry::CancelRequested { who, why, compensate: true }
}

/// The commands in short.
fn short(commands: &[Command]) -> Vec<String> {
    let said = |command: &Command| match command {
        Command::Start { step, attempt, pause } => format!("start {step} {attempt} {}", !pause.is_zero()),
        Command::Compensate { step, attempt, pause } => format!("undo {step} {attempt} {}", !pause.is_zero()),
        Command::Pause { step, .. } => format!("pause {step}"),
        Command::End { end, .. } => format!("end {end:?}"),
        other => format!("{other:?}"),
    };
    commands.iter().map(said).collect()
}

#[test]
fn each_attempt_has_the_next_number_and_only_one_after_a_failure_waits() {
    let mut told = Told::new();
    assert_eq!(short(&told.next()), ["start a 1 false", "start b 1 false"]);
    assert_eq!(short(&told.begins("a", 1)), ["start b 1 false"]);
    assert_eq!(short(&told.ends("a", 1, failed(Retry::Backoff))), ["start a 2 true", "start b 1 false"]);
    told.begins("a", 2);
    told.done("b");
    let done = told.ends("a", 2, Outcome::Done { output: json!(1), already: false });
    assert_eq!(short(&done), ["start c 1 false"]);
    assert_eq!(short(&told.done("c")), ["end Completed"]);
}

#[test]
fn what_is_taken_back_is_so_once_at_a_time_with_attempts_of_their_own() {
    let mut told = Told::new();
    told.done("a");
    assert_eq!(short(&told.asked(cancel)), ["undo a 1 false"]);
    let undo = |attempt| Entry::CompensationIntent { step: step_id("a"), attempt };
    assert_eq!(short(&told.say(undo(1))), [""; 0], "it is under way");
    assert_eq!(short(&told.ends("a", 1, failed(Retry::Backoff))), ["undo a 2 true"]);
    assert_eq!(short(&told.say(undo(2))), [""; 0]);
    assert_eq!(short(&told.ends("a", 2, failed(Retry::Backoff))), ["pause a"]);
    assert_eq!(short(&told.retried("a")), ["undo a 3 false"]);
    told.say(undo(3));
    assert_eq!(short(&told.ends("a", 3, Outcome::Compensated)), ["end Cancelled"]);
}

#[test]
fn a_failure_is_told_once_and_the_next_one_again() {
    let mut told = Told::new();
    told.done("b");
    told.begins("a", 1);
    assert_eq!(short(&told.ends("a", 1, failed(Retry::Never))), ["pause a"]);
    let paused = || Entry::Paused { reason: "a failed".to_owned(), step: Some(step_id("a")), who: None };
    assert_eq!(short(&told.say(paused())), [""; 0], "everybody knows");
    assert_eq!(short(&told.retried("a")), ["start a 2 false"]);
    told.begins("a", 2);
    assert_eq!(short(&told.ends("a", 2, failed(Retry::Never))), ["pause a"], "this is another failure");
    told.say(paused());
    let skipped = told.ends("a", 2, Outcome::Skipped { reason: "Ada: go on".to_owned() });
    assert_eq!(short(&skipped), ["start c 1 false"]);
    told.begins("c", 1);
    assert_eq!(short(&told.ends("c", 1, failed(Retry::Never))), ["pause c"]);
}

#[test]
fn while_another_step_still_waits_for_somebody_nothing_is_told_anew() {
    let mut told = Told::new();
    for step in ["a", "b"] {
        told.begins(step, 1);
    }
    told.ends("a", 1, failed(Retry::Never));
    told.say(Entry::Paused { reason: "a failed".to_owned(), step: Some(step_id("a")), who: None });
    assert_eq!(short(&told.ends("b", 1, failed(Retry::Never))), [""; 0]);
    assert_eq!(short(&told.retried("a")), ["start a 2 false"], "b waits on, and has been told");
}

#[test]
fn only_what_failed_for_good_is_tried_again_on_request() {
    let mut told = Told::new();
    let retry = Control::Retry { step: step_id("a"), who: "Ada".to_owned(), why: "again".to_owned() };
    told.begins("a", 1);
    told.ends("a", 1, failed(Retry::Backoff));
    assert_eq!(accept(&told.view, &retry).unwrap(), [], "it is tried again anyway");
    told.begins("a", 2);
    assert_eq!(accept(&told.view, &retry).unwrap(), [], "it is being tried");
    told.ends("a", 2, failed(Retry::Backoff));
    let asked = Entry::RetryRequested { step: step_id("a"), who: "Ada".to_owned(), why: "again".to_owned() };
    assert_eq!(accept(&told.view, &retry).unwrap(), [asked]);
    let error = accept(&told.view, &Control::Retry { step: step_id("x"), who: String::new(), why: String::new() });
    assert_eq!(error.unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_rule_that_refused_is_asked_again_and_the_step_has_made_no_attempt() {
    let mut told = Told::new();
    let refused =
        Entry::RuleRefused { step: step_id("a"), rule: SafetyRuleId::new("lag").unwrap(), why: "behind".to_owned() };
    assert_eq!(short(&told.say(refused)), ["start b 1 false"]);
    assert_eq!(short(&told.retried("a")), ["start a 1 false", "start b 1 false"]);
    assert!(!told.view.step("a").unwrap().retry_asked);
}

#[test]
fn a_run_ends_at_its_deadline_once_nothing_is_under_way() {
    let mut told = Told::new();
    told.done("a");
    told.now = Timestamp::from_millis(599_999);
    assert_eq!(short(&told.begins("b", 1)), [""; 0]);
    told.now = Timestamp::from_millis(600_000);
    assert_eq!(told.next(), [Command::StopRunning]);
    let ended = told.ends("b", 1, failed(Retry::Backoff));
    let [Command::End { end: RunEnd::TimedOut, summary, effects }] = ended.as_slice() else { panic!("{ended:?}") };
    assert_eq!((summary.as_str(), effects.len()), ("600s were not enough; not done: b, c", 0));
}

#[test]
fn pauses_are_cut_by_up_to_half_and_differ_from_run_to_run_and_from_attempt_to_attempt() {
    let retry = RetryPolicy { attempts: 9, first: Duration::from_secs(8), most: Duration::from_secs(60) };
    let pause = |run: u32, failures: u32, attempt: u32| {
        let run = RunId::new(format!("run-{run}")).unwrap();
        backoff::pause_after(&run, &step_id("a"), &retry, failures, attempt).as_secs_f64()
    };
    let drawn: Vec<f64> = (0..200).map(|run| pause(run, 1, 1)).collect();
    assert!(drawn.iter().all(|pause| (4.0..=8.0).contains(pause)));
    assert!(drawn.iter().any(|pause| *pause < 4.5) && drawn.iter().any(|pause| *pause > 7.5), "{drawn:?}");
    let mean = drawn.iter().sum::<f64>() / 200.0;
    assert!((5.7..6.3).contains(&mean), "{mean}");
    assert!((pause(1, 2, 1) - 2.0 * pause(1, 1, 1)).abs() < 1e-6 && (30.0..=60.0).contains(&pause(1, 9, 1)));
    assert_ne!(pause(1, 1, 1), pause(1, 1, 2));

    let told = Told::new();
    let step = told.plan.step("a").unwrap();
    let Outcome::Failed { failure } = failed(Retry::Backoff) else { unreachable!() };
    let after = |attempts, compensations| {
        let state = crate::engine::StepState::Failed { failure: failure.clone() };
        let view = StepView { state, attempts, compensations, failures: 1, ..StepView::default() };
        backoff::pause(&run_id(), step, &view)
    };
    assert_ne!(after(1, 0), after(2, 0));
    assert_ne!(after(2, 1), after(2, 2));
    assert_eq!(after(2, 1), after(1, 2), "it is the number of attempts that counts");
}

fn skip(step: &str) -> Control {
    Control::Skip { step: step_id(step), who: "Ada".to_owned(), why: "not needed".to_owned() }
}

#[test]
fn a_run_that_is_called_off_skips_nothing_more_and_is_not_called_off_again() {
    let mut told = Told::new();
    told.done("a");
    assert!(accept(&told.view, &skip("b")).is_ok());
    told.asked(cancel);
    assert!(accept(&told.view, &skip("b")).is_err());
    let again = Control::Cancel { who: "Ada".to_owned(), why: "twice".to_owned(), compensate: true };
    assert_eq!(accept(&told.view, &again).unwrap(), []);
}

#[test]
fn a_run_that_is_paused_takes_nothing_back_until_it_goes_on() {
    let mut told = Told::new();
    told.done("a");
    told.asked(|who, reason| Entry::Paused { reason, step: None, who: Some(who) });
    assert_eq!(short(&told.asked(cancel)), [""; 0]);
    assert_eq!(short(&told.asked(|who, why| Entry::Resumed { who, why })), ["undo a 1 false"]);
}

#[test]
fn only_the_next_attempt_of_a_step_that_may_begin_is_wanted() {
    let mut told = Told::new();
    let intent = |step: &str, attempt| {
        Entry::StepIntent(Intent { step: step_id(step), attempt, before: None, params: json!(null) })
    };
    let wanted = |told: &Told, step, attempt| wants(&told.plan, &told.view, told.now, &intent(step, attempt));
    assert!(wanted(&told, "a", 1));
    assert!(!wanted(&told, "a", 2) && !wanted(&told, "a", 0) && !wanted(&told, "c", 1));
    told.begins("a", 1);
    assert!(!wanted(&told, "a", 1) && !wanted(&told, "a", 2));
}

#[test]
fn an_approval_counts_for_the_plan_that_it_names() {
    let mut told = Told::new();
    let decided = |plan| Entry::ApprovalDecided {
        plan,
        findings: None,
        decision: Decision::Approve,
        who: "Ada".to_owned(),
        why: "as rehearsed".to_owned(),
    };
    let mut other = builder();
    other.step("other", &TurnOn(World::new()), &params("other", 0));
    let other = other.build().unwrap();
    assert!(!told.view.approved() && told.view.asked().is_empty());
    told.say(Entry::ApprovalRequested { step: step_id("c"), question: "now?".to_owned(), due: None });
    assert_eq!(told.view.asked().iter().map(|step| step.as_str()).collect::<Vec<_>>(), ["c"]);
    told.say(decided(other.digest().clone()));
    assert!(!told.view.approved(), "it names another plan");
    told.say(decided(told.plan.digest().clone()));
    assert!(told.view.approved());
}

#[test]
fn each_engine_that_takes_a_run_up_is_counted() {
    let mut told = Told::new();
    for count in 0..3 {
        assert_eq!(told.view.taken_up(), count);
        told.say(Entry::EngineStarted { owner: OwnerId::new(format!("engine-{count}")).unwrap() });
    }
}

fn retry(step: &str) -> Control {
    Control::Retry { step: step_id(step), who: "Ada".to_owned(), why: "again".to_owned() }
}

#[test]
fn a_retry_of_a_group_in_which_nothing_has_failed_asks_for_nothing_until_all_of_it_is_done() {
    let mut told = Told::child();
    assert_eq!(accept(&told.view, &retry("child")).unwrap(), []);
    for step in ["child/a", "child/b"] {
        told.done(step);
        assert_eq!(accept(&told.view, &retry("child")).unwrap(), []);
    }
    told.done("child/c");
    let refused = accept(&told.view, &retry("child")).unwrap_err();
    assert!(refused.message().contains("only what failed or is late is tried again"), "{refused}");
}

#[test]
fn skipping_a_group_lets_stand_what_could_not_be_taken_back() {
    let mut told = Told::child();
    told.done("child/a");
    told.done("child/b");
    told.asked(cancel);
    told.say(Entry::CompensationIntent { step: step_id("child/b"), attempt: 1 });
    told.ends("child/b", 1, failed(Retry::Never));
    let records = accept(&told.view, &skip("child")).unwrap();
    let skipped: Vec<&str> = records
        .iter()
        .filter_map(|entry| match entry {
            Entry::StepOutcome { step, outcome: Outcome::Skipped { .. }, .. } => Some(step.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(skipped, ["child/b"], "a can still be taken back, and c was never begun");
}

#[test]
fn the_clock_of_a_group_begins_with_the_first_attempt_in_it() {
    let mut told = Told::child();
    let started = |told: &Told| told.view.group("child").unwrap().started;
    assert_eq!(started(&told), None);
    told.now = Timestamp::from_millis(7_000);
    told.begins("child/a", 1);
    assert_eq!(started(&told), Some(Timestamp::from_millis(7_000)));
    told.now = Timestamp::from_millis(9_000);
    told.begins("child/b", 1);
    assert_eq!(started(&told), Some(Timestamp::from_millis(7_000)), "and not anew with the next one");
}

#[test]
fn a_retry_of_a_group_leaves_alone_what_is_tried_again_by_itself() {
    let mut told = Told::child();
    let asked = |told: &Told| accept(&told.view, &retry("child")).unwrap().len();
    told.begins("child/a", 1);
    told.ends("child/a", 1, failed(Retry::Backoff));
    assert_eq!(asked(&told), 0, "its second attempt is due");
    told.begins("child/a", 2);
    told.ends("child/a", 2, failed(Retry::Backoff));
    assert_eq!(asked(&told), 1);
}

#[test]
fn the_next_attempt_waits_at_least_as_long_as_the_far_side_asked_for() {
    let pause = |retry: Retry| {
        let mut told = Told::new();
        told.begins("a", 1);
        let commands = told.ends("a", 1, failed(retry));
        let [Command::Start { pause, .. }, ..] = commands.as_slice() else { panic!("{commands:?}") };
        pause.as_secs_f64()
    };
    assert!((2.0..=4.0).contains(&pause(Retry::Backoff)));
    let asked = pause(Retry::After(Duration::from_secs(30)));
    assert!((30.5..=31.0).contains(&asked), "{asked}");
    let soon = pause(Retry::After(Duration::ZERO));
    assert!((0.5..=1.0).contains(&soon), "{soon}");
}

#[test]
fn a_run_without_a_step_that_was_never_begun_does_not_say_that_it_may_have_been_done() {
    let ended = |begun: bool| {
        let mut told = Told::new();
        told.done("a");
        if begun {
            told.begins("b", 1);
            told.say(Entry::EngineStarted { owner: OwnerId::new("engine-2").unwrap() });
        }
        told.ends("b", u32::from(begun), Outcome::Skipped { reason: "not needed".to_owned() });
        let commands = told.done("c");
        let [Command::End { summary, .. }] = commands.as_slice() else { panic!("{commands:?}") };
        summary.split(": ").nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(ended(false), "done without b");
    assert!(ended(true).starts_with("done without b (which may have been done, or be done yet)"));
}

#[test]
fn what_a_rule_refused_while_it_prepared_itself_is_not_begun() {
    let mut told = Told::new();
    let wanted = |told: &Told| {
        let intent = Intent { step: step_id("a"), attempt: 1, before: None, params: json!(null) };
        wants(&told.plan, &told.view, told.now, &Entry::StepIntent(intent))
    };
    assert!(wanted(&told));
    let rule = SafetyRuleId::new("never-dark").unwrap();
    told.say(Entry::RuleRefused { step: step_id("a"), rule, why: "nothing holds traffic".to_owned() });
    assert!(!wanted(&told));
    told.retried("a");
    assert!(wanted(&told), "the rule is asked again first");
}

#[test]
fn the_next_engine_takes_back_anew_what_the_one_before_was_taking_back() {
    let mut told = Told::new();
    told.done("a");
    told.asked(cancel);
    told.say(Entry::CompensationIntent { step: step_id("a"), attempt: 1 });
    let next = told.say(Entry::EngineStarted { owner: OwnerId::new("engine-2").unwrap() });
    assert_eq!(short(&next), ["undo a 2 false"]);
}

#[test]
fn the_clock_of_a_group_is_its_own() {
    let mut plan = builder();
    let child = Told::draft().build().unwrap();
    for name in ["first", "second", "third"] {
        plan.child(name, &child);
    }
    let mut told = Told::of(plan.build().unwrap());
    told.now = Timestamp::from_millis(7_000);
    told.begins("third/a", 1);
    let started = |group: &str| told.view.group(group).unwrap().started;
    assert_eq!(["first", "second", "third"].map(started), [None, None, Some(told.now)]);
}

#[test]
fn a_switch_to_ungraceful_is_kept_and_asks_for_no_retry_of_what_has_not_failed() {
    let act = TurnOn(World::new());
    let mut plan = builder();
    plan.step("force", &act, &params("force", 0)).ungraceful(Ungraceful::Force);
    plan.step("skip", &act, &params("skip", 0)).ungraceful(Ungraceful::Skip);
    plan.step("late", &act, &params("late", 0)).ungraceful(Ungraceful::Force).after("skip");
    let mut told = Told::of(plan.build().unwrap());
    for step in ["force", "skip"] {
        told.begins(step, 1);
        told.ends(step, 1, failed(Retry::Never));
    }
    assert!(told.view.switches().is_empty());
    told.asked(|who, why| Entry::ModeSwitched { step: None, who, why });
    let switched: Vec<&str> = told.view.switches().iter().map(|switch| switch.by.who.as_str()).collect();
    assert_eq!(switched, ["Ada"]);
    let asked = ["force", "skip", "late"].map(|step| told.view.step(step).unwrap().retry_asked);
    assert_eq!(asked, [true, false, false]);
}

#[test]
fn a_pause_says_what_failed_and_whether_it_was_being_taken_back() {
    let paused = |commands: Vec<Command>| match commands.as_slice() {
        [.., Command::Pause { reason, .. }] => reason.clone(),
        other => panic!("{other:?}"),
    };
    let mut told = Told::new();
    told.done("a");
    told.begins("b", 1);
    let reason = paused(told.ends("b", 1, failed(Retry::Never)));
    assert!(reason.starts_with("b failed: "), "{reason}");
    told.asked(cancel);
    told.say(Entry::CompensationIntent { step: step_id("a"), attempt: 1 });
    let reason = paused(told.ends("a", 1, failed(Retry::Never)));
    assert!(reason.starts_with("a could not be taken back: "), "{reason}");
}

#[test]
fn a_refused_step_keeps_a_run_from_going_on_but_not_one_that_is_called_off() {
    let mut told = Told::new();
    let resume = Control::Resume { who: "Ada".to_owned(), why: "go on".to_owned() };
    let rule = SafetyRuleId::new("never-dark").unwrap();
    told.say(Entry::RuleRefused { step: step_id("a"), rule, why: "nothing holds traffic".to_owned() });
    let refused = accept(&told.view, &resume).unwrap_err();
    assert!(refused.message().contains("the safety rule never-dark refuses a"), "{refused}");
    told.asked(cancel);
    assert_eq!(accept(&told.view, &resume).unwrap(), []);
}

#[test]
fn a_run_keeps_what_its_plan_was_made_from() {
    let zone = ZoneFact { id: "Z1".to_owned(), ..ZoneFact::default() };
    let inventory = Inventory { zones: vec![zone], ..Inventory::default() };
    let told = Told::surveyed(Told::draft().build().unwrap(), inventory.clone());
    assert_eq!(*told.view.inventory(), inventory);
}

#[test]
fn a_group_that_is_late_is_so_until_somebody_gives_it_its_time_anew() {
    let mut told = Told::child();
    told.now = Timestamp::from_millis(7_000);
    told.begins("child/a", 1);
    let clock = |told: &Told| told.view.group("child").map(|group| (group.late, group.started)).unwrap();
    assert_eq!(clock(&told), (false, Some(told.now)));
    told.say(Entry::Paused { reason: "too slow".to_owned(), step: Some(step_id("child")), who: None });
    assert_eq!(clock(&told), (true, Some(told.now)));
    told.now = Timestamp::from_millis(9_000);
    told.retried("child");
    assert_eq!(clock(&told), (false, Some(told.now)));
}

#[test]
fn health_is_watched_once_the_last_step_is_done_and_not_for_ever() {
    let mut plan = Told::draft();
    plan.recovery(RecoveryGoal { stays: Duration::from_secs(30), within: Duration::from_secs(300) });
    let mut told = Told::of(plan.build().unwrap());
    for step in ["a", "b"] {
        told.done(step);
    }
    assert_eq!(told.done("c"), [Command::Watch]);
    let watched = Entry::Health { news: HealthNews::Watched, elapsed: Duration::ZERO, why: String::new() };
    assert_eq!(told.say(watched), []);
    told.now = Timestamp::from_millis(299_999);
    assert_eq!(told.next(), []);
    told.now = Timestamp::from_millis(300_000);
    assert_eq!(short(&told.next()), ["end Failed"]);
    assert!(told.view.ended().is_none());
    told.say(Entry::RunEnded { end: RunEnd::Failed, summary: "never green".to_owned() });
    assert_eq!(told.view.ended(), Some((RunEnd::Failed, "never green")));
    assert_eq!(told.next(), []);
}

#[test]
fn only_the_next_attempt_to_take_back_the_last_thing_done_is_wanted() {
    let mut told = Told::new();
    told.done("a");
    told.now = Timestamp::from_millis(1_000);
    told.done("b");
    let wanted = |told: &Told, step: &str, attempt| {
        wants(&told.plan, &told.view, told.now, &Entry::CompensationIntent { step: step_id(step), attempt })
    };
    assert!(!wanted(&told, "b", 1), "nobody has called the run off");
    told.asked(cancel);
    assert!(wanted(&told, "b", 1));
    assert!(!wanted(&told, "b", 2) && !wanted(&told, "a", 1) && !wanted(&told, "c", 1));
    told.say(Entry::CompensationIntent { step: step_id("b"), attempt: 1 });
    assert!(!wanted(&told, "b", 1) && !wanted(&told, "b", 2));
}
