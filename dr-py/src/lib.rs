//! `dr._dr`, the extension module of the Python package `dr`: load, lint, plan and run a regional failover.
//!
//! Thin by design: every object here holds one of `dr-core` and shows it in Python's terms. The module owns one tokio
//! runtime; whoever waits for it gives the interpreter free, and hears Ctrl-C.

mod approve;
mod decision;
mod environment;
mod event;
mod finding;
mod interpreter;
mod journal;
mod outcome;
mod plan;
mod platform;
mod raise;
mod run;
mod runtime;
mod spec;
mod step;
mod store;
mod watch;

/// Regional failover: load a `dr.yaml`, judge it, plan, lint and run.
#[pyo3::pymodule]
mod _dr {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::{
        approve::{Answer, ApprovalRequest},
        decision::Decision,
        environment::read_env,
        event::Event,
        finding::{Finding, SpecFinding},
        journal::{Follow, Journal, JournalRun, RunInfo},
        outcome::{BeforeImages, Outcome, StepOutcome},
        plan::Plan,
        raise::{DrError, PlanError, SpecError},
        run::Run,
        spec::{Objectives, Region, Resource, Service, Spec, load},
        step::Step,
        watch::{Evidence, Verdict, Watch},
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::runtime::close_at_exit(module)
    }
}
