//! An operator with bare hands: AWS's wire protocols without an SDK, and patience on the lab's clock.

use std::{net::Ipv4Addr, time::Duration};

use bytes::Bytes;
use dr_core::{model::RegionId, time::Clock as _};
use dr_lab::{Lab, dns::Resolver};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};

pub(crate) const EAST: Ipv4Addr = Ipv4Addr::new(127, 0, 1, 1);
pub(crate) const WEST: Ipv4Addr = Ipv4Addr::new(127, 0, 2, 1);

pub(crate) fn east() -> RegionId {
    RegionId::new("us-east-1").unwrap()
}

pub(crate) fn west() -> RegionId {
    RegionId::new("eu-west-1").unwrap()
}

/// One request; the status and the text of the answer.
pub(crate) async fn http(
    method: Method,
    url: &str,
    service: Option<(&str, &RegionId)>,
    body: &str,
) -> (StatusCode, String) {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let mut request = Request::builder().method(method).uri(url);
    if let Some((service, region)) = service {
        let scope = format!("Credential=LAB/20260101/{region}/{service}/aws4_request");
        let signed = format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=00");
        request = request.header("authorization", signed).header("x-amz-date", "20260101T000000Z");
        if service != "s3" {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
    }
    let response = client.request(request.body(body.to_owned().into()).unwrap()).await.unwrap();
    let status = response.status();
    let text = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&text).into_owned())
}

/// `rds:ACTION` at a region's endpoint, with the platform's global cluster and a target cluster.
pub(crate) async fn rds(lab: &Lab, at: &RegionId, action: &str, target: &str, more: &str) {
    let body = format!(
        "Action={action}&Version=2014-10-31&GlobalClusterIdentifier=ecommerce-global&TargetDbClusterIdentifier={target}{more}"
    );
    let url = format!("{}/", lab.endpoints().region(at).unwrap().aws);
    let (status, text) = http(Method::POST, &url, Some(("rds", at)), &body).await;
    assert!(status.is_success(), "{action}: {status} {text}");
}

pub(crate) const EAST_CLUSTER: &str = "arn:aws:rds:us-east-1:111122223333:cluster:ecommerce-production";
pub(crate) const WEST_CLUSTER: &str = "arn:aws:rds:eu-west-1:111122223333:cluster:ecommerce-secondary";

/// Makes the cache of `to` the primary.
pub(crate) async fn promote_cache(lab: &Lab, to: &RegionId, group: &str) {
    let body = format!(
        "Action=FailoverGlobalReplicationGroup&Version=2015-02-02&GlobalReplicationGroupId=ldgnf-ecommerce&PrimaryRegion={to}&PrimaryReplicationGroupId={group}"
    );
    let url = format!("{}/", lab.endpoints().region(to).unwrap().aws);
    let (status, text) = http(Method::POST, &url, Some(("elasticache", to)), &body).await;
    assert!(status.is_success(), "{status} {text}");
}

/// Throws the failover switch, or takes it back.
pub(crate) async fn switch(lab: &Lab, thrown: bool) {
    let aws = &lab.endpoints().region(&west()).unwrap().aws;
    let url = format!("{aws}/{}/{}", dr_lab::platform::SWITCH_BUCKET, dr_lab::platform::SWITCH_KEY);
    let (method, body) = if thrown { (Method::PUT, "stop") } else { (Method::DELETE, "") };
    let (status, text) = http(method, &url, Some(("s3", &west())), body).await;
    assert!(status.is_success(), "{status} {text}");
}

/// Where the public name leads now, asked of the authoritative server.
pub(crate) async fn leads_to(lab: &Lab) -> Vec<Ipv4Addr> {
    Resolver::new(lab.clock(), lab.endpoints().dns).resolve(&lab.endpoints().public_name).await.unwrap_or_default()
}

/// Waits until `holds`, for an hour of the lab's time at the most.
pub(crate) async fn until<F: Future<Output = bool>>(lab: &Lab, what: &str, mut holds: impl FnMut() -> F) {
    let clock = lab.clock();
    let start = clock.monotonic();
    while !holds().await {
        assert!(clock.monotonic().since(start) < Duration::from_secs(3_600), "waited in vain for {what}");
        clock.sleep(Duration::from_millis(250)).await;
    }
}

/// Lets the lab run for a while of its own time.
pub(crate) async fn pass(lab: &Lab, time: Duration) {
    lab.clock().sleep(time).await;
}
