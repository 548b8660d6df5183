use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, retry::RetryConfig, stalled_stream_protection::StalledStreamProtectionConfig,
    timeout::TimeoutConfig,
};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use dr_core::{
    driver::{BreakerPolicy, Breakers},
    model::{Plane, RegionId},
    time::SharedClock,
};
use futures::future::BoxFuture;

use crate::guard::{Guard, Guarded};

/// A service of AWS that this crate calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum AwsService {
    /// Route 53.
    Route53,
    /// RDS, and with it Aurora.
    Rds,
    /// ElastiCache.
    ElastiCache,
    /// S3.
    S3,
    /// CloudWatch metrics.
    CloudWatch,
}

impl AwsService {
    /// The plane that serves the calls made here: a region's control plane fails without its data plane, and the other
    /// way round, so that what one does not answer says nothing of the other.
    const fn plane(self) -> Plane {
        match self {
            Self::Route53 | Self::Rds | Self::ElastiCache => Plane::Control,
            Self::S3 | Self::CloudWatch => Plane::Data,
        }
    }
}

/// How long a call may take, in the time of the clients' clock.
///
/// A region that fails tends to swallow packets, so the defaults are far below the SDK's own: a call to a dead region
/// must cost seconds of a failover, not minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To connect; 2 s by default.
    pub connect: Duration,
    /// For one attempt, connecting included; 4 s by default.
    pub attempt: Duration,
    /// For the call with its retries; 10 s by default.
    pub operation: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(2), attempt: Duration::from_secs(4), operation: Duration::from_secs(10) }
    }
}

/// The SDK clients of every region, made when first asked for. Clones share them.
///
/// Reads and writes have different clients, because the SDK's retries are right for the one and wrong for the other: a
/// repeated `FailoverGlobalCluster` whose first reply was lost is a second failover. [`for_writes`](Self::for_writes)
/// sends a request once and leaves it to the engine to look before it tries again.
///
/// A region that swallows packets costs the first calls their timeouts, and those after them nothing: a circuit breaker
/// for each plane of each region ([`breakers`](Self::breakers)) refuses them until it is time to look again.
///
/// AWS's own emulator, or any other stand-in, is reached by an endpoint URL ([`ClientsBuilder::endpoint`]) and its
/// certificate ([`ClientsBuilder::ca_bundle`]).
///
/// ```
/// use std::sync::Arc;
/// use aws_credential_types::Credentials;
/// use dr_aws::Clients;
/// use dr_core::{model::RegionId, time::SystemClock};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let ireland = RegionId::new("eu-west-1")?;
/// let clients = Clients::builder(Arc::new(SystemClock::new()))
///     .credentials(Credentials::new("AKIDEXAMPLE", "secret", None, None, "example"))
///     .endpoint(&ireland, "http://127.0.2.1:4566")
///     .build();
/// let reads = clients.for_reads(&ireland);
/// let request = reads.rds().describe_global_clusters();
/// # let _ = request;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Clients {
    inner: Arc<Inner>,
}

struct Inner {
    settings: ClientsBuilder,
    breakers: Breakers,
    https: SharedHttpClient,
    http: SharedHttpClient,
    made: Mutex<BTreeMap<(RegionId, bool), RegionClients>>,
}

impl Clients {
    /// Begins to set up clients whose timeouts and backoffs pass on `clock`.
    ///
    /// Signatures keep the machine's time, whatever the clock: AWS checks them against its own.
    #[must_use]
    pub fn builder(clock: SharedClock) -> ClientsBuilder {
        ClientsBuilder {
            clock,
            base: SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build(),
            endpoints: BTreeMap::new(),
            service_endpoints: BTreeMap::new(),
            http_clients: BTreeMap::new(),
            ca_bundle: None,
            timeouts: Timeouts::default(),
            read_attempts: 3,
            breaker: BreakerPolicy::default(),
        }
    }

    /// What stands between these clients and regions that do not answer: which of them are not called just now.
    #[must_use]
    pub fn breakers(&self) -> &Breakers {
        &self.inner.breakers
    }

    /// The clients of a region whose calls the SDK may repeat: for operations that only look.
    #[must_use]
    pub fn for_reads(&self, region: &RegionId) -> RegionClients {
        self.region(region, true)
    }

    /// The clients of a region whose calls are sent once: for operations that change something.
    #[must_use]
    pub fn for_writes(&self, region: &RegionId) -> RegionClients {
        self.region(region, false)
    }

