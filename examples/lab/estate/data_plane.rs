use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use dr_aws::testing::route53::{CheckConfig, CheckResult, CheckType, Resolution, Route53};
use hickory_proto::rr::RecordType;

use crate::{
    checkers::{HealthPlane, Probe, ProbeKind},
    dns::{Lookup, Zone},
    platform::{PLACES, ZONE},
};

/// Route 53's hosted zone, as its authoritative servers have it.
#[derive(Debug)]
pub struct HostedZone(pub Route53);

impl Zone for HostedZone {
    fn apex(&self) -> String {
        ZONE.to_owned()
    }

    fn lookup(&self, name: &str, kind: RecordType) -> Lookup {
        match self.0.answer(name, &kind.to_string()) {
            Resolution::Answer(answer) => {
                Lookup::Records { kind: answer.rtype.parse().unwrap_or(kind), ttl: answer.ttl, values: answer.values }
            }
            Resolution::NoData { .. } => Lookup::NoData,
            Resolution::NoName { .. } | Resolution::NoZone => Lookup::NxDomain,
        }
    }
}

/// Route 53's health checks, as its checkers poll them.
#[derive(Debug)]
pub(crate) struct Route53Checks(pub(crate) Route53);

impl HealthPlane for Route53Checks {
    fn checks(&self) -> Vec<String> {
        self.0.checks().into_iter().filter(|check| check.config.kind.polls()).map(|check| check.id).collect()
    }

    fn probe(&self, check: &str) -> Option<Probe> {
        let config = self.0.check(check)?.config;
        // A disabled check is not polled.
        if config.disabled == Some(true) {
            return None;
        }
        let target = self.address(&config).map(|address| SocketAddr::new(address, config.effective_port()));
        let kind = if config.kind == CheckType::Tcp {
            ProbeKind::Tcp
        } else {
            // The lab speaks plain HTTP everywhere: an HTTPS check of it fails, as one of a port without TLS does.
            let host = config.fully_qualified_domain_name.clone().or_else(|| config.ip_address.clone());
            ProbeKind::Http {
                host: host.unwrap_or_default(),
                path: config.resource_path.clone().unwrap_or_else(|| "/".to_owned()),
                search: config.search_string.clone(),
            }
        };
        Some(Probe { target, kind, interval: config.interval() })
    }

    fn observe(&self, check: &str, checker: &str, seen: Result<String, String>) {
        let result = match seen {
            Ok(detail) => CheckResult::success(detail),
            Err(reason) => CheckResult::failure(reason),
        };
        self.0.observe(check, checker, result);
    }
}

impl Route53Checks {
    /// Where a check's polls go: its address, or what its name resolves to, IPv4 only, as Route 53 does it.
    fn address(&self, config: &CheckConfig) -> Option<IpAddr> {
        if let Some(address) = &config.ip_address {
            return address.parse().ok();
        }
        let name = config.fully_qualified_domain_name.as_deref()?;
        if let Some(place) = PLACES.iter().find(|place| is_s3(name, place.region)) {
            return Some(IpAddr::V4(place.address));
        }
        match self.0.answer(name, "A") {
            Resolution::Answer(answer) => {
                answer.values.iter().find_map(|value| value.parse::<Ipv4Addr>().ok()).map(IpAddr::V4)
            }
            _ => None,
        }
    }
}

/// Whether a name is that of S3, or of a bucket, in a region.
fn is_s3(name: &str, region: &str) -> bool {
    let endpoint = format!("s3.{region}.amazonaws.com");
    name == endpoint || name.strip_suffix(&endpoint).is_some_and(|bucket| bucket.ends_with('.'))
}
