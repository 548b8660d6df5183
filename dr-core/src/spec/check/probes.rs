//! Probes that have somewhere to look.

use super::{
    super::{cursor::At, finding::Findings, place::APPLICATION_ENDPOINT, probe::host_of},
    timing::votes,
};

/// What one kind of probe has alone, and what to write instead.
const OF_ONE_KIND: [(&str, &[&str], &str); 3] = [
    ("write", &["read_back"], "`kind: write`, which can read back what it wrote"),
    ("certificate", &["names", "expires_in_at_least", "trust"], "`kind: certificate`, or not this key"),
    ("dns", &["name", "servers", "resolvers"], "`kind: dns`, or not this key"),
];

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
    let probes = root.list("probes");
    if let (Some(at), false) = (root.get("probes"), probes.is_empty() || probes.iter().any(votes)) {
        let message = "no probe here has a vote, so that a lost region would never be noticed";
        findings.push(at.label(), at.path(), message, "a probe of the kind `http`, `write` or `tcp` beside these");
    }
    for probe in probes {
        let kind = probe.text_at("kind");
        for (only, keys, instead) in OF_ONE_KIND {
            if kind.is_some_and(|kind| kind != only) {
                refuse(&probe, keys, &format!("only a {only} probe has this"), instead, findings);
            }
        }
        match probe.text_at("kind") {
            Some("http") => {
                refuse(&probe, &["body"], "an http probe only reads", "`kind: write`, which posts it", findings);
                http(&probe, &serving, findings);
            }
            Some("write") => {
                http(&probe, &serving, findings);
                read_back(&probe, findings);
            }
            Some("tcp") => tcp(&probe, &serving, findings),
            Some("certificate") => certificate(&probe, &serving, findings),
            Some("dns") => dns(root, &probe, &serving, findings),
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
    endpoints(probe, serving, findings);
}

/// Each region that serves has the endpoint that the probe looks at.
fn endpoints(probe: &At<'_>, serving: &[&At<'_>], findings: &mut Findings<'_>) {
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

/// What is written carries the name by which it is looked for.
fn read_back(probe: &At<'_>, findings: &mut Findings<'_>) {
    const NAME: &str = "{{id}}";
    let Some(read_back) = probe.get("read_back") else { return };
    let path = read_back.get("path");
    if let Some(at) = path.filter(|at| at.text().is_some_and(|path| !path.contains(NAME))) {
        let message = "the same is read whatever was written: the name of the write is missing";
        findings.push(at.place(), at.path(), message, "`{{id}}` where its name goes: /orders/{{id}}");
    }
    let says = |key: &str| probe.text_at(key).is_some_and(|text| text.contains(NAME));
    if !says("body") && !says("path") {
        let message = "what is written has no name of its own to be read back by";
        let remedy = "`{{id}}` in the body, as in `body: '{\"id\":\"{{id}}\"}'`";
        findings.push(read_back.label(), read_back.path(), message, remedy);
    }
}

fn certificate(probe: &At<'_>, serving: &[&At<'_>], findings: &mut Findings<'_>) {
    let keys = ["path", "expect", "targets", "body"];
    refuse(probe, &keys, "a certificate probe only shakes hands", "`endpoint` and `names` alone", findings);
    endpoints(probe, serving, findings);
    let name = probe.text_at("endpoint").unwrap_or(APPLICATION_ENDPOINT);
    for region in serving {
        let endpoint = region.get("endpoints").and_then(|endpoints| endpoints.get(name));
        let Some(at) = endpoint.filter(|at| at.text().is_some_and(|url| url.starts_with("http://"))) else { continue };
        let message = format!("`{}` shows no certificate, and a probe here asks for one", at.shown());
        findings.push(at.place(), at.path(), message, "a URL that begins with https://, or not that probe");
    }
    for at in probe.list("names") {
        if at.text().is_some_and(|name| !is_name(name)) {
            let message = format!("no certificate can be for `{}`", at.shown());
            findings.push(at.place(), at.path(), message, "a name such as api.example.com");
        }
    }
}

fn dns(root: &At<'_>, probe: &At<'_>, serving: &[&At<'_>], findings: &mut Findings<'_>) {
    let keys = ["path", "expect", "endpoint", "body"];
    refuse(
        probe,
        &keys,
        "a dns probe asks name servers",
        "`name`, `servers`, `resolvers` and `targets` alone",
        findings,
    );
    if probe.list("servers").is_empty() {
        let path = format!("{}.servers", probe.path());
        let message = "`servers` is missing, which a dns probe needs: a resolver's cache proves nothing";
        findings.push(probe.label(), &path, message, "`servers:` with every name server of the zone");
    }
    if probe.get("name").is_none() && root.text_at("endpoint").is_some_and(|url| host_of(url).is_none()) {
        let path = format!("{}.name", probe.path());
        findings.push(probe.label(), &path, "there is no public name to ask for", "`name: api.example.com`");
    }
    let Some(targets) = probe.get("targets") else {
        let path = format!("{}.targets", probe.path());
        let message = "`targets` is missing, with which a dns probe compares what it hears";
        findings.push(probe.label(), &path, message, "`targets:` with the own name of each region that serves");
        return;
    };
    for (_, target) in targets.entries() {
        if target.text().is_some_and(|text| !is_name(text)) {
            let message = format!("`{}` is no name to ask for", target.shown());
            findings.push(target.place(), target.path(), message, "a name such as api-us-east-1.example.com");
        }
    }
    for id in serving.iter().filter_map(|region| region.text_at("id")) {
        if targets.get(id).is_none() {
            let message = format!("the region {id} serves and has no name here");
            findings.push(targets.label(), targets.path(), message, format!("`{id}:` with the name of its balancer"));
        }
    }
}

fn is_name(text: &str) -> bool {
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    !text.is_empty() && text.len() <= 253 && text.chars().all(letters)
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
