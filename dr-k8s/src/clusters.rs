use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use dr_core::{
    driver::{BreakerPolicy, Breakers, CallEnd},
    error::{Effect, Error, ErrorKind, Result},
    model::{Plane, RegionId},
    time::{SharedClock, timeout},
};
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::classify;

/// Backstops on the machine's clock, for connections that outlive the call that opened them.
const CONNECT: Duration = Duration::from_secs(3);
const TRANSFER: Duration = Duration::from_secs(20);

/// How a region's cluster is reached: a kubeconfig, or a server with a token. Everything here is a place where something
/// is kept, never the secret itself, so it may stand in plans and journals.
///
/// Both ways are pinned: an endpoint that would have to be looked up at failover (`eks:DescribeCluster`) is a call to a
/// control plane.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterAccess {
    /// The path of a kubeconfig. Either this or `server`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1), extend("examples" = ["/etc/dr/kubeconfig/eu-west-1"]))]
    pub kubeconfig: Option<PathBuf>,
    /// The context to use of the kubeconfig. Default: its current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1))]
    pub context: Option<String>,
    /// The URL of the API server. Either this or `kubeconfig`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1), extend("examples" = ["https://ABCDEF.gr7.eu-west-1.eks.amazonaws.com"]))]
    pub server: Option<String>,
    /// The path of the PEM file with the certificate authority of `server`. Default: the machine's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1))]
    pub certificate_authority: Option<PathBuf>,
    /// The path of the file with the bearer token for `server`; read again every minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1))]
    pub token_file: Option<PathBuf>,
}

impl ClusterAccess {
    /// Through a kubeconfig's current context.
    #[must_use]
    pub fn kubeconfig(path: impl Into<PathBuf>) -> Self {
        let kubeconfig = Some(path.into());
        Self { kubeconfig, context: None, server: None, certificate_authority: None, token_file: None }
    }

    /// Through a server's URL.
    #[must_use]
    pub fn server(url: impl Into<String>) -> Self {
        let server = Some(url.into());
        Self { kubeconfig: None, context: None, server, certificate_authority: None, token_file: None }
    }

    /// Says what is wrong with it.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) unless it names exactly one way, with only what belongs to that way.
    pub fn check(&self) -> Result<()> {
        let wrong = match (&self.kubeconfig, &self.server) {
            (Some(_), Some(_)) => "kubeconfig and server exclude each other: write one",
            (None, None) => "write kubeconfig, or server",
            (Some(_), None) if self.token_file.is_some() || self.certificate_authority.is_some() => {
                "token_file and certificate_authority go with server: a kubeconfig has its own"
            }
            (None, Some(_)) if self.context.is_some() => "context goes with kubeconfig",
            _ => return Ok(()),
        };
        Err(invalid(wrong))
    }

    /// The options that make kubectl use this access, for commands that a person types.
    pub(crate) fn kubectl(&self) -> String {
        let mut options = String::from("kubectl");
        let mut option = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                options.push_str(&format!(" --{name} {value}"));
            }
        };
        option("kubeconfig", self.kubeconfig.as_ref().map(|path| path.display().to_string()));
        option("context", self.context.clone());
        option("server", self.server.clone());
        option("certificate-authority", self.certificate_authority.as_ref().map(|path| path.display().to_string()));
        option("token", self.token_file.as_ref().map(|path| format!("\"$(cat {})\"", path.display())));
        options
    }

    async fn config(&self) -> Result<Config> {
        self.check()?;
        let mut config = match (&self.kubeconfig, &self.server) {
            (Some(path), _) => {
                let options = KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
                let unusable = |e: kube::config::KubeconfigError| {
                    invalid(format!("{} cannot be used: {}", path.display(), without_contents(&e)))
                };
                let file = Kubeconfig::read_from(path).map_err(unusable)?;
                Config::from_custom_kubeconfig(file, &options).await.map_err(unusable)?
            }
            (None, Some(url)) => {
                let mut config = Config::new(url.parse().map_err(|e| invalid(format!("{url:?} is not a URL: {e}")))?);
                config.root_cert_file = self.certificate_authority.clone();
                config.auth_info.token_file = self.token_file.as_ref().map(|path| path.display().to_string());
                config
            }
            (None, None) => return Err(invalid("write kubeconfig, or server")),
        };
        // kube's own defaults wait for ever on a cluster that swallows packets, and repeat 503s for over a minute.
        config.default_retry = false;
        config.connect_timeout = Some(CONNECT);
        config.read_timeout = Some(TRANSFER);
        config.write_timeout = Some(TRANSFER);
        config.reset_reader_on_write = true;
        Ok(config)
    }
}

