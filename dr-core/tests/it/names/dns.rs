use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use dr_core::{
    error::ErrorKind,
    probe::{DnsAnswer, DnsProbe, DnsProbeBuilder, DnsQuestion, DnsType, HealthProbe as _, ProbeCx},
    time::{ManualClock, SystemClock},
};
use hickory_proto::op::{Message, ResponseCode};

use super::{
    LONG, SHORT, look,
    name_server::{Scripted, Sent, addresses, asked_name, no, reply},
    office, subject,
};

const API: &str = "api.example.com";
const EAST: &str = "us.example.com";
const WEST: &str = "eu.example.com";

/// A server that knows the regions' own names, and leads the public one to the standby when told.
async fn server(standby: &Arc<AtomicBool>, ttl: u32) -> Scripted {
    let standby = Arc::clone(standby);
    Scripted::start(move |question, _| {
        let west = standby.load(Ordering::SeqCst);
        match asked_name(question).as_str() {
            API if west => addresses(question, ttl, &["10.0.2.1"]),
            API => addresses(question, ttl, &["10.0.1.2"]),
            EAST => addresses(question, 60, &["10.0.1.1", "10.0.1.2"]),
            WEST => addresses(question, 60, &["10.0.2.1", "10.0.2.2"]),
            _ => no(question, ResponseCode::NXDomain),
        }
        .into()
    })
    .await
}

fn flag() -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(false))
}

fn probe(authorities: &[&Scripted], resolvers: &[&Scripted]) -> DnsProbeBuilder {
    let mut builder = DnsProbe::of(subject(), office(), API)
        .region("us-east-1".parse().unwrap(), EAST)
        .region("eu-west-1".parse().unwrap(), WEST)
        .with_patience(2, LONG);
    for server in authorities {
        builder = builder.authority(server.name());
    }
    for server in resolvers {
        builder = builder.resolver(server.name());
    }
    builder
}

#[tokio::test]
async fn a_failover_is_followed_server_by_server_until_the_last_cache_has_let_go() {
    let (one, two, cache) = (flag(), flag(), flag());
    let (ns1, ns2, resolver) = (server(&one, 60).await, server(&two, 60).await, server(&cache, 45).await);
    let probe = probe(&[&ns1, &ns2], &[&resolver]).build().unwrap();
    let clock = ManualClock::new();
    let cx = ProbeCx::new(Arc::new(clock.clone()));
    let reading = probe.probe(&cx).await.unwrap();
    assert_eq!(reading.reason, "2 of 2 authoritative servers answer us-east-1, TTL 60 s; 1 of 1 resolvers follow");
    assert!(reading.is_healthy());

    clock.advance(Duration::from_secs(100));
    one.store(true, Ordering::SeqCst);
    let reading = probe.probe(&cx).await.unwrap();
    assert!(!reading.is_healthy());
    let (ns2_name, resolver_name) = (ns2.name(), resolver.name());
    assert_eq!(
        reading.reason,
        format!(
            "1 of 2 authoritative servers answer eu-west-1, TTL 60 s, since 1970-01-01T00:01:40.000Z; {ns2_name} still \
             answers us-east-1, TTL 60 s; 0 of 1 resolvers follow; {resolver_name} still answers us-east-1, TTL 45 s"
        )
    );

    clock.advance(Duration::from_secs(5));
    two.store(true, Ordering::SeqCst);
    let reading = probe.probe(&cx).await.unwrap();
    assert!(reading.is_healthy(), "caches may keep it for its time: {}", reading.reason);
    clock.advance(Duration::from_secs(61));
    let reading = probe.probe(&cx).await.unwrap();
    assert!(!reading.is_healthy());
    assert!(reading.reason.ends_with("61 s after the authorities, which allow 60 s"), "{}", reading.reason);
    cache.store(true, Ordering::SeqCst);
    assert!(probe.probe(&cx).await.unwrap().is_healthy());

    let leads = probe.leads();
    let since = |server: &Scripted| leads[&server.name()].since.to_string();
    assert_eq!(since(&ns1), "1970-01-01T00:01:40.000Z");
    assert_eq!(since(&ns2), "1970-01-01T00:01:45.000Z");
    assert_eq!(since(&resolver), "1970-01-01T00:02:46.000Z");
    let before = leads[&ns1.name()].before.as_ref().map(ToString::to_string);
    assert_eq!(before.as_deref(), Some("us-east-1"));
}

