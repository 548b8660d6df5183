use std::{net::IpAddr, str::FromStr};

use super::{
    AliasTarget, Change, ChangeAction, CheckConfig, CheckType, FailoverRole, HealthCheck, HostedZone, RecordSet,
    health::Opinions, model::ApiError, record::domain_name, state::SubmittedChange,
};
use crate::testing::Element;

/// The namespace of requests and replies.
pub(super) const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

pub(super) fn zone(zone: &HostedZone) -> Element {
    Element::new("HostedZone")
        .leaf("Id", format!("/hostedzone/{}", zone.id))
        .leaf("Name", &zone.name)
        .leaf("CallerReference", &zone.caller_reference)
        .child(Element::new("Config").leaf_if("Comment", zone.comment.as_ref()).leaf("PrivateZone", false))
        .leaf("ResourceRecordSetCount", zone.records.len())
}

pub(super) fn delegation_set() -> Element {
    let servers = HostedZone::NAME_SERVERS.map(|name| Element::new("NameServer").text(name.trim_end_matches('.')));
    Element::new("DelegationSet").list("NameServers", servers)
}

pub(super) fn change_info(change: &SubmittedChange, in_sync: bool) -> Element {
    Element::new("ChangeInfo")
        .leaf("Id", format!("/change/{}", change.id))
        .leaf("Status", if in_sync { "INSYNC" } else { "PENDING" })
        .leaf("SubmittedAt", change.submitted)
        .leaf_if("Comment", change.comment.as_ref())
}

pub(super) fn record(record: &RecordSet) -> Element {
    let mut element = Element::new("ResourceRecordSet")
        .leaf("Name", &record.name)
        .leaf("Type", &record.rtype)
        .leaf_if("SetIdentifier", record.set_identifier.as_ref())
        .leaf_if("Failover", record.failover)
        .leaf_if("TTL", record.ttl);
    if !record.values.is_empty() {
        let values = record.values.iter().map(|value| Element::new("ResourceRecord").leaf("Value", value));
        element = element.list("ResourceRecords", values);
    }
    if let Some(alias) = &record.alias {
        element = element.child(
            Element::new("AliasTarget")
                .leaf("HostedZoneId", &alias.hosted_zone_id)
                .leaf("DNSName", &alias.dns_name)
                .leaf("EvaluateTargetHealth", alias.evaluate_target_health),
        );
    }
    element.leaf_if("HealthCheckId", record.health_check_id.as_ref())
}

pub(super) fn health_check(check: &HealthCheck) -> Element {
    Element::new("HealthCheck")
        .leaf("Id", &check.id)
        .leaf("CallerReference", &check.caller_reference)
        .child(config(&check.config))
        .leaf("HealthCheckVersion", check.version)
}

fn config(config: &CheckConfig) -> Element {
    let mut element = Element::new("HealthCheckConfig")
        .leaf_if("IPAddress", config.ip_address.as_ref())
        .leaf_if("Port", config.port)
        .leaf("Type", config.kind)
        .leaf_if("ResourcePath", config.resource_path.as_ref())
        .leaf_if("FullyQualifiedDomainName", config.fully_qualified_domain_name.as_ref())
        .leaf_if("SearchString", config.search_string.as_ref())
        .leaf_if("RequestInterval", config.request_interval)
        .leaf_if("FailureThreshold", config.failure_threshold)
        .leaf_if("MeasureLatency", config.measure_latency)
        .leaf_if("Inverted", config.inverted)
        .leaf_if("Disabled", config.disabled)
        .leaf_if("HealthThreshold", config.health_threshold);
    if !config.child_health_checks.is_empty() {
        let children = config.child_health_checks.iter().map(|id| Element::new("ChildHealthCheck").text(id));
        element = element.list("ChildHealthChecks", children);
    }
    element = element.leaf_if("EnableSNI", config.enable_sni);
    if !config.regions.is_empty() {
        element = element.list("Regions", config.regions.iter().map(|region| Element::new("Region").text(region)));
    }
    if let Some((region, name)) = &config.alarm {
        element = element.child(Element::new("AlarmIdentifier").leaf("Region", region).leaf("Name", name));
    }
    element
        .leaf_if("InsufficientDataHealthStatus", config.insufficient_data_health_status.as_ref())
        .leaf_if("RoutingControlArn", config.routing_control_arn.as_ref())
}

