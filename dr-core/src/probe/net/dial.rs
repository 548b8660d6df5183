use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use tokio::net::{TcpSocket, TcpStream, lookup_host};

use super::miss::Miss;
use crate::{
    probe::{Latency, Spoken},
    time::{Clock, timeout},
};

/// The most addresses of one name that a look tries. A name with thousands of them costs no more.
const ADDRESSES: usize = 4;

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
}

impl Dial {
    /// Opens a connection, and writes down how long it took.
    pub(super) async fn connect(&self, clock: &dyn Clock, latency: &mut Latency) -> Result<TcpStream, Miss> {
        let started = clock.monotonic();
        let addresses = match self.address {
            Some(address) => vec![address],
            None => {
                let addresses = timeout(clock, self.limit, self.resolve()).await.map_err(|_| {
                    Miss::failed(format!("resolving {} timed out after {}", self.host, Spoken(self.limit)))
                })??;
                latency.resolve = Some(clock.monotonic().since(started));
                addresses
            }
        };
        let resolved = clock.monotonic();
        let left = self.limit.saturating_sub(resolved.since(started));
        let stream = timeout(clock, left, self.try_each(&addresses))
            .await
            .map_err(|_| Miss::failed(format!("connect timed out after {}", Spoken(self.limit))))??;
        latency.connect = Some(clock.monotonic().since(resolved));
        Ok(stream)
    }

    async fn resolve(&self) -> Result<Vec<SocketAddr>, Miss> {
        let found = lookup_host((self.host.as_str(), self.port))
            .await
            .map_err(|error| Miss::failed(format!("resolving {} failed: {error}", self.host)))?;
        let addresses: Vec<SocketAddr> = found.take(ADDRESSES).collect();
        if addresses.is_empty() { Err(Miss::failed(format!("{} has no address", self.host))) } else { Ok(addresses) }
    }

    async fn try_each(&self, addresses: &[SocketAddr]) -> Result<TcpStream, Miss> {
        let mut miss = Miss::failed("no address to connect to");
        for address in addresses {
            match self.open(*address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => miss = Miss::from_io("connect", error),
            }
        }
        Err(miss)
    }

    async fn open(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(from) = self.from {
            socket.bind(SocketAddr::new(from, 0))?;
        }
        let stream = socket.connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}
