use std::{
    io::Write as _,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use dr_core::time::{Clock as _, SystemClock};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::NoServerSessionStorage,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use crate::{
    Outcome,
    arrivals::Arrivals,
    estate::{self, Wire},
    linger::raise_file_limit,
};

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";

/// What has arrived, while anybody wants to know.
type Heard = Arc<Mutex<Option<Arrivals>>>;

/// Answers 200 to everything, on a port that it prints first. Each `begin` on standard input starts to note arrivals anew; each
/// `tell MILLISECONDS` prints what they were as looks of that interval. It ends with its standard input.
pub(crate) fn serve(wire: Wire) -> Outcome {
    raise_file_limit();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)))?;
        let listener = socket.listen(4096)?;
        let mut out = std::io::stdout();
        writeln!(out, "{}", listener.local_addr()?.port())?;
        out.flush()?;
        let heard = Heard::default();
        let ordered = Arc::clone(&heard);
        std::thread::spawn(move || {
            obey(&ordered);
            std::process::exit(0);
        });
        match wire {
            Wire::Http => accept(listener, heard, |stream| async move { answer(stream).await }).await,
            Wire::Https => {
                let acceptor = TlsAcceptor::from(Arc::new(config()?));
                let encrypted = move |stream| {
                    let acceptor = acceptor.clone();
                    async move { answer(acceptor.accept(stream).await.ok()?).await }
                };
                accept(listener, heard, encrypted).await
            }
        }
    })
}

async fn accept<F, A>(listener: TcpListener, heard: Heard, answer: F) -> Outcome
where
    F: Fn(TcpStream) -> A,
    A: Future<Output = Option<()>> + Send + 'static,
{
    let clock = SystemClock::new();
    loop {
        // A connection that is gone again, or no descriptor at the moment.
        let Ok((stream, _)) = listener.accept().await else { continue };
        let at = clock.monotonic().since_origin();
        if let Some(target) = stream.local_addr().ok().and_then(target)
            && let Some(arrivals) = heard.lock().unwrap_or_else(PoisonError::into_inner).as_mut()
        {
            arrivals.add(target, at);
        }
        tokio::spawn(answer(stream));
    }
}

fn target(address: SocketAddr) -> Option<u32> {
    match address.ip() {
        IpAddr::V4(address) => estate::target(address),
        IpAddr::V6(_) => None,
    }
}

async fn answer<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> Option<()> {
    let mut head = Vec::with_capacity(1024);
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await.ok()? == 0 || head.len() > 16 * 1024 {
            return None;
        }
    }
    stream.write_all(ANSWER).await.ok()?;
    stream.shutdown().await.ok()
}

fn config() -> Outcome<ServerConfig> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(estate::CERTIFICATE).collect::<Result<_, _>>()?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certificates, PrivateKeyDer::from_pem_slice(estate::KEY)?)?;
    // Each look is to verify the certificate: nothing is to be resumed.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

fn obey(heard: &Heard) {
    for line in std::io::stdin().lines() {
        let Ok(line) = line else { return };
        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        match line.split_once(' ') {
            None => *heard = Some(Arrivals::default()),
            Some((_, interval)) => {
                let interval = Duration::from_millis(interval.parse().unwrap_or_default());
                let rhythm = heard.take().unwrap_or_default().rhythm(interval);
                println!("{}", rhythm.json());
            }
        }
    }
}
