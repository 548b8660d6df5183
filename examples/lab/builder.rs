use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use dr_core::{
    error::{Error, ErrorKind, Result},
    model::RegionId,
    testing::{EffectLog, FaultBoard},
    time::{ScaledClock, SharedClock},
};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    admin::AdminDoor,
    checkers::Checkers,
    clients::{Ledger, Population},
    dns::NameServer,
    endpoints::{Endpoints, RegionEndpoints},
    estate::{Estate, HostedZone, LoadBalancer, Route53Checks},
    files::Files,
    front::{Front, Platform},
    inner::Inner,
    lab::{Lab, Listeners},
    orders::{Database, Stores},
    platform::PUBLIC_NAME,
    wire::{bind_everywhere, serve},
};

/// How much more a region at full size can serve than its clients ask for.
const HEADROOM: f64 = 1.75;

/// Sets up a [`Lab`].
#[derive(Clone, Debug)]
pub struct LabBuilder {
    time_scale: f64,
    seed: u64,
    clients: u32,
    lag: Duration,
    pod_start: Duration,
    application_port: u16,
    dns_port: u16,
    admin_port: u16,
    folder: Option<PathBuf>,
}

impl Default for LabBuilder {
    fn default() -> Self {
        Self {
            time_scale: 20.0,
            seed: 1,
            clients: 12,
            lag: Duration::from_millis(900),
            pod_start: Duration::from_secs(8),
            application_port: 0,
            dns_port: 0,
            admin_port: 0,
            folder: None,
        }
    }
}

impl LabBuilder {
    /// How many of the lab's seconds pass in one of the machine's; 20 by default, 1 is real time.
    #[must_use]
    pub fn time_scale(mut self, scale: f64) -> Self {
        self.time_scale = scale;
        self
    }

    /// What clients' pauses and checkers' phases are drawn from.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How many clients write orders; 12 by default.
    #[must_use]
    pub fn clients(mut self, clients: u32) -> Self {
        self.clients = clients;
        self
    }

    /// The database's replication lag; 900 ms by default, as in AWS's own sample output.
    #[must_use]
    pub fn lag(mut self, lag: Duration) -> Self {
        self.lag = lag;
        self
    }

    /// How long a pod takes from its scheduling to its readiness. Default: 8 s, which is a small image on a node that is there.
    #[must_use]
    pub fn pod_start(mut self, time: Duration) -> Self {
        self.pod_start = time;
        self
    }

    /// The port of the application in every region; any free one by default.
    #[must_use]
    pub fn application_port(mut self, port: u16) -> Self {
        self.application_port = port;
        self
    }

    /// The port of the name server; any free one by default.
    #[must_use]
    pub fn dns_port(mut self, port: u16) -> Self {
        self.dns_port = port;
        self
    }

    /// The port of the admin endpoint; any free one by default.
    #[must_use]
    pub fn admin_port(mut self, port: u16) -> Self {
        self.admin_port = port;
        self
    }

