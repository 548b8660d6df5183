use super::*;

fn first() -> PlanBuilder {
    let mut b = builder();
    b.step("fence", &SOFT, &1.into()).phase(Phase::Fence);
    b.step("promote", &HARD, &2.into()).phase(Phase::Promote).after("fence").gate("go on?");
    b.step("shift", &SOFT, &3.into()).phase(Phase::Shift).after("promote");
    b
}

#[test]
fn equal_plans_differ_in_nothing() {
    let plan = first().build().unwrap();
    let diff = diff(&plan, &plan);
    assert!(diff.is_empty() && diff.changed.is_empty() && diff.fields.is_empty());
    assert!(diff.to_string().ends_with("are the same.\n"), "{diff}");
}

#[test]
fn a_diff_says_what_a_reviewer_has_to_look_at() {
    let one = first().build().unwrap();
    let mut b = builder();
    b.deadline(Duration::from_secs(1800)).standing(RegionId::new("ap-south-1").unwrap());
    b.step("scale", &SOFT, &9.into()).phase(Phase::Scale);
    b.step("promote", &HARD, &5.into())
        .phase(Phase::Promote)
        .after("scale")
        .gate("go on?")
        .approvers(["Ada"])
        .ungraceful(Ungraceful::Force);
    b.step("shift", &HARD, &3.into()).phase(Phase::Shift).after("scale");
    b.parallel("data", &["scale", "promote"]);
    let other = b.build().unwrap();
    let found = diff(&one, &other);
    insta::assert_snapshot!(found, @r#"
    From plan 7e444df64797 to plan aa9cf591a43c:
      ~ deadline.secs: 3600 -> 1800
      ~ standing: nothing -> ["ap-south-1"]
      ~ order of phases: fence, promote, shift -> scale, promote, shift
      ~ point of no return: promote -> promote, shift
    - step fence
    + step scale
    ~ step promote
        gate.approvers: nothing -> ["Ada"]
        params: 2 -> 5
        ungraceful: nothing -> {"rule":"force"}
        no longer waits for fence
        waits for scale
    ~ step shift
        reversibility: "reversible" -> "irreversible"
        no longer waits for promote
        waits for scale
    + group data
    "#);
    let read: PlanDiff = serde_json::from_str(&serde_json::to_string(&found).unwrap()).unwrap();
    assert_eq!(read, found);
    let back = diff(&other, &one);
    assert_eq!((back.added, back.removed), (found.removed, found.added));
}

#[test]
fn a_group_that_is_otherwise_is_told_with_what_is_otherwise() {
    let plan = |seconds: u64| {
        let mut b = first();
        b.parallel("data", &["fence", "promote"]).deadline(Duration::from_secs(seconds));
        b.build().unwrap()
    };
    let found = diff(&plan(60), &plan(90));
    assert_eq!((found.changed.len(), found.groups_changed.len()), (0, 1));
    let text = found.to_string();
    assert!(text.ends_with("~ group data\n    deadline.secs: 60 -> 90\n"), "{text}");
    assert!(diff(&plan(60), &plan(60)).groups_changed.is_empty());
    assert_eq!(diff(&plan(60), &first().build().unwrap()).groups_removed, [StepId::new("data").unwrap()]);
}

#[test]
fn lists_of_different_lengths_are_told_whole() {
    let plan = |who: &[&str]| {
        let mut b = builder();
        b.step("promote", &HARD, &2.into()).phase(Phase::Promote).gate("go on?").approvers(who.iter().copied());
        b.build().unwrap()
    };
    let fields = |one: &[&str], other: &[&str]| {
        let found = diff(&plan(one), &plan(other));
        found.changed[0].fields.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(fields(&["Ada"], &["Ada", "Grace"]), [r#"gate.approvers: ["Ada"] -> ["Ada","Grace"]"#]);
    assert_eq!(fields(&["Ada", "Grace"], &["Ada", "Edith"]), [r#"gate.approvers[1]: "Grace" -> "Edith""#]);
}

#[test]
fn a_plan_is_drawn_with_its_groups() {
    let mut child = builder();
    child.deadline(Duration::from_secs(90));
    child.step("fence", &SOFT, &1.into()).phase(Phase::Fence).title("Stop \"orders\"");
    child.step("promote", &HARD, &1.into()).phase(Phase::Promote).gate("lose the tail?").approvers(["Ada", "Grace"]);
    child.serial("data", &["fence", "promote"]);
    let child = child.build().unwrap();
    let mut b = builder();
    b.standing(RegionId::new("ap-south-1").unwrap());
    b.step("freeze", &SOFT, &1.into()).phase(Phase::Freeze).ungraceful(Ungraceful::Skip);
    b.child("orders", &child).title("the orders").after("freeze");
    b.step("shift", &SOFT, &1.into()).phase(Phase::Shift).after("orders");
    let plan = b.build().unwrap();
    insta::assert_snapshot!(to_text(&plan).replace(plan.digest().short(), "DIGEST"), @r#"
    Plan DIGEST for shop: failover (ungraceful) from us-east-1 to eu-west-1
    Objectives: RTO 300 s, RPO 60 s; 4 steps; the run ends within 60 min.
    Standing by, and not moved: ap-south-1.

    FREEZE
      ~ freeze          -            ~  0 s, at most 300 s  freeze (ungraceful: skipped)

    FENCE
      ~ orders/fence    -            ~  0 s, at most 300 s  Stop "orders"

    PROMOTE
      ---- point of no return ----
      ?? approval by Ada or Grace: lose the tail?
      ! orders/promote  -            ~  0 s, at most 300 s  promote

    SHIFT
      ~ shift           -            ~  0 s, at most 300 s  shift

    GROUPS
      orders (child, within 90 s) the orders: orders/data
        orders/data (serial) data: orders/fence, orders/promote

      (~ can be taken back, ! cannot, blank changes nothing)
    "#);
    insta::assert_snapshot!(to_dot(&plan), @r#"
    digraph plan {
      rankdir=LR;
      node [shape=box, style=rounded, fontname="sans-serif"];
      subgraph "cluster_orders" {
        label="orders\nthe orders"; style=bold;
        subgraph "cluster_orders/data" {
          label="orders/data\ndata"; style=solid;
          "orders/fence" [label="orders/fence\nStop \"orders\"", color=black];
          "orders/promote" [label="orders/promote\npromote", color=red3];
        }
      }
      "freeze" [label="freeze\nfreeze", color=black];
      "freeze" -> "orders/fence";
      "orders/fence" -> "orders/promote";
      "shift" [label="shift\nshift", color=black];
      "orders/promote" -> "shift";
    }
    "#);
}
