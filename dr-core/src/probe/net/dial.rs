use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

#[cfg(any(target_os = "linux", target_os = "android"))]
use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};

use super::{
    alarm::{Alarm, Late},
    miss::Miss,
    names::resolve,
};
use crate::{
    probe::{AddressFamily, Latency, Spoken},
    time::{Clock, Monotonic},
};

/// How to reach a target.
#[derive(Clone, Debug)]
pub(super) struct Dial {
    pub(super) host: String,
    pub(super) port: u16,
    /// Where to connect, whatever `host` resolves to.
    pub(super) address: Option<SocketAddr>,
    /// The address of this machine to connect from.
    pub(super) from: Option<IpAddr>,
    /// For the name and the connection together.
    pub(super) limit: Duration,
    /// Which of a name's addresses to try.
    pub(super) family: AddressFamily,
    /// Whether something is said as soon as the connection stands.
    pub(super) speaks: bool,
    /// How to end the connection.
    pub(super) hang_up: HangUp,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HangUp {
    /// With a reset, at once. Nobody waits for the end of a look, and a port that lingers a minute after each look is one
    /// that later looks cannot use: 28,000 of them last for 470 looks a second at one target.
    Reset,
    /// In order: what was written may still be on its way, and has to arrive.
    Orderly,
}

impl Dial {
    /// For `host`, a name or an address, with the defaults of a look.
    pub(super) fn new(host: &str, port: u16, limit: Duration) -> Self {
        let address = host.parse().ok().map(|ip| SocketAddr::new(ip, port));
        Self {
            host: host.to_owned(),
            port,
            address,
            from: None,
            limit,
            family: AddressFamily::Any,
            speaks: false,
            hang_up: HangUp::Reset,
        }
    }

    /// Opens a connection, and writes down how long it took.
    pub(super) async fn connect(&self, clock: &dyn Clock, latency: &mut Latency) -> Result<TcpStream, Miss> {
        let mut alarm = Alarm::new(clock, self.limit);
        let begun = alarm.now();
        self.connect_before(begun, begun + self.limit, &mut alarm, latency).await
    }

    /// The same, on the timer of a whole look, of which this part began at `begun` and which ends at `end`.
    pub(super) async fn connect_before(
        &self,
        begun: Monotonic,
        end: Monotonic,
        alarm: &mut Alarm<'_>,
        latency: &mut Latency,
    ) -> Result<TcpStream, Miss> {
        let started = alarm.now();
        let deadline = end.min(begun + self.limit);
        let limit = deadline.since(begun);
        if let Some(address) = self.address {
            let stream = alarm
                .before(deadline, self.open(address))
                .await
                .map_err(|Late| Miss::failed(format!("connect timed out after {}", Spoken(limit))))?
                .map_err(|error| Miss::from_io("connect", error))?;
            add(&mut latency.connect, alarm.now().since(started));
            return Ok(stream);
        }
        let addresses = alarm
            .before(deadline, resolve(&self.host, self.port, self.family))
            .await
            .map_err(|Late| Miss::failed(format!("resolving {} timed out after {}", self.host, Spoken(limit))))??;
        let resolved = alarm.now();
        add(&mut latency.resolve, resolved.since(started));
        let mut miss = None;
        let several = || match (addresses.tried.len(), addresses.of) {
            (1, 1) => String::new(),
            (tried, of) if tried == of => format!(" (tried {tried} addresses)"),
            (tried, of) => format!(" (tried {tried} of {of} addresses)"),
        };
        for (address, left) in addresses.tried.iter().zip((1..=addresses.tried.len()).rev()) {
            // What is left is shared, so that an address that swallows everything leaves time for the next.
            let now = alarm.now();
            let share = deadline.since(now) / u32::try_from(left).unwrap_or(u32::MAX);
            match alarm.before(now + share, self.open(*address)).await {
                Ok(Ok(stream)) => {
                    add(&mut latency.connect, alarm.now().since(resolved));
                    return Ok(stream);
                }
                Ok(Err(error)) => match Miss::from_io("connect", error) {
                    // This machine may lack one family; what another address said counts.
                    Miss::Blind(_) if matches!(miss, Some(Miss::Failed(_))) => {}
                    other => miss = Some(other),
                },
                Err(Late) => miss = Some(Miss::failed(format!("connect timed out after {}", Spoken(limit)))),
            }
        }
        Err(match miss {
            Some(Miss::Failed(reason)) => Miss::Failed(reason + &several()),
            Some(blind) => blind,
            None => Miss::failed("no address to connect to"),
        })
    }

    async fn open(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if self.hang_up == HangUp::Reset {
            socket.set_zero_linger()?;
        }
        if self.speaks {
            answer_with_what_is_said(&socket);
        }
        if let Some(from) = self.from {
            socket.bind(SocketAddr::new(from, 0))?;
        }
        socket.connect(address).await
    }
}

/// Lets the far side's consent to the connection be acknowledged by what is said next, and not in a packet of its own: a
/// look at an HTTP server is seven packets instead of nine. Where nothing is said soon, the kernel acknowledges by
/// itself (`TCP_QUICKACK` in tcp(7)).
fn answer_with_what_is_said(socket: &TcpSocket) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    // Where it cannot be had, a look costs two packets more.
    let _ = SockRef::from(socket).set_tcp_quickack(false);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = socket;
}

/// Adds to a phase that a look may go through several times.
pub(super) fn add(phase: &mut Option<Duration>, spent: Duration) {
    *phase = Some(phase.unwrap_or_default().saturating_add(spent));
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::{pin::pin, task::Poll};

    use tokio::net::TcpListener;

    use super::*;
    use crate::time::SystemClock;

    /// How often, of five times, a server hears of a connection before anything was said.
    async fn heard_before_a_word(speaks: bool) -> usize {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let dial = Dial { speaks, ..Dial::new("127.0.0.1", port, Duration::from_secs(5)) };
        let mut heard = 0;
        for _ in 0..5 {
            let stream = dial.connect(&SystemClock::new(), &mut Latency::default()).await.unwrap();
            let mut accept = pin!(listener.accept());
            if let Poll::Ready(accepted) = futures::poll!(&mut accept) {
                accepted.unwrap();
                heard += 1;
            } else {
                // The kernel acknowledges by itself when nothing is said for a while.
                accept.await.unwrap();
            }
            drop(stream);
        }
        heard
    }

    #[tokio::test]
    async fn who_speaks_at_once_acknowledges_with_what_it_says() {
        assert!(heard_before_a_word(true).await < heard_before_a_word(false).await);
    }
}