#[tokio::test]
async fn every_server_is_asked_and_a_resolver_several_times() {
    let standby = flag();
    let (ns, resolver) = (server(&standby, 60).await, server(&standby, 60).await);
    assert!(look(&probe(&[&ns], &[&resolver]).samples(5).build().unwrap()).await.is_healthy());
    // Two families, of the public name and two regions' own.
    assert_eq!(ns.asked.load(Ordering::SeqCst), 6);
    assert_eq!(resolver.asked.load(Ordering::SeqCst), 2 * (5 + 2));
}

#[tokio::test]
async fn a_balancer_s_name_in_another_zone_is_learned_from_the_resolvers() {
    let knows_all = server(&flag(), 60).await;
    let own_zone_only = Scripted::start(|question, _| match asked_name(question).as_str() {
        API => addresses(question, 60, &["10.0.1.1"]).into(),
        _ => {
            let mut refused = reply(question);
            refused.metadata.response_code = ResponseCode::Refused;
            refused.into()
        }
    })
    .await;
    let reading = look(&probe(&[&own_zone_only], &[&knows_all]).build().unwrap()).await;
    assert_eq!(reading.reason, "1 of 1 authoritative servers answer us-east-1, TTL 60 s; 1 of 1 resolvers follow");
    let reading = look(&probe(&[&own_zone_only], &[]).build().unwrap()).await;
    assert!(
        reading.reason.contains("answers 10.0.1.1, which is no region's")
            && reading.reason.contains("eu.example.com of eu-west-1 has no address that anybody knows"),
        "{}",
        reading.reason
    );
}

#[tokio::test]
async fn a_name_that_is_not_there_is_told_from_one_without_addresses() {
    for (code, said) in [
        (ResponseCode::NXDomain, "says that there is no such name, to be believed for 300 s"),
        (ResponseCode::NoError, "has no address for it, to be believed for 300 s"),
        (ResponseCode::ServFail, "will not answer (Server Failure)"),
    ] {
        let ns = Scripted::start(move |question, _| match asked_name(question).as_str() {
            API => no(question, code).into(),
            EAST => addresses(question, 60, &["10.0.1.1"]).into(),
            _ => addresses(question, 60, &["10.0.2.1"]).into(),
        })
        .await;
        let reading = look(&probe(&[&ns], &[]).build().unwrap()).await;
        assert_eq!(reading.reason, format!("no authoritative server leads to a region; {} {said}", ns.name()));
    }
}

