use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use bytes::Bytes;
use dr_core::{
    model::RegionId,
    time::{Monotonic, Timestamp},
};
use s3s::crypto::{Checksum as _, Md5};

use crate::testing::{History, WorldCx};

/// What callers without a signature may do with a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PublicAccess {
    /// Nothing: 403.
    #[default]
    Blocked,
    /// Read objects. An absent one is a 403, because its absence is not theirs to know.
    Read,
    /// Read objects, and learn which there are: an absent one is a 404.
    ReadAndList,
}

/// The buckets of all regions. Clones share them.
///
/// ```
/// use std::sync::Arc;
/// use dr_aws::testing::{World, s3::PublicAccess};
/// use dr_core::{model::RegionId, time::ManualClock};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let ireland = RegionId::new("eu-west-1")?;
/// let world = World::builder(Arc::new(ManualClock::new())).region(ireland.clone()).build();
/// world.s3().add_bucket(&ireland, "switches", PublicAccess::Read);
/// world.s3().put("switches", "stop", "standby takes over");
/// assert_eq!(world.s3().get("switches", "stop").as_deref(), Some(b"standby takes over".as_slice()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct S3 {
    inner: Arc<Inner>,
}

struct Inner {
    world: WorldCx,
    buckets: History<Buckets>,
    /// Conditional writes that are still to meet another one under way.
    conflicts: AtomicU32,
    ignores_conditions: AtomicBool,
}

pub(super) type Buckets = BTreeMap<String, Bucket>;

/// A bucket.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    pub(super) region: RegionId,
    pub(super) created: Timestamp,
    /// `Enabled` or `Suspended`, once either was set.
    pub(super) versioning: Option<String>,
    pub(super) access: PublicAccess,
    pub(super) objects: BTreeMap<String, Vec<Version>>,
    next_version: u64,
}

/// A version of an object.
#[derive(Clone, Debug)]
pub(super) struct Version {
    /// `null` when it was written without versioning.
    pub(super) id: String,
    /// Absent in a delete marker.
    pub(super) content: Option<Content>,
    pub(super) modified: Timestamp,
}

/// What an object holds.
#[derive(Clone, Debug)]
pub(super) struct Content {
    pub(super) body: Bytes,
    pub(super) etag: String,
    pub(super) content_type: Option<String>,
    pub(super) metadata: HashMap<String, String>,
}

impl Content {
    pub(super) fn new(body: Bytes, content_type: Option<String>, metadata: HashMap<String, String>) -> Self {
        let etag = Md5::checksum(&body).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { body, etag, content_type, metadata }
    }
}

impl Bucket {
    pub(super) fn new(region: RegionId, created: Timestamp, access: PublicAccess) -> Self {
        Self { region, created, versioning: None, access, objects: BTreeMap::new(), next_version: 0 }
    }

    /// The present content of a key.
    pub(super) fn current(&self, key: &str) -> Option<(&Version, &Content)> {
        let version = self.objects.get(key)?.last()?;
        Some((version, version.content.as_ref()?))
    }

    /// Whether versions were ever kept, and so have ids that clients see.
    pub(super) fn has_versions(&self) -> bool {
        self.versioning.is_some()
    }

    /// Adds a version, or replaces the one there is when no versions are kept.
    pub(super) fn write(&mut self, key: &str, content: Option<Content>, modified: Timestamp) -> String {
        let keeps = self.versioning.as_deref() == Some("Enabled");
        self.next_version += 1;
        let id = if keeps { format!("{:032x}", self.next_version) } else { "null".to_owned() };
        let versions = self.objects.entry(key.to_owned()).or_default();
        versions.retain(|version| version.id != id);
        if content.is_some() || self.versioning.is_some() {
            versions.push(Version { id: id.clone(), content, modified });
        }
        if versions.is_empty() {
            self.objects.remove(key);
        }
        id
    }
}

impl S3 {
    pub(in crate::testing) fn new(world: WorldCx) -> Self {
        let buckets = History::new(Arc::clone(world.clock()), Buckets::new());
        Self {
            inner: Arc::new(Inner {
                world,
                buckets,
                conflicts: AtomicU32::new(0),
                ignores_conditions: AtomicBool::new(false),
            }),
        }
    }

    pub(super) fn buckets_at(&self, moment: Monotonic) -> Arc<Buckets> {
        self.inner.buckets.at(moment)
    }

    pub(super) fn try_write<R, E>(&self, change: impl FnOnce(&mut Buckets, Timestamp) -> Result<R, E>) -> Result<R, E> {
        let now = self.inner.world.clock().wall();
        self.inner.buckets.try_write(|buckets| change(buckets, now))
    }

    fn write<R>(&self, change: impl FnOnce(&mut Buckets, Timestamp) -> R) -> R {
        let now = self.inner.world.clock().wall();
        self.inner.buckets.write(|buckets| change(buckets, now))
    }

