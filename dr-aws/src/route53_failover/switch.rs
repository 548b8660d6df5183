use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    model::{Plane, RegionId},
    plan::Call,
    time::{Clock, timeout},
};
use serde::{Deserialize, Serialize};

use crate::{Clients, classify};

/// An operation on one object ends by then, retries included.
const LIMIT: Duration = Duration::from_secs(12);

/// The object whose presence sends clients to the standby region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Switch {
    /// The region of the bucket: the standby's.
    pub(super) region: RegionId,
    /// The bucket.
    pub(super) bucket: String,
    /// The key.
    pub(super) key: String,
}

impl Switch {
    /// `s3://bucket/key`, for people.
    pub(super) fn uri(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }

    /// The object's text, or none when it is absent.
    pub(super) async fn read(&self, clients: &Clients, clock: &dyn Clock) -> Result<Option<String>> {
        let look = async {
            let reply =
                clients.for_reads(&self.region).s3().get_object().bucket(&self.bucket).key(&self.key).send().await;
            match reply {
                Ok(object) => {
                    let bytes = object.body.collect().await.map_err(|e| {
                        Error::new(ErrorKind::Unavailable, format!("{} broke off: {e}", self.uri()))
                            .during("s3:GetObject")
                            .with_effect(Effect::NotApplied)
                    })?;
                    Ok(Some(String::from_utf8_lossy(&bytes.into_bytes()).into_owned()))
                }
                Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_key()) => Ok(None),
                Err(error) => Err(classify("s3:GetObject", error).with_effect(Effect::NotApplied)),
            }
        };
        self.limited(clock, "s3:GetObject", Effect::NotApplied, look).await
    }

    /// Makes the object. Sent once: making it twice is harmless, but the caller looks first all the same.
    pub(super) async fn put(&self, clients: &Clients, clock: &dyn Clock, text: &str) -> Result<()> {
        let act = async {
            let body = ByteStream::from(text.as_bytes().to_vec());
            let call = clients.for_writes(&self.region).s3().put_object().bucket(&self.bucket).key(&self.key);
            call.content_type("application/json").body(body).send().await.map_err(|e| classify("s3:PutObject", e))?;
            Ok(())
        };
        self.limited(clock, "s3:PutObject", Effect::Indefinite, act).await
    }

    /// Removes the object.
    pub(super) async fn delete(&self, clients: &Clients, clock: &dyn Clock) -> Result<()> {
        let act = async {
            let call = clients.for_writes(&self.region).s3().delete_object().bucket(&self.bucket).key(&self.key);
            call.send().await.map_err(|e| classify("s3:DeleteObject", e))?;
            Ok(())
        };
        self.limited(clock, "s3:DeleteObject", Effect::Indefinite, act).await
    }

    async fn limited<T>(
        &self,
        clock: &dyn Clock,
        operation: &'static str,
        effect: Effect,
        call: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        timeout(clock, LIMIT, call).await.unwrap_or_else(|elapsed| {
            Err(Error::new(ErrorKind::Timeout, format!("{}: {elapsed}", self.uri()))
                .during(operation)
                .with_effect(effect))
        })
    }

    /// The call `operation` on this object, which a person would make with `aws s3api`.
    pub(super) fn call(&self, operation: &'static str, command: &str, mutates: bool) -> Call {
        Call {
            operation: operation.into(),
            plane: Plane::Data,
            endpoints: vec![self.region.clone()],
            mutates,
            args: std::collections::BTreeMap::new(),
            manual: format!("aws s3api {command} --bucket {} --key {} --region {}", self.bucket, self.key, self.region),
        }
        .arg("Bucket", self.bucket.clone())
        .arg("Key", self.key.clone())
    }
}