    /// Where kubeconfigs are written and stay; a temporary folder, gone with the lab, by default.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Sets everything up and lets it run. Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] when a loopback address or port cannot be listened on, [`ErrorKind::Storage`] when the
    /// kubeconfigs cannot be written.
    pub async fn build(self) -> Result<Lab> {
        let clock = Arc::new(ScaledClock::new(self.time_scale));
        let shared: SharedClock = clock.clone();
        let (board, effects) = (FaultBoard::new(), EffectLog::new());
        let mut estate = Estate::build(&shared, &board, &effects, self.lag, self.pod_start)?;

        let listeners = Listeners::open(&estate, self.application_port).await?;
        let port = listeners.application_port;
        let balancers: BTreeMap<RegionId, LoadBalancer> = listeners
            .fronts
            .iter()
            .map(|(region, listener)| Ok((region.clone(), LoadBalancer::new(listener.local_addr().map_err(closed)?))))
            .collect::<Result<_>>()?;
        estate.route(port, listeners.aws_port(estate.standby()?)?, |region| {
            let balancer = balancers.get(region).cloned();
            Box::new(move || balancer.as_ref().is_some_and(LoadBalancer::is_healthy))
        })?;
        let zone = HostedZone(estate.world.route53().clone());
        let dns = NameServer::start(Arc::new(zone), self.dns_port).await.map_err(closed)?;
        let admin = TcpListener::bind((Ipv4Addr::LOCALHOST, self.admin_port)).await.map_err(closed)?;

        let files = Files::new(self.folder.clone(), port)?;
        let kubeconfigs = files.write_kubeconfigs(&listeners.kubernetes)?;
        let endpoints = Endpoints {
            anchor: clock.anchor(),
            time_scale: clock.scale(),
            admin: format!("http://{}", admin.local_addr().map_err(closed)?),
            dns: dns.addr(),
            public_name: PUBLIC_NAME.to_owned(),
            application_port: port,
            hosted_zone_id: estate.hosted_zone_id.clone(),
            switch_health_check_id: estate.switch_check.clone().unwrap_or_default(),
            regions: estate
                .places
                .iter()
                .map(|(region, place)| {
                    let endpoints = RegionEndpoints {
                        address: place.address,
                        aws: listeners.aws.get(region).map(dr_aws::testing::Endpoint::url).unwrap_or_default(),
                        kubernetes: listeners.kubernetes.get(region).map(dr_k8s::testing::Serving::url),
                        kubeconfig: kubeconfigs.regions.get(region).cloned(),
                        application: place.name.map(|_| format!("http://{}:{port}", place.address)),
                    };
                    (region.clone(), endpoints)
                })
                .collect(),
            kubeconfig: Some(kubeconfigs.all),
        };

        let database: Arc<dyn Database> = Arc::new(estate.aurora.clone());
        let platform: Arc<dyn Platform> = Arc::new(estate.clone());
        let writer = estate.active()?.clone();
        let replicas: Vec<RegionId> = estate
            .places
            .iter()
            .filter(|(region, place)| place.database.is_some() && **region != writer)
            .map(|(region, _)| region.clone())
            .collect();
        let stores = Stores::new(shared.clone(), board.clone(), Arc::clone(&database), &writer, &replicas);
        let ledger = Ledger::new();

        let mut tasks = JoinSet::new();
        let cancel = CancellationToken::new();
        let Listeners { fronts, aws, kubernetes, .. } = listeners;
        for (region, listener) in fronts {
            let front = Front::new(
                region,
                shared.clone(),
                board.clone(),
                stores.clone(),
                Arc::clone(&database),
                Arc::clone(&platform),
                Population::demand(self.clients) * HEADROOM,
            );
            tasks.spawn(serve(listener, Arc::new(front), cancel.clone()));
        }
        for balancer in balancers.into_values() {
            tasks.spawn(balancer.run(shared.clone()));
        }
        let checks = Route53Checks(estate.world.route53().clone());
        tasks.spawn(Checkers::new(shared.clone(), Arc::new(checks), self.seed).run());
        let population = Population {
            clock: shared,
            dns: dns.addr(),
            name: PUBLIC_NAME.to_owned(),
            port,
            clients: self.clients,
            seed: self.seed,
            ledger: ledger.clone(),
        };
        tasks.spawn(population.run());
        let core = Arc::new(Inner {
            clock,
            board,
            effects,
            estate,
            stores,
            ledger,
            clients: self.clients,
            endpoints,
            lag: Mutex::new(self.lag),
            marks: Mutex::default(),
        });
        tasks.spawn(Arc::clone(&core).follow());
        tasks.spawn(serve(admin, Arc::new(AdminDoor::new(core.clone())), cancel.clone()));
        Ok(Lab::new(core, tasks, cancel, (aws, kubernetes, dns), files))
    }
}

impl Listeners {
    async fn open(estate: &Estate, application_port: u16) -> Result<Self> {
        let (mut aws, mut kubernetes) = (BTreeMap::new(), BTreeMap::new());
        for (region, place) in &estate.places {
            let any_port = SocketAddr::from((place.address, 0));
            aws.insert(region.clone(), estate.world.serve(region, any_port).await.map_err(closed)?);
            if let Some(cluster) = estate.clusters.get(region) {
                kubernetes.insert(region.clone(), cluster.serve(any_port).await.map_err(closed)?);
            }
        }
        let serving: Vec<_> = estate.places.iter().filter(|(_, place)| place.name.is_some()).collect();
        let addresses: Vec<_> = serving.iter().map(|(_, place)| IpAddr::V4(place.address)).collect();
        let listeners = bind_everywhere(&addresses, application_port).await.map_err(closed)?;
        let application_port = match listeners.first() {
            Some(listener) => listener.local_addr().map_err(closed)?.port(),
            None => application_port,
        };
        let fronts = serving.into_iter().map(|(region, _)| region.clone()).zip(listeners).collect();
        Ok(Self { aws, kubernetes, fronts, application_port })
    }

    fn aws_port(&self, region: &RegionId) -> Result<u16> {
        let endpoint = self.aws.get(region);
        endpoint
            .map(|endpoint| endpoint.addr().port())
            .ok_or_else(|| Error::new(ErrorKind::Internal, format!("nothing listens for AWS in {region}")))
    }
}

fn closed(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, format!("the lab cannot listen on loopback: {error}")).with_source(error)
}