    /// Makes a bucket in a region. One of the name that is there already keeps its objects, and moves.
    pub fn add_bucket(&self, region: &RegionId, name: &str, access: PublicAccess) {
        self.write(|buckets, now| {
            let bucket = buckets.entry(name.to_owned()).or_insert_with(|| Bucket::new(region.clone(), now, access));
            bucket.region = region.clone();
            bucket.access = access;
        });
    }

    /// Sets what callers without a signature may do; false when there is no such bucket.
    pub fn set_public_access(&self, bucket: &str, access: PublicAccess) -> bool {
        self.write(|buckets, _| buckets.get_mut(bucket).map(|bucket| bucket.access = access).is_some())
    }

    /// Lets the next `n` conditional writes meet another one under way: they write nothing and answer 409
    /// `ConditionalRequestConflict`, as S3 does
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>).
    pub fn conflict_next(&self, n: u32) {
        self.inner.conflicts.store(n, Ordering::SeqCst);
    }

    /// Whether a conditional write that is made now meets another one.
    pub(super) fn conflicts(&self) -> bool {
        let left = self.inner.conflicts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.is_ok()
    }

    /// Lets conditional writes be done whatever is there, as in stores that imitate S3 and know no conditions.
    pub fn ignore_conditions(&self, ignore: bool) {
        self.inner.ignores_conditions.store(ignore, Ordering::SeqCst);
    }

    /// Whether the conditions of writes are passed over.
    pub(super) fn ignores_conditions(&self) -> bool {
        self.inner.ignores_conditions.load(Ordering::SeqCst)
    }

    /// Stores an object, as if its owner had; false when there is no such bucket.
    pub fn put(&self, bucket: &str, key: &str, body: impl Into<Bytes>) -> bool {
        let content = Content::new(body.into(), None, HashMap::new());
        self.write(|buckets, now| buckets.get_mut(bucket).map(|bucket| bucket.write(key, Some(content), now)).is_some())
    }

    /// Deletes an object, as if its owner had.
    pub fn delete(&self, bucket: &str, key: &str) {
        self.write(|buckets, now| buckets.get_mut(bucket).map(|bucket| bucket.write(key, None, now)));
    }

    /// What an object holds now.
    #[must_use]
    pub fn get(&self, bucket: &str, key: &str) -> Option<Bytes> {
        self.inner.buckets.now().get(bucket)?.current(key).map(|(_, content)| content.body.clone())
    }

    /// The keys of a bucket, in order.
    #[must_use]
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        let buckets = self.inner.buckets.now();
        let keys = buckets
            .get(bucket)
            .into_iter()
            .flat_map(|bucket| bucket.objects.keys().filter(|key| bucket.current(key).is_some()));
        keys.cloned().collect()
    }

    /// The region in which a bucket lives.
    #[must_use]
    pub fn home(&self, bucket: &str) -> Option<RegionId> {
        self.inner.buckets.now().get(bucket).map(|bucket| bucket.region.clone())
    }
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3").field("buckets", &self.inner.buckets.now().keys()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(text: &'static str) -> Option<Content> {
        Some(Content::new(Bytes::from_static(text.as_bytes()), None, HashMap::new()))
    }

    #[test]
    fn without_versioning_the_last_write_is_all_there_is() {
        let mut bucket = Bucket::new(RegionId::new("eu-west-1").unwrap(), Timestamp::UNIX_EPOCH, PublicAccess::Blocked);
        bucket.write("k", content("a"), Timestamp::UNIX_EPOCH);
        bucket.write("k", content("b"), Timestamp::UNIX_EPOCH);
        assert_eq!(bucket.objects["k"].len(), 1);
        assert_eq!(bucket.current("k").unwrap().1.body, "b");
        bucket.write("k", None, Timestamp::UNIX_EPOCH);
        assert!(bucket.objects.is_empty());
    }

    #[test]
    fn with_versioning_a_delete_leaves_a_marker() {
        let mut bucket = Bucket::new(RegionId::new("eu-west-1").unwrap(), Timestamp::UNIX_EPOCH, PublicAccess::Blocked);
        bucket.versioning = Some("Enabled".to_owned());
        let first = bucket.write("k", content("a"), Timestamp::UNIX_EPOCH);
        bucket.write("k", None, Timestamp::UNIX_EPOCH);
        assert!(bucket.current("k").is_none());
        assert_eq!(bucket.objects["k"][0].id, first);
        assert_eq!(bucket.objects["k"].len(), 2);
    }

    #[test]
    fn an_etag_is_the_md5_of_the_body() {
        assert_eq!(content("").unwrap().etag, "d41d8cd98f00b204e9800998ecf8427e");
    }
}
