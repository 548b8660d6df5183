use super::{
    fixture::{self, drill},
    *,
};
use crate::{journal::Entry, model::OwnerId, plan::Phase};

/// The page without what changes whenever plans are stored differently.
fn without_digests(report: &DrillReport, page: String) -> String {
    report
        .runs
        .iter()
        .fold(page, |page, run| page.replace(run.plan.as_str(), "DIGEST").replace(run.plan.short(), "DIGEST"))
}

#[test]
fn the_markdown_page_reads_well() {
    insta::assert_snapshot!(without_digests(&drill(), drill().markdown()));
}

#[test]
fn the_html_page_is_as_it_was_looked_at() {
    insta::assert_snapshot!(without_digests(&drill(), drill().html()));
}

#[test]
fn the_report_survives_json() {
    let report = drill();
    let read: DrillReport = serde_json::from_str(&report.json().unwrap()).unwrap();
    assert_eq!(read, report);
    assert_eq!(read.html(), report.html());
}

#[test]
fn the_page_needs_nothing_from_outside() {
    let page = drill().html();
    for outside in ["http://", "https://", "<script", "<link", "url(", "@import", "src="] {
        assert!(!page.contains(outside), "the page holds {outside}");
    }
}

#[test]
fn parameters_of_steps_are_left_in_the_journal() {
    let report = drill();
    for page in [report.html(), report.markdown(), report.json().unwrap()] {
        assert!(!page.contains("hunter2"));
    }
}

#[test]
fn text_from_outside_stays_text() {
    let mut report = drill();
    report.fault.what = "<img src=x onerror=alert(1)> | it broke".into();
    report.compared[0].after = "a|b".into();
    assert!(report.html().contains("&lt;img src=x onerror=alert(1)&gt;"));
    assert!(!report.html().contains("<img"));
    assert!(report.markdown().contains("a\\|b"));
}

#[test]
fn the_journal_tells_attempts_approvals_and_the_critical_path() {
    let report = drill();
    let failover = &report.runs[0];
    let fence = failover.steps.iter().find(|step| step.id == *"orders-db/fence").unwrap();
    assert_eq!((fence.attempts, fence.outcome), (2, StepOutcome::Done));
    assert_eq!(fence.length_s().map(f64::round), Some(8.0));
    let path: Vec<_> = failover.critical_path().into_iter().map(ToString::to_string).collect();
    assert_eq!(
        path,
        [
            "services/hold-scale-down",
            "orders-db/fence",
            "orders-db/promote",
            "storefront-dns/shift",
            "storefront-dns/answers",
            "storefront/order",
            "storefront-dns/latch"
        ]
    );
    let kinds: Vec<_> = failover.moments.iter().map(|moment| moment.kind).collect();
    assert_eq!(kinds, [MomentKind::ApprovalAsked, MomentKind::Decided]);
}

#[test]
fn a_run_that_was_cut_short_is_told_as_far_as_it_came() {
    let mut report = drill();
    let mut failover = report.runs.remove(0);
    failover.end = None;
    for step in &mut failover.steps {
        if step.phase >= crate::plan::Phase::Shift {
            (step.started, step.ended, step.outcome, step.attempts) = (None, None, StepOutcome::Pending, 0);
        }
    }
    report.runs = vec![failover];
    report.measured = Measured { writes_acked: 12, ..Measured::default() };
    report.outage = None;
    report.compared = Vec::new();
    assert!(!report.objectives_met() && !report.restored());
    let page = report.markdown();
    assert!(page.contains("| RTO: longest gap that clients felt | **unknown** | at most 5 min ✗ |"), "{page}");
    assert!(page.contains("was last heard of"), "{page}");
    assert!(report.html().contains("not begun"));
}

#[test]
fn what_is_unknown_misses_the_objective() {
    let mut report = drill();
    assert!(report.objectives_met());
    report.measured.rpo_s = None;
    assert!(!report.objectives_met());
    report.measured.rpo_s = Some(60.1);
    assert!(!report.objectives_met());
}

#[test]
fn each_process_after_the_first_that_took_the_run_up_is_told() {
    let taken_up = |owners: &[&str]| {
        let told = owners.iter().map(|owner| Entry::EngineStarted { owner: OwnerId::new(*owner).unwrap() }).collect();
        let report = fixture::told(Phase::Confirm, told);
        let notes: Vec<String> = report.moments.into_iter().map(|moment| moment.what).collect();
        (report.engines, notes)
    };
    let took = |owner: &str| format!("another process, {owner}, took the run up");
    assert_eq!(taken_up(&[]), (0, vec![]));
    assert_eq!(taken_up(&["one"]), (1, vec![]));
    assert_eq!(taken_up(&["one", "two", "three"]), (3, vec![took("two"), took("three")]));
}

#[test]
fn a_run_that_promotes_nothing_has_nothing_to_lose() {
    assert!(fixture::told(Phase::Confirm, Vec::new()).rpo.is_none());
    assert!(fixture::told(Phase::Promote, Vec::new()).rpo.is_some(), "that it is unknown is told too");
}
