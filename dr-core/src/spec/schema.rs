//! The JSON Schema of the whole file, for editors.

use std::collections::BTreeMap;

use schemars::{Schema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::Spec;
use crate::model::ResourceKind;

/// The schema of what is common to every `dr.yaml`.
pub(crate) fn base_schema() -> Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Spec>().to_value()
}

/// The whole of `dr.schema.json`: `drivers` gives each kind's own `spec:` block, which an editor then completes too.
#[must_use]
pub fn json_schema(drivers: &BTreeMap<ResourceKind, Schema>) -> Value {
    let mut root = base_schema();
    let mut definitions = Map::new();
    let mut branches = Vec::new();
    for (kind, schema) in drivers {
        let name = kind.as_str();
        let mut schema = schema.clone().to_value();
        // A driver's own definitions move under the driver's name, so that two drivers may use the same words.
        let own = schema.as_object_mut().and_then(|schema| {
            schema.remove("$schema");
            schema.remove("$defs")
        });
        rename_references(&mut schema, name);
        definitions.insert(name.to_owned(), schema);
        if let Some(Value::Object(own)) = own {
            for (word, mut definition) in own {
                rename_references(&mut definition, name);
                definitions.insert(format!("{name}.{word}"), definition);
            }
        }
        branches.push(json!({
            "if": { "properties": { "kind": { "const": name } }, "required": ["kind"] },
            "then": { "properties": { "spec": { "$ref": format!("#/$defs/{name}") } } },
        }));
    }
    let kinds: Vec<&str> = drivers.keys().map(ResourceKind::as_str).collect();
    if let Some(resource) = root.pointer_mut("/$defs/Resource").and_then(Value::as_object_mut) {
        if let Some(kind) = resource.get_mut("properties").and_then(|keys| keys.get_mut("kind"))
            && let Some(kind) = kind.as_object_mut()
        {
            kind.insert("enum".to_owned(), json!(kinds));
        }
        resource.insert("allOf".to_owned(), Value::Array(branches));
    }
    if let Some(all) = root.get_mut("$defs").and_then(Value::as_object_mut) {
        all.extend(definitions);
    }
    root
}

fn rename_references(schema: &mut Value, kind: &str) {
    match schema {
        Value::Object(keys) => {
            for (key, value) in keys {
                match value {
                    Value::String(target) if key == "$ref" => {
                        if let Some(word) = target.strip_prefix("#/$defs/") {
                            *target = format!("#/$defs/{kind}.{word}");
                        } else if target == "#" {
                            *target = format!("#/$defs/{kind}");
                        }
                    }
                    other => rename_references(other, kind),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename_references(item, kind)),
        _ => {}
    }
}
