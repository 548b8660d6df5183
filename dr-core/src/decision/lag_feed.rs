use std::{collections::BTreeSet, time::Duration};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Need, Policy, Told};
use crate::{
    driver::{Driver, DriverRegistry, SurveyCx},
    model::{Resource, ResourceId},
    plan::{Inventory, LagSource},
    time::{Monotonic, SharedClock},
    topology::Topology,
};

/// The longest that a store is not asked. A metric has a sample a minute at the most.
const MOST: Duration = Duration::from_secs(30);
/// The shortest: asking costs calls of an API that everybody shares.
const LEAST: Duration = Duration::from_secs(5);

/// Tells a decider how far stores are behind, by what their drivers see: those that its conditions name, and no others.
#[derive(Clone, Debug)]
pub struct LagFeed {
    topology: Topology,
    drivers: DriverRegistry,
    clock: SharedClock,
    resources: BTreeSet<ResourceId>,
    every: Duration,
}

impl LagFeed {
    /// What this policy needs to be told; none when it asks for no store's lag.
    #[must_use]
    pub fn of(policy: &Policy, topology: &Topology, drivers: &DriverRegistry, clock: &SharedClock) -> Option<Self> {
        let asked = || {
            policy.conditions.iter().filter_map(|condition| match &condition.need {
                Need::LagWithin { resource, fresh, .. } => Some((resource, *fresh)),
                _ => None,
            })
        };
        let freshest = asked().map(|(_, fresh)| fresh).min()?;
        Some(Self {
            topology: topology.clone(),
            drivers: drivers.clone(),
            clock: clock.clone(),
            resources: asked().map(|(resource, _)| resource.clone()).collect(),
            every: (freshest / 4).clamp(LEAST, MOST),
        })
    }

    /// The stores whose lag these drivers can tell.
    #[must_use]
    pub fn told(topology: &Topology, drivers: &DriverRegistry) -> BTreeSet<ResourceId> {
        let tells = |resource: &&Resource| drivers.get(&resource.kind).is_some_and(|driver| driver.tells_lag());
        topology.resources().iter().filter(tells).map(|resource| resource.id.clone()).collect()
    }

    /// Asks until stopped, or until nobody listens. A store that cannot be asked tells nothing: what was told of it grows old.
    pub async fn run(self, tell: mpsc::Sender<Told>, stop: CancellationToken) {
        let asking = async {
            loop {
                let began = self.clock.monotonic();
                for resource in self.topology.resources().iter().filter(|it| self.resources.contains(&it.id)) {
                    let Some(driver) = self.drivers.get(&resource.kind) else { continue };
                    if let Some(told) = self.ask(&**driver, resource).await
                        && tell.send(told).await.is_err()
                    {
                        return;
                    }
                }
                self.clock.sleep((began + self.every).since(self.clock.monotonic())).await;
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = asking => {}
        }
    }

    async fn ask(&self, driver: &dyn Driver, resource: &Resource) -> Option<Told> {
        // The age that a driver gives counts from when it was asked: a region that hangs makes nothing younger.
        let asked = self.clock.monotonic();
        let cx = SurveyCx { topology: &self.topology, clock: self.clock.clone() };
        lag_of(&driver.survey(resource, &cx).await.ok()?, &resource.id, asked)
    }
}

/// How far the followers of a store are behind, at the worst, by the oldest of their samples.
fn lag_of(inventory: &Inventory, resource: &ResourceId, asked: Monotonic) -> Option<Told> {
    let members = inventory.stores.iter().filter(|store| store.resource == *resource).flat_map(|store| &store.members);
    let samples = members.filter_map(|member| {
        let age = match member.lag_source {
            Some(LagSource::Sampled { age: Some(age), .. }) => age,
            _ => return None,
        };
        Some((member.lag?, Monotonic::new(asked.since_origin().saturating_sub(age))))
    });
    let (lag, taken) = samples.reduce(|(lag, taken), (other, at)| (lag.max(other), taken.min(at)))?;
    Some(Told::Lag { resource: resource.clone(), lag, taken })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{StoreFact, StoreMember};

    fn member(region: &str, lag: Option<u64>, age: Option<u64>) -> StoreMember {
        StoreMember {
            lag: lag.map(Duration::from_secs),
            lag_source: Some(LagSource::Sampled { period: Duration::from_secs(60), age: age.map(Duration::from_secs) }),
            ..StoreMember::new(region.parse().unwrap(), region)
        }
    }

    #[test]
    fn the_worst_of_the_followers_counts_by_the_oldest_sample() {
        let orders: ResourceId = "orders".parse().unwrap();
        let mut store = StoreFact::new(orders.clone(), true);
        let asked = Monotonic::new(Duration::from_secs(1000));
        let told = |store: &StoreFact| {
            let inventory = Inventory { stores: vec![store.clone()], ..Inventory::default() };
            lag_of(&inventory, &orders, asked)
        };
        // The writer has no lag, and a follower without a sample tells nothing.
        store.members = vec![StoreMember::new("a".parse().unwrap(), "a"), member("b", None, None)];
        assert_eq!(told(&store), None);
        store.members.extend([member("c", Some(2), Some(10)), member("d", Some(9), Some(5))]);
        let lag = Told::Lag {
            resource: orders.clone(),
            lag: Duration::from_secs(9),
            taken: Monotonic::new(Duration::from_secs(990)),
        };
        assert_eq!(told(&store), Some(lag));
        let other: ResourceId = "sessions".parse().unwrap();
        let inventory = Inventory { stores: vec![store.clone()], ..Inventory::default() };
        assert_eq!(lag_of(&inventory, &other, asked), None);
    }
}
