//! Quality of detection: how soon a fault is noticed against how often one is seen that is not there, for our quorum, a fixed
//! timeout, Chen's detector and phi accrual, all on the same traces, over each one's own settings.
//!
//! Nothing is timed: the figures are counted on generated traces with fixed seeds, and the same on every machine.
//! `DR_BENCH_PLOT` names a file for the picture; the table goes to standard error.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark whose own traces are broken has nothing to measure, and printing is what it is for"
)]

mod ours;
mod peers;
mod plot;
mod quality;
#[cfg(feature = "net")]
mod record;
mod recorded;
mod trace;

use std::{env, fs, thread};

use dr_core::detect::Suspicion;
use ours::Setting;
use peers::{Chen, Fixed, Phi, voted};
use plot::Curve;
use quality::{Course, Score, WEATHERS};
use serde_json::json;
use trace::OBSERVERS;

/// A detector at one setting.
struct Point {
    setting: String,
    score: Score,
}

fn main() {
    #[cfg(feature = "net")]
    if let Ok(file) = env::var("DR_BENCH_RECORD") {
        record::record(&file);
        return;
    }
    let course = Course::new();
    let ours: Vec<Point> = thread::scope(|scope| {
        let judged: Vec<_> = settings()
            .into_iter()
            .map(|setting| {
                let course = &course;
                scope.spawn(move || {
                    let Setting { timeout, trip, dwell } = setting;
                    let name = format!("trip {trip}, timeout {timeout} s, dwell {dwell} s");
                    Point { setting: name, score: course.judge(|trace| ours::told(trace, setting)) }
                })
            })
            .collect();
        judged.into_iter().map(|judging| judging.join().expect("a detector that judges")).collect()
    });
    let fixed =
        sweep(&[1.05, 1.1, 1.2, 1.35, 1.5, 1.75, 2.0, 2.1, 2.25, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0], "×", |&times| {
            course.judge(|trace| voted(trace, OBSERVERS, || Fixed(times)))
        });
    let chen =
        sweep(&[0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0], " s", |&alpha| {
            course.judge(|trace| voted(trace, OBSERVERS, || Chen::new(alpha)))
        });
    let phi = sweep(&[1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 12.0, 16.0, 24.0, 40.0, 80.0, 150.0, 300.0], " φ", |&phi| {
        let deviations = deviations(phi);
        course.judge(|trace| voted(trace, OBSERVERS, || Phi::new(deviations)))
    });
    let alone =
        Point { setting: "3×, one observer".to_owned(), score: course.judge(|trace| voted(trace, 1, || Fixed(3.0))) };
    let peers = [("fixed timeout", &fixed), ("Chen", &chen), ("phi accrual", &phi)];

    table("ours", &ours);
    for (name, points) in peers {
        table(name, points);
    }
    table("fixed timeout, as usual", std::slice::from_ref(&alone));

    for (name, points) in peers {
        let unmatched: Vec<&str> = points
            .iter()
            .filter(|peer| {
                !ours.iter().any(|our| our.score.mean <= peer.score.mean && our.score.mistakes <= peer.score.mistakes)
            })
            .map(|peer| peer.setting.as_str())
            .collect();
        eprintln!("settings of {name} that are sooner than ours at as few mistakes: {}", unmatched.join(", "));
        let value = unmatched.len();
        let line = format!("settings of {name}, of {}, left of our curve", points.len());
        println!("{}", json!({ "name": line, "value": value, "unit": "settings", "better": "lower", "goal": 0 }));
    }
    for most in [10.0, 1.0, 0.1, 0.0] {
        let Some(our) = soonest(&ours, most) else { continue };
        for (peer, points) in peers {
            let name = match most {
                0.0 => "detection time without a mistake".to_owned(),
                _ => format!("detection time at up to {most} mistakes an hour"),
            };
            let their = soonest(points, most);
            println!(
                "{}",
                json!({ "name": format!("{name}, {}", our.setting), "value": our.score.mean, "unit": "s", "better": "lower",
                        "peer": their.map_or_else(|| format!("{peer}, which never gets there"), |their| format!("{peer} at {}", their.setting)),
                        "peer_value": their.map(|their| their.score.mean) })
            );
        }
    }
    recorded::judge();

    if let Ok(file) = env::var("DR_BENCH_PLOT") {
        let front = |points: &[Point]| {
            let mut all: Vec<(f64, f64)> = points.iter().map(|p| (p.score.mean, p.score.mistakes)).collect();
            all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
            let mut least = f64::INFINITY;
            all.retain(|(_, mistakes)| {
                *mistakes < least && {
                    least = *mistakes;
                    true
                }
            });
            all
        };
        let curve = |name, colour, points: &[Point]| Curve { name, colour, points: front(points) };
        let curves = [
            curve("ours", "#c0392b", &ours),
            curve("fixed timeout", "#7f8c8d", &fixed),
            curve("Chen (2002)", "#2471a3", &chen),
            curve("phi accrual (2004)", "#239b56", &phi),
        ];
        fs::write(&file, plot::svg(&curves, course.hours())).expect("the picture can be written");
    }
}

/// What ours is set to: the limit of a look, failures in a row, and how long observers must agree.
fn settings() -> Vec<Setting> {
    let mut all = Vec::new();
    for timeout in [0.1, 0.15, 0.25, 0.35, 0.5] {
        for trip in [1, 2, 3, 5] {
            all.push(Setting { timeout, trip, dwell: 0.0 });
        }
    }
    all.extend([(1, 0.5), (1, 1.0), (2, 1.0), (3, 2.0)].map(|(trip, dwell)| Setting { timeout: 0.25, trip, dwell }));
    all
}

fn sweep(values: &[f64], unit: &str, judge: impl Fn(&f64) -> Score) -> Vec<Point> {
    values.iter().map(|value| Point { setting: format!("{value}{unit}"), score: judge(value) }).collect()
}

/// How many standard deviations a phi is.
fn deviations(phi: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole numbers from the list above")]
    let phi = phi as u32;
    Suspicion { phi, ..Suspicion::default() }.deviations()
}

/// The setting with the shortest mean detection time at up to so many mistakes.
fn soonest(points: &[Point], most: f64) -> Option<&Point> {
    points.iter().filter(|point| point.score.mistakes <= most).min_by(|a, b| a.score.mean.total_cmp(&b.score.mean))
}

fn table(name: &str, points: &[Point]) {
    let weathers: Vec<&str> = WEATHERS.iter().map(|(name, _)| *name).collect();
    eprintln!(
        "\n{name} | mistakes/h | {} | mean s | refuse | black hole | gray | p99 s | missed",
        weathers.join(" | ")
    );
    for Point { setting, score } in points {
        let list = |values: &[f64]| values.iter().map(|v| format!("{v:.2}")).collect::<Vec<_>>().join(" | ");
        eprintln!(
            "{setting} | {:.2} | {} | {:.2} | {} | {:.2} | {}",
            score.mistakes,
            list(&score.by_weather),
            score.mean,
            list(&score.by_fault),
            score.p99,
            score.missed
        );
    }
}
