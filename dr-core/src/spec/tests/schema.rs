use serde_json::{Value, json};

use super::{GOOD, load, loader};

fn judge() -> jsonschema::Validator {
    jsonschema::draft202012::new(&loader().json_schema()).unwrap()
}

fn good() -> Value {
    let mut spec = serde_json::to_value(load(GOOD).unwrap()).unwrap();
    spec.as_object_mut().unwrap().remove("approvals");
    spec
}

#[test]
fn the_whole_schema_accepts_what_the_loader_accepts() {
    let errors: Vec<String> = judge().iter_errors(&good()).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn each_kind_brings_the_schema_of_its_own_block() {
    let judge = judge();
    let mut wrong_block = good();
    wrong_block["resources"][2]["spec"] = json!({ "members": {} });
    assert!(!judge.is_valid(&wrong_block), "a name with the block of a store");
    let mut wrong_kind = good();
    wrong_kind["resources"][0]["kind"] = json!("test.unknown");
    assert!(!judge.is_valid(&wrong_kind));
    let mut wrong_switch = good();
    wrong_switch["resources"][2]["spec"]["switch"] = json!({ "kind": "object" });
    assert!(!judge.is_valid(&wrong_switch), "the driver's own definitions are reached under the driver's name");
}

#[test]
fn everything_an_editor_completes_is_explained() {
    let schema = loader().json_schema();
    let explained = |keys: &Value, of: &str| {
        for (key, value) in keys.as_object().unwrap() {
            assert!(value.get("description").is_some(), "{of}.{key} has no description");
        }
    };
    explained(&schema["properties"], "dr.yaml");
    for name in ["Region", "Objectives", "Observer", "Probe", "Detection", "Service", "Resource", "Journal", "Waiver"] {
        explained(&schema["$defs"][name]["properties"], name);
    }
}
