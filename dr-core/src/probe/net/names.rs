use std::{
    io,
    net::{SocketAddr, ToSocketAddrs as _},
    sync::{Arc, LazyLock},
};

use tokio::{sync::Semaphore, task::spawn_blocking};

use super::miss::Miss;
use crate::{
    error::{Effect, Error, ErrorKind},
    probe::AddressFamily,
};

/// The most addresses of one name that a look tries. A name with thousands of them costs no more.
const ADDRESSES: usize = 4;

/// The most names that are asked for at once in this process. The system's resolver blocks a thread for each, and a
/// look that has given up cannot call it back: without a bound, a resolver that hangs would take ever more of them.
const ASKING: usize = 128;

static RESOLVER: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(ASKING)));

/// The addresses of one name that a look tries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Addresses {
    pub(super) tried: Vec<SocketAddr>,
    /// How many of the wanted family the name has.
    pub(super) of: usize,
}

impl Addresses {
    /// The first few of the wanted family.
    fn choose(all: impl IntoIterator<Item = SocketAddr>, family: AddressFamily) -> Self {
        let mut chosen = Self { tried: Vec::new(), of: 0 };
        for address in all.into_iter().filter(|address| family.admits(address.ip())) {
            chosen.of += 1;
            if chosen.tried.len() < ADDRESSES {
                chosen.tried.push(address);
            }
        }
        chosen
    }
}

/// Asks the system's resolver, as every program on this machine does: its hosts file and its search list count.
pub(super) async fn resolve(host: &str, port: u16, family: AddressFamily) -> Result<Addresses, Miss> {
    let busy = |_| {
        let message = format!("{ASKING} names are being resolved already, and none of them comes back");
        Miss::Blind(Error::new(ErrorKind::Unavailable, message).with_effect(Effect::NotApplied))
    };
    let asking = Arc::clone(&RESOLVER).try_acquire_owned().map_err(busy)?;
    let name = host.to_owned();
    let asked = spawn_blocking(move || {
        let _asking = asking;
        Ok(Addresses::choose((name.as_str(), port).to_socket_addrs()?, family))
    });
    let found: io::Result<Addresses> = asked.await.unwrap_or_else(|error| Err(io::Error::other(error)));
    let found = found.map_err(|error| Miss::failed(format!("resolving {host} failed: {error}")))?;
    match found.of {
        0 => Err(Miss::failed(format!("{host} has no {family} address"))),
        _ => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    #[test]
    fn of_thousands_of_addresses_a_few_are_kept() {
        let many = || (0..5_000_u16).map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let chosen = Addresses::choose(many(), AddressFamily::Any);
        assert_eq!((chosen.tried.len(), chosen.of), (ADDRESSES, 5_000));
        assert!(chosen.tried.capacity() <= 2 * ADDRESSES);
        assert_eq!(Addresses::choose(many(), AddressFamily::Ipv6), Addresses { tried: vec![], of: 0 });
        let six = SocketAddr::from((Ipv6Addr::LOCALHOST, 1));
        let chosen = Addresses::choose(many().chain([six]), AddressFamily::Ipv6);
        assert_eq!(chosen, Addresses { tried: vec![six], of: 1 }, "one address behind thousands is found");
    }
}
