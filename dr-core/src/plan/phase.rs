use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where in a failover a step belongs. Phases form a small graph, not a line, so that independent work overlaps.
///
/// ```text
/// Freeze ─► Fence ─► Promote ─► Shift ─► Confirm ─► Latch ─► Restore
///             Scale ─► Ready ─────┘
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Stop what would interfere: deployments, scale-down.
    Freeze,
    /// Make sure the old writer cannot write.
    Fence,
    /// Make the new writer.
    Promote,
    /// Make room in the target region.
    Scale,
    /// See that the target region can serve.
    Ready,
    /// Move clients.
    Shift,
    /// Prove it as a client would: through the public name, with a write.
    Confirm,
    /// Make it stay so until somebody decides otherwise.
    Latch,
    /// Put back what a drill or a failover changed.
    Restore,
}

impl Phase {
    /// Every phase, in the order they are drawn.
    pub const ALL: [Self; 9] = [
        Self::Freeze,
        Self::Fence,
        Self::Promote,
        Self::Scale,
        Self::Ready,
        Self::Shift,
        Self::Confirm,
        Self::Latch,
        Self::Restore,
    ];

    /// The phases that end before this one begins.
    #[must_use]
    pub const fn predecessors(self) -> &'static [Self] {
        match self {
            Self::Freeze | Self::Scale => &[],
            Self::Fence => &[Self::Freeze],
            Self::Promote => &[Self::Fence],
            Self::Ready => &[Self::Scale],
            Self::Shift => &[Self::Promote, Self::Ready],
            Self::Confirm => &[Self::Shift],
            Self::Latch => &[Self::Confirm],
            Self::Restore => &[Self::Latch],
        }
    }

    /// The name, as written in plans.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Freeze => "freeze",
            Self::Fence => "fence",
            Self::Promote => "promote",
            Self::Scale => "scale",
            Self::Ready => "ready",
            Self::Shift => "shift",
            Self::Confirm => "confirm",
            Self::Latch => "latch",
            Self::Restore => "restore",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
