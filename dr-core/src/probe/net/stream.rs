use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

/// An open connection to a target, encrypted or not.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    /// Its state is large, and most looks have none.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Writes all of `bytes`.
    pub(super) async fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let n = poll_fn(|cx| self.poll_write(cx, bytes)).await?;
            if n == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            bytes = bytes.get(n..).unwrap_or_default();
        }
        match self {
            // Nothing is held back here.
            Self::Plain(_) => Ok(()),
            Self::Tls(stream) => poll_fn(|cx| Pin::new(&mut *stream).poll_flush(cx)).await,
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    /// Reads some bytes into `room`: how many, 0 at the end.
    pub(super) async fn receive(&mut self, room: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| self.poll_receive(cx, room)).await
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut room = ReadBuf::new(room);
        let read = match self {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, &mut room),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, &mut room),
        };
        match read {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(room.filled().len())),
            // The far side went away without TLS's farewell, as many do.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(0)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Whether a connection that was kept is still open, and has nothing to say that nobody asked for.
    pub(super) async fn is_quiet(&mut self) -> bool {
        let mut room = [0; 1];
        poll_fn(|cx| Poll::Ready(self.poll_receive(cx, &mut room).is_pending())).await
    }
}
