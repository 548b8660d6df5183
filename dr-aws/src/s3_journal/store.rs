//! Objects that are written on a condition, by somebody who may not hear the reply.

use std::{fmt, time::Duration};

use aws_sdk_s3::{error::ProvideErrorMetadata as _, primitives::ByteStream};
use bytes::Bytes;
use dr_core::{
    error::{Effect, Error, ErrorKind, Result, Retry},
    time::SharedClock,
};

use crate::classify;

/// How often a request is sent, the first time included.
const ATTEMPTS: u32 = 5;
/// The first pause between two of them; each later one doubles.
const PAUSE: Duration = Duration::from_millis(100);

/// A bucket.
#[derive(Clone)]
pub(super) struct Store {
    pub(super) client: aws_sdk_s3::Client,
    pub(super) bucket: String,
    pub(super) clock: SharedClock,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("bucket", &self.bucket).finish_non_exhaustive()
    }
}

/// An object, and the mark that a conditional write names it by.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) body: Bytes,
    pub(super) etag: String,
}

/// What an object must be, for a write to happen.
#[derive(Clone, Copy, Debug)]
pub(super) enum When<'a> {
    /// Not there.
    Absent,
    /// The one with this mark.
    Is(&'a str),
}

/// What came of a conditional write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// The object holds these bytes, and this write put them there.
    Done,
    /// The object was not what it should have been. Nothing was written.
    Refused,
}

/// The journal's word for a store that failed.
fn failed(error: Error, unsure: bool) -> Error {
    let effect = if unsure { Effect::Indefinite } else { error.effect() };
    Error::new(ErrorKind::Storage, format!("the journal's bucket failed: {error}"))
        .with_effect(effect)
        .with_retry(error.retry())
        .with_source(error)
}

/// What is said of a store that heeds no condition.
fn takes_all(bucket: &str) -> Error {
    let message = format!(
        "the store of bucket {bucket} ignores If-None-Match: two engines could write to one journal there; use Amazon S3, or a \
         store with conditional writes"
    );
    Error::new(ErrorKind::Unsupported, message).with_effect(Effect::NotApplied).with_retry(Retry::Never)
}

impl Store {
    async fn pause(&self, attempt: u32) {
        self.clock.sleep(PAUSE * 2_u32.saturating_pow(attempt)).await;
    }

    async fn get_once(&self, key: &str) -> Result<Option<Object>> {
        let operation = "s3:GetObject";
        let reply = match self.client.get_object().bucket(&self.bucket).key(key).send().await {
            Ok(reply) => reply,
            // A bucket that is not there is another matter.
            Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
            Err(error) => return Err(classify(operation, error)),
        };
        let etag = reply.e_tag().unwrap_or_default().to_owned();
        let body =
            reply.body.collect().await.map_err(|e| {
                Error::new(ErrorKind::Unavailable, format!("the object broke off: {e}")).during(operation)
            })?;
        Ok(Some(Object { body: body.into_bytes(), etag }))
    }

    /// An object; none when it is not there.
    pub(super) async fn get(&self, key: &str) -> Result<Option<Object>> {
        let mut attempt = 0;
        loop {
            match self.get_once(key).await {
                Ok(object) => return Ok(object),
                Err(error) => self.ask_again(&mut attempt, error).await?,
            }
        }
    }

    /// Waits before a question is asked again, while asking again can help.
    async fn ask_again(&self, attempt: &mut u32, error: Error) -> Result<()> {
        if error.retry() == Retry::Never || *attempt + 1 >= ATTEMPTS {
            return Err(failed(error.with_effect(Effect::NotApplied), false));
        }
        self.pause(*attempt).await;
        *attempt += 1;
        Ok(())
    }

    async fn list_once(&self, prefix: &str, after: Option<String>) -> Result<(Vec<String>, bool)> {
        let list = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix).set_start_after(after);
        let page = list.send().await.map_err(|e| classify("s3:ListObjectsV2", e))?;
        let keys = page.contents().iter().filter_map(|object| object.key()).map(str::to_owned).collect();
        Ok((keys, page.is_truncated().unwrap_or(false)))
    }

    /// The keys that begin with `prefix` and come after `after`, in order.
    pub(super) async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>> {
        let mut keys: Vec<String> = Vec::new();
        let mut attempt = 0;
        loop {
            let last = keys.last().map(String::as_str).or(after).map(str::to_owned);
            match self.list_once(prefix, last).await {
                Ok((page, more)) => {
                    let more = more && !page.is_empty();
                    keys.extend(page);
                    if !more {
                        return Ok(keys);
                    }
                }
                Err(error) => self.ask_again(&mut attempt, error).await?,
            }
        }
    }

    async fn put_once(&self, key: &str, body: &Bytes, when: When<'_>) -> Result<Put> {
        let put = self.client.put_object().bucket(&self.bucket).key(key).body(ByteStream::from(body.clone()));
        let put = match when {
            When::Absent => put.if_none_match("*"),
            When::Is(etag) => put.if_match(etag),
        };
        match put.send().await {
            Ok(_) => Ok(Put::Done),
            Err(error) => {
                let gone = matches!(when, When::Is(_)) && error.code() == Some("NoSuchKey");
                // By the status as well: stores that imitate S3 do not all name it.
                let status = error.raw_response().map(|reply| reply.status().as_u16());
                if gone || status == Some(412) || error.code() == Some("PreconditionFailed") {
                    return Ok(Put::Refused);
                }
                Err(classify("s3:PutObject", error))
            }
        }
    }

    /// Fails when the store takes a create of what is there. `key` and `body` are those of an object that this handle has just
    /// written and that nobody deletes, so that a store that takes them once more is none the worse for it.
    pub(super) async fn refuses_a_second_create(&self, key: &str, body: &Bytes) -> Result<()> {
        let mut attempt = 0;
        loop {
            match self.put_once(key, body, When::Absent).await {
                Ok(Put::Refused) => return Ok(()),
                Ok(Put::Done) => return Err(takes_all(&self.bucket)),
                Err(error) => self.ask_again(&mut attempt, error).await?,
            }
        }
    }

    /// Writes an object if it is what it should be. The bytes must be those of no other write: that is how a write whose reply
    /// was lost is told from somebody else's.
    pub(super) async fn put(&self, key: &str, body: Bytes, when: When<'_>) -> Result<Put> {
        let mut unsure = false;
        let mut attempt = 0;
        loop {
            match self.put_once(key, &body, when).await {
                Ok(Put::Done) => return Ok(Put::Done),
                Ok(Put::Refused) => {
                    // Something is there. Whatever is between us and the store may have sent the request twice, so this
                    // is asked after a first attempt, too.
                    let there = self.get(key).await.map_err(|e| e.with_effect(Effect::Indefinite))?;
                    let ours = there.is_some_and(|there| there.body == body);
                    return Ok(if ours { Put::Done } else { Put::Refused });
                }
                Err(error) => {
                    unsure |= error.effect() != Effect::NotApplied;
                    if error.retry() == Retry::Never || attempt + 1 >= ATTEMPTS {
                        return Err(failed(error, unsure));
                    }
                    self.pause(attempt).await;
                }
            }
            attempt += 1;
        }
    }
}
