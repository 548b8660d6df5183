use std::time::Duration;

use super::{Group, PlanBuilder};
use crate::model::StepId;

/// The group just added, to be described further.
#[derive(Debug)]
pub struct GroupDraft<'a> {
    builder: &'a mut PlanBuilder,
    id: StepId,
}

impl<'a> GroupDraft<'a> {
    pub(super) fn new(builder: &'a mut PlanBuilder, id: StepId) -> Self {
        Self { builder, id }
    }

    fn edit(self, change: impl FnOnce(&mut Group)) -> Self {
        if let Some(group) = self.builder.draft.groups.iter_mut().rev().find(|group| group.id == self.id) {
            change(group);
        }
        self
    }

    /// One line for a person.
    pub fn title(self, title: impl Into<String>) -> Self {
        self.edit(|group| group.title = title.into())
    }

    /// From the first attempt of a member: the members have ended by then, or the run pauses.
    pub fn deadline(self, deadline: Duration) -> Self {
        self.edit(|group| group.deadline = Some(deadline))
    }

    /// A step, or all steps of a group, that must have ended before any member begins.
    pub fn after(self, id: &str) -> Self {
        let before = self.builder.name(id);
        self.builder.group_after.push((self.id.clone(), before));
        self
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> StepId {
        self.id.clone()
    }
}
