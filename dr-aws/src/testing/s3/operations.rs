use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use dr_core::time::Timestamp;
use futures::StreamExt as _;
use http::StatusCode;
use s3s::{
    Body, S3Error, S3ErrorCode, S3Request, S3Response, S3Result,
    dto::{
        self, Bucket as ListedBucket, BucketLocationConstraint, BucketVersioningStatus, CommonPrefix,
        CreateBucketInput, CreateBucketOutput, DeleteBucketInput, DeleteBucketOutput, DeleteObjectInput,
        DeleteObjectOutput, ETag, ETagCondition, GetBucketLocationInput, GetBucketLocationOutput,
        GetBucketVersioningInput, GetBucketVersioningOutput, GetObjectInput, GetObjectOutput, HeadBucketInput,
        HeadBucketOutput, HeadObjectInput, HeadObjectOutput, ListBucketsInput, ListBucketsOutput, ListObjectsV2Input,
        ListObjectsV2Output, Object, PutBucketVersioningInput, PutBucketVersioningOutput, PutObjectInput,
        PutObjectOutput, StreamingBlob,
    },
    s3_error,
};

use super::{
    PublicAccess, S3,
    model::{Bucket, Buckets, Content, Version},
};
use crate::testing::CallCx;

/// The operations that [`Operations`] has.
pub(super) const IMPLEMENTED: [&str; 12] = [
    "CreateBucket",
    "DeleteBucket",
    "DeleteObject",
    "GetBucketLocation",
    "GetBucketVersioning",
    "GetObject",
    "HeadBucket",
    "HeadObject",
    "ListBuckets",
    "ListObjectsV2",
    "PutBucketVersioning",
    "PutObject",
];

/// What S3 does, behind the protocol that `s3s` carries.
#[derive(Debug)]
pub(super) struct Operations {
    pub(super) model: S3,
}

/// Who calls: put into a request's extensions before `s3s` sees it.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) cx: CallCx,
    pub(super) signed: bool,
}

fn caller<T>(request: &S3Request<T>) -> S3Result<&Caller> {
    request.extensions.get::<Caller>().ok_or_else(|| s3_error!(InternalError, "the call came without its context"))
}

impl Operations {
    fn buckets<T>(&self, request: &S3Request<T>) -> S3Result<Arc<Buckets>> {
        Ok(self.model.buckets_at(caller(request)?.cx.now()))
    }
}

fn bucket_of<'a>(buckets: &'a Buckets, name: &str) -> S3Result<&'a Bucket> {
    buckets.get(name).ok_or_else(no_such_bucket)
}

fn no_such_bucket() -> S3Error {
    s3_error!(NoSuchBucket, "The specified bucket does not exist")
}

fn no_such_key() -> S3Error {
    s3_error!(NoSuchKey, "The specified key does not exist.")
}

fn precondition_failed(condition: &str) -> S3Error {
    S3Error::with_message(
        S3ErrorCode::PreconditionFailed,
        format!("At least one of the pre-conditions you specified did not hold: {condition}"),
    )
}

fn conflict() -> S3Error {
    let mut error = S3Error::with_message(
        S3ErrorCode::Custom("ConditionalRequestConflict".into()),
        "The conditional request cannot succeed due to a conflicting operation against this resource.",
    );
    error.set_status_code(StatusCode::CONFLICT);
    error
}

fn stamp(at: Timestamp) -> dto::Timestamp {
    let millis = u64::try_from(at.as_millis()).unwrap_or(0);
    dto::Timestamp::from(std::time::UNIX_EPOCH + Duration::from_millis(millis))
}

fn size(body: &Bytes) -> i64 {
    i64::try_from(body.len()).unwrap_or(i64::MAX)
}

fn matches(condition: &ETagCondition, etag: &str) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(wanted) => wanted.value() == etag,
    }
}

/// The version that a read is for, once its conditions and the caller's rights allow it.
fn readable<'a>(
    bucket: &'a Bucket,
    signed: bool,
    key: &str,
    version: Option<&str>,
) -> S3Result<(&'a Version, &'a Content)> {
    let denied = || s3_error!(AccessDenied, "Access Denied");
    if !signed && bucket.access == PublicAccess::Blocked {
        return Err(denied());
    }
    let found = match version {
        None => bucket.current(key),
        Some(id) => bucket
            .objects
            .get(key)
            .and_then(|versions| versions.iter().find(|version| version.id == id))
            .and_then(|version| Some((version, version.content.as_ref()?))),
    };
    // Without the right to list, absence is not the caller's to know.
    let hides_absence = !signed && bucket.access == PublicAccess::Read;
    found.ok_or_else(|| if hides_absence { denied() } else { no_such_key() })
}

