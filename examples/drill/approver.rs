use std::sync::Arc;

use dr_core::engine::{Approver, AutoApprove};

use crate::ask::Consent;

/// Who opens the gates of the plan. Whoever agreed to the plan as it was shown agreed to its gates.
pub(crate) fn approver(consent: Consent) -> Arc<dyn Approver> {
    let why = match consent {
        Consent::NotNeeded => "a drill on a lab of its own",
        Consent::Given => "agreed beforehand with --yes",
        Consent::Ask => "agreed at the terminal, with the plan and its findings in view",
    };
    Arc::new(AutoApprove::new(consent.who(), why))
}
