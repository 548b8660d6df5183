use super::{
    super::{alarm::Alarm, dial::Dial, dial::add, miss::Miss, stream::Stream, tls::Tls},
    target::Target,
};
use crate::{probe::Latency, time::Monotonic};

/// One place where a look asks, and the way there.
#[derive(Clone, Debug)]
pub(super) struct Leg {
    pub(super) target: Target,
    pub(super) dial: Dial,
    /// How to encrypt, if the target is asked over TLS or a redirect could lead to one that is.
    pub(super) tls: Option<Tls>,
}

impl Leg {
    /// The way to `next`, where this one was redirected.
    pub(super) fn onward(&self, next: Target) -> Result<Self, Miss> {
        if next.is_at(&self.target) {
            let mut dial = self.dial.clone();
            if next.port != self.target.port {
                dial.port = next.port;
                // The place that was named for the host is still where the host is.
                if let Some(address) = &mut dial.address {
                    address.set_port(next.port);
                }
            }
            return Ok(Self { target: next, dial, tls: self.tls.clone() });
        }
        let dial = Dial {
            from: self.dial.from,
            family: self.dial.family,
            speaks: self.dial.speaks,
            hang_up: self.dial.hang_up,
            ..Dial::new(&next.host, next.port, self.dial.limit)
        };
        let tls = match &self.tls {
            Some(tls) => Some(tls.renamed(&next.host).map_err(|error| Miss::failed(error.message()))?),
            None => None,
        };
        Ok(Self { target: next, dial, tls })
    }

    /// Opens a connection for `request`, encrypted if it is to be: the connection, and what of the request is still to
    /// be sent. This part of the look began at `begun`; all of it ends at `end`.
    pub(super) async fn open<'r>(
        &self,
        begun: Monotonic,
        end: Monotonic,
        alarm: &mut Alarm<'_>,
        request: &'r [u8],
        latency: &mut Latency,
    ) -> Result<(Stream, &'r [u8]), Miss> {
        let stream = self.dial.connect_before(begun, end, alarm, latency).await?;
        let Some(tls) = self.tls.as_ref().filter(|_| self.target.tls) else {
            return Ok((Stream::Plain(stream), request));
        };
        let connected = alarm.now();
        let deadline = end.min(begun + self.dial.limit);
        let (stream, sent) = tls.wrap(deadline, alarm, stream, request).await?;
        add(&mut latency.tls, alarm.now().since(connected));
        Ok((Stream::Tls(Box::new(stream)), request.get(sent..).unwrap_or_default()))
    }
}