/// What is wrong with a kubeconfig, without quoting what stands in it.
fn without_contents(error: &kube::config::KubeconfigError) -> &'static str {
    use kube::config::KubeconfigError as E;
    match error {
        E::ReadConfig(..) => "the file cannot be read",
        E::CurrentContextNotSet => "no current context is set",
        E::LoadContext(_) => "the context does not exist",
        E::LoadClusterOfContext(_) => "the context's cluster does not exist",
        _ => "it is not a kubeconfig, or something that it refers to cannot be read",
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, message).with_effect(Effect::NotApplied)
}

/// The clients of every region's cluster, made when first asked for, and the deadline on their calls. Clones share them.
///
/// ```no_run
/// use std::{sync::Arc, time::Duration};
/// use dr_core::time::SystemClock;
/// use dr_k8s::{ClusterAccess, Clusters};
///
/// # async fn example() -> dr_core::error::Result<()> {
/// let clusters = Clusters::builder(Arc::new(SystemClock::new())).call_timeout(Duration::from_secs(8)).build();
/// let region = "eu-west-1".parse().map_err(|_| dr_core::error::Error::new(dr_core::error::ErrorKind::Invalid, "name"))?;
/// let client = clusters.client(&region, &ClusterAccess::kubeconfig("/etc/dr/kubeconfig/eu-west-1")).await?;
/// let version = clusters.at(&region).call("k8s:get /version", client.apiserver_version()).await?;
/// println!("{}", version.git_version);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Clusters {
    inner: Arc<Inner>,
}

struct Inner {
    clock: SharedClock,
    call_timeout: Duration,
    breakers: Breakers,
    given: BTreeMap<RegionId, Client>,
    made: Mutex<BTreeMap<ClusterAccess, Client>>,
}

/// Sets up [`Clusters`].
pub struct ClustersBuilder {
    clock: SharedClock,
    call_timeout: Duration,
    breaker: BreakerPolicy,
    given: BTreeMap<RegionId, Client>,
}

impl ClustersBuilder {
    /// How long a call may take, on the clock. Default: 8 s.
    #[must_use]
    pub fn call_timeout(mut self, limit: Duration) -> Self {
        self.call_timeout = limit;
        self
    }

    /// Sets when calls to a cluster that does not answer are refused at once instead of waited for.
    #[must_use]
    pub fn breaker(mut self, policy: BreakerPolicy) -> Self {
        self.breaker = policy;
        self
    }

    /// Uses this client for a region, whatever its access says: a double in process, or a client that signs its own way.
    #[must_use]
    pub fn client(mut self, region: RegionId, client: Client) -> Self {
        self.given.insert(region, client);
        self
    }

    /// The clients.
    #[must_use]
    pub fn build(self) -> Clusters {
        let Self { clock, call_timeout, breaker, given } = self;
        let breakers = Breakers::new(clock.clone(), breaker);
        Clusters { inner: Arc::new(Inner { clock, call_timeout, breakers, given, made: Mutex::default() }) }
    }
}

impl Clusters {
    /// Begins to set up clients whose deadlines pass on `clock`.
    #[must_use]
    pub fn builder(clock: SharedClock) -> ClustersBuilder {
        ClustersBuilder {
            clock,
            call_timeout: Duration::from_secs(8),
            breaker: BreakerPolicy::default(),
            given: BTreeMap::new(),
        }
    }

    /// The client of a region. Must be called within a tokio runtime that outlives it.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) when the access cannot be used; nothing is called.
    pub async fn client(&self, region: &RegionId, access: &ClusterAccess) -> Result<Client> {
        if let Some(client) = self.inner.given.get(region) {
            return Ok(client.clone());
        }
        let made = || self.inner.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = made().get(access) {
            return Ok(client.clone());
        }
        let config = access.config().await.map_err(|e| {
            let message = format!("the cluster of {region}: {}", e.message());
            Error::new(e.kind(), message).with_effect(Effect::NotApplied)
        })?;
        let client = Client::try_from(config)
            .map_err(|_| invalid(format!("the cluster of {region}: its certificates or credentials cannot be used")))?;
        made().insert(access.clone(), client.clone());
        Ok(client)
    }

    /// Calls to the cluster of a region, behind a circuit breaker: once it has not answered a few of them, the next ones
    /// fail at once until it is time to look again.
    #[must_use]
    pub fn at<'a>(&'a self, region: &'a RegionId) -> RegionCalls<'a> {
        RegionCalls { clusters: self, region }
    }

    /// What stands between these clients and clusters that do not answer: which of them are not called just now.
    #[must_use]
    pub fn breakers(&self) -> &Breakers {
        &self.inner.breakers
    }

