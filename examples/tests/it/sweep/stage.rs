//! The platform of `ecommerce.dr.yaml` on virtual time: the doubles without a lab around them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_credential_types::Credentials;
use dr_aws::{
    Clients,
    testing::{
        World, elasticache, rds,
        route53::{CheckResult, Resolution},
    },
};
use dr_core::{
    driver::{Driver, DriverRegistry},
    engine::{ApplicationHealth, HealthReading, HealthSource},
    error::Result,
    model::{Plane, RegionId},
    plan::Plan,
    spec::{Spec, SpecLoader},
    testing::{EffectLog, FaultBoard},
    time::{ManualClock, SharedClock},
    topology::Topology,
};
use dr_k8s::{Clusters, deployments::Deployments};
use dr_lab::{
    checkers::CHECKERS,
    dns::NameServer,
    estate::{Estate, HostedZone},
    platform::{PUBLIC_NAME, Place, SWITCH_BUCKET, SWITCH_KEY},
    state::StackState,
};
use serde_json::Value;
use tokio::task::JoinSet;

use super::{
    application::{self, Application},
    pacer::Pacer,
};
use crate::by_hand::{east, west};

pub(super) struct Stage {
    pub(super) clock: ManualClock,
    pub(super) faults: FaultBoard,
    pub(super) effects: EffectLog,
    pub(super) spec: Spec,
    pub(super) topology: Topology,
    pub(super) drivers: DriverRegistry,
    pub(super) pacer: Pacer,
    estate: Arc<Estate>,
    /// The application's, which differs from drill to drill.
    port: u16,
    _server: NameServer,
    _tasks: JoinSet<()>,
}

impl Stage {
    pub(super) async fn new() -> Self {
        let clock = ManualClock::new();
        // So that times are of this century.
        clock.advance(Duration::from_secs(1_790_000_000));
        let shared: SharedClock = Arc::new(clock.clone());
        let pacer = Pacer::start(clock.clone());
        let (faults, effects) = (FaultBoard::new(), EffectLog::new());
        let mut estate =
            Estate::build(&shared, &faults, &effects, Duration::from_millis(900), Duration::from_secs(8)).unwrap();
        // Older than any stale read: what is there has been there for long.
        clock.advance(Duration::from_secs(120));
        hurry(&estate);
        let (port, listeners) = application::listen().await;
        estate.route(port, 80, |_| Box::new(|| true)).unwrap();
        let server = NameServer::start(Arc::new(HostedZone(estate.world.route53().clone())), 0).await.unwrap();
        let estate = Arc::new(estate);
        let mut tasks = JoinSet::new();
        for (region, listener) in listeners {
            let application =
                Application { region, estate: Arc::clone(&estate), faults: faults.clone(), clock: shared.clone() };
            tasks.spawn(pacer.watch(application.serve(listener)));
        }
        tasks.spawn(check_health(shared.clone(), Arc::clone(&estate), faults.clone()));
        let spec = load(&variables(&estate, &server, port), &shared);
        let topology = Topology::new(&spec).unwrap();
        let drivers = drivers(&estate, &shared);
        Self { clock, faults, effects, spec, topology, drivers, pacer, estate, port, _server: server, _tasks: tasks }
    }

    pub(super) fn shared_clock(&self) -> SharedClock {
        Arc::new(self.clock.clone())
    }

    /// What the stack looks like, but for the port that the application happens to have.
    pub(super) fn state(&self) -> StackState {
        let mut state = self.estate.snapshot(&self.faults);
        for check in state.health_checks.values_mut() {
            mask(check, self.port);
        }
        state
    }

    /// Who says whether users are served.
    pub(super) fn health(&self) -> Arc<dyn HealthSource> {
        Arc::new(Served { estate: Arc::clone(&self.estate), faults: self.faults.clone() })
    }
}

/// Users are served when the public name leads to a region that answers and whose database writes.
#[derive(Debug)]
struct Served {
    estate: Arc<Estate>,
    faults: FaultBoard,
}

#[async_trait]
impl HealthSource for Served {
    async fn look(&self, _: &Plan) -> Result<HealthReading> {
        let led_to = match self.estate.world.route53().answer(PUBLIC_NAME, "A") {
            Resolution::Answer(answer) => answer.values,
            _ => Vec::new(),
        };
        let serves = |(region, place): (&RegionId, &Place)| {
            let writes = place.database.is_some_and(|cluster| self.estate.world.rds().is_writable(region, cluster));
            led_to == [place.address.to_string()] && writes && self.faults.plane(region, Plane::Application).is_none()
        };
        let health =
            if self.estate.places.iter().any(serves) { ApplicationHealth::Green } else { ApplicationHealth::Red };
        Ok(HealthReading { health, why: format!("the public name leads to {led_to:?}") })
    }
}

