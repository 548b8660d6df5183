use std::time::Duration;

use super::*;

fn after(plan: &Plan, step: &str) -> Vec<String> {
    plan.step(step).unwrap().after.iter().map(ToString::to_string).collect()
}

fn members(plan: &Plan, group: &str) -> Vec<String> {
    plan.group(group).unwrap().members.iter().map(ToString::to_string).collect()
}

#[test]
fn a_serial_group_orders_its_members_groups_included() {
    let mut b = builder();
    for id in ["last", "d", "c", "b", "a", "first"] {
        b.step(id, &SOFT, &1.into());
    }
    b.serial("all", &["first", "middle", "last"]);
    b.parallel("middle", &["pair", "c", "d"]);
    b.serial("pair", &["a", "b"]);
    let plan = b.build().unwrap();
    assert_eq!(after(&plan, "a"), ["first"]);
    assert_eq!(after(&plan, "b"), ["a"], "no edge that the pair's own makes needless");
    assert_eq!(after(&plan, "c"), ["first"]);
    assert_eq!(after(&plan, "last"), ["b", "c", "d"]);
    assert_eq!(ids(&plan.steps_in("middle")), ["d", "c", "a", "b"]);
    assert_eq!(plan.steps_in("all").len(), 6);
    let around: Vec<_> = plan.groups_around("b").map(|group| group.id.as_str()).collect();
    assert_eq!(around, ["pair", "middle", "all"]);
    let places: Vec<_> = plan.group_places_around("b").map(|at| plan.groups()[at].id.as_str()).collect();
    assert_eq!(places, around);
    let read: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!(read, plan, "checking a checked plan adds nothing");
}

#[test]
fn a_group_can_be_waited_for_and_can_wait() {
    let mut b = builder();
    for id in ["w", "x", "y", "z"] {
        b.step(id, &SOFT, &1.into());
    }
    b.step("end", &SOFT, &1.into()).after("second");
    b.serial("first", &["w", "x"]);
    b.parallel("second", &["y", "z"]).title("both").deadline(Duration::from_secs(60)).after("first");
    let plan = b.build().unwrap();
    assert_eq!((after(&plan, "y"), after(&plan, "z")), (vec!["x".to_owned()], vec!["x".to_owned()]));
    assert_eq!(after(&plan, "end"), ["y", "z"]);
    let second = plan.group("second").unwrap();
    assert_eq!((second.title.as_str(), second.deadline), ("both", Some(Duration::from_secs(60))));
}