/// What is said of a server that answers like this.
async fn said_of(answer: impl Fn(&Message, bool) -> Sent + Send + Sync + 'static) -> String {
    let ns = Scripted::start(answer).await;
    let question = DnsQuestion::to_authority(ns.name(), API, DnsType::A).with_patience(2, SHORT);
    let error = question.ask(&SystemClock::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let message = error.message().to_owned();
    message.strip_prefix(&format!("{API} A at {}: ", ns.name())).unwrap().to_owned()
}

#[tokio::test]
async fn a_hostile_server_costs_its_timeout_and_is_named() {
    let silence = "no answer in 2 tries of 300 ms";
    assert_eq!(said_of(|_, _| Sent::Nothing).await, silence);
    let garbage = |question: &Message, _| {
        Sent::Bytes([&question.metadata.id.to_be_bytes()[..], b"\xff\xff\xff\xffnonsense"].concat())
    };
    assert_eq!(said_of(garbage).await, format!("{silence}; it sent something that is not DNS, 2 times"));
    let looping = |question: &Message, _| {
        let id = question.metadata.id.to_be_bytes();
        Sent::Bytes([&id[..], b"\x84\0\0\x01\0\0\0\0\0\0\xc0\x0c\0\x01\0\x01"].concat())
    };
    assert_eq!(said_of(looping).await, format!("{silence}; it sent something that is not DNS, 2 times"));
    let other_number = |question: &Message, _| {
        let mut message = addresses(question, 60, &["10.6.6.6"]);
        message.metadata.id = message.metadata.id.wrapping_add(1);
        message.into()
    };
    assert_eq!(said_of(other_number).await, format!("{silence}; it sent a reply with another number, 2 times"));
    let other_question = |question: &Message, _| {
        let mut message = addresses(question, 60, &["10.6.6.6"]);
        message.queries[0].name = "other.example.com.".parse().unwrap();
        message.into()
    };
    assert_eq!(said_of(other_question).await, format!("{silence}; it sent the reply to another question, 2 times"));
    let echo = |question: &Message, _| question.clone().into();
    assert_eq!(said_of(echo).await, format!("{silence}; it sent a message that is no reply, 2 times"));
    let elsewhere =
        |question: &Message, _| Sent::FromElsewhere(addresses(question, 60, &["10.6.6.6"]).to_vec().unwrap());
    let said = said_of(elsewhere).await;
    assert!(said.starts_with(&format!("{silence}; 127.0.0.1:")), "{said}");
    assert!(said.ends_with(" answered, which was not asked"), "{said}");
    let flood = |_: &Message, _| Sent::Flood(b"\0".to_vec(), 500);
    let said = said_of(flood).await;
    assert!(said.starts_with("nothing but strays arrived; it sent something that is not DNS, "), "{said}");
    let truncated = |question: &Message, over_tcp: bool| {
        if over_tcp {
            return Sent::Bytes(b"garbage".to_vec());
        }
        let mut message = reply(question);
        message.metadata.truncation = true;
        message.into()
    };
    assert_eq!(said_of(truncated).await, "too long for a datagram, and over TCP it sent a reply with another number");
    let drips = |question: &Message, over_tcp: bool| {
        if over_tcp {
            return Sent::Nothing;
        }
        let mut message = reply(question);
        message.metadata.truncation = true;
        message.into()
    };
    assert_eq!(said_of(drips).await, silence);
}

#[tokio::test]
async fn a_stray_does_not_hide_the_answer_and_a_lost_datagram_is_asked_for_again() {
    let first = AtomicBool::new(true);
    let ns = Scripted::start(move |question, _| {
        if first.swap(false, Ordering::SeqCst) { Sent::Nothing } else { addresses(question, 60, &["10.0.1.1"]).into() }
    })
    .await;
    let question = DnsQuestion::to_authority(ns.name(), API, DnsType::A).with_patience(3, SHORT);
    let answer = question.ask(&SystemClock::new()).await.unwrap();
    assert!(answer.authoritative && matches!(answer.answer, DnsAnswer::Addresses { .. }));
    assert!(ns.asked.load(Ordering::SeqCst) >= 2);
}

#[tokio::test]
async fn what_is_too_long_for_a_datagram_comes_over_tcp_and_is_not_kept_whole() {
    let many: Vec<String> = (0..1_500).map(|n: u16| format!("10.7.{}.{}", n >> 8, n & 255)).collect();
    let ns = Scripted::start(move |question, over_tcp| {
        if over_tcp {
            let all: Vec<&str> = many.iter().map(String::as_str).collect();
            return addresses(question, 60, &all).into();
        }
        let mut message = reply(question);
        message.metadata.truncation = true;
        message.into()
    })
    .await;
    let question = DnsQuestion::to_resolver(ns.name(), API, DnsType::A).with_patience(1, LONG);
    let reply = question.ask(&SystemClock::new()).await.unwrap();
    assert!(!reply.truncated);
    let DnsAnswer::Addresses { addresses, .. } = reply.answer else { panic!("{reply:?}") };
    assert_eq!(addresses.len(), 64);
}

#[tokio::test]
async fn one_silent_server_does_not_delay_the_word_of_the_others() {
    let well = server(&flag(), 60).await;
    let silent = Scripted::start(|_, _| Sent::Nothing).await;
    let builder = probe(&[&well, &silent], &[]).with_patience(2, SHORT * 3);
    let reading = look(&builder.build().unwrap()).await;
    assert!(!reading.is_healthy());
    assert_eq!(
        reading.reason,
        format!(
            "1 of 2 authoritative servers answer us-east-1, TTL 60 s; {} does not answer (no answer in 2 tries of 300 ms)",
            silent.name()
        )
    );
    let nobody = DnsProbe::of(subject(), office(), API)
        .authority("name-server.invalid")
        .region("us-east-1".parse().unwrap(), EAST)
        .with_patience(1, LONG);
    let reading = look(&nobody.build().unwrap()).await;
    assert!(reading.reason.contains("the server's own name"), "{}", reading.reason);
}

#[test]
fn what_cannot_be_asked_is_refused_with_every_reason() {
    let error = DnsProbe::of(subject(), office(), "a..b").samples(0).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    for part in ["a..b", "no authoritative server", "no region's own name", "at least one sample"] {
        assert!(error.message().contains(part), "{part} is missing: {error}");
    }
    let mut crowd = DnsProbe::of(subject(), office(), API).region("us-east-1".parse().unwrap(), EAST);
    for n in 0..17 {
        crowd = crowd.authority(format!("ns-{n}.example.com"));
    }
    assert!(crowd.build().unwrap_err().message().contains("more than 16 authoritative servers"));
}
