use std::{borrow::Cow, ops::Bound, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use dr_core::model::RegionId;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};

use super::{Change, HostedZone, Route53, model::ApiError, record::RecordKey, state::State, wire};
use crate::testing::{CallCx, Element, Form, Operation, Refusal, Service};

/// The API of Route 53: REST-XML, version 2013-04-01, served by the control plane of `us-east-1`.
#[derive(Clone, Debug)]
pub struct Route53Service {
    model: Route53,
    home: RegionId,
}

/// How requests name operations. `*` stands for an id; what the double does not have is listed so that it is refused
/// by its right name.
const ROUTES: &[(Method, &str, &str)] = &[
    (Method::POST, "hostedzone", "CreateHostedZone"),
    (Method::GET, "hostedzone", "ListHostedZones"),
    (Method::GET, "hostedzonesbyname", "ListHostedZonesByName"),
    (Method::GET, "hostedzonesbyvpc", "ListHostedZonesByVPC"),
    (Method::GET, "hostedzonecount", "GetHostedZoneCount"),
    (Method::GET, "hostedzonelimit/*/*", "GetHostedZoneLimit"),
    (Method::GET, "hostedzone/*", "GetHostedZone"),
    (Method::POST, "hostedzone/*", "UpdateHostedZoneComment"),
    (Method::DELETE, "hostedzone/*", "DeleteHostedZone"),
    (Method::POST, "hostedzone/*/rrset", "ChangeResourceRecordSets"),
    (Method::GET, "hostedzone/*/rrset", "ListResourceRecordSets"),
    (Method::POST, "hostedzone/*/features", "UpdateHostedZoneFeatures"),
    (Method::POST, "hostedzone/*/associatevpc", "AssociateVPCWithHostedZone"),
    (Method::POST, "hostedzone/*/disassociatevpc", "DisassociateVPCFromHostedZone"),
    (Method::GET, "hostedzone/*/dnssec", "GetDNSSEC"),
    (Method::GET, "change/*", "GetChange"),
    (Method::POST, "healthcheck", "CreateHealthCheck"),
    (Method::GET, "healthcheck", "ListHealthChecks"),
    (Method::GET, "healthcheckcount", "GetHealthCheckCount"),
    (Method::GET, "healthcheck/*", "GetHealthCheck"),
    (Method::POST, "healthcheck/*", "UpdateHealthCheck"),
    (Method::DELETE, "healthcheck/*", "DeleteHealthCheck"),
    (Method::GET, "healthcheck/*/status", "GetHealthCheckStatus"),
    (Method::GET, "healthcheck/*/lastfailurereason", "GetHealthCheckLastFailureReason"),
    (Method::GET, "checkeripranges", "GetCheckerIpRanges"),
    (Method::GET, "accountlimit/*", "GetAccountLimit"),
    (Method::GET, "testdnsanswer", "TestDNSAnswer"),
    (Method::POST, "tags/*/*", "ChangeTagsForResource"),
    (Method::GET, "tags/*/*", "ListTagsForResource"),
    (Method::POST, "tags/*", "ListTagsForResources"),
    (Method::POST, "delegationset", "CreateReusableDelegationSet"),
    (Method::GET, "delegationset", "ListReusableDelegationSets"),
    (Method::POST, "trafficpolicy", "CreateTrafficPolicy"),
    (Method::POST, "trafficpolicyinstance", "CreateTrafficPolicyInstance"),
    (Method::GET, "trafficpolicies", "ListTrafficPolicies"),
    (Method::GET, "geolocations", "ListGeoLocations"),
    (Method::POST, "cidrcollection", "CreateCidrCollection"),
    (Method::GET, "cidrcollection", "ListCidrCollections"),
    (Method::POST, "queryloggingconfig", "CreateQueryLoggingConfig"),
    (Method::GET, "queryloggingconfig", "ListQueryLoggingConfigs"),
    (Method::POST, "keysigningkey", "CreateKeySigningKey"),
];

