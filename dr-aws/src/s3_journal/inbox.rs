//! Requests to a run, one object each.

use bytes::Bytes;
use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    journal::{Request, RequestId, Submitted, refusal},
};

use super::{
    run::Run,
    store::{Put, When},
};

impl Run {
    /// Reads on to the end of the inbox.
    async fn refresh_inbox(&self, inbox: &mut Vec<Submitted>) -> Result<()> {
        loop {
            let id = next(inbox);
            let Some(object) = self.shared.store.get(&self.shared.keys.request(&self.id, id.0)).await? else {
                return Ok(());
            };
            let request = serde_json::from_slice(&object.body).map_err(|e| {
                let message = format!("request {id} of run {} cannot be read: {e}", self.id);
                Error::new(ErrorKind::Corrupt, message).with_effect(Effect::NotApplied)
            })?;
            inbox.push(Submitted { id, request });
        }
    }

    pub(super) async fn requests(&self, after: RequestId) -> Result<Vec<Submitted>> {
        let mut inbox = self.inbox.lock().await;
        self.refresh_inbox(&mut inbox).await?;
        Ok(inbox.iter().filter(|submitted| submitted.id > after).cloned().collect())
    }

    pub(super) async fn submit(&self, request: &Request) -> Result<RequestId> {
        if self.tail().await?.seq.0 == 0 {
            return Err(refusal::no_run(&self.id));
        }
        let bytes = serde_json::to_vec(request).map(Bytes::from).map_err(|e| {
            Error::new(ErrorKind::Invalid, format!("the request cannot be written: {e}"))
                .with_effect(Effect::NotApplied)
        })?;
        let mut inbox = self.inbox.lock().await;
        loop {
            self.refresh_inbox(&mut inbox).await?;
            let earlier = inbox.iter().find(|earlier| earlier.request.token == request.token);
            if let Some(id) = refusal::again(&self.id, earlier, request)? {
                return Ok(id);
            }
            let id = next(&inbox);
            // The token is in the bytes: equal bytes are this very request, whoever sent them.
            let key = self.shared.keys.request(&self.id, id.0);
            if self.shared.store.put(&key, bytes.clone(), When::Absent).await? == Put::Done {
                inbox.push(Submitted { id, request: request.clone() });
                return Ok(id);
            }
            // Each time, somebody else has come forward by one; a line that long does not come up.
        }
    }
}

fn next(inbox: &[Submitted]) -> RequestId {
    inbox.last().map_or(RequestId(0), |last| last.id).next()
}