/// Takes a port out of a value, wherever it stands.
fn mask(value: &mut Value, port: u16) {
    match value {
        Value::Number(number) if number.as_u64() == Some(port.into()) => *value = Value::Null,
        Value::String(text) => *text = text.replace(&format!(":{port}"), ":port"),
        Value::Array(values) => values.iter_mut().for_each(|value| mask(value, port)),
        Value::Object(fields) => fields.values_mut().for_each(|value| mask(value, port)),
        _ => {}
    }
}

/// Shortens what a drill waits for, and with it the looks of which one is like the other. Every wait still takes two or
/// three looks, so that one that goes wrong has others before and after it.
fn hurry(estate: &Estate) {
    let seconds = Duration::from_secs;
    estate.world.rds().set_timings(rds::Timings {
        failover: seconds(5),
        switchover: seconds(5),
        fence: seconds(4),
        rejoin: seconds(2),
        resync: seconds(5),
        ..rds::Timings::default()
    });
    let (promote, disassociate, fill) = (seconds(5), seconds(5), seconds(5));
    estate.world.elasticache().set_timings(elasticache::Timings { promote, disassociate, fill });
    for cluster in estate.clusters.values() {
        cluster.set_pace(seconds(2), seconds(4));
    }
}

fn variables(estate: &Estate, server: &NameServer, port: u16) -> BTreeMap<String, String> {
    let application = |region: &RegionId| format!("http://{}:{port}", estate.places[region].address);
    let pairs = [
        ("DR_LAB_PUBLIC_URL", format!("http://api.ecommerce.com:{port}")),
        ("DR_LAB_APPLICATION_US_EAST_1", application(&east())),
        ("DR_LAB_APPLICATION_EU_WEST_1", application(&west())),
        ("DR_LAB_NAME_SERVER", server.addr().to_string()),
        ("DR_LAB_CONTROL", server.addr().to_string()),
        ("DR_LAB_HOSTED_ZONE_ID", estate.hosted_zone_id.clone()),
        ("DR_LAB_PRIMARY_HEALTH_CHECK_ID", estate.switch_check.clone().unwrap()),
        // The clients are given; the paths are never read.
        ("DR_LAB_KUBECONFIG_US_EAST_1", "/east".to_owned()),
        ("DR_LAB_KUBECONFIG_EU_WEST_1", "/west".to_owned()),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn load(variables: &BTreeMap<String, String>, clock: &SharedClock) -> Spec {
    let mut drivers = dr_aws::drivers(&Clients::offline(clock.clone())).unwrap();
    drivers.extend(dr_k8s::drivers(clock));
    let mut loader = SpecLoader::new().variables(variables.clone());
    for driver in drivers {
        loader = loader.driver_schema(driver.kind(), driver.schema());
    }
    loader.load_bytes("ecommerce.dr.yaml", include_bytes!("../../../ecommerce.dr.yaml")).unwrap()
}

fn drivers(estate: &Estate, clock: &SharedClock) -> DriverRegistry {
    let world: &World = &estate.world;
    let mut clients = Clients::builder(clock.clone()).credentials(Credentials::new("AKID", "none", None, None, "test"));
    for region in world.regions() {
        clients = clients.http_client(region, world.http_client(region));
    }
    let mut clusters = Clusters::builder(clock.clone());
    for (region, cluster) in &estate.clusters {
        clusters = clusters.client(region.clone(), cluster.client());
    }
    let mut drivers = DriverRegistry::new();
    let mut all: Vec<Arc<dyn Driver>> = dr_aws::drivers(&clients.build()).unwrap();
    all.push(Arc::new(Deployments::new(clusters.build())));
    for driver in all {
        drivers.register(driver).unwrap();
    }
    drivers
}

/// Route 53's checkers, without their sockets: every ten seconds, whether the switch is thrown and the regions answer.
async fn check_health(clock: SharedClock, estate: Arc<Estate>, faults: FaultBoard) {
    let route53 = estate.world.route53();
    loop {
        let thrown = estate.world.s3().keys(SWITCH_BUCKET).iter().any(|key| key == SWITCH_KEY);
        for check in route53.checks() {
            let well = if Some(&check.id) == estate.switch_check.as_ref() {
                thrown
            } else {
                let region = if check.config.search_string.as_ref().is_some_and(|s| s.contains("us-east-1")) {
                    east()
                } else {
                    west()
                };
                faults.plane(&region, Plane::Application).is_none()
            };
            for checker in CHECKERS {
                let result = if well { CheckResult::success("200 OK") } else { CheckResult::failure("no") };
                route53.observe(&check.id, checker, result);
            }
        }
        clock.sleep(Duration::from_secs(10)).await;
    }
}