/// The parts of a path after the version, such as `hostedzone`, `Z1`, `rrset`.
fn parts<B>(request: &Request<B>) -> Vec<&str> {
    let path = request.uri().path();
    path.trim_start_matches("/2013-04-01").split('/').filter(|part| !part.is_empty()).collect()
}

fn matches(pattern: &str, parts: &[&str]) -> bool {
    let mut pattern = pattern.split('/');
    parts.iter().all(|part| pattern.next().is_some_and(|want| want == "*" || want == *part)) && pattern.next().is_none()
}

impl Route53Service {
    pub(in crate::testing) fn new(model: Route53, home: RegionId) -> Self {
        Self { model, home }
    }

    fn serve(&self, cx: &CallCx, request: &Request<Bytes>) -> Result<Response<Bytes>, ApiError> {
        if !self.model.admit() {
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "Throttling", "Rate exceeded"));
        }
        let id = parts(request).get(1).map(|id| (*id).to_owned()).unwrap_or_default();
        match cx.action() {
            "CreateHostedZone" => self.create_zone(cx, request),
            "GetHostedZone" => {
                let state = self.state(cx);
                let zone = zone_in(&state, &id)?;
                Ok(answer(cx, |root| root.child(wire::zone(zone)).child(wire::delegation_set())))
            }
            "DeleteHostedZone" => {
                let change = self.model.delete_zone(&id)?;
                cx.applied(id);
                Ok(answer(cx, |root| root.child(wire::change_info(&change, false))))
            }
            "ListHostedZones" => Ok(self.list_zones(cx, request)),
            "ListHostedZonesByName" => Ok(self.list_zones_by_name(cx, request)),
            "GetHostedZoneCount" => Ok(answer(cx, |root| root.leaf("HostedZoneCount", self.state(cx).zones.len()))),
            "ChangeResourceRecordSets" => self.change(cx, request, &id),
            "ListResourceRecordSets" => self.list_records(cx, request, &id),
            "GetChange" => {
                let state = self.state(cx);
                let change = state.changes.get(&id).ok_or_else(|| {
                    ApiError::new(
                        StatusCode::NOT_FOUND,
                        "NoSuchChange",
                        format!("A change with the ID {id} does not exist"),
                    )
                })?;
                let in_sync = self.model.is_in_sync(change, cx.now());
                Ok(answer(cx, |root| root.child(wire::change_info(change, in_sync))))
            }
            "CreateHealthCheck" => self.create_check(cx, request),
            "UpdateHealthCheck" => self.update_check(cx, request, &id),
            "GetHealthCheck" => {
                let state = self.state(cx);
                let check = state.checks.get(&id).ok_or_else(|| ApiError::no_such_check(&id))?;
                Ok(answer(cx, |root| root.child(wire::health_check(check))))
            }
            "DeleteHealthCheck" => {
                self.model.delete_check(&id)?;
                cx.applied(id);
                Ok(answer(cx, |root| root))
            }
            "ListHealthChecks" => Ok(self.list_checks(cx, request)),
            "GetHealthCheckCount" => Ok(answer(cx, |root| root.leaf("HealthCheckCount", self.state(cx).checks.len()))),
            "GetHealthCheckStatus" => self.observations(cx, &id, false),
            "GetHealthCheckLastFailureReason" => self.observations(cx, &id, true),
            _ => Ok(refusal(&Refusal::NotImplemented(cx.operation().to_owned()))),
        }
    }

    fn state(&self, cx: &CallCx) -> Arc<State> {
        self.model.state_at(cx.now())
    }

    fn create_zone(&self, cx: &CallCx, request: &Request<Bytes>) -> Result<Response<Bytes>, ApiError> {
        let body = parse(request)?;
        if body.get("VPC").is_some() {
            let message = "NotImplemented: the double has no private zones in route53:CreateHostedZone";
            return Err(ApiError::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", message));
        }
        let comment = body.get("HostedZoneConfig").and_then(|config| config.text_of("Comment")).map(str::to_owned);
        let name = wire::required(&body, "Name")?;
        let (zone, change) = self.model.create_zone(name, wire::required(&body, "CallerReference")?, comment)?;
        cx.applied(&zone.id);
        let reply = answer(cx, |root| {
            root.child(wire::zone(&zone)).child(wire::change_info(&change, false)).child(wire::delegation_set())
        });
        Ok(created(reply, &format!("hostedzone/{}", zone.id)))
    }

    fn list_zones(&self, cx: &CallCx, request: &Request<Bytes>) -> Response<Bytes> {
        let (state, query) = (self.state(cx), Form::of_query(request));
        let marker = query.get("marker").unwrap_or_default().to_owned();
        let page = page(state.zones.range(marker.clone()..).map(|(_, zone)| zone), &query);
        answer(cx, |root| {
            let root = root.list("HostedZones", page.items.iter().map(|zone| wire::zone(zone)));
            page.close(root, &marker, |zone| zone.id.clone())
        })
    }

    fn list_zones_by_name(&self, cx: &CallCx, request: &Request<Bytes>) -> Response<Bytes> {
        let (state, query) = (self.state(cx), Form::of_query(request));
        let order = |zone: &HostedZone| (RecordKey::new(&zone.name, "", None).labels, zone.id.clone());
        let start = query.get("dnsname").map(|name| {
            (
                RecordKey::new(&super::domain_name(name), "", None).labels,
                query.get("hostedzoneid").unwrap_or_default().to_owned(),
            )
        });
        let mut zones: Vec<_> = state.zones.values().collect();
        zones.sort_by_key(|zone| order(zone));
        zones.retain(|zone| start.as_ref().is_none_or(|start| order(zone) >= *start));
        let page = page(zones.into_iter(), &query);
        answer(cx, |root| {
            root.list("HostedZones", page.items.iter().map(|zone| wire::zone(zone)))
                .leaf_if("DNSName", query.get("dnsname"))
                .leaf_if("HostedZoneId", query.get("hostedzoneid"))
                .leaf("IsTruncated", page.next.is_some())
                .leaf_if("NextDNSName", page.next.map(|zone| &zone.name))
                .leaf_if("NextHostedZoneId", page.next.map(|zone| &zone.id))
                .leaf("MaxItems", page.limit)
        })
    }

    fn change(&self, cx: &CallCx, request: &Request<Bytes>, zone: &str) -> Result<Response<Bytes>, ApiError> {
        let (comment, changes) = wire::parse_changes(&parse(request)?)?;
        let change = self.model.change(zone, comment, &changes)?;
        for Change { record, .. } in &changes {
            let set = record.set_identifier.as_ref().map(|set| format!("/{set}")).unwrap_or_default();
            cx.applied(format!("{zone}/{}/{}{set}", record.name, record.rtype));
        }
        Ok(answer(cx, |root| root.child(wire::change_info(&change, false))))
    }

    fn list_records(&self, cx: &CallCx, request: &Request<Bytes>, zone: &str) -> Result<Response<Bytes>, ApiError> {
        let (state, query) = (self.state(cx), Form::of_query(request));
        let zone = zone_in(&state, zone)?;
        let start = query.get("name").map(|name| {
            let rtype = query.get("type").unwrap_or_default();
            RecordKey::new(&super::domain_name(name), rtype, query.get("identifier"))
        });
        let range = (start.map_or(Bound::Unbounded, Bound::Included), Bound::Unbounded);
        let page = page(zone.records.range::<RecordKey, _>(range).map(|(_, record)| record), &query);
        Ok(answer(cx, |root| {
            root.list("ResourceRecordSets", page.items.iter().map(|record| wire::record(record)))
                .leaf("IsTruncated", page.next.is_some())
                .leaf_if("NextRecordName", page.next.map(|record| &record.name))
                .leaf_if("NextRecordType", page.next.map(|record| &record.rtype))
                .leaf_if("NextRecordIdentifier", page.next.and_then(|record| record.set_identifier.as_ref()))
                .leaf("MaxItems", page.limit)
        }))
    }

    fn create_check(&self, cx: &CallCx, request: &Request<Bytes>) -> Result<Response<Bytes>, ApiError> {
        let body = parse(request)?;
        let config =
            body.get("HealthCheckConfig").ok_or_else(|| ApiError::invalid_input("HealthCheckConfig is missing"))?;
        let (check, is_new) =
            self.model.create_check(wire::required(&body, "CallerReference")?, wire::parse_config(config)?)?;
        if is_new {
            cx.applied(&check.id);
        }
        Ok(created(answer(cx, |root| root.child(wire::health_check(&check))), &format!("healthcheck/{}", check.id)))
    }

    fn update_check(&self, cx: &CallCx, request: &Request<Bytes>, id: &str) -> Result<Response<Bytes>, ApiError> {
        let body = parse(request)?;
        let version = wire::parsed(&body, "HealthCheckVersion")?;
        let check = self.model.update_check(id, version, |config| wire::update_config(&body, config))?;
        cx.applied(id);
        Ok(answer(cx, |root| root.child(wire::health_check(&check))))
    }

    fn list_checks(&self, cx: &CallCx, request: &Request<Bytes>) -> Response<Bytes> {
        let (state, query) = (self.state(cx), Form::of_query(request));
        let marker = query.get("marker").unwrap_or_default().to_owned();
        let page = page(state.checks.range(marker.clone()..).map(|(_, check)| check), &query);
        answer(cx, |root| {
            let root = root.list("HealthChecks", page.items.iter().map(|check| wire::health_check(check)));
            page.close(root, &marker, |check| check.id.clone())
        })
    }

    fn observations(&self, cx: &CallCx, id: &str, failures_only: bool) -> Result<Response<Bytes>, ApiError> {
        let state = self.state(cx);
        let check = state.checks.get(id).ok_or_else(|| ApiError::no_such_check(id))?;
        if !check.config.kind.polls() {
            return Err(ApiError::invalid_input(format!("A {} health check has no checkers.", check.config.kind)));
        }
        let observations = self.model.with_opinions(id, |opinions| wire::observations(opinions, failures_only));
        Ok(answer(cx, |root| root.child(observations)))
    }
}

