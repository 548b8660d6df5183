//! From text to a [`Spec`], or to everything that is wrong with the text.

use std::collections::BTreeMap;

use schemars::Schema;

use super::{
    Spec, SpecErrors, check,
    conform::Judge,
    cursor::At,
    environment,
    finding::Findings,
    node::{Node, Place},
    schema::base_schema,
    yaml,
};
use crate::{
    error::{Effect, Error, ErrorKind},
    model::ResourceKind,
};

/// Reads `dr.yaml`.
///
/// The loader knows the kinds of resource that it was told about and refuses others by name. It touches neither the
/// file system nor the environment: text and variables are given to it.
///
/// ```
/// use dr_core::spec::SpecLoader;
///
/// let errors = SpecLoader::new().load_str("dr.yaml", "aplication: shop").unwrap_err();
/// assert!(errors.to_string().contains("dr.yaml:1:1: error: aplication: `aplication` is not known here"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct SpecLoader {
    drivers: BTreeMap<ResourceKind, Schema>,
    variables: BTreeMap<String, String>,
}

impl SpecLoader {
    /// A loader that knows no kind of resource and no variable.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a kind of resource with the schema of its `spec:` block.
    #[must_use]
    pub fn driver_schema(mut self, kind: ResourceKind, schema: Schema) -> Self {
        self.drivers.insert(kind, schema);
        self
    }

    /// Sets a variable that values may use as `${name}`.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Sets several variables, such as `std::env::vars()`.
    #[must_use]
    pub fn variables(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.variables.extend(variables);
        self
    }

    /// The whole of `dr.schema.json` for the kinds this loader knows.
    #[must_use]
    pub fn json_schema(&self) -> serde_json::Value {
        super::json_schema(&self.drivers)
    }

    /// Reads `text`, which came from `file`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each with its place and what to write instead. Only text that is not YAML
    /// hides what comes after.
    pub fn load_str(&self, file: &str, text: &str) -> Result<Spec, SpecErrors> {
        let mut findings = Findings::new(file, text);
        let spec = self.read(text, &mut findings);
        match spec {
            Some(spec) if findings.is_empty() => Ok(spec),
            _ => Err(findings.finish()),
        }
    }

    /// Reads `bytes`, which came from `file` and have to be UTF-8.
    ///
    /// # Errors
    ///
    /// As [`load_str`](Self::load_str), and when the bytes are not UTF-8.
    pub fn load_bytes(&self, file: &str, bytes: &[u8]) -> Result<Spec, SpecErrors> {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.load_str(file, text),
            Err(error) => {
                let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
                let text = String::from_utf8_lossy(good).into_owned();
                let line = text.matches('\n').count() + 1;
                let column = text.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
                // The broken line is shown with its broken part replaced.
                let shown = String::from_utf8_lossy(bytes);
                let mut findings = Findings::new(file, &shown);
                let place = Place { line, column, width: 1 };
                findings.push(place, "", "this byte is not part of UTF-8 text", "the file saved as UTF-8");
                Err(findings.finish())
            }
        }
    }

    /// Whether every driver's schema can be used, for the tests of whoever adds drivers.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Internal`] when a driver's schema is not a schema.
    pub fn check_schemas(&self) -> crate::error::Result<()> {
        for (kind, schema) in &self.drivers {
            Judge::new(schema.clone().to_value()).map_err(|reason| {
                Error::new(ErrorKind::Internal, format!("the schema of {kind} cannot be used: {reason}"))
                    .with_effect(Effect::NotApplied)
            })?;
        }
        Ok(())
    }

    fn read(&self, text: &str, findings: &mut Findings<'_>) -> Option<Spec> {
        let start = Place { line: 1, column: 1, width: 1 };
        let Some(mut root) = yaml::read(text, findings) else {
            if findings.is_empty() {
                findings.push(start, "", "the file is empty", "`application: NAME`, `regions:` and the other parts");
            }
            return None;
        };
        findings.next_stage();
        environment::resolve(&mut root, "", &self.variables, findings);
        findings.next_stage();
        self.judge(&root, findings);
        findings.next_stage();
        check::run(&At::root(&root), &self.drivers, findings);
        if !findings.is_empty() {
            return None;
        }
        match serde_json::from_value(root.to_json()) {
            Ok(spec) => Some(spec),
            Err(_) => {
                // The schema is made from these very types, so this is a fault here and not the user's. What serde
                // says may repeat a value, and with it a secret.
                let message = "the file fits the schema, and still cannot be read: that is a fault of this program";
                findings.push(root.place, "", message, "what dr.schema.json describes, and send us a bug report");
                None
            }
        }
    }

    fn judge(&self, root: &Node, findings: &mut Findings<'_>) {
        let start = Place { line: 1, column: 1, width: 1 };
        match Judge::new(base_schema()) {
            Ok(judge) => judge.judge(root, root.place, "", findings),
            Err(reason) => findings.push(start, "", format!("dr.schema.json cannot be used: {reason}"), "a bug report"),
        }
        for resource in At::root(root).get("resources").iter().flat_map(At::items) {
            let (Some(kind), Some(block)) = (resource.get("kind"), resource.get("spec")) else { continue };
            let Some(schema) = kind.text().and_then(|kind| self.drivers.get(&ResourceKind::new(kind))) else {
                continue;
            };
            match Judge::new(schema.clone().to_value()) {
                Ok(judge) => judge.judge(block.node(), block.label(), block.path(), findings),
                Err(reason) => {
                    let message = format!("the schema of this kind cannot be used: {reason}");
                    findings.push(kind.place(), kind.path(), message, "a bug report to the driver's authors");
                }
            }
        }
    }
}
