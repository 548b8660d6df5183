//! Every rule has a plan that breaks it and one that is nearly the same and does not.

use std::collections::BTreeSet;

use crate::lint::{
    Rule, RuleRegistry,
    fixtures::{case::Case, differences, fixtures, page},
};

/// The rules that a case breaks, each once.
fn broken(case: &Case) -> BTreeSet<String> {
    case.broken().iter().filter_map(|found| found.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn every_rule_has_fixtures_and_every_fixture_a_rule() {
    let registry = RuleRegistry::new();
    let rules: BTreeSet<&str> = registry.iter().map(Rule::number).collect();
    let shown: BTreeSet<&str> = fixtures().iter().map(|fixture| fixture.rule()).collect();
    assert_eq!(rules, shown);
}

#[test]
fn the_firing_fixture_breaks_its_rule_alone_and_the_passing_one_none() {
    for fixture in fixtures() {
        let (firing, passing) = (fixture.firing(), fixture.passing());
        let rule = BTreeSet::from([fixture.rule().to_owned()]);
        assert_eq!(broken(&firing), rule, "when {}\n{}", fixture.when().0, firing.report());
        assert_eq!(broken(&passing), BTreeSet::new(), "when {}\n{}", fixture.when().1, passing.report());
    }
}

#[test]
fn a_rule_that_fires_says_so_and_does_not_say_that_it_could_not_judge() {
    for fixture in fixtures() {
        for (case, when) in [(fixture.firing(), fixture.when().0), (fixture.passing(), fixture.when().1)] {
            let silent = case.unjudged().iter().any(|found| found.starts_with(fixture.rule()));
            assert!(!silent, "{}, when {when}: {}", fixture.rule(), case.report());
        }
    }
}

#[test]
fn the_two_are_nearly_the_same() {
    for fixture in fixtures() {
        let differences = differences(&fixture.firing(), &fixture.passing());
        assert!((1..=4).contains(&differences.len()), "{}: {differences:#?}", fixture.rule());
    }
}

#[test]
fn a_finding_names_what_it_is_about_and_what_to_do() {
    for fixture in fixtures() {
        for finding in fixture.firing().report().findings {
            assert!(!finding.subject.is_empty() && finding.message.len() > 20, "{finding}");
            assert!(finding.remedy.len() > 20 && !finding.evidence.is_null(), "{finding}");
        }
    }
}

#[test]
fn the_page_shows_every_rule_with_both() {
    let page = page();
    for rule in RuleRegistry::new().iter() {
        let info = rule.info();
        let section = page.split(&format!("\n## {} {}\n", info.number, info.name)).nth(1).unwrap();
        let section = section.split("\n## ").next().unwrap();
        assert!(section.contains(info.why) && section.contains("Fires when") && section.contains("Does not when"));
        assert!(section.contains(&format!("[{} {}]", info.number, info.name)), "{section}");
        assert!(section.lines().any(|line| line.starts_with("- ") || line.starts_with("+ ")), "{section}");
    }
}
