//! Probes that have somewhere to look.

use super::super::{cursor::At, finding::Findings, place::APPLICATION_ENDPOINT};

pub(super) fn check(root: &At<'_>, findings: &mut Findings<'_>) {
    let regions = root.list("regions");
    let serving: Vec<&At<'_>> = regions
        .iter()
        .filter(|region| matches!(region.text_at("role"), Some("active" | "warm-standby" | "pilot-light")))
        .collect();
    for region in &regions {
        for (_, url) in region.get("endpoints").iter().flat_map(At::entries) {
            if url.text().is_some_and(|text| !text.is_empty() && text.contains(char::is_whitespace)) {
                let message = format!("`{}` has a space in it", url.shown());
                findings.push(url.place(), url.path(), message, "the endpoint without spaces");
            }
        }
    }
    for probe in root.list("probes") {
        match probe.text_at("kind") {
            Some("http") => {
                refuse(&probe, &["body"], "an http probe only reads", "`kind: write`, which posts it", findings);
                http(&probe, &serving, findings);
            }
            Some("write") => http(&probe, &serving, findings),
            Some("tcp") => tcp(&probe, &serving, findings),
            _ => {}
        }
    }
}

fn http(probe: &At<'_>, serving: &[&At<'_>], findings: &mut Findings<'_>) {
    refuse(probe, &["targets"], "an http probe looks at an endpoint of the region", "`endpoint` and `path`", findings);
    if probe.get("path").is_none() {
        let path = format!("{}.path", probe.path());
        findings.push(probe.label(), &path, "`path` is missing, which an http probe needs", "`path: /health`");
    }
    let named = probe.get("endpoint");
    let name = named.as_ref().and_then(At::text).unwrap_or(APPLICATION_ENDPOINT);
    for region in serving {
        let Some(id) = region.text_at("id") else { continue };
        let endpoint = region.get("endpoints").and_then(|endpoints| endpoints.get(name));
        let url = endpoint.as_ref().and_then(At::text).filter(|url| !url.is_empty());
        match (url, &endpoint) {
            (Some(url), Some(endpoint)) => {
                if !is_base_url(url) {
                    let message = format!("`{}` is not the base URL that a probe needs", endpoint.shown());
                    findings.push(endpoint.place(), endpoint.path(), message, "a URL such as https://api.example.com");
                }
            }
            _ => {
                let at = named.as_ref().or(Some(probe)).map_or(probe.place(), At::place);
                let path = named.as_ref().map_or(probe.path(), At::path);
                let message = format!("the region {id} has no endpoint `{name}` for this probe");
                let remedy = format!("`endpoints: {{ {name}: https://... }}` in {id}, or another `endpoint` here");
                findings.push(at, path, message, remedy);
            }
        }
    }
}

fn tcp(probe: &At<'_>, serving: &[&At<'_>], findings: &mut Findings<'_>) {
    let keys = ["path", "expect", "endpoint", "body"];
    refuse(probe, &keys, "a tcp probe only opens a connection", "`targets` alone, or `kind: http`", findings);
    let Some(targets) = probe.get("targets") else {
        let path = format!("{}.targets", probe.path());
        let message = "`targets` is missing, which a tcp probe needs";
        findings.push(probe.label(), &path, message, "`targets:` with a `host:port` for each region that serves");
        return;
    };
    for (_, target) in targets.entries() {
        if target.text().is_some_and(|text| !is_address(text)) {
            let message = format!("`{}` is not an address to connect to", target.shown());
            findings.push(target.place(), target.path(), message, "`host:port`, such as db.example.com:5432");
        }
    }
    for id in serving.iter().filter_map(|region| region.text_at("id")) {
        if targets.get(id).is_none() {
            let message = format!("the region {id} serves and has no target");
            findings.push(targets.label(), targets.path(), message, format!("`{id}: host:port` among the targets"));
        }
    }
}

fn refuse(probe: &At<'_>, keys: &[&str], message: &str, remedy: &str, findings: &mut Findings<'_>) {
    for at in keys.iter().filter_map(|key| probe.get(key)) {
        findings.push(at.label(), at.path(), message, remedy);
    }
}

fn is_base_url(url: &str) -> bool {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let host = rest.and_then(|rest| rest.split('/').next());
    host.is_some_and(|host| !host.is_empty() && !host.contains(char::is_whitespace))
}

fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    !host.is_empty() && !host.contains(char::is_whitespace) && port.parse::<u16>().is_ok_and(|port| port > 0)
}
