//! What happens by itself as time passes and regions come and go.

use std::time::Duration;

use dr_core::{
    model::{Plane, RegionId},
    time::Monotonic,
};

use super::{Change, Datastore, Filling, State};
use crate::testing::{Health, live_state::Machine};

impl Machine for State {
    fn advance(&mut self, now: Monotonic, health: Health<'_>) -> bool {
        Self::advance(self, now, health)
    }

    fn next_deadline(&self) -> Option<Monotonic> {
        Self::next_deadline(self)
    }
}

impl State {
    /// Applies everything that is due by `now`. True when anything changed.
    pub fn advance(&mut self, now: Monotonic, health: Health<'_>) -> bool {
        let fill = self.timings.fill;
        let mut changed = false;
        for datastore in self.datastores.values_mut() {
            changed |= datastore.finish_change(now);
            changed |= datastore.advance_filling(now, fill, health);
        }
        changed
    }

    /// The next moment at which something happens by itself, if nobody calls and no region's health changes.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Monotonic> {
        let changes = self.datastores.values().filter_map(|datastore| datastore.change.as_ref()).map(|change| {
            let (Change::Promote { at, .. } | Change::Disassociate { at, .. }) = change;
            *at
        });
        let members = self.datastores.values().flat_map(|datastore| &datastore.members);
        let fills = members.filter_map(|member| match member.filling {
            Filling::Since(since) => Some(since + self.timings.fill),
            Filling::Done | Filling::Waiting => None,
        });
        changes.chain(fills).min()
    }

    /// The lag that a region publishes at this moment, for each datastore member that lives there and follows a primary
    /// whose region still serves.
    #[must_use]
    pub fn lag_in(&self, region: &RegionId, health: Health<'_>) -> Vec<(String, Duration)> {
        let mut rows = Vec::new();
        for datastore in self.datastores.values() {
            let Some(primary) = datastore.primary() else { continue };
            if !health(&primary.region, Plane::Data) || !health(region, Plane::Data) {
                continue;
            }
            let follows = |member: &&super::Member| {
                member.region == *region && !member.is_primary && member.filling == Filling::Done
            };
            rows.extend(datastore.members.iter().filter(follows).map(|member| (member.group.clone(), member.lag)));
        }
        rows
    }
}

impl Datastore {
    fn finish_change(&mut self, now: Monotonic) -> bool {
        match self.change.clone() {
            Some(Change::Promote { region, at }) if at <= now => {
                let lag = self.members.iter().find(|member| member.region == region).map(|member| member.lag);
                for member in &mut self.members {
                    let promoted = member.region == region;
                    if !promoted {
                        // Everyone else is filled anew from the new primary; replication turns round with its lag.
                        member.filling = Filling::Waiting;
                        if member.is_primary {
                            member.lag = lag.unwrap_or(member.lag);
                        }
                    }
                    member.is_primary = promoted;
                }
                self.epoch += 1;
                self.change = None;
                true
            }
            Some(Change::Disassociate { region, at }) if at <= now => {
                self.members.retain(|member| member.region != region);
                self.change = None;
                true
            }
            _ => false,
        }
    }

    fn advance_filling(&mut self, now: Monotonic, fill: Duration, health: Health<'_>) -> bool {
        let Some(primary) = self.primary().map(|primary| primary.region.clone()) else { return false };
        let primary_serves = health(&primary, Plane::Data);
        let mut changed = false;
        for member in self.members.iter_mut().filter(|member| !member.is_primary) {
            let well = primary_serves && health(&member.region, Plane::Data);
            let next = match member.filling {
                Filling::Waiting if well => {
                    member.wiped += 1;
                    Filling::Since(now)
                }
                Filling::Since(since) if well && since + fill <= now => Filling::Done,
                Filling::Since(_) if !well => Filling::Waiting,
                same => same,
            };
            changed |= next != member.filling;
            member.filling = next;
        }
        changed
    }
}