fn check_read(etag: &str, if_match: Option<&ETagCondition>, if_none_match: Option<&ETagCondition>) -> S3Result<()> {
    if if_match.is_some_and(|condition| !matches(condition, etag)) {
        return Err(precondition_failed("If-Match"));
    }
    if if_none_match.is_some_and(|condition| matches(condition, etag)) {
        return Err(s3_error!(NotModified, "Not Modified"));
    }
    Ok(())
}

async fn read_all(body: Option<StreamingBlob>) -> S3Result<Bytes> {
    let mut bytes = BytesMut::new();
    let Some(mut body) = body else { return Ok(bytes.freeze()) };
    while let Some(chunk) = body.next().await {
        bytes.extend_from_slice(&chunk.map_err(|error| S3Error::with_source(S3ErrorCode::IncompleteBody, error))?);
    }
    Ok(bytes.freeze())
}

#[async_trait]
impl s3s::S3 for Operations {
    async fn create_bucket(&self, request: S3Request<CreateBucketInput>) -> S3Result<S3Response<CreateBucketOutput>> {
        let Caller { cx, .. } = caller(&request)?;
        let wanted = request.input.create_bucket_configuration.as_ref().and_then(|it| it.location_constraint.as_ref());
        let is_home = match wanted {
            Some(wanted) => wanted.as_str() == cx.region().as_str(),
            None => cx.region().as_str() == "us-east-1",
        };
        if !is_home {
            return Err(s3_error!(
                IllegalLocationConstraintException,
                "The location constraint is incompatible for the region specific endpoint this request was sent to."
            ));
        }
        let name = &request.input.bucket;
        self.model.try_write(|buckets, now| match buckets.get(name) {
            // An old habit of us-east-1: to create one's own bucket again succeeds.
            Some(there) if there.region.as_str() == "us-east-1" && there.region == *cx.region() => Ok(()),
            Some(_) => Err(s3_error!(
                BucketAlreadyOwnedByYou,
                "Your previous request to create the named bucket succeeded and you already own it."
            )),
            None => {
                buckets.insert(name.clone(), Bucket::new(cx.region().clone(), now, PublicAccess::Blocked));
                cx.applied(name);
                Ok(())
            }
        })?;
        Ok(S3Response::new(CreateBucketOutput { location: Some(format!("/{name}")) }))
    }

    async fn delete_bucket(&self, request: S3Request<DeleteBucketInput>) -> S3Result<S3Response<DeleteBucketOutput>> {
        let name = &request.input.bucket;
        self.model.try_write(|buckets, _| {
            if !bucket_of(buckets, name)?.objects.is_empty() {
                return Err(s3_error!(BucketNotEmpty, "The bucket you tried to delete is not empty"));
            }
            buckets.remove(name);
            caller(&request)?.cx.applied(name);
            Ok(())
        })?;
        Ok(S3Response::new(DeleteBucketOutput::default()))
    }

    async fn head_bucket(&self, request: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        let buckets = self.buckets(&request)?;
        let region = bucket_of(&buckets, &request.input.bucket)?.region.to_string();
        Ok(S3Response::new(HeadBucketOutput { bucket_region: Some(region), ..Default::default() }))
    }

    async fn list_buckets(&self, request: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
        let buckets = self.buckets(&request)?;
        let listed = buckets.iter().map(|(name, bucket)| ListedBucket {
            bucket_region: Some(bucket.region.to_string()),
            creation_date: Some(stamp(bucket.created)),
            name: Some(name.clone()),
        });
        Ok(S3Response::new(ListBucketsOutput { buckets: Some(listed.collect()), ..Default::default() }))
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        let buckets = self.buckets(&request)?;
        let region = bucket_of(&buckets, &request.input.bucket)?.region.to_string();
        // A bucket of us-east-1 has no location constraint.
        let constraint = (region != "us-east-1").then(|| BucketLocationConstraint::from(region));
        Ok(S3Response::new(GetBucketLocationOutput { location_constraint: constraint }))
    }