#[async_trait]
impl Service for Route53Service {
    fn name(&self) -> &'static str {
        "route53"
    }

    fn identify(&self, request: &Request<Bytes>) -> Operation {
        let parts = parts(request);
        let route = ROUTES.iter().find(|(method, pattern, _)| method == request.method() && matches(pattern, &parts));
        Operation::control(match route {
            Some((_, _, name)) => Cow::Borrowed(*name),
            None => Cow::Owned(format!("{} /{}", request.method(), parts.join("/"))),
        })
    }

    fn site(&self, _called: &RegionId) -> RegionId {
        self.home.clone()
    }

    async fn call(&self, cx: &CallCx, request: Request<Bytes>) -> Response<Bytes> {
        self.serve(cx, &request).unwrap_or_else(|error| {
            let mut reply = failure(error.status, error.code, &error.message, cx.request_id());
            add_request_id(&mut reply, cx);
            reply
        })
    }

    fn refuse(&self, _request: &Request<Bytes>, why: &Refusal) -> Response<Bytes> {
        refusal(why)
    }
}

/// One page of a listing.
struct Page<'a, T> {
    items: Vec<&'a T>,
    next: Option<&'a T>,
    limit: usize,
}

fn page<'a, T>(mut all: impl Iterator<Item = &'a T>, query: &Form) -> Page<'a, T> {
    // Route 53 hands out at most 300 records and 100 of anything else; nobody here has more than either.
    let limit = query.number("maxitems").unwrap_or(100usize).clamp(1, 300);
    let items = all.by_ref().take(limit).collect();
    Page { items, next: all.next(), limit }
}

