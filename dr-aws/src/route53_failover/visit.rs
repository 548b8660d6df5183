use std::net::{IpAddr, SocketAddr};

use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    model::InvalidId,
    probe::{HealthProbe as _, HttpProbe, ProbeCx, StatusSet, Subject},
    time::SharedClock,
};
use http::Uri;

/// One request, as a client would make it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visit<'a> {
    /// Where.
    pub(super) url: &'a str,
    /// A POST of this; a GET when absent.
    pub(super) body: Option<&'a str>,
    /// The address to connect to instead of what the URL's host resolves to here.
    pub(super) address: Option<IpAddr>,
    /// The statuses that are well.
    pub(super) expect: &'a [u16],
}

/// Makes the request on a new connection, and says what came of it.
///
/// # Errors
///
/// [`Unavailable`](ErrorKind::Unavailable) with what was seen instead; [`Invalid`](ErrorKind::Invalid) when the URL is none.
pub(super) async fn visit(clock: &SharedClock, visit: Visit<'_>) -> Result<String> {
    let named = |e: InvalidId| Error::new(ErrorKind::Internal, e.to_string()).with_effect(Effect::NotApplied);
    // A probe is told apart by these names where many are compared; here there is one, and nobody compares.
    let region = "here".parse().map_err(named)?;
    let subject = Subject::transaction("visit".parse().map_err(named)?, region);
    let vantage = "here".parse().map_err(named)?;
    let mut probe = match visit.body {
        Some(body) => HttpProbe::post(subject, vantage, visit.url, body),
        None => HttpProbe::get(subject, vantage, visit.url),
    };
    if let Some(address) = visit.address {
        probe = probe.address(SocketAddr::new(address, port(visit.url)?));
    }
    let probe = probe.expect_status(visit.expect.iter().copied().collect::<StatusSet>()).build()?;
    let reading = probe.probe(&ProbeCx::new(clock.clone())).await?;
    if reading.is_healthy() {
        return Ok(reading.reason);
    }
    let effect = if visit.body.is_some() { Effect::Indefinite } else { Effect::NotApplied };
    Err(Error::new(ErrorKind::Unavailable, format!("{}: {}", visit.url, reading.reason)).with_effect(effect))
}

fn port(url: &str) -> Result<u16> {
    let uri: Uri = url
        .parse()
        .map_err(|_| Error::new(ErrorKind::Invalid, format!("{url:?} is no URL")).with_effect(Effect::NotApplied))?;
    Ok(uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 }))
}
