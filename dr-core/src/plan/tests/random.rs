use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;
use serde::Serialize;
use serde_json::Value;

use super::{super::canonical::canonical, *};

/// What a random plan is made of: edges to earlier steps, groups over neighbouring steps, and odd fields.
#[derive(Clone, Debug)]
struct Shape {
    edges: Vec<Vec<usize>>,
    cuts: Vec<(usize, usize, bool)>,
    rules: Vec<Option<Ungraceful>>,
}

fn shape() -> impl Strategy<Value = Shape> {
    (1usize..24).prop_flat_map(|steps| {
        let edges = prop::collection::vec(prop::collection::vec(0..steps, 0..4), steps);
        let cuts = prop::collection::vec((0..steps, 1usize..6, any::<bool>()), 0..5);
        let rule = prop_oneof![
            Just(None),
            Just(Some(Ungraceful::Skip)),
            Just(Some(Ungraceful::Force)),
            (0u8..100).prop_map(|percent| Some(Ungraceful::MinimumSuccess { percent })),
        ];
        let rules = prop::collection::vec(rule, steps);
        (edges, cuts, rules).prop_map(|(edges, cuts, rules)| Shape { edges, cuts, rules })
    })
}

/// The plan of a shape: valid whatever the shape is.
fn plan(shape: &Shape) -> Plan {
    let mut b = builder();
    for (at, (edges, rule)) in shape.edges.iter().zip(&shape.rules).enumerate() {
        let mut step = b.step(&format!("s{at}"), if at % 5 == 3 { &HARD } else { &SOFT }, &1.into());
        for before in edges.iter().filter(|before| **before < at) {
            step = step.after(&format!("s{before}"));
        }
        if let Some(rule) = rule {
            step.ungraceful(*rule);
        }
    }
    // Neighbours only, and each step once, so that no serial order goes against an edge.
    let mut taken = 0;
    let mut groups = Vec::new();
    let mut cuts = shape.cuts.clone();
    cuts.sort_unstable();
    for (from, length, serial) in cuts {
        let (from, to) = (from.max(taken), (from + length).min(shape.edges.len()));
        if from >= to {
            continue;
        }
        taken = to;
        let names: Vec<String> = (from..to).map(|at| format!("s{at}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let id = format!("g{}", groups.len());
        let group = if serial { b.serial(&id, &names) } else { b.parallel(&id, &names) };
        group.deadline(Duration::from_secs(60));
        groups.push(id);
    }
    if groups.len() > 1 {
        let names: Vec<&str> = groups.iter().map(String::as_str).collect();
        b.serial("all", &names);
    }
    b.build().unwrap()
}

/// Whether each step stands after all it waits for.
fn ordered(plan: &Plan) -> bool {
    let at = |id: &StepId| plan.position(id.as_str());
    plan.steps().iter().enumerate().all(|(place, step)| step.after.iter().all(|before| at(before) < Some(place)))
}

/// The slow way to canonical JSON, for comparison: a tree, sorted, then written.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut fields: Vec<_> = object.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            Value::Object(fields.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((".{0,6}", inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Every form that a type can have in JSON.
#[derive(Serialize)]
struct Forms {
    zeta: Form,
    alpha: Vec<Form>,
    map: BTreeMap<String, (u8, f32, char)>,
    none: Option<()>,
    some: Option<Duration>,
}

#[derive(Serialize)]
enum Form {
    Unit,
    Newtype(f64),
    Tuple(u8, i8),
    Struct { b: u32, a: bool },
}

#[test]
fn canonical_json_is_what_a_sorted_tree_would_be() {
    let forms = Forms {
        zeta: Form::Struct { b: 1, a: true },
        alpha: vec![Form::Unit, Form::Newtype(f64::NAN), Form::Newtype(0.1), Form::Tuple(7, -7)],
        map: BTreeMap::from([("b\"\u{1}ü".to_owned(), (1, 0.1, 'x')), (String::new(), (2, 1e30, '\\'))]),
        none: None,
        some: Some(Duration::from_millis(1500)),
    };
    let slow = sorted(&serde_json::to_value(&forms).unwrap()).to_string();
    assert_eq!(String::from_utf8(canonical(&forms).unwrap()).unwrap(), slow);
}

proptest! {
    #[test]
    fn canonical_json_of_any_tree_is_that_tree_sorted(value in json()) {
        prop_assert_eq!(String::from_utf8(canonical(&value).unwrap()).unwrap(), sorted(&value).to_string());
    }

    #[test]
    fn a_plan_with_groups_comes_back_from_json_the_same(shape in shape()) {
        let plan = plan(&shape);
        let read: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
        prop_assert_eq!(&read, &plan);
        prop_assert_eq!(read.digest(), plan.digest());
        prop_assert!(ordered(&plan));
    }

    #[test]
    fn a_child_keeps_its_order_and_its_edges(shape in shape(), deep in any::<bool>()) {
        let inside = plan(&shape);
        let mut b = builder();
        b.step("before", &SOFT, &1.into());
        b.child("child", &inside).after("before");
        b.step("behind", &SOFT, &1.into()).after("child");
        let mut plan = b.build().unwrap();
        let mut prefix = "child".to_owned();
        if deep {
            let mut b = builder();
            b.child("deep", &plan);
            plan = b.build().unwrap();
            prefix = "deep/child".to_owned();
        }
        prop_assert!(ordered(&plan));
        let order: Vec<String> = plan.steps_in(&prefix).iter().map(|step| step.id.to_string()).collect();
        let expected: Vec<String> = inside.steps().iter().map(|step| format!("{prefix}/{}", step.id)).collect();
        prop_assert_eq!(order, expected);
        for step in inside.steps() {
            let after: Vec<String> = step.after.iter().map(|before| format!("{prefix}/{before}")).collect();
            let taken = plan.step(&format!("{prefix}/{}", step.id)).unwrap();
            let own: Vec<String> = taken
                .after
                .iter()
                .map(ToString::to_string)
                .filter(|before| before.starts_with(&format!("{prefix}/")))
                .collect();
            prop_assert_eq!(after, own);
            prop_assert_eq!(taken.ungraceful, step.ungraceful);
        }
    }
}
