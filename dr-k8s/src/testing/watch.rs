//! Watches: the changes of a kind, as they happen.

use std::{collections::VecDeque, io, sync::Arc, time::Duration};

use bytes::Bytes;
use dr_core::{
    model::Plane,
    testing::Fault,
    time::{Monotonic, Timestamp},
};
use futures::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::sync::watch::Receiver;
use tower::BoxError;

use super::{
    api::{ApiError, Call, ListQuery},
    cluster::Shared,
    service::ResponseBody,
    store::Change,
};

/// Between two bookmarks, as the real server's watch cache sends them.
const BOOKMARK_PERIOD: Duration = Duration::from_secs(60);
/// How long a watch lasts that does not say (`--min-request-timeout`).
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1800);

/// Begins a watch; its events are the lines of the body.
pub(super) fn open(shared: &Arc<Shared>, call: &Call) -> Result<ResponseBody, ApiError> {
    let query = ListQuery::new(call)?;
    let seconds = match call.param("timeoutSeconds") {
        "" => DEFAULT_TIMEOUT,
        text => Duration::from_secs(
            text.parse().map_err(|_| ApiError::bad_request(format!("invalid timeoutSeconds {text:?}")))?,
        ),
    };
    let asked = call.param("resourceVersion");
    let initial_events = call.param("sendInitialEvents") == "true";
    let changes = shared.versions();
    let faults = shared.faults.watch();
    let now = shared.clock.monotonic();
    let mut watcher = Watcher {
        shared: Arc::clone(shared),
        query,
        cursor: 0,
        lines: VecDeque::new(),
        ends_at: now + seconds,
        bookmark_at: now + BOOKMARK_PERIOD,
        bookmarks: call.param("allowWatchBookmarks") == "true",
        changes,
        faults,
        ended: false,
    };
    // Without a version, or with version 0, a watch begins with what is there.
    if initial_events || matches!(asked, "" | "0") {
        watcher.begin_with_all(initial_events);
    } else {
        watcher.cursor =
            asked.parse().map_err(|_| ApiError::bad_request(format!("invalid resource version {asked:?}")))?;
    }
    let frames = stream::unfold(watcher, |mut watcher| async move {
        let line = watcher.next().await?;
        Some((line.map(Frame::data), watcher))
    });
    Ok(StreamBody::new(frames).boxed_unsync())
}

struct Watcher {
    shared: Arc<Shared>,
    query: ListQuery,
    /// The version up to which changes have been told.
    cursor: u64,
    lines: VecDeque<Bytes>,
    ends_at: Monotonic,
    bookmark_at: Monotonic,
    bookmarks: bool,
    changes: Receiver<u64>,
    faults: Receiver<u64>,
    ended: bool,
}

impl Watcher {
    async fn next(&mut self) -> Option<Result<Bytes, BoxError>> {
        loop {
            if let Some(line) = self.lines.pop_front() {
                return Some(Ok(line));
            }
            if self.ended {
                return None;
            }
            self.changes.mark_unchanged();
            self.faults.mark_unchanged();
            // A region that is lost takes its open watches along.
            match self.shared.faults.plane(&self.shared.region, Plane::Kubernetes) {
                Some(Fault::BlackHole) => {
                    if self.faults.changed().await.is_err() {
                        return None;
                    }
                    continue;
                }
                Some(Fault::Refuse) => {
                    self.ended = true;
                    return Some(Err(io::Error::from(io::ErrorKind::ConnectionReset).into()));
                }
                _ => {}
            }
            let due = self.take_changes();
            let now = self.shared.clock.monotonic();
            if !self.lines.is_empty() || self.ended {
                continue;
            }
            if now >= self.ends_at {
                if self.bookmarks {
                    self.bookmark(false);
                }
                self.ended = true;
                continue;
            }
            if self.bookmarks && now >= self.bookmark_at {
                self.bookmark(false);
                self.bookmark_at = now + BOOKMARK_PERIOD;
                continue;
            }
            let mut until = self.ends_at.min(due.unwrap_or(self.ends_at));
            if self.bookmarks {
                until = until.min(self.bookmark_at);
            }
            let sleep = self.shared.clock.sleep(until.since(now));
            tokio::select! {
                _ = self.changes.changed() => {}
                _ = self.faults.changed() => {}
                () = sleep => {}
            }
        }
    }

    fn begin_with_all(&mut self, mark_the_end: bool) {
        let (version, objects, now) = self.shared.with(|state| {
            state.settle();
            (state.store.version(), self.query.select(state.store.now()), state.wall())
        });
        self.cursor = version;
        for (_, object) in objects {
            let line = self.line("ADDED", &object, now);
            self.lines.push_back(line);
        }
        if mark_the_end {
            self.bookmark(true);
        }
    }

    /// Reads the changes since the last look; the next moment at which the cluster will change by itself.
    fn take_changes(&mut self) -> Option<Monotonic> {
        let (due, changes, version, now) = self.shared.with(|state| {
            let due = state.settle();
            (due, state.store.since(self.cursor), state.store.version(), state.wall())
        });
        match changes {
            Ok(changes) => {
                for change in &changes {
                    if let Some(line) = self.tell(change, now) {
                        self.lines.push_back(line);
                    }
                }
                self.cursor = self.cursor.max(version);
            }
            Err(expired) => {
                let status = ApiError::expired(expired, self.cursor).status();
                self.lines.push_back(event("ERROR", &status));
                self.ended = true;
            }
        }
        due
    }

    /// A change as this watch sees it: an object that no longer matches has gone, one that now does has come.
    fn tell(&self, change: &Change, now: Timestamp) -> Option<Bytes> {
        let matched = |object: &Option<Arc<Value>>| object.as_ref().is_some_and(|o| self.query.matches(&change.key, o));
        let kind = match (matched(&change.before), matched(&change.after)) {
            (false, true) => "ADDED",
            (true, true) => "MODIFIED",
            (true, false) => "DELETED",
            (false, false) => return None,
        };
        Some(self.line(kind, &change.told, now))
    }

    fn line(&self, kind: &str, object: &Arc<Value>, now: Timestamp) -> Bytes {
        match &self.query.columns {
            Some(columns) => event(kind, &columns.table(std::slice::from_ref(object), now, None)),
            None => event(kind, object),
        }
    }

    fn bookmark(&mut self, ends_the_initial_events: bool) {
        let mut metadata = json!({ "resourceVersion": self.cursor.to_string(), "creationTimestamp": null });
        if ends_the_initial_events {
            super::object::set(&mut metadata, &["annotations", "k8s.io/initial-events-end"], json!("true"));
        }
        let object = json!({
            "kind": self.query.resource.kind, "apiVersion": self.query.resource.api_version(), "metadata": metadata,
        });
        self.lines.push_back(event("BOOKMARK", &object));
    }
}

fn event(kind: &str, object: &Value) -> Bytes {
    let mut line = json!({ "type": kind, "object": object }).to_string();
    line.push('\n');
    Bytes::from(line)
}
