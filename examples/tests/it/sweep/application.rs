//! The application of both regions, as far as a plan looks at it: its health, and whether it takes an order.

use std::{net::SocketAddr, sync::Arc};

use dr_core::{model::Plane, model::RegionId, testing::FaultBoard};
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

/// Serves until dropped.
pub(super) async fn serve(listener: TcpListener, region: RegionId, estate: Arc<Estate>, faults: FaultBoard) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(answer(stream, region.clone(), Arc::clone(&estate), faults.clone()));
    }
}

async fn answer(mut stream: TcpStream, region: RegionId, estate: Arc<Estate>, faults: FaultBoard) {
    let mut request = Vec::new();
    let mut part = [0; 2048];
    while !is_whole(&request) {
        match stream.read(&mut part).await {
            Ok(n) if n > 0 => request.extend_from_slice(&part[..n]),
            _ => return,
        }
    }
    if faults.plane(&region, Plane::Application).is_some() {
        return std::future::pending().await;
    }
    let status = if request.starts_with(b"POST") {
        let cluster = estate.places[&region].database.unwrap();
        if estate.world.rds().is_writable(&region, cluster) { "201 Created" } else { "503 Service Unavailable" }
    } else {
        "200 OK"
    };
    let body = format!(r#"{{"status":"ok","region":"{region}"}}"#);
    let reply = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    // Whoever has gone away meanwhile needs no answer.
    let _ = stream.write_all(reply.as_bytes()).await;
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