    fn region(&self, region: &RegionId, retries: bool) -> RegionClients {
        let mut made = self.inner.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.entry((region.clone(), retries)).or_insert_with(|| self.make(region, retries)).clone()
    }

    fn make(&self, region: &RegionId, retries: bool) -> RegionClients {
        let s3 = self.config(region, retries, AwsService::S3);
        // A stand-in has no name for each bucket.
        let path_style = s3.endpoint_url().is_some();
        let s3 = aws_sdk_s3::config::Builder::from(&s3).force_path_style(path_style).build();
        RegionClients {
            region: region.clone(),
            route53: aws_sdk_route53::Client::new(&self.config(region, retries, AwsService::Route53)),
            rds: aws_sdk_rds::Client::new(&self.config(region, retries, AwsService::Rds)),
            elasticache: aws_sdk_elasticache::Client::new(&self.config(region, retries, AwsService::ElastiCache)),
            s3: aws_sdk_s3::Client::from_conf(s3),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&self.config(region, retries, AwsService::CloudWatch)),
        }
    }

    fn config(&self, region: &RegionId, retries: bool, service: AwsService) -> SdkConfig {
        let settings = &self.inner.settings;
        let Timeouts { connect, attempt, operation } = settings.timeouts;
        let endpoint = settings
            .service_endpoints
            .get(&(region.clone(), service))
            .or_else(|| settings.endpoints.get(region))
            .map(String::as_str)
            .or_else(|| settings.base.endpoint_url());
        let http_client = match (settings.http_clients.get(region), endpoint) {
            (Some(client), _) => client.clone(),
            // A plain endpoint needs no certificates, which a bare container may not have.
            (None, Some(url)) if url.starts_with("http://") => self.inner.http.clone(),
            (None, _) => self.inner.https.clone(),
        };
        let guard = Guard {
            breakers: self.inner.breakers.clone(),
            region: region.clone(),
            plane: service.plane(),
            clock: settings.clock.clone(),
            limit: attempt,
        };
        let http_client = SharedHttpClient::new(Guarded { inner: http_client, guard });
        let attempts = if retries { settings.read_attempts.max(1) } else { 1 };
        let mut config = settings.base.to_builder();
        config
            .set_region(Region::new(region.as_str().to_owned()))
            .set_endpoint_url(endpoint.map(str::to_owned))
            .set_http_client(Some(http_client))
            .set_sleep_impl(Some(SharedAsyncSleep::new(ClockSleep(Arc::clone(&settings.clock)))))
            .set_retry_config(Some(RetryConfig::standard().with_max_attempts(attempts)))
            .set_timeout_config(Some(
                TimeoutConfig::builder()
                    .connect_timeout(connect)
                    .operation_attempt_timeout(attempt)
                    .operation_timeout(operation)
                    .build(),
            ))
            // It measures throughput on the machine's clock; the timeouts above bound a stalled reply on ours.
            .set_stalled_stream_protection(Some(StalledStreamProtectionConfig::disabled()));
        config.build()
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").field("endpoints", &self.inner.settings.endpoints).finish_non_exhaustive()
    }
}

/// The clients of one region. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RegionClients {
    region: RegionId,
    route53: aws_sdk_route53::Client,
    rds: aws_sdk_rds::Client,
    elasticache: aws_sdk_elasticache::Client,
    s3: aws_sdk_s3::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
}

impl RegionClients {
    /// The region that they call.
    #[must_use]
    pub fn region(&self) -> &RegionId {
        &self.region
    }

    /// Route 53, which has one endpoint for the world, in `us-east-1`.
    #[must_use]
    pub fn route53(&self) -> &aws_sdk_route53::Client {
        &self.route53
    }

    /// RDS and Aurora.
    #[must_use]
    pub fn rds(&self) -> &aws_sdk_rds::Client {
        &self.rds
    }

    /// ElastiCache.
    #[must_use]
    pub fn elasticache(&self) -> &aws_sdk_elasticache::Client {
        &self.elasticache
    }

    /// S3.
    #[must_use]
    pub fn s3(&self) -> &aws_sdk_s3::Client {
        &self.s3
    }

    /// CloudWatch metrics.
    #[must_use]
    pub fn cloudwatch(&self) -> &aws_sdk_cloudwatch::Client {
        &self.cloudwatch
    }
}

