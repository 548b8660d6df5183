use std::{sync::Arc, time::Duration};

use axum::Router;
use dr_core::time::{Clock as _, SystemClock, timeout};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// How many connections there are at once; more wait. Few ask, and each asks briefly.
const CONNECTIONS: usize = 64;
/// How long a caller may take to put its question, and for all of a connection, in this machine's time.
const HEAD: Duration = Duration::from_secs(5);
const CONNECTION: Duration = Duration::from_secs(30);
/// How long those who are being answered are waited for at the end.
const FAREWELL: Duration = Duration::from_secs(2);

/// Serves until cancelled, and then lets those who are being answered finish.
pub(crate) async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = async {
                let slot = Arc::clone(&slots).acquire_owned().await;
                (slot, listener.accept().await)
            } => accepted,
        };
        let (slot, accepted) = accepted;
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, _)) => {
                let (router, stop) = (router.clone(), stop.clone());
                connections.spawn(async move {
                    // The most that one caller can hold.
                    let _ = timeout(&SystemClock::new(), CONNECTION, converse(stream, router, stop)).await;
                    drop(slot);
                });
            }
            // Out of file descriptors, most likely: wait for one.
            Err(_) => SystemClock::new().sleep(Duration::from_millis(100)).await,
        }
    }
    let farewell = async { while connections.join_next().await.is_some() {} };
    let _ = timeout(&SystemClock::new(), FAREWELL, farewell).await;
}

async fn converse(stream: TcpStream, router: Router, stop: CancellationToken) {
    // Only slower without it.
    let _ = stream.set_nodelay(true);
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(16 * 1024);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    // An error is the caller's hanging up.
    tokio::select! {
        biased;
        _ = connection.as_mut() => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
