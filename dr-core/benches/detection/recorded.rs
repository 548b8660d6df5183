//! Traces recorded on loopback: the real sampler and the real probes, against a server that stalls now and then, then fails
//! six times over. `DR_BENCH_RECORD` names a file to record anew; what is in the tree is what is judged.
//!
//! A recorded second is ten of the course's, so that the interval is the same and the settings mean the same.

use serde_json::json;

use crate::{
    ours::{self, Setting},
    peers::{Chen, Fixed, Phi, voted},
    quality::{detection, mistakes_an_hour},
    trace::{Came, INTERVAL, KINDS, Look, OBSERVERS, Trace},
};

/// One look a line: segment, observer, kind, begin and cost in microseconds of the recording, and `a`nswered, `r`efused,
/// `s`ilence or `i`mpaired.
const LOOPBACK: &str = include_str!("recorded/loopback.csv");
/// The course's seconds in one of the recording's.
pub(crate) const SCALE: f64 = 10.0;
/// How long the recording goes on without a fault, and then, for each fault, how long before and after it. Of the recording.
pub(crate) const QUIET: f64 = 30.0;
pub(crate) const BEFORE: f64 = 6.0;
pub(crate) const LASTS: f64 = 3.0;
/// Closed at once, not answered, writes not answered, and again.
pub(crate) const FAULTS: usize = 6;

fn traces() -> Vec<Trace> {
    let mut traces = vec![Trace { seconds: QUIET * SCALE, ..Trace::default() }];
    let faulty = Trace { seconds: (BEFORE + LASTS) * SCALE, fault: Some(BEFORE * SCALE), ..Trace::default() };
    traces.extend(std::iter::repeat_n(faulty, FAULTS));
    for trace in &mut traces {
        trace.looks = vec![vec![Vec::new(); KINDS]; OBSERVERS];
        trace.pauses = vec![Vec::new(); OBSERVERS];
    }
    for line in LOOPBACK.lines() {
        let fields: Vec<&str> = line.split(',').collect();
        let [segment, observer, kind, begin, took, came] = fields[..] else { continue };
        let index = |text: &str| text.parse::<usize>().expect("an index");
        let seconds = |text: &str| text.parse::<f64>().expect("microseconds") * 1e-6 * SCALE;
        let looks = &mut traces[index(segment)].looks[index(observer)][index(kind)];
        let (begin, took) = (seconds(begin), seconds(took));
        let first = looks.first().map_or(begin, |first: &Look| first.begin);
        let came = match came {
            "a" => Came::Answer(took),
            "r" => Came::Refusal(took),
            _ => Came::Silence,
        };
        let connected = fields[5] != "i";
        looks.push(Look { begin, number: ((begin - first) / INTERVAL).round(), came, connected });
    }
    traces
}

/// Judges a few settings of each by the recording.
pub(crate) fn judge() {
    let traces = traces();
    let looks: usize = traces.iter().flat_map(|trace| trace.looks.iter().flatten()).map(Vec::len).sum();
    eprintln!("\nrecorded on loopback, {looks} looks | mistakes/h | mean s of {FAULTS} faults | missed");
    let score = |detector: &dyn Fn(&Trace) -> Vec<(f64, bool)>| {
        let mistakes = mistakes_an_hour(&traces[0], &detector(&traces[0]));
        let found: Vec<Option<f64>> = traces[1..].iter().map(|trace| detection(trace, &detector(trace))).collect();
        let missed = found.iter().filter(|took| took.is_none()).count();
        let sum: f64 = found.iter().map(|took| took.unwrap_or(LASTS * SCALE)).sum();
        (mistakes, sum / 6.0, missed)
    };
    let deviations = crate::deviations;
    let setting = |trip, timeout| Setting { timeout, trip, dwell: 0.0 };
    type Detects<'a> = Box<dyn Fn(&Trace) -> Vec<(f64, bool)> + 'a>;
    let all: Vec<(&str, Detects<'_>)> = vec![
        ("ours, trip 1, timeout 0.25 s", Box::new(|t| ours::told(t, setting(1, 0.25)))),
        ("ours, trip 1, timeout 0.5 s", Box::new(|t| ours::told(t, setting(1, 0.5)))),
        ("ours, trip 2, timeout 0.25 s", Box::new(|t| ours::told(t, setting(2, 0.25)))),
        ("ours, trip 3, timeout 0.5 s", Box::new(|t| ours::told(t, setting(3, 0.5)))),
        ("fixed 1.5×", Box::new(|t| voted(t, OBSERVERS, || Fixed(1.5)))),
        ("fixed 2.25×", Box::new(|t| voted(t, OBSERVERS, || Fixed(2.25)))),
        ("fixed 3×", Box::new(|t| voted(t, OBSERVERS, || Fixed(3.0)))),
        ("Chen, alpha 0.5 s", Box::new(|t| voted(t, OBSERVERS, || Chen::new(0.5)))),
        ("Chen, alpha 1.5 s", Box::new(|t| voted(t, OBSERVERS, || Chen::new(1.5)))),
        ("phi 8", Box::new(move |t| voted(t, OBSERVERS, || Phi::new(deviations(8.0))))),
        ("phi 16", Box::new(move |t| voted(t, OBSERVERS, || Phi::new(deviations(16.0))))),
    ];
    for (name, detector) in &all {
        let (mistakes, mean, missed) = score(detector);
        eprintln!("{name} | {mistakes:.2} | {mean:.2} | {missed}");
        if name.starts_with("ours") {
            println!(
                "{}",
                json!({ "name": format!("recorded on loopback, {name}: detection time"), "value": mean, "unit": "s", "better": "lower" })
            );
            println!(
                "{}",
                json!({ "name": format!("recorded on loopback, {name}: mistakes"), "value": mistakes, "unit": "an hour", "better": "lower" })
            );
        }
    }
}
