//! What a server may answer: whatever it is, a probe makes a reading of it, and holds a bounded amount.

use std::io::Write as _;

use dr_core::probe::{BodyMatch, HttpProbe, HttpProbeBuilder, Redirects, Subject};
use flate2::{Compression, write::GzEncoder};

use super::harness::Target;

/// Answers of every sort that the reader tells apart.
fn answers() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = [
        "HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{\"writer\":true}",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n8;a=b\r\n{\"writer\r\n7\r\n\":true}\r\n0\r\nx-sum: 1\r\n\r\n",
        "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n{\"writer\":true}",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 302 Found\r\nlocation: https://login.example.com/a/../b?token=s3cret#x\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/html\r\nretry-after: 5\r\n\r\n<html>",
        "HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 4\r\n\r\n\x0b\x02\x03\x04",
        "SSH-2.0-OpenSSH_9.9\r\n",
        "",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&b"{\"writer\":true}".repeat(400)).unwrap();
    let gzip = gzip.finish().unwrap();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", gzip.len());
    seeds.push([head.as_bytes(), &gzip].concat());
    seeds
}

/// What probes of several minds say of it. The reader itself asserts that what it holds stays within its bound.
fn judged(input: &[u8]) -> String {
    /// No reason is longer: a far side cannot flood a log.
    const LONGEST: usize = 400;
    let get = || {
        let subject = Subject::infrastructure("fuzz".parse().unwrap(), "us-east-1".parse().unwrap());
        HttpProbe::get(subject, "office".parse().unwrap(), "http://127.0.0.1/health")
    };
    let minds: [HttpProbeBuilder; 4] = [
        get(),
        get().expect_body(BodyMatch::route53("\"writer\":true")),
        get().expect_body(BodyMatch::within("e\":", 9)).redirects(Redirects::AnyHost(3)),
        get().method_named("HEAD").unwrap().as_route53(),
    ];
    let mut said = String::new();
    for mind in minds {
        let reading = mind.build().unwrap().judge(input);
        assert!(!reading.reason.is_empty() && reading.reason.len() <= LONGEST, "{}", reading.reason);
        assert!(!reading.reason.contains(char::is_control), "{:?}", reading.reason);
        assert!(!reading.reason.contains("s3cret") || in_a_host(input), "{}", reading.reason);
        said += &format!("{:?} {}\n", reading.health, reading.reason);
    }
    said
}

/// Whether a change of the input has put the secret where a host stands, which is said.
fn in_a_host(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input).to_ascii_lowercase();
    text.match_indices("s3cret").any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        before.rsplit_once("//").is_some_and(|(_, since)| !since.contains(['/', '?', '#', '@', '\n']))
    })
}

#[test]
fn no_answer_breaks_its_reader() {
    Target { name: "answer", seeds: answers(), short: 3_000, read: judged }.run();
}
