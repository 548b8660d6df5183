use std::{collections::BTreeMap, marker::PhantomData};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    error::{Effect, Error, ErrorKind, Result},
    model::StepId,
};

/// The key that marks, in stored parameters, a value that an earlier step will find out: `{"$output": "orders-db/promote"}`.
pub const OUTPUT_KEY: &str = "$output";

/// The output that a step will have, as a typed handle: an argument of the wrong type does not compile.
#[derive(Debug)]
pub struct OutputOf<T> {
    step: StepId,
    of: PhantomData<fn() -> T>,
}

impl<T> OutputOf<T> {
    pub(super) fn new(step: StepId) -> Self {
        Self { step, of: PhantomData }
    }

    /// The step whose output it is.
    #[must_use]
    pub fn step(&self) -> &StepId {
        &self.step
    }
}

impl<T> Clone for OutputOf<T> {
    fn clone(&self) -> Self {
        Self::new(self.step.clone())
    }
}

impl<T> PartialEq for OutputOf<T> {
    fn eq(&self, other: &Self) -> bool {
        self.step == other.step
    }
}

/// A parameter that is known now, or that an earlier step will find out.
#[derive(Clone, Debug, PartialEq)]
pub enum Arg<T> {
    /// Known now.
    Value(T),
    /// The output of an earlier step.
    From(OutputOf<T>),
}

impl<T> Arg<T> {
    /// The value.
    ///
    /// # Errors
    ///
    /// [`Internal`](ErrorKind::Internal) when the engine has not resolved the reference, which a built plan rules out.
    pub fn get(&self) -> Result<&T> {
        match self {
            Self::Value(value) => Ok(value),
            Self::From(output) => {
                Err(Error::new(ErrorKind::Internal, format!("the output of {} was not resolved", output.step))
                    .with_effect(Effect::NotApplied))
            }
        }
    }
}

impl<T> From<T> for Arg<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl<T: Serialize> Serialize for Arg<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::From(output) => BTreeMap::from([(OUTPUT_KEY, &output.step)]).serialize(serializer),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Arg<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        match reference(&value) {
            Some(step) => {
                StepId::new(step).map(|step| Self::From(OutputOf::new(step))).map_err(serde::de::Error::custom)
            }
            None => T::deserialize(value).map(Self::Value).map_err(serde::de::Error::custom),
        }
    }
}

fn reference(value: &Value) -> Option<&str> {
    let object = value.as_object()?;
    if object.len() == 1 { object.get(OUTPUT_KEY)?.as_str() } else { None }
}

/// Every step whose output stored parameters refer to.
#[must_use]
pub fn references(params: &Value) -> Vec<StepId> {
    fn walk(value: &Value, into: &mut Vec<StepId>) {
        match value {
            Value::Object(object) => match reference(value).map(StepId::new) {
                Some(Ok(step)) => into.push(step),
                Some(Err(_)) => {}
                None => object.values().for_each(|value| walk(value, into)),
            },
            Value::Array(items) => items.iter().for_each(|value| walk(value, into)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(params, &mut found);
    found
}

/// Stored parameters with every reference replaced by the output that `output` has for it.
///
/// # Errors
///
/// [`PreconditionFailed`](ErrorKind::PreconditionFailed), naming the first step that has no output (it was skipped, or failed).
pub fn resolve<'a>(params: &Value, output: &impl Fn(&str) -> Option<&'a Value>) -> Result<Value> {
    if let Some(step) = reference(params) {
        return output(step).cloned().ok_or_else(|| {
            Error::new(ErrorKind::PreconditionFailed, format!("needs the output of {step}, which has none"))
                .with_effect(Effect::NotApplied)
        });
    }
    Ok(match params {
        Value::Object(object) => Value::Object(
            object.iter().map(|(key, value)| Ok((key.clone(), resolve(value, output)?))).collect::<Result<_>>()?,
        ),
        Value::Array(items) => Value::Array(items.iter().map(|value| resolve(value, output)).collect::<Result<_>>()?),
        other => other.clone(),
    })
}
