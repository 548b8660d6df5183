//! Other files than `dr.yaml`, read with the same care.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::de::DeserializeOwned;

use super::{SpecErrors, conform::Judge, finding::Findings, node::Place, yaml};

/// Reads `text`, which came from `file`, as YAML (and so as JSON) that fits the schema of `T`.
///
/// # Errors
///
/// Everything that is wrong with it, each with its place and what to write instead.
pub(crate) fn read_as<T: JsonSchema + DeserializeOwned>(file: &str, text: &str) -> Result<T, SpecErrors> {
    let mut findings = Findings::new(file, text);
    let start = Place { line: 1, column: 1, width: 1 };
    let Some(root) = yaml::read(text, &mut findings) else {
        if findings.is_empty() {
            findings.push(start, "", "the file is empty", "what its schema asks for");
        }
        return Err(findings.finish());
    };
    findings.next_stage();
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value();
    match Judge::new(schema) {
        Ok(judge) => judge.judge(&root, root.place, "", &mut findings),
        Err(reason) => findings.push(start, "", format!("the schema cannot be used: {reason}"), "a bug report"),
    }
    if !findings.is_empty() {
        return Err(findings.finish());
    }
    match serde_json::from_value(root.to_json()) {
        Ok(value) => Ok(value),
        Err(_) => {
            // As with dr.yaml: what serde says may repeat a value.
            let message = "the file fits its schema, and still cannot be read: that is a fault of this program";
            findings.push(root.place, "", message, "what its schema describes, and send us a bug report");
            Err(findings.finish())
        }
    }
}
