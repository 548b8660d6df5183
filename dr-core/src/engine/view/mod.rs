//! What the records of a run say, folded: [`RunView`], the one thing that the engine decides from.

mod fold;
mod gates;
mod run_view;
mod state;
mod words;

pub use run_view::RunView;
pub use words::{Approval, Cancel, Note, Refusal, Switch};
