use super::{Context, Outcome};
use crate::{docs, run::Failure};

pub(super) fn run(context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let stale = docs::stale(context.workspace)?;
    if stale.is_empty() {
        return Ok(Outcome::default());
    }
    Err(Failure::new("generated files are stale: run `cargo xtask docs` and commit the result").with_output(stale))
}