impl<T> Page<'_, T> {
    /// The end of a listing that goes on at a marker.
    fn close(&self, root: Element, marker: &str, id: impl Fn(&T) -> String) -> Element {
        root.leaf("Marker", marker)
            .leaf("IsTruncated", self.next.is_some())
            .leaf_if("NextMarker", self.next.map(id))
            .leaf("MaxItems", self.limit)
    }
}

fn zone_in<'a>(state: &'a State, id: &str) -> Result<&'a HostedZone, ApiError> {
    state.zones.get(id).ok_or_else(|| ApiError::no_such_zone(id))
}

fn parse(request: &Request<Bytes>) -> Result<Element, ApiError> {
    Element::parse(request.body()).map_err(|error| ApiError::invalid_input(error.to_string()))
}

fn answer(cx: &CallCx, fill: impl FnOnce(Element) -> Element) -> Response<Bytes> {
    let root = fill(Element::new(format!("{}Response", cx.action())).namespace(wire::NAMESPACE));
    let mut reply = xml(StatusCode::OK, &root);
    add_request_id(&mut reply, cx);
    reply
}

fn created(mut reply: Response<Bytes>, path: &str) -> Response<Bytes> {
    *reply.status_mut() = StatusCode::CREATED;
    let location = format!("https://route53.amazonaws.com/2013-04-01/{path}");
    if let Ok(location) = HeaderValue::from_str(&location) {
        reply.headers_mut().insert(header::LOCATION, location);
    }
    reply
}