#[test]
fn everything_that_is_wrong_with_groups_is_told_at_once() {
    let mut b = builder();
    b.standing(RegionId::new("eu-west-1").unwrap());
    b.step("a", &SOFT, &1.into()).ungraceful(Ungraceful::MinimumSuccess { percent: 100 });
    b.step("b", &SOFT, &1.into());
    b.parallel("one", &["a", "ghost"]);
    b.parallel("two", &["a"]);
    b.parallel("a", &["b"]);
    b.parallel("none", &[]).deadline(Duration::ZERO).after("nowhere");
    b.parallel("inner", &["outer"]);
    b.parallel("outer", &["inner"]);
    b.parallel("bad name", &["b"]);
    let InvalidPlan(problems) = b.build().unwrap_err();
    insta::assert_snapshot!(InvalidPlan(problems), @r#"
    the plan has 11 problem(s)
      "bad name" is not a name: write 1 to 128 of a-z A-Z 0-9 - _ . / :, starting with a letter or digit
      the plan moves eu-west-1, which cannot stand by at the same time
      the group a shares its name with another group or a step: name each once
      the group none has no member
      the group none has a deadline of zero: give it time, or none
      the group one has a member ghost, which is not in the plan
      a is a member of one and again of two: make it a member of one group, once
      b is a member of a and again of unnamed-1: make it a member of one group, once
      these groups are in each other: inner in outer in inner
      none comes after nowhere, which is not in the plan
      a would be content with 100 %: write 0 to 99
    "#);
}

/// A plan with a group of two, of which the second needs what the first finds out and cannot be taken back.
fn inner() -> Plan {
    let mut b = builder();
    b.deadline(Duration::from_secs(90));
    b.step("ready", &SOFT, &1.into()).after("promote");
    let fenced = b.step("fence", &SOFT, &1.into()).output();
    b.step("promote", &HARD, &Arg::From(fenced)).gate("lose the tail?").approvers(["Ada"]).gate_expires(MINUTE);
    b.serial("data", &["fence", "promote"]);
    b.build().unwrap()
}

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_child_plan_becomes_steps_of_its_parent() {
    let child = inner();
    let mut b = builder();
    b.step("freeze", &SOFT, &1.into());
    b.child("orders", &child).after("freeze");
    b.step("shift", &SOFT, &1.into()).after("orders");
    let plan = b.build().unwrap();
    assert_eq!(members(&plan, "orders"), ["orders/ready", "orders/data"]);
    assert_eq!(members(&plan, "orders/data"), ["orders/fence", "orders/promote"]);
    assert_eq!(after(&plan, "orders/fence"), ["freeze"]);
    assert_eq!(after(&plan, "orders/ready"), ["orders/promote"]);
    assert_eq!(after(&plan, "shift"), ["orders/ready"]);
    let promote = plan.step("orders/promote").unwrap();
    assert_eq!(promote.params, serde_json::json!({ OUTPUT_KEY: "orders/fence" }));
    assert_eq!(promote.gate, child.step("promote").unwrap().gate);
    let group = plan.group("orders").unwrap();
    assert_eq!((group.kind, group.deadline), (GroupKind::Child, Some(Duration::from_secs(90))));
    assert_eq!(group.plan.as_ref(), Some(child.digest()));
    assert_eq!(group.application.as_ref(), Some(child.application()));
}

#[test]
fn a_plan_stands_where_its_children_stand() {
    let region = |name: &str| RegionId::new(name).unwrap();
    let mut child = builder();
    child.step("a", &SOFT, &1.into());
    child.standing(region("ap-south-1"));
    let child = child.build().unwrap();
    let mut b = builder();
    b.standing(region("sa-east-1"));
    b.child("orders", &child);
    assert_eq!(b.build().unwrap().standing(), [region("ap-south-1"), region("sa-east-1")]);
}

#[test]
fn children_of_children_keep_their_names_three_levels_down() {
    let mut middle = builder();
    middle.child("orders", &inner());
    let middle = middle.build().unwrap();
    let mut outer = builder();
    outer.child("shop", &middle);
    let outer = outer.build().unwrap();
    let mut top = builder();
    top.child("europe", &outer);
    let top = top.build().unwrap();
    assert_eq!(
        top.step("europe/shop/orders/promote").unwrap().params,
        serde_json::json!({ OUTPUT_KEY: "europe/shop/orders/fence" })
    );
    let around: Vec<_> = top.groups_around("europe/shop/orders/fence").map(|group| group.id.as_str()).collect();
    assert_eq!(around, ["europe/shop/orders/data", "europe/shop/orders", "europe/shop", "europe"]);
    let read: Plan = serde_json::from_str(&serde_json::to_string(&top).unwrap()).unwrap();
    assert_eq!(read.digest(), top.digest());
}

#[test]
fn a_child_goes_where_its_parent_goes() {
    let goal = Goal { mode: Mode::Graceful, ..builder().goal().clone() };
    let mut b = PlanBuilder::new(ApplicationId::new("shop").unwrap(), goal, inner().objectives().to_owned());
    b.child("orders", &inner());
    let InvalidPlan(problems) = b.build().unwrap_err();
    assert!(
        matches!(problems.as_slice(), [PlanProblem::ChildGoal { child, .. }] if *child == "orders"),
        "{problems:?}"
    );
}

#[test]
fn a_gate_can_be_put_before_the_point_of_no_return() {
    let mut b = builder();
    b.step("fence", &SOFT, &1.into());
    b.step("promote-db", &HARD, &1.into()).after("fence").gate("the database?");
    b.step("promote-cache", &HARD, &1.into()).after("fence");
    b.step("drop-old", &HARD, &1.into()).after("promote-db");
    b.gate_point_of_no_return(Gate { expires: Some(MINUTE), ..Gate::new("go on?") });
    let plan = b.build().unwrap();
    let question = |id: &str| plan.step(id).unwrap().gate.as_ref().map(|gate| gate.question.clone());
    assert_eq!(question("promote-db").as_deref(), Some("the database?"));
    assert_eq!(question("promote-cache").as_deref(), Some("go on?"));
    assert_eq!((question("fence"), question("drop-old")), (None, None));
}

#[test]
fn a_plan_names_its_regions() {
    let region = |name: &str| RegionId::new(name).unwrap();
    let mut b = builder();
    b.runner(Some(region("eu-central-1"))).standing(region("ap-south-1")).standing(region("ap-south-1"));
    b.step("a", &SOFT, &1.into()).region(&region("us-west-2"));
    let plan = b.build().unwrap();
    assert_eq!(plan.standing(), [region("ap-south-1")]);
    let regions: Vec<_> = plan.regions().into_iter().map(RegionId::as_str).collect();
    assert_eq!(regions, ["ap-south-1", "eu-central-1", "eu-west-1", "us-east-1", "us-west-2"]);
}

#[test]
fn a_name_stands_for_the_places_of_its_steps() {
    let mut b = builder();
    for id in ["first", "a", "b", "last"] {
        b.step(id, &SOFT, &1.into());
    }
    b.parallel("pair", &["b", "last"]);
    assert_eq!(b.steps().iter().map(|step| step.id.as_str()).collect::<Vec<_>>(), ["first", "a", "b", "last"]);
    let plan = b.build().unwrap();
    assert_eq!(plan.places_in("pair"), [2, 3]);
    assert_eq!(plan.places_of(Some("pair")), [2, 3]);
    assert_eq!(plan.places_of(Some("a")), [1]);
    assert_eq!(plan.places_of(Some("nobody")), [0; 0]);
    assert_eq!(plan.places_of(None), [0, 1, 2, 3]);
}

#[test]
fn a_gate_opens_to_those_it_names_or_to_anybody() {
    let mut gate = Gate::new("now?");
    assert!(gate.may_approve("Ada") && gate.may_approve("Bob"));
    gate.approvers = vec!["Ada".to_owned(), "Eve".to_owned()];
    assert!(gate.may_approve("Ada") && gate.may_approve("Eve") && !gate.may_approve("Bob"));
}