    /// Makes a call with the deadline, whatever a breaker says, and classifies what goes wrong: for a probe, whose work
    /// it is to look.
    ///
    /// # Errors
    ///
    /// As [`classify`] has them, and [`Timeout`](ErrorKind::Timeout) of indefinite effect at the deadline.
    pub async fn call<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T> {
        match timeout(&*self.inner.clock, self.inner.call_timeout, call).await {
            Ok(result) => result.map_err(|e| classify(operation, e)),
            Err(elapsed) => Err(Error::new(ErrorKind::Timeout, elapsed.to_string()).during(operation)),
        }
    }

    /// As [`call`](Self::call), for calls that change nothing.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call), all of them not applied.
    pub async fn read<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T> {
        self.call(operation, call).await.map_err(|e| e.with_effect(Effect::NotApplied))
    }
}

/// Calls to the cluster of one region.
#[derive(Clone, Copy, Debug)]
pub struct RegionCalls<'a> {
    clusters: &'a Clusters,
    region: &'a RegionId,
}

impl RegionCalls<'_> {
    /// As [`Clusters::call`], unless the breaker refuses it.
    ///
    /// # Errors
    ///
    /// As [`Clusters::call`]; [`Unavailable`](ErrorKind::Unavailable), not applied, when the cluster did not answer the
    /// last calls.
    pub async fn call<T>(
        self,
        operation: &'static str,
        call: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T> {
        let admitted = self.clusters.inner.breakers.admit(self.region, Plane::Kubernetes);
        let admitted = admitted.map_err(|open| Error::from(open).during(operation))?;
        let result = self.clusters.call(operation, call).await;
        admitted.ended(result.as_ref().map_or_else(end, |_| CallEnd::Answered));
        result
    }

    /// As [`call`](Self::call), for calls that change nothing.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call), all of them not applied.
    pub async fn read<T>(
        self,
        operation: &'static str,
        call: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T> {
        self.call(operation, call).await.map_err(|e| e.with_effect(Effect::NotApplied))
    }
}

/// What an error says of the cluster: one that it sent itself is an answer.
fn end(error: &Error) -> CallEnd {
    use std::error::Error as _;
    match error.source().and_then(|source| source.downcast_ref::<kube::Error>()) {
        Some(kube::Error::HyperError(_) | kube::Error::Service(_) | kube::Error::ReadEvents(_)) => CallEnd::Silent,
        Some(kube::Error::Api(_) | kube::Error::SerdeError(_) | kube::Error::FromUtf8(_)) => CallEnd::Answered,
        None if error.kind() == ErrorKind::Timeout => CallEnd::Silent,
        _ => CallEnd::Unknown,
    }
}

impl fmt::Debug for Clusters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clusters").field("call_timeout", &self.inner.call_timeout).finish_non_exhaustive()
    }
}

impl fmt::Debug for ClustersBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClustersBuilder").field("call_timeout", &self.call_timeout).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_exactly_one_way() {
        assert!(ClusterAccess::kubeconfig("/a").check().is_ok());
        assert!(ClusterAccess::server("https://a").check().is_ok());
        let both = ClusterAccess { server: Some("https://a".into()), ..ClusterAccess::kubeconfig("/a") };
        assert!(both.check().is_err());
        let stray = ClusterAccess { token_file: Some("/t".into()), ..ClusterAccess::kubeconfig("/a") };
        assert!(stray.check().is_err());
        let context = ClusterAccess { context: Some("c".into()), ..ClusterAccess::server("https://a") };
        assert!(context.check().is_err());
    }

    #[test]
    fn a_command_for_a_person_names_files_and_no_secret() {
        let access = ClusterAccess { token_file: Some("/run/token".into()), ..ClusterAccess::server("https://a") };
        assert_eq!(access.kubectl(), "kubectl --server https://a --token \"$(cat /run/token)\"");
    }

    #[tokio::test]
    async fn a_kubeconfig_that_cannot_be_used_is_not_quoted() {
        let clusters = Clusters::builder(Arc::new(dr_core::time::ManualClock::new())).build();
        let region = RegionId::new("eu-west-1").unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        let absent = clusters.client(&region, &ClusterAccess::kubeconfig(&path)).await.err().unwrap();
        assert!(absent.message().contains("cannot be read"), "{absent}");
        std::fs::write(&path, "users: [{ name: a, user: { token: [s3cret] } }]").unwrap();
        let broken = clusters.client(&region, &ClusterAccess::kubeconfig(&path)).await.err().unwrap();
        assert_eq!((broken.kind(), broken.effect()), (ErrorKind::Invalid, Effect::NotApplied));
        assert!(!format!("{broken:?}").contains("s3cret"));
    }
}
