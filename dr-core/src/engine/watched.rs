use async_trait::async_trait;
use tokio::sync::watch;

use super::{ApplicationHealth, HealthReading, HealthSource};
use crate::{
    detect::{Standing, Standings, Verdict},
    error::Result,
    model::RegionId,
    plan::Plan,
};

/// The application's health as observers judge it: that of the region to which the plan leads.
///
/// Only `healthy` is green. What is suspected or degraded is not yet recovered, and what nobody can see is unknown.
///
/// ```
/// use dr_core::{
///     detect::{Standing, Standings, Verdict, Why},
///     engine::WatchedHealth,
///     time::Monotonic,
/// };
/// use tokio::sync::watch;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (verdicts, standings) = watch::channel(Standings::new());
/// let health = WatchedHealth::new(standings); // for `EngineBuilder::health`
/// let standing = Standing {
///     verdict: Verdict::Healthy,
///     since: Monotonic::ZERO,
///     why: "eu-west-1 healthy: 3 of 3 observers".to_owned(),
///     because: Why::default(),
/// };
/// verdicts.send_modify(|all| {
///     all.insert("eu-west-1".parse().expect("a name"), standing);
/// });
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct WatchedHealth {
    standings: watch::Receiver<Standings>,
}

impl WatchedHealth {
    /// The health that these standings tell of.
    #[must_use]
    pub const fn new(standings: watch::Receiver<Standings>) -> Self {
        Self { standings }
    }
}

#[async_trait]
impl HealthSource for WatchedHealth {
    async fn look(&self, plan: &Plan) -> Result<HealthReading> {
        let to = &plan.goal().to;
        Ok(reading(to, self.standings.borrow().get(to)))
    }
}

fn reading(region: &RegionId, standing: Option<&Standing>) -> HealthReading {
    let Some(standing) = standing else {
        return HealthReading { health: ApplicationHealth::Unknown, why: format!("nobody watches {region}") };
    };
    let health = match standing.verdict {
        Verdict::Healthy => ApplicationHealth::Green,
        Verdict::Degraded | Verdict::Gray | Verdict::Suspect | Verdict::Unhealthy => ApplicationHealth::Red,
        Verdict::Unknown => ApplicationHealth::Unknown,
    };
    HealthReading { health, why: standing.why.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{detect::Why, time::Monotonic};

    fn health(verdict: Verdict) -> ApplicationHealth {
        let standing = Standing { verdict, since: Monotonic::ZERO, why: "seen".to_owned(), because: Why::default() };
        reading(&RegionId::new("eu-west-1").unwrap(), Some(&standing)).health
    }

    #[test]
    fn only_a_healthy_region_is_green() {
        assert_eq!(health(Verdict::Healthy), ApplicationHealth::Green);
        for verdict in [Verdict::Degraded, Verdict::Gray, Verdict::Suspect, Verdict::Unhealthy] {
            assert_eq!(health(verdict), ApplicationHealth::Red, "{verdict}");
        }
        assert_eq!(health(Verdict::Unknown), ApplicationHealth::Unknown);
    }

    #[test]
    fn a_region_that_nobody_watches_is_unknown() {
        let nobody = reading(&RegionId::new("eu-west-1").unwrap(), None);
        assert_eq!(nobody.health, ApplicationHealth::Unknown);
        assert_eq!(nobody.why, "nobody watches eu-west-1");
    }
}