fn failure(status: StatusCode, code: &str, message: &str, request_id: &str) -> Response<Bytes> {
    let side = if status.is_server_error() { "Receiver" } else { "Sender" };
    let root = Element::new("ErrorResponse")
        .namespace(wire::NAMESPACE)
        .child(Element::new("Error").leaf("Type", side).leaf("Code", code).leaf("Message", message))
        .leaf("RequestId", request_id);
    xml(status, &root)
}

fn refusal(why: &Refusal) -> Response<Bytes> {
    let (status, code) = match why {
        Refusal::Throttled => (StatusCode::BAD_REQUEST, "Throttling"),
        Refusal::ServerError => (StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure"),
        Refusal::NotImplemented(_) => (StatusCode::NOT_IMPLEMENTED, "NotImplemented"),
        Refusal::Malformed(_) => (StatusCode::BAD_REQUEST, "InvalidInput"),
    };
    failure(status, code, &why.to_string(), "00000000-0000-4000-8000-000000000000")
}

fn xml(status: StatusCode, root: &Element) -> Response<Bytes> {
    let mut reply = Response::new(Bytes::from(root.document()));
    *reply.status_mut() = status;
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    reply
}

fn add_request_id(reply: &mut Response<Bytes>, cx: &CallCx) {
    if let Ok(id) = HeaderValue::from_str(cx.request_id()) {
        reply.headers_mut().insert("x-amzn-requestid", id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_operations() {
        let name = |method: Method, path: &str| {
            let request = Request::builder().method(method).uri(format!("/2013-04-01/{path}")).body(()).unwrap();
            let found = ROUTES
                .iter()
                .find(|(method, pattern, _)| method == request.method() && matches(pattern, &parts(&request)));
            found.map(|(_, _, name)| *name)
        };
        assert_eq!(name(Method::POST, "hostedzone/Z1/rrset/"), Some("ChangeResourceRecordSets"));
        assert_eq!(name(Method::GET, "hostedzone/Z1/rrset?maxitems=1"), Some("ListResourceRecordSets"));
        assert_eq!(name(Method::GET, "healthcheck/1/status"), Some("GetHealthCheckStatus"));
        assert_eq!(name(Method::POST, "trafficpolicy"), Some("CreateTrafficPolicy"));
        assert_eq!(name(Method::GET, "hostedzone/Z1/rrset/more"), None);
        assert_eq!(name(Method::PUT, "hostedzone"), None);
    }
}