/// The observations of a check: the last of each checker, or the last that failed.
pub(super) fn observations(opinions: Option<&Opinions>, failures_only: bool) -> Element {
    let each = opinions.into_iter().flat_map(|opinions| &opinions.by_checker).filter_map(|(checker, opinion)| {
        let (at, report) = if failures_only { opinion.last_failure.as_ref()? } else { &opinion.last };
        let (region, address) = checker.split_once('/').unwrap_or((checker.as_str(), ""));
        let address = address.parse::<IpAddr>().ok();
        Some(
            Element::new("HealthCheckObservation")
                .leaf("Region", region)
                .leaf_if("IPAddress", address)
                .child(Element::new("StatusReport").leaf("Status", report).leaf("CheckedTime", at)),
        )
    });
    Element::new("HealthCheckObservations").children(each)
}

/// The record set of a request. Routing policies other than failover are not here.
fn parse_record(element: &Element) -> Result<RecordSet, ApiError> {
    for policy in ["Weight", "Region", "GeoLocation", "MultiValueAnswer", "CidrRoutingConfig", "GeoProximityLocation"] {
        if element.get(policy).is_some() {
            let message =
                format!("NotImplemented: the double has no {policy} routing in route53:ChangeResourceRecordSets");
            return Err(ApiError::new(http::StatusCode::NOT_IMPLEMENTED, "NotImplemented", message));
        }
    }
    let alias = element.get("AliasTarget").map(|alias| {
        Ok::<_, ApiError>(AliasTarget {
            hosted_zone_id: required(alias, "HostedZoneId")?.to_owned(),
            dns_name: domain_name(required(alias, "DNSName")?),
            evaluate_target_health: parsed(alias, "EvaluateTargetHealth")?.unwrap_or(false),
        })
    });
    let failover = element.text_of("Failover").map(|word| {
        word.parse::<FailoverRole>()
            .map_err(|()| ApiError::invalid_input(format!("{word:?} is not PRIMARY or SECONDARY")))
    });
    let values = element.get("ResourceRecords").map(Element::items).unwrap_or_default();
    Ok(RecordSet {
        name: domain_name(required(element, "Name")?),
        rtype: required(element, "Type")?.to_owned(),
        set_identifier: element.text_of("SetIdentifier").map(str::to_owned),
        failover: failover.transpose()?,
        ttl: parsed(element, "TTL")?,
        values: values.iter().filter_map(|value| value.text_of("Value").map(str::to_owned)).collect(),
        alias: alias.transpose()?,
        health_check_id: element.text_of("HealthCheckId").filter(|id| !id.is_empty()).map(str::to_owned),
    })
}

/// The changes of a `ChangeResourceRecordSetsRequest`.
pub(super) fn parse_changes(request: &Element) -> Result<(Option<String>, Vec<Change>), ApiError> {
    let batch = request.get("ChangeBatch").ok_or_else(|| ApiError::invalid_input("The ChangeBatch is missing"))?;
    let changes = batch.get("Changes").map(Element::items).unwrap_or_default();
    if changes.is_empty() {
        return Err(ApiError::invalid_input("The ChangeBatch has no Changes"));
    }
    let changes = changes.iter().map(|change| {
        let action = match required(change, "Action")? {
            "CREATE" => ChangeAction::Create,
            "DELETE" => ChangeAction::Delete,
            "UPSERT" => ChangeAction::Upsert,
            other => return Err(ApiError::invalid_input(format!("{other:?} is not CREATE, DELETE or UPSERT"))),
        };
        let record = change
            .get("ResourceRecordSet")
            .ok_or_else(|| ApiError::invalid_input("A Change has no ResourceRecordSet"))?;
        Ok(Change { action, record: parse_record(record)? })
    });
    Ok((batch.text_of("Comment").map(str::to_owned), changes.collect::<Result<_, _>>()?))
}

