use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{Outcome, dag::Layers};

/// What our peer took for the same graph, in CPU microseconds a step.
pub(crate) struct Runs {
    pub(crate) name: String,
    /// With a store that keeps every event as JSON text, as a store must from which a run can be taken up.
    pub(crate) kept_us: f64,
    /// With the store it brings, which keeps nothing.
    pub(crate) discarded_us: f64,
}

/// The peer's runs of this graph; none when no peer was built.
pub(crate) fn runs(layers: &Layers) -> Outcome<Option<Runs>> {
    let Some(told) = ask("run", layers)? else { return Ok(None) };
    let number = |key: &str| told.get(key).and_then(Value::as_f64).ok_or(format!("the peer did not tell `{key}`"));
    Ok(Some(Runs { name: name(&told), kept_us: number("kept_us")?, discarded_us: number("discarded_us")? }))
}

/// How many records a CPU-second the peer takes in when it recovers a finished run of this graph.
pub(crate) fn replay(layers: &Layers) -> Outcome<Option<(String, f64)>> {
    let Some(told) = ask("replay", layers)? else { return Ok(None) };
    let rate = told.get("records_per_s").and_then(Value::as_f64).ok_or("the peer did not tell how fast it replays")?;
    Ok(Some((name(&told), rate)))
}

fn name(told: &Value) -> String {
    told.get("peer").and_then(Value::as_str).unwrap_or("peer").to_owned()
}

fn ask(what: &str, layers: &Layers) -> Outcome<Option<Value>> {
    let Some(program) = std::env::var_os("DR_BENCH_PEER") else { return Ok(None) };
    let widths: Vec<String> = layers.widths.iter().map(usize::to_string).collect();
    let output = Command::new(program).arg(what).arg(widths.join(",")).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("the peer failed at `{what}`: {}", output.status).into());
    }
    Ok(Some(serde_json::from_slice(&output.stdout)?))
}