/// Sets up [`Clients`].
pub struct ClientsBuilder {
    clock: SharedClock,
    base: SdkConfig,
    endpoints: BTreeMap<RegionId, String>,
    service_endpoints: BTreeMap<(RegionId, AwsService), String>,
    http_clients: BTreeMap<RegionId, SharedHttpClient>,
    ca_bundle: Option<Vec<u8>>,
    timeouts: Timeouts,
    read_attempts: u32,
    breaker: BreakerPolicy,
}

impl ClientsBuilder {
    /// Takes credentials, application name and the like from a configuration that the caller loaded.
    ///
    /// Its region, endpoints, HTTP client, timeouts and retries give way to those of this builder.
    #[must_use]
    pub fn sdk_config(mut self, config: SdkConfig) -> Self {
        self.base = config;
        self
    }

    /// Takes credentials from where the AWS CLI takes them: environment, profile, single sign-on, process, instance.
    ///
    /// What this needs from the network must be reachable when a region is down: prefer a role in the standby's regional
    /// STS over single sign-on.
    pub async fn load_credentials(mut self) -> Self {
        let loader = aws_config::defaults(BehaviorVersion::latest()).http_client(https(self.ca_bundle.as_deref()));
        self.base = loader.load().await;
        self
    }

    /// Uses these credentials.
    #[must_use]
    pub fn credentials(mut self, credentials: aws_credential_types::Credentials) -> Self {
        self.base = self.base.into_builder().credentials_provider(SharedCredentialsProvider::new(credentials)).build();
        self
    }

    /// Calls all services of a region at this URL.
    #[must_use]
    pub fn endpoint(mut self, region: &RegionId, url: impl Into<String>) -> Self {
        self.endpoints.insert(region.clone(), url.into());
        self
    }

    /// Calls one service of a region at this URL.
    #[must_use]
    pub fn service_endpoint(mut self, region: &RegionId, service: AwsService, url: impl Into<String>) -> Self {
        self.service_endpoints.insert((region.clone(), service), url.into());
        self
    }

    /// Calls a region through this HTTP client, such as that of a double in this process.
    #[must_use]
    pub fn http_client(mut self, region: &RegionId, client: SharedHttpClient) -> Self {
        self.http_clients.insert(region.clone(), client);
        self
    }

    /// Trusts the certificates of this PEM file, and only these, on HTTPS endpoints.
    #[must_use]
    pub fn ca_bundle(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_bundle = Some(pem.into());
        self
    }

    /// Sets how long calls may take.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Sets how often the SDK sends a read, the first time included; 3 by default.
    #[must_use]
    pub fn read_attempts(mut self, attempts: u32) -> Self {
        self.read_attempts = attempts;
        self
    }

    /// Sets when calls to a region that does not answer are refused at once instead of waited for. There is one breaker
    /// for each plane of each region.
    #[must_use]
    pub fn breaker(mut self, policy: BreakerPolicy) -> Self {
        self.breaker = policy;
        self
    }

    /// The clients.
    #[must_use]
    pub fn build(self) -> Clients {
        let https = https(self.ca_bundle.as_deref());
        let http = aws_smithy_http_client::Builder::new().build_http();
        let breakers = Breakers::new(self.clock.clone(), self.breaker);
        Clients { inner: Arc::new(Inner { settings: self, breakers, https, http, made: Mutex::default() }) }
    }
}

impl fmt::Debug for ClientsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientsBuilder")
            .field("endpoints", &self.endpoints)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

/// The one TLS provider of the workspace is ring.
fn https(ca_bundle: Option<&[u8]>) -> SharedHttpClient {
    let builder = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    let trust = ca_bundle.map(|pem| TrustStore::empty().with_pem_certificate(pem));
    match trust.map(|trust| TlsContext::builder().with_trust_store(trust).build()) {
        Some(Ok(context)) => builder.tls_context(context).build_https(),
        // Building a context cannot fail with rustls; were it to, the native roots refuse the stand-in's certificate.
        Some(Err(_)) | None => builder.build_https(),
    }
}

/// The SDK's timeouts and backoffs, on our clock.
#[derive(Debug)]
struct ClockSleep(SharedClock);

impl AsyncSleep for ClockSleep {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(SyncFuture(Mutex::new(self.0.sleep(duration))))
    }
}

/// The SDK asks for futures that are `Sync`, which a boxed sleep need not be. Nothing polls it but its owner, so the
/// lock is never contended.
struct SyncFuture(Mutex<BoxFuture<'static, ()>>);

impl Future for SyncFuture {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut().poll(cx)
    }
}