/// The configuration of a `CreateHealthCheckRequest`.
pub(super) fn parse_config(element: &Element) -> Result<CheckConfig, ApiError> {
    let word = required(element, "Type")?;
    let kind = word
        .parse::<CheckType>()
        .map_err(|()| ApiError::invalid_input(format!("{word:?} is not a type of health check")))?;
    let mut config = CheckConfig::new(kind);
    config.ip_address = element.text_of("IPAddress").filter(|ip| !ip.is_empty()).map(str::to_owned);
    config.request_interval = parsed(element, "RequestInterval")?;
    config.measure_latency = parsed(element, "MeasureLatency")?;
    config.routing_control_arn = element.text_of("RoutingControlArn").map(str::to_owned);
    update_config(element, &mut config)?;
    Ok(config)
}

/// Sets the changeable parts of a configuration that a request names, and leaves the others.
pub(super) fn update_config(element: &Element, config: &mut CheckConfig) -> Result<(), ApiError> {
    if let Some(ip) = element.text_of("IPAddress") {
        if config.ip_address.is_none() {
            return Err(ApiError::invalid_input(
                "IPAddress cannot be added to a health check that was created without one.",
            ));
        }
        config.ip_address = Some(ip.to_owned());
    }
    set(&mut config.port, parsed(element, "Port")?);
    set(&mut config.failure_threshold, parsed(element, "FailureThreshold")?);
    set(&mut config.inverted, parsed(element, "Inverted")?);
    set(&mut config.disabled, parsed(element, "Disabled")?);
    set(&mut config.health_threshold, parsed(element, "HealthThreshold")?);
    set(&mut config.enable_sni, parsed(element, "EnableSNI")?);
    let text = |name| element.text_of(name).map(str::to_owned);
    set(&mut config.resource_path, text("ResourcePath"));
    set(&mut config.fully_qualified_domain_name, text("FullyQualifiedDomainName"));
    set(&mut config.search_string, text("SearchString"));
    set(&mut config.insufficient_data_health_status, text("InsufficientDataHealthStatus"));
    let texts =
        |name| element.get(name).map(|list| list.items().iter().map(|item| item.as_text().to_owned()).collect());
    if let Some(children) = texts("ChildHealthChecks") {
        config.child_health_checks = children;
    }
    if let Some(regions) = texts("Regions") {
        config.regions = regions;
    }
    if let Some(alarm) = element.get("AlarmIdentifier") {
        config.alarm = Some((required(alarm, "Region")?.to_owned(), required(alarm, "Name")?.to_owned()));
    }
    for reset in element.get("ResetElements").map(Element::items).unwrap_or_default() {
        match reset.as_text() {
            "ChildHealthChecks" => config.child_health_checks.clear(),
            "FullyQualifiedDomainName" => config.fully_qualified_domain_name = None,
            "Regions" => config.regions.clear(),
            "ResourcePath" => config.resource_path = None,
            other => return Err(ApiError::invalid_input(format!("{other:?} cannot be reset"))),
        }
    }
    Ok(())
}

fn set<T>(field: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *field = value;
    }
}

pub(super) fn required<'a>(element: &'a Element, name: &str) -> Result<&'a str, ApiError> {
    let text = element.text_of(name).filter(|text| !text.is_empty());
    text.ok_or_else(|| ApiError::invalid_input(format!("{name} is missing in {}", element.name())))
}

pub(super) fn parsed<T: FromStr>(element: &Element, name: &str) -> Result<Option<T>, ApiError> {
    let parse = |text: &str| text.parse().map_err(|_| ApiError::invalid_input(format!("{name} cannot be {text:?}")));
    element.text_of(name).map(parse).transpose()
}
