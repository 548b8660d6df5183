//! Reading: one object, or a list in pages.

use std::sync::Arc;

use dr_core::time::Monotonic;
use http::header;
use serde_json::{Value, json};

use super::{ApiError, Call, Columns, Target, Verb};
use crate::testing::{
    catalog::ResourceType,
    selector::Selector,
    state::State,
    store::{Key, View, select},
};

/// An answer that is ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn ok(body: Value) -> Self {
        Self { code: 200, body }
    }
}

/// Which objects a list or a watch is about.
#[derive(Clone, Debug)]
pub(crate) struct ListQuery {
    pub(crate) resource: Arc<ResourceType>,
    pub(crate) namespace: Option<String>,
    pub(crate) selector: Selector,
    pub(crate) columns: Option<Columns>,
}

impl ListQuery {
    /// Reads the query of a list or watch. A watch on one object is a watch with a field selector.
    pub(crate) fn new(call: &Call) -> Result<Self, ApiError> {
        let Target::Objects { resource, namespace, name, .. } = &call.target else {
            return Err(ApiError::not_served(call.verb.as_str(), &call.path));
        };
        let mut fields = call.param("fieldSelector").to_owned();
        if let Some(name) = name {
            fields = format!("metadata.name={name}");
        }
        let selector = Selector::parse(resource, call.param("labelSelector"), &fields)?;
        let columns = Columns::wanted(resource, call.header(header::ACCEPT), call.param("includeObject"));
        Ok(Self { resource: Arc::clone(resource), namespace: namespace.clone(), selector, columns })
    }

    pub(crate) fn matches(&self, key: &Key, object: &Value) -> bool {
        key.resource == self.resource.qualified()
            && self.namespace.as_ref().is_none_or(|ns| *ns == key.namespace)
            && self.selector.matches(object)
    }

    /// The matching objects of a view, ordered by namespace and name.
    pub(crate) fn select(&self, view: &View) -> Vec<(Key, Arc<Value>)> {
        let mut found = select(view, &self.resource.qualified(), self.namespace.as_deref());
        found.retain(|(_, object)| self.selector.matches(object));
        found
    }
}

/// Where a list goes on: the version it was begun at, and the last object that was given.
///
/// Clients take it as opaque text; here it reads `version:namespace/name`.
struct Continue {
    version: u64,
    namespace: String,
    name: String,
}

impl Continue {
    fn parse(token: &str) -> Option<Self> {
        let (version, place) = token.split_once(':')?;
        let (namespace, name) = place.split_once('/')?;
        Some(Self { version: version.parse().ok()?, namespace: namespace.to_owned(), name: name.to_owned() })
    }
}

impl State {
    /// Answers a get or a list, from what is true now or, for a stale read, from what was true at `stale`.
    pub(crate) fn read(&self, call: &Call, stale: Option<Monotonic>) -> Result<Reply, ApiError> {
        match &call.target {
            Target::Document(document) if call.verb == Verb::Get => Ok(Reply::ok(document.clone())),
            Target::Health => Ok(Reply::ok(Value::String("ok".into()))),
            Target::Document(_) => Err(ApiError::method_not_allowed(call.verb.as_str(), &call.path)),
            Target::Nothing => Err(ApiError::not_served(call.verb.as_str(), &call.path)),
            Target::Objects { resource, namespace, name: Some(name), subresource } => {
                let key = Key::new(resource.qualified(), namespace.as_deref().unwrap_or_default(), name);
                let found = match stale {
                    Some(moment) => self.store.at_moment(moment).get(&key).cloned(),
                    None => self.store.get(&key),
                };
                let object = found.ok_or_else(|| ApiError::not_found(resource, name))?;
                match subresource.as_deref() {
                    None => {
                        let columns =
                            Columns::wanted(resource, call.header(header::ACCEPT), call.param("includeObject"));
                        Ok(Reply::ok(match columns {
                            Some(columns) => columns.table(&[object], self.wall(), None),
                            None => Value::clone(&object),
                        }))
                    }
                    Some("status") if resource.status => Ok(Reply::ok(Value::clone(&object))),
                    Some("scale") if resource.scale => Ok(Reply::ok(super::scale::scale_of(&object))),
                    Some(_) => Err(ApiError::not_served(call.verb.as_str(), &call.path)),
                }
            }
            Target::Objects { .. } => self.list(call, stale),
        }
    }

    fn list(&self, call: &Call, stale: Option<Monotonic>) -> Result<Reply, ApiError> {
        let query = ListQuery::new(call)?;
        let bad_token = || ApiError::bad_request("continue key is not valid");
        let token = match call.param("continue") {
            "" => None,
            token => Some(Continue::parse(token).ok_or_else(bad_token)?),
        };
        let version = token.as_ref().map_or(self.store.version(), |t| t.version);
        let mut found = match (stale, &token) {
            (Some(moment), _) => query.select(&self.store.at_moment(moment)),
            (None, Some(token)) => {
                let view = self.store.at_version(token.version).map_err(|e| ApiError::expired(e, token.version))?;
                query.select(&view)
            }
            (None, None) => query.select(self.store.now()),
        };
        if let Some(token) = &token {
            found.retain(|(key, _)| (&key.namespace, &key.name) > (&token.namespace, &token.name));
        }
        let limit = match call.param("limit") {
            "" | "0" => usize::MAX,
            limit => limit.parse().map_err(|_| ApiError::bad_request(format!("invalid limit {limit:?}")))?,
        };
        let remaining = found.len().saturating_sub(limit);
        found.truncate(limit);
        let mut metadata = json!({ "resourceVersion": version.to_string() });
        if let (true, Some((last, _))) = (remaining > 0, found.last()) {
            let token = format!("{version}:{}/{}", last.namespace, last.name);
            crate::testing::object::set(&mut metadata, &["continue"], json!(token));
            crate::testing::object::set(&mut metadata, &["remainingItemCount"], json!(remaining));
        }
        let objects: Vec<Arc<Value>> = found.into_iter().map(|(_, object)| object).collect();
        if let Some(columns) = &query.columns {
            return Ok(Reply::ok(columns.table(&objects, self.wall(), Some(metadata))));
        }
        let objects: Vec<Value> = objects.iter().map(|object| Value::clone(object)).collect();
        Ok(Reply::ok(json!({
            "kind": format!("{}List", query.resource.kind), "apiVersion": query.resource.api_version(),
            "metadata": metadata, "items": objects,
        })))
    }
}
