//! Which runs there are, oldest first.

use std::collections::BTreeSet;

use bytes::Bytes;
use dr_core::{error::Result, model::RunId};

use super::{keys::run_of, run::Shared, store::When};

/// The runs that are in the index, oldest first, and the last place that is taken. A run may be in it that never came to be.
pub(super) async fn read(shared: &Shared) -> Result<(Vec<RunId>, u64)> {
    let prefix = shared.keys.index();
    let (mut runs, mut seen, mut last) = (Vec::new(), BTreeSet::new(), 0);
    for key in shared.store.list(&prefix, None).await? {
        let place = key.strip_prefix(&prefix).and_then(|rest| rest.split_once('/'));
        let Some((place, run)) = place.and_then(|(place, run)| Some((place.parse::<u64>().ok()?, run_of(run)?))) else {
            continue;
        };
        last = last.max(place);
        // One that failed to come to be may have been tried again: its first place counts.
        if seen.insert(run.clone()) {
            runs.push(run);
        }
    }
    Ok((runs, last))
}

/// Puts a run at the end of the index. Two that come at once may share a place; then their names order them.
pub(super) async fn add(shared: &Shared, run: &RunId) -> Result<()> {
    let (runs, last) = read(shared).await?;
    if runs.contains(run) {
        return Ok(());
    }
    // Refused: it is there already.
    shared.store.put(&shared.keys.indexed(last + 1, run), Bytes::from_static(b""), When::Absent).await.map(drop)
}

/// The runs that are marked as over.
pub(super) async fn ended(shared: &Shared) -> Result<BTreeSet<RunId>> {
    let prefix = shared.keys.ends();
    let keys = shared.store.list(&prefix, None).await?;
    Ok(keys.iter().filter_map(|key| run_of(key.strip_prefix(&prefix)?)).collect())
}
