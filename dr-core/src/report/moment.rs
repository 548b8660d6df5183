use serde::{Deserialize, Serialize};

use super::Offset;
use crate::model::RegionId;

/// Something that happened at one moment of a drill.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// When.
    pub at: Offset,
    /// What kind of thing.
    pub kind: MomentKind,
    /// Where, when it was in one region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionId>,
    /// What happened, a sentence without its full stop.
    pub what: String,
}

/// The moments that a drill is told by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MomentKind {
    /// The fault began.
    Fault,
    /// Observers began to doubt the region.
    Suspect,
    /// Observers agreed that the region is lost: the verdict that starts a run.
    Unhealthy,
    /// A person was asked.
    ApprovalAsked,
    /// A person decided.
    Decided,
    /// The standby's database took writes.
    Promoted,
    /// DNS answered another region than before.
    DnsFlipped,
    /// Clients were served again.
    Served,
    /// The run proved the move as a client would.
    Confirmed,
    /// The lost region came back.
    RegionBack,
    /// The latch that held traffic in place was released.
    LatchReleased,
    /// Anything else worth telling.
    Note,
}

impl MomentKind {
    /// A word or two for the flag in the picture; none for what is only told in words.
    #[must_use]
    pub const fn flag(self) -> Option<&'static str> {
        Some(match self {
            Self::Fault => "fault",
            Self::Suspect => "suspect",
            Self::Unhealthy => "verdict",
            Self::ApprovalAsked => "approval asked",
            Self::Decided => "approved",
            Self::Promoted => "writer promoted",
            Self::DnsFlipped => "DNS flipped",
            Self::Served => "clients served",
            Self::Confirmed => "confirmed",
            Self::RegionBack => "region back",
            Self::LatchReleased => "latch released",
            Self::Note => return None,
        })
    }
}
