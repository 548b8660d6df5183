use std::time::Duration;

use super::super::{
    alarm::{Alarm, Late},
    answer::{Come, Head, Reader, Seen},
    miss::Miss,
    stream::Stream,
};
use crate::{probe::Spoken, time::Monotonic};

/// One request and its answer, on one connection.
pub(super) struct Talk<'l, 'c, 'r> {
    pub(super) alarm: &'l mut Alarm<'c>,
    pub(super) stream: &'l mut Stream,
    pub(super) reader: Reader<'r>,
    /// For the head of the answer, and again for its body.
    pub(super) limit: Duration,
    /// When the whole look ends.
    pub(super) end: Monotonic,
}

/// Why there is no head of an answer.
#[derive(Debug)]
pub(super) struct NoHead {
    pub(super) miss: Miss,
    /// Whether the connection was over before a byte of it came, as one is that was kept too long.
    pub(super) stale: bool,
}

impl Talk<'_, '_, '_> {
    /// Sends `request`, and reads the head of the answer.
    pub(super) async fn ask(&mut self, request: &[u8]) -> Result<Head, NoHead> {
        let asked = self.alarm.now();
        let deadline = self.end.min(asked + self.limit);
        let within = Spoken(deadline.since(asked));
        let late = |what: String| NoHead { miss: Miss::Failed(format!("{what} within {within}")), stale: false };
        let sent = self.alarm.before(deadline, self.stream.send(request)).await;
        let sent = sent.map_err(|Late| late("did not take the request".to_owned()))?;
        // What it has answered counts, even if it did not wait for the whole request.
        let mut unsent = sent.err();
        loop {
            let received = self.alarm.before(deadline, self.stream.receive(self.reader.room())).await;
            let saw = self.reader.saw();
            let come = match received {
                Err(Late) if saw == 0 => return Err(late("no answer".to_owned())),
                Err(Late) => return Err(late(format!("only {saw} bytes of an answer's head"))),
                Ok(Err(error)) => {
                    let error = unsent.take().filter(|_| saw == 0).unwrap_or(error);
                    return Err(NoHead { miss: broken(error), stale: saw == 0 });
                }
                Ok(Ok(0)) => match unsent.take().filter(|_| saw == 0) {
                    Some(error) => return Err(NoHead { miss: broken(error), stale: true }),
                    None => self.reader.close(),
                },
                Ok(Ok(n)) => self.reader.took(n),
            };
            match come {
                Come::Head(head) => return Ok(head),
                Come::More => {}
                Come::Nonsense(reason) => {
                    return Err(NoHead { miss: Miss::Failed(reason), stale: self.reader.saw() == 0 });
                }
                // A body comes after a head.
                Come::Done { .. } => return Err(late("no head of an answer".to_owned())),
            }
        }
    }

    /// Reads the body, as far as anybody asked. Gives what it holds, and whether the connection can be used again.
    pub(super) async fn hear(&mut self) -> (Heard, bool) {
        let began = self.alarm.now();
        let deadline = self.end.min(began + self.limit);
        let mut come = self.reader.took(0);
        loop {
            match come {
                Come::Done { seen, clean } => return (Heard::Body(seen), clean),
                Come::More | Come::Head(_) | Come::Nonsense(_) => {}
            }
            come = match self.alarm.before(deadline, self.stream.receive(self.reader.room())).await {
                Ok(Ok(0)) => self.reader.close(),
                Ok(Ok(n)) => self.reader.took(n),
                broken => {
                    // What is known already stays known, whatever becomes of the rest.
                    let heard = match (self.reader.so_far(), broken) {
                        (Some(seen), _) => Heard::Body(seen.clone()),
                        (None, Ok(Err(error))) => Heard::Broken(Miss::from_io("reading the body", error)),
                        (None, _) => Heard::Late(deadline.since(began)),
                    };
                    return (heard, false);
                }
            };
        }
    }
}

/// What came of reading a body.
#[derive(Debug)]
pub(super) enum Heard {
    Body(Seen),
    /// It did not come in the time that it had.
    Late(Duration),
    /// The connection broke.
    Broken(Miss),
}

fn broken(error: std::io::Error) -> Miss {
    match error.kind() {
        std::io::ErrorKind::BrokenPipe => Miss::failed("closed the connection without an answer"),
        _ => Miss::from_io("reading the answer", error),
    }
}
