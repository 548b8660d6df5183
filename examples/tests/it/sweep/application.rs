//! The application of both regions, as far as a plan looks at it: its health, and whether it takes an order.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use dr_core::{
    model::{Plane, RegionId},
    testing::{CallSite, Fault, FaultBoard},
    time::SharedClock,
};
use dr_lab::{estate::Estate, platform::PLACES};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// Listens on the addresses of both regions, at one port.
pub(super) async fn listen() -> (u16, Vec<(RegionId, TcpListener)>) {
    let serving: Vec<_> = PLACES.iter().filter(|place| place.name.is_some()).collect();
    'port: loop {
        let mut listeners = Vec::new();
        let mut port = 0;
        for place in &serving {
            let Ok(listener) = TcpListener::bind(SocketAddr::from((place.address, port))).await else { continue 'port };
            port = listener.local_addr().unwrap().port();
            listeners.push((place.region.parse().unwrap(), listener));
        }
        return (port, listeners);
    }
}

/// One region's application.
#[derive(Clone)]
pub(super) struct Application {
    pub(super) region: RegionId,
    pub(super) estate: Arc<Estate>,
    pub(super) faults: FaultBoard,
    pub(super) clock: SharedClock,
}

impl Application {
    /// Serves until dropped.
    pub(super) async fn serve(self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            connections.spawn(self.clone().answer(stream));
            while connections.try_join_next().is_some() {}
        }
    }

    async fn answer(self, mut stream: TcpStream) {
        let Some(request) = read(&mut stream).await else { return };
        let operation = if request.starts_with(b"POST") { "app:POST /orders" } else { "app:GET /health" };
        let site = CallSite { region: &self.region, plane: Plane::Application, operation };
        let refusal = match self.faults.decide(&site) {
            None | Some(Fault::StaleRead { .. }) => None,
            Some(Fault::Slow { delay_ms }) => {
                self.clock.sleep(Duration::from_millis(delay_ms)).await;
                None
            }
            Some(Fault::Throttle) => Some("429 Too Many Requests"),
            Some(Fault::ServerError) => Some("500 Internal Server Error"),
            // The application of the sweep keeps no orders, so that what was lost before and after is the same.
            Some(Fault::Refuse | Fault::ReplyLost | Fault::LateApply { .. }) => return,
            Some(Fault::BlackHole | Fault::NoReply | _) => return std::future::pending().await,
        };
        let cluster = self.estate.places[&self.region].database.unwrap();
        let status = match refusal {
            Some(refusal) => refusal,
            None if operation == "app:GET /health" => "200 OK",
            None if self.estate.world.rds().is_writable(&self.region, cluster) => "201 Created",
            None => "503 Service Unavailable",
        };
        let body = format!(r#"{{"status":"ok","region":"{}"}}"#, self.region);
        let reply = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
        // Whoever has gone away meanwhile needs no answer.
        let _ = stream.write_all(reply.as_bytes()).await;
    }
}

async fn read(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    let mut part = [0; 2048];
    while !is_whole(&request) {
        match stream.read(&mut part).await {
            Ok(n) if n > 0 => request.extend_from_slice(&part[..n]),
            _ => return None,
        }
    }
    Some(request)
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    body.len() >= length.unwrap_or(0)
}
