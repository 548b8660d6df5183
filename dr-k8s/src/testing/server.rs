use std::{fmt::Write as _, io, net::SocketAddr};

use dr_core::{
    model::{Plane, RegionId},
    testing::Fault,
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};

use super::Cluster;

/// A cluster that is served over HTTP, until this is dropped.
#[derive(Debug)]
pub struct Serving {
    region: RegionId,
    address: SocketAddr,
    token: Option<String>,
    task: JoinHandle<()>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Serving {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The server's address for a client: `http://127.0.0.1:34567`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A kubeconfig with this cluster alone; see [`kubeconfig`].
    #[must_use]
    pub fn kubeconfig(&self) -> String {
        kubeconfig([self])
    }
}

/// A kubeconfig with one context for each cluster, named after its region; the first is the current one.
#[must_use]
pub fn kubeconfig<'a>(clusters: impl IntoIterator<Item = &'a Serving>) -> String {
    let (mut servers, mut users, mut contexts) = (String::new(), String::new(), String::new());
    let mut current = None;
    for serving in clusters {
        let (region, url) = (&serving.region, serving.url());
        current.get_or_insert(region);
        // Writing to a String cannot fail.
        let _ = writeln!(servers, "- name: {region}\n  cluster:\n    server: {url}");
        let _ = writeln!(contexts, "- name: {region}\n  context:\n    cluster: {region}\n    user: {region}");
        let _ = match &serving.token {
            Some(token) => writeln!(users, "- name: {region}\n  user:\n    token: {token:?}"),
            None => writeln!(users, "- name: {region}\n  user: {{}}"),
        };
    }
    let current = current.map_or("", RegionId::as_str);
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {current}\nclusters:\n{servers}users:\n{users}contexts:\n{contexts}"
    )
}

impl Cluster {
    /// Serves the cluster over HTTP, on a loopback address as a rule; port 0 takes any free one.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    pub async fn serve(&self, address: SocketAddr) -> io::Result<Serving> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(accept(self.clone(), listener));
        let (region, token) = (self.shared.region.clone(), self.shared.token.clone());
        Ok(Serving { region, address, token, task })
    }
}

async fn accept(cluster: Cluster, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else { continue };
        if cluster.shared.faults.plane(cluster.region(), Plane::Kubernetes) == Some(Fault::Refuse) {
            continue;
        }
        // Small answers must not wait for each other's acknowledgement; a socket that refuses the option still works.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(cluster.service());
        connections.spawn(async move {
            let connection =
                http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
            // A broken connection is either a client that left or a fault that was asked for.
            let _ = connection.await;
        });
    }
}