    async fn get_bucket_versioning(
        &self,
        request: S3Request<GetBucketVersioningInput>,
    ) -> S3Result<S3Response<GetBucketVersioningOutput>> {
        let buckets = self.buckets(&request)?;
        let status = bucket_of(&buckets, &request.input.bucket)?.versioning.clone().map(BucketVersioningStatus::from);
        Ok(S3Response::new(GetBucketVersioningOutput { status, ..Default::default() }))
    }

    async fn put_bucket_versioning(
        &self,
        request: S3Request<PutBucketVersioningInput>,
    ) -> S3Result<S3Response<PutBucketVersioningOutput>> {
        let name = &request.input.bucket;
        let status = request.input.versioning_configuration.status.as_ref().map(|status| status.as_str().to_owned());
        self.model.try_write(|buckets, _| {
            buckets.get_mut(name).ok_or_else(no_such_bucket)?.versioning = status;
            caller(&request)?.cx.applied(name);
            Ok::<_, S3Error>(())
        })?;
        Ok(S3Response::new(PutBucketVersioningOutput::default()))
    }

    async fn put_object(&self, mut request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let body = read_all(request.input.body.take()).await?;
        if self.model.ignores_conditions() {
            (request.input.if_none_match, request.input.if_match) = (None, None);
        }
        let Caller { cx, .. } = caller(&request)?;
        let input = &request.input;
        if matches!(input.if_none_match, Some(ETagCondition::ETag(_))) {
            return Err(s3_error!(
                NotImplemented,
                "A header you provided implies functionality that is not implemented: If-None-Match takes only *"
            ));
        }
        let is_conditional = input.if_none_match.is_some() || input.if_match.is_some();
        if is_conditional && self.model.conflicts() {
            return Err(conflict());
        }
        let content = Content::new(
            body,
            input.content_type.as_ref().map(ToString::to_string),
            input.metadata.clone().unwrap_or_default(),
        );
        let etag = content.etag.clone();
        let version_id = self.model.try_write(|buckets, now| {
            let bucket = buckets.get_mut(&input.bucket).ok_or_else(no_such_bucket)?;
            let there = bucket.current(&input.key).map(|(_, content)| content.etag.as_str());
            if input.if_none_match.is_some() && there.is_some() {
                return Err(precondition_failed("If-None-Match"));
            }
            if let Some(condition) = &input.if_match
                && !matches(condition, there.ok_or_else(no_such_key)?)
            {
                return Err(precondition_failed("If-Match"));
            }
            let id = bucket.write(&input.key, Some(content), now);
            cx.applied(format!("{}/{}", input.bucket, input.key));
            Ok(bucket.has_versions().then_some(id))
        })?;
        Ok(S3Response::new(PutObjectOutput { e_tag: Some(ETag::Strong(etag)), version_id, ..Default::default() }))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let buckets = self.buckets(&request)?;
        let input = &request.input;
        let bucket = bucket_of(&buckets, &input.bucket)?;
        let (version, content) = readable(bucket, caller(&request)?.signed, &input.key, input.version_id.as_deref())?;
        check_read(&content.etag, input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let length = u64::try_from(content.body.len()).unwrap_or(u64::MAX);
        let (body, content_range) = match &input.range {
            None => (content.body.clone(), None),
            Some(range) => {
                let range = range.check(length)?;
                let (from, to) = (usize::try_from(range.start), usize::try_from(range.end));
                let (Ok(from), Ok(to)) = (from, to) else { return Err(s3_error!(InvalidRange)) };
                let shown = format!("bytes {}-{}/{length}", range.start, range.end.saturating_sub(1));
                (content.body.slice(from..to), Some(shown))
            }
        };
        Ok(S3Response::new(GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: Some(size(&body)),
            content_range,
            body: Some(StreamingBlob::from(Body::from(body))),
            content_type: content.content_type.as_deref().and_then(|it| it.parse().ok()),
            e_tag: Some(ETag::Strong(content.etag.clone())),
            last_modified: Some(stamp(version.modified)),
            metadata: Some(content.metadata.clone()).filter(|metadata| !metadata.is_empty()),
            version_id: bucket.has_versions().then(|| version.id.clone()),
            ..Default::default()
        }))
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let buckets = self.buckets(&request)?;
        let input = &request.input;
        let bucket = bucket_of(&buckets, &input.bucket)?;
        let (version, content) = readable(bucket, caller(&request)?.signed, &input.key, input.version_id.as_deref())?;
        check_read(&content.etag, input.if_match.as_ref(), input.if_none_match.as_ref())?;
        Ok(S3Response::new(HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: Some(size(&content.body)),
            content_type: content.content_type.as_deref().and_then(|it| it.parse().ok()),
            e_tag: Some(ETag::Strong(content.etag.clone())),
            last_modified: Some(stamp(version.modified)),
            metadata: Some(content.metadata.clone()).filter(|metadata| !metadata.is_empty()),
            version_id: bucket.has_versions().then(|| version.id.clone()),
            ..Default::default()
        }))
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        let Caller { cx, .. } = caller(&request)?;
        let input = &request.input;
        let output = self.model.try_write(|buckets, now| {
            let bucket = buckets.get_mut(&input.bucket).ok_or_else(no_such_bucket)?;
            if let Some(condition) = &input.if_match {
                let there = bucket.current(&input.key).map(|(_, content)| content.etag.clone());
                if !there.is_some_and(|etag| matches(condition, &etag)) {
                    return Err(precondition_failed("If-Match"));
                }
            }
            let subject = format!("{}/{}", input.bucket, input.key);
            if let Some(id) = &input.version_id {
                if let Some(versions) = bucket.objects.get_mut(&input.key) {
                    versions.retain(|version| version.id != *id);
                    if versions.is_empty() {
                        bucket.objects.remove(&input.key);
                    }
                    cx.applied(subject);
                }
                return Ok(DeleteObjectOutput { version_id: Some(id.clone()), ..Default::default() });
            }
            // To delete what is not there succeeds and, without versioning, changes nothing.
            if !bucket.has_versions() && bucket.current(&input.key).is_none() {
                return Ok(DeleteObjectOutput::default());
            }
            let id = bucket.write(&input.key, None, now);
            cx.applied(subject);
            let marker = bucket.has_versions();
            Ok(DeleteObjectOutput {
                delete_marker: marker.then_some(true),
                version_id: marker.then_some(id),
                ..Default::default()
            })
        })?;
        Ok(S3Response::new(output))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let buckets = self.buckets(&request)?;
        let ListObjectsV2Input { bucket: name, prefix, delimiter, max_keys, continuation_token, start_after, .. } =
            request.input.clone();
        let bucket = bucket_of(&buckets, &name)?;
        if !caller(&request)?.signed && bucket.access != PublicAccess::ReadAndList {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        }
        let limit = usize::try_from(max_keys.unwrap_or(1000)).unwrap_or(0).min(1000);
        let after = continuation_token.as_ref().or(start_after.as_ref());
        let wanted = prefix.as_deref().unwrap_or_default();
        let (mut contents, mut prefixes, mut last, mut truncated) = (Vec::new(), BTreeSet::new(), None, false);
        for key in bucket.objects.keys().filter(|key| key.starts_with(wanted)) {
            if after.is_some_and(|after| key <= after || (delimiter.is_some() && key.starts_with(after.as_str()))) {
                continue;
            }
            let Some((version, content)) = bucket.current(key) else { continue };
            let group = delimiter.as_deref().filter(|it| !it.is_empty()).and_then(|delimiter| {
                let rest = key.strip_prefix(wanted)?;
                rest.find(delimiter)
                    .and_then(|at| rest.get(..at + delimiter.len()))
                    .map(|rest| format!("{wanted}{rest}"))
            });
            if group.as_ref().is_some_and(|group| prefixes.contains(group)) {
                continue;
            }
            if contents.len() + prefixes.len() >= limit {
                truncated = true;
                break;
            }
            last = Some(group.clone().unwrap_or_else(|| key.clone()));
            match group {
                Some(group) => {
                    prefixes.insert(group);
                }
                None => contents.push(Object {
                    e_tag: Some(ETag::Strong(content.etag.clone())),
                    key: Some(key.clone()),
                    last_modified: Some(stamp(version.modified)),
                    size: Some(size(&content.body)),
                    ..Default::default()
                }),
            }
        }
        let prefixes: Vec<_> = prefixes.into_iter().map(|prefix| CommonPrefix { prefix: Some(prefix) }).collect();
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(name),
            key_count: i32::try_from(contents.len() + prefixes.len()).ok(),
            max_keys: i32::try_from(limit).ok(),
            is_truncated: Some(truncated),
            next_continuation_token: last.filter(|_| truncated),
            contents: Some(contents),
            common_prefixes: Some(prefixes),
            prefix,
            delimiter,
            continuation_token,
            start_after,
            ..Default::default()
        }))
    }
}
