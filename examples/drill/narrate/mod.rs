//! Telling whoever watches: bars on a terminal, one plain line an event otherwise; nothing on standard output under `--json`.

mod bars;
mod line;
mod narrator;

pub(crate) use narrator::Narrator;
