//! What a schema cannot say: names that must exist once, order without cycles, times that can be met.

mod asking;
mod decision;
mod identity;
mod journal;
mod opinions;
mod order;
mod probes;
mod quorum;
mod references;
mod remote;
mod roles;
mod timing;

use std::collections::BTreeMap;

use schemars::Schema;

use super::{cursor::At, finding::Findings};
use crate::model::ResourceKind;

/// Runs every check; each looks only at what is there and readable.
pub(crate) fn run(root: &At<'_>, drivers: &BTreeMap<ResourceKind, Schema>, findings: &mut Findings<'_>) {
    identity::check(root, findings);
    references::check(root, drivers, findings);
    order::check(root, findings);
    roles::check(root, findings);
    quorum::check(root, findings);
    remote::check(root, findings);
    journal::check(root, findings);
    decision::check(root, findings);
    opinions::check(root, findings);
    probes::check(root, findings);
    asking::check(root, findings);
    timing::check(root, findings);
}
