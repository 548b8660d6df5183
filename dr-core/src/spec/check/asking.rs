//! Requests that can be sent, and limits that leave them room.

use std::time::Duration;

use super::super::{cursor::At, duration::format_duration, finding::Findings};

pub(super) fn check(root: &At<'_>, findings: &mut Findings<'_>) {
    for probe in root.list("probes") {
        let kind = probe.text_at("kind").unwrap_or_default();
        if !matches!(kind, "http" | "write") {
            let message = "only a probe that asks over HTTP has this";
            for at in ["like", "request", "tls"].iter().filter_map(|key| probe.get(key)) {
                findings.push(at.label(), at.path(), message, "`kind: http`, or this key not at all");
            }
            if let Some(at) = probe.get("family").filter(|_| kind != "tcp") {
                findings.push(
                    at.label(),
                    at.path(),
                    "only an http, write or tcp probe has this",
                    "this key not at all",
                );
            }
            continue;
        }
        if probe.get("read_back").is_some() {
            let message = "a write that is read back asks in its own way";
            for at in ["like", "request", "tls", "family"].iter().filter_map(|key| probe.get(key)) {
                findings.push(at.label(), at.path(), message, "this key not at all, or no `read_back`");
            }
        }
        method(&probe, kind, findings);
        for (name, value) in probe.get("request").and_then(|r| r.get("headers")).iter().flat_map(At::entries) {
            header(name, &value, findings);
        }
        limits(&probe, findings);
        if let Some(at) = probe.get("tls").and_then(|tls| tls.get("trust"))
            && at.text().is_some_and(|text| !text.contains("-----BEGIN CERTIFICATE-----"))
        {
            let remedy = "the certificate itself, from -----BEGIN CERTIFICATE----- on";
            findings.push(at.place(), at.path(), "this is no certificate in PEM", remedy);
        }
    }
}

fn method(probe: &At<'_>, kind: &str, findings: &mut Findings<'_>) {
    let Some(at) = probe.get("request").and_then(|request| request.get("method")) else { return };
    let reads = matches!(at.text(), Some("GET" | "HEAD" | "OPTIONS"));
    let message = match (kind, reads) {
        ("http", false) => "an http probe only reads",
        ("write", true) => "a write does not read",
        _ => {
            if at.text() == Some("HEAD") && probe.get("expect").is_some_and(|expect| expect.get("body").is_some()) {
                findings.push(at.place(), at.path(), "the answer to a HEAD has no body to look into", "GET");
            }
            return;
        }
    };
    let remedy = if reads { "`kind: http`, or POST" } else { "`kind: write`, or GET" };
    findings.push(at.place(), at.path(), message, remedy);
}

fn header(name: &str, value: &At<'_>, findings: &mut Findings<'_>) {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let lower = name.to_ascii_lowercase();
    if name.is_empty() || !name.chars().all(token) {
        findings.push(value.label(), value.path(), "this is no name of a header", "a name such as content-type");
    } else if lower == "host" {
        findings.push(value.label(), value.path(), "the host has a key of its own", "`host:` beside `headers`");
    } else if ["content-length", "transfer-encoding", "connection"].contains(&lower.as_str()) {
        let remedy = "the other headers without this one";
        findings.push(value.label(), value.path(), "the probe writes this header itself", remedy);
    }
    if value.text().is_some_and(|text| !text.chars().all(|c| c == '\t' || (' '..='~').contains(&c))) {
        let message = "the value of a header is one line of ASCII";
        findings.push(value.place(), value.path(), message, "a value without line ends and accents");
    }
}

fn limits(probe: &At<'_>, findings: &mut Findings<'_>) {
    let Some(timeout) = probe.get("timeout") else { return };
    let Some(whole) = timeout.duration() else { return };
    if let Some(request) = probe.get("request") {
        for at in ["connect_timeout", "response_timeout"].iter().filter_map(|key| request.get(key)) {
            let Some(part) = at.duration() else { continue };
            if part > whole {
                let whole = format_duration(whole);
                let message = format!("the whole look may take {whole}, and this part of it {}", format_duration(part));
                findings.push(at.place(), at.path(), message, format!("{whole} or less, or a longer `timeout`"));
            } else if part.is_zero() {
                findings.push(at.place(), at.path(), "this takes no time at all", "a duration such as 2s");
            }
        }
    }
    if probe.text_at("like") == Some("route53") {
        let body = probe.get("expect").is_some_and(|expect| expect.get("body").is_some());
        let needed = Duration::from_secs(if body { 8 } else { 6 });
        if whole < needed {
            let needed = format_duration(needed);
            let message = format!("Route 53's checkers wait up to {needed} in all, which this cuts short");
            findings.push(timeout.place(), timeout.path(), message, format!("{needed} or more"));
        }
    }
}
