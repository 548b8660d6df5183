use std::{fmt, net::SocketAddr, time::Duration};

/// What a checker looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeKind {
    /// That the port takes connections.
    Tcp,
    /// That the answer's status is 2xx or 3xx, and that its body begins with, or soon holds, a string.
    Http {
        /// What the Host header says.
        host: String,
        /// Path and query.
        path: String,
        /// The string, case-sensitive, that must lie within the first 5,120 bytes.
        search: Option<String>,
    },
}

/// One health check, as its checkers poll it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Where to; none when the check's name does not resolve, which is a failure.
    pub target: Option<SocketAddr>,
    /// What for.
    pub kind: ProbeKind,
    /// From an answer to the next request: 10 or 30 s.
    pub interval: Duration,
}

/// The checks that there are, and where observations of them go.
///
/// ```
/// use std::time::Duration;
/// use dr_lab::checkers::{HealthPlane, Probe, ProbeKind};
///
/// /// One check, of a port that nobody listens on.
/// #[derive(Debug)]
/// struct Lonely;
///
/// impl HealthPlane for Lonely {
///     fn checks(&self) -> Vec<String> { vec!["check-1".to_owned()] }
///     fn probe(&self, _check: &str) -> Option<Probe> {
///         Some(Probe { target: None, kind: ProbeKind::Tcp, interval: Duration::from_secs(30) })
///     }
///     fn observe(&self, check: &str, checker: &str, seen: Result<String, String>) {
///         println!("{checker} sees {check}: {seen:?}");
///     }
/// }
///
/// assert_eq!(Lonely.checks().len(), 1);
/// ```
pub trait HealthPlane: fmt::Debug + Send + Sync + 'static {
    /// The ids of the checks that are polled.
    fn checks(&self) -> Vec<String>;
    /// How a check is polled now; none when it is gone, or disabled.
    fn probe(&self, check: &str) -> Option<Probe>;
    /// Takes in what one checker saw: what was well, or what was not.
    fn observe(&self, check: &str, checker: &str, seen: Result<String, String>);
}
