use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use tokio::net::{TcpListener, UdpSocket};

/// How many port numbers are tried before giving up.
const TRIES: usize = 64;

/// Listens on every address at one and the same port: a DNS A record carries an address and no port.
///
/// With `port` 0, a port that happens to be free on all of them.
pub(crate) async fn bind_everywhere(addresses: &[IpAddr], port: u16) -> io::Result<Vec<TcpListener>> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for _ in 0..TRIES {
        match try_everywhere(addresses, port).await {
            Ok(listeners) => return Ok(listeners),
            Err(e) if port != 0 => return Err(e),
            Err(e) => last = e,
        }
    }
    Err(last)
}

async fn try_everywhere(addresses: &[IpAddr], mut port: u16) -> io::Result<Vec<TcpListener>> {
    let mut listeners = Vec::with_capacity(addresses.len());
    for address in addresses {
        let listener = TcpListener::bind(SocketAddr::new(*address, port)).await?;
        port = listener.local_addr()?.port();
        listeners.push(listener);
    }
    Ok(listeners)
}

/// Listens on loopback over UDP and TCP at one port, as a name server does.
pub(crate) async fn bind_dns(port: u16) -> io::Result<(UdpSocket, TcpListener)> {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for _ in 0..TRIES {
        let udp = UdpSocket::bind(SocketAddr::new(loopback, port)).await?;
        match TcpListener::bind(udp.local_addr()?).await {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(e) if port != 0 => return Err(e),
            Err(e) => last = e,
        }
    }
    Err(last)
}
