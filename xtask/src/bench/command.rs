use serde_json::Value;

use super::{measure::Measure, peer};
use crate::{
    run::{Failure, capture},
    workspace::Workspace,
};

/// A benchmark: a bench target of a member.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Bench {
    name: String,
    package: String,
}

/// Runs the benchmark called `name`, or lists them all.
///
/// # Errors
///
/// When there is no such benchmark, it fails, or it prints something else than measures; with `check`, when a goal is
/// missed.
pub(crate) fn run(workspace: &Workspace, name: Option<&str>, json: bool, check: bool) -> Result<(), Failure> {
    let mut cargo = workspace.cargo("metadata");
    let printed = capture(cargo.args(["--format-version", "1", "--no-deps", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&printed)
        .map_err(|error| Failure::new(format!("cargo metadata did not print JSON: {error}")))?;
    let benches = registered(&metadata);
    let Some(name) = name else {
        for bench in &benches {
            println!("  {:<16} {}", bench.name, bench.package);
        }
        return Ok(());
    };
    let Some(bench) = benches.iter().find(|bench| bench.name == name) else {
        let known: Vec<_> = benches.iter().map(|bench| bench.name.as_str()).collect();
        return Err(Failure::new(format!("there is no benchmark `{name}`; there are: {}", known.join(", "))));
    };
    let mut cargo = workspace.cargo("bench");
    cargo.args(["--quiet", "--locked", "--package", &bench.package, "--bench", &bench.name]);
    cargo.args(features(name));
    peer::tell(workspace, name, &mut cargo)?;
    let printed = capture(&mut cargo)?;
    let measures = printed
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| Measure::parse(line).map_err(|what| Failure::new(format!("`{name}` printed {line}: {what}"))))
        .collect::<Result<Vec<_>, _>>()?;
    if measures.is_empty() {
        return Err(Failure::new(format!("`{name}` measured nothing")));
    }
    for measure in &measures {
        if json {
            println!("{}", measure.json());
        } else {
            println!("{measure}");
        }
    }
    let missed: Vec<_> = measures.iter().filter(|measure| measure.met() == Some(false)).map(Measure::name).collect();
    if check && !missed.is_empty() {
        return Err(Failure::new(format!("{} goal(s) missed: {}", missed.len(), missed.join("; "))));
    }
    Ok(())
}

/// The features that a benchmark is built with: all, unless it needs so few that building the rest would cost more than running it.
fn features(name: &str) -> &'static [&'static str] {
    match name {
        "probe" => &["--no-default-features", "--features", "net"],
        _ => &["--all-features"],
    }
}

/// The bench targets of all members, by name.
fn registered(metadata: &Value) -> Vec<Bench> {
    let list = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut benches: Vec<Bench> = list(metadata, "packages")
        .iter()
        .flat_map(|package| list(package, "targets").into_iter().map(move |target| (package.clone(), target)))
        .filter(|(_, target)| list(target, "kind").iter().any(|kind| kind == "bench"))
        .filter_map(|(package, target)| Some(Bench { name: text(&target, "name")?, package: text(&package, "name")? }))
        .collect();
    benches.sort();
    benches
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_register_is_cargos_list_of_targets() {
        let metadata = json!({ "packages": [
            { "name": "b", "targets": [{ "name": "b", "kind": ["lib"] }, { "name": "plan", "kind": ["bench"] }] },
            { "name": "a", "targets": [{ "name": "journal", "kind": ["bench"] }] },
        ] });
        let names: Vec<_> = registered(&metadata).into_iter().map(|bench| (bench.name, bench.package)).collect();
        assert_eq!(names, [("journal".into(), "a".into()), ("plan".into(), "b".into())]);
    }
}
