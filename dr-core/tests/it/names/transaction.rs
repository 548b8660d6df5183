use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use dr_core::probe::{Reading, Subject, TransactionProbe, TransactionProbeBuilder};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::{LONG, SHORT, look, office};

/// What is wrong with a shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// A write is answered 503.
    Refuses,
    /// A write is stored and never found again.
    Loses,
    /// A write is found at the so manieth read only.
    Lags(u32),
    /// Every read shows the first order there ever was.
    Stale,
    /// A write is taken and never answered.
    Hangs,
    /// Reads fail.
    ReadsFail,
    /// Nothing can be deleted.
    Keeps,
}

/// A shop that takes orders.
#[derive(Debug)]
struct Shop {
    fault: Fault,
    orders: Mutex<BTreeMap<String, (String, u32)>>,
}

impl Shop {
    fn answer(&self, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
        let mut orders = self.orders.lock().unwrap();
        let id = path.strip_prefix("/orders/").unwrap_or_default().to_owned();
        Some(match (method, self.fault) {
            ("POST", Fault::Hangs) => return None,
            ("POST", Fault::Refuses) => (503, String::new()),
            ("POST", _) => {
                let id = body.split('"').nth(3).unwrap().to_owned();
                orders.insert(id, (body.to_owned(), 0));
                (201, body.to_owned())
            }
            ("GET", Fault::Loses) => (404, String::new()),
            ("GET", Fault::ReadsFail) => (500, String::new()),
            ("GET", Fault::Stale) => (200, r#"{"id":"somebody-else"}"#.to_owned()),
            ("GET", fault) => match orders.get_mut(&id) {
                Some((order, reads)) => {
                    *reads += 1;
                    match fault {
                        Fault::Lags(until) if *reads < until => (404, String::new()),
                        _ => (200, order.clone()),
                    }
                }
                None => (404, String::new()),
            },
            ("DELETE", Fault::Keeps) => (405, String::new()),
            ("DELETE", _) => {
                orders.remove(&id);
                (204, String::new())
            }
            _ => (400, String::new()),
        })
    }

    async fn open(fault: Fault) -> (Arc<Self>, SocketAddr) {
        let shop = Arc::new(Self { fault, orders: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = Arc::clone(&shop);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(Arc::clone(&serving), stream));
            }
        });
        (shop, address)
    }
}

async fn serve(shop: Arc<Shop>, mut stream: TcpStream) {
    let mut text = String::new();
    let (head, body) = loop {
        let mut bytes = [0; 1024];
        let n = stream.read(&mut bytes).await.unwrap_or(0);
        text.push_str(&String::from_utf8_lossy(&bytes[..n]));
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = |line: &str| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok();
            if body.len() >= head.lines().find_map(length).unwrap_or(0) {
                break (head.to_owned(), body.to_owned());
            }
        }
        if n == 0 {
            return;
        }
    };
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let Some((status, body)) = shop.answer(method, path, &body) else { return std::future::pending().await };
    let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    let _ = stream.write_all(answer.as_bytes()).await;
}

fn probe(address: SocketAddr) -> TransactionProbeBuilder {
    let subject = Subject::transaction("place-order".parse().unwrap(), "us-east-1".parse().unwrap());
    let base = format!("http://{address}");
    TransactionProbe::of(subject, office(), format!("{base}/orders"), r#"{"id":"{{id}}"}"#)
        .expect_write(201)
        .read_back(format!("{base}/orders/{{{{id}}}}"))
        .read_within(SHORT)
        .with_timeout(LONG)
}

async fn reading_of(fault: Fault) -> Reading {
    let (_, address) = Shop::open(fault).await;
    look(&probe(address).build().unwrap()).await
}

/// The reason without the times that it took.
fn said(reading: &Reading) -> String {
    let words: Vec<&str> = reading.reason.split(' ').collect();
    let is_time = |n: usize| words.get(n + 1).is_some_and(|unit| ["ms", "s", "µs", "ms,", "s,", "µs,"].contains(unit));
    let mut said = Vec::new();
    let mut n = 0;
    while n < words.len() {
        if is_time(n) && words[n].parse::<f64>().is_ok() {
            said.push(if words[n + 1].ends_with(',') { "T," } else { "T" });
            n += 2;
        } else {
            said.push(words[n]);
            n += 1;
        }
    }
    said.join(" ")
}

#[tokio::test]
async fn what_was_written_is_read_back_under_a_name_of_its_own() {
    let (shop, address) = Shop::open(Fault::None).await;
    let probe = probe(address).build().unwrap();
    for _ in 0..3 {
        let reading = look(&probe).await;
        assert!(reading.is_healthy(), "{}", reading.reason);
        assert_eq!(said(&reading), "written in T, read back in T");
        assert!(reading.latency.first_byte.is_some() && reading.latency.connect.is_some());
    }
    let orders = shop.orders.lock().unwrap();
    assert_eq!(orders.len(), 3, "three looks are three orders: {orders:?}");
    assert!(orders.keys().all(|id| id.starts_with("dr-probe-office-")), "{orders:?}");
}

#[tokio::test]
async fn the_phase_that_failed_is_named() {
    for (fault, expected) in [
        (Fault::Refuses, "the write failed: answered 503 Service Unavailable, expected 201"),
        (Fault::Loses, "written in T, but not read back within 300 ms: answered 404 Not Found, expected 200"),
    ] {
        let reading = reading_of(fault).await;
        assert_eq!((reading.is_healthy(), said(&reading).as_str()), (false, expected));
    }
    let reading = reading_of(Fault::ReadsFail).await;
    assert!(reading.reason.ends_with("answered 500 Internal Server Error, expected 200"), "{}", reading.reason);
    let reading = reading_of(Fault::Stale).await;
    assert!(!reading.is_healthy());
    assert!(
        reading.reason.ends_with("the answer is there and shows another's value: stale reads are served"),
        "{}",
        reading.reason
    );
    let (_, address) = Shop::open(Fault::Hangs).await;
    let reading = look(&probe(address).with_timeout(SHORT).build().unwrap()).await;
    assert!(reading.reason.starts_with("the write failed: no answer within "), "{}", reading.reason);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    assert_eq!(look(&probe(nobody).build().unwrap()).await.reason, "the write failed: connection refused");
}

#[tokio::test]
async fn a_read_may_lag_for_as_long_as_it_is_allowed_to() {
    let (_, address) = Shop::open(Fault::Lags(3)).await;
    let reading = look(&probe(address).read_within(LONG).build().unwrap()).await;
    assert!(reading.is_healthy());
    assert_eq!(said(&reading), "written in T, read back in T at attempt 3");
    let reading = look(&probe(address).read_within(Duration::ZERO).build().unwrap()).await;
    assert_eq!(said(&reading), "written in T, and no time was left to read it back");
}

#[tokio::test]
async fn what_was_written_can_be_deleted_and_what_cannot_is_said() {
    let (shop, address) = Shop::open(Fault::None).await;
    let tidy = |address| probe(address).delete(format!("http://{address}/orders/{{{{id}}}}"));
    assert!(look(&tidy(address).build().unwrap()).await.is_healthy());
    assert!(shop.orders.lock().unwrap().is_empty());
    let (_, address) = Shop::open(Fault::Keeps).await;
    let reading = look(&tidy(address).build().unwrap()).await;
    assert!(reading.is_healthy(), "no client fails by it");
    assert!(
        reading.reason.ends_with("; it was not deleted afterwards: answered 405 Method Not Allowed, expected 200-299"),
        "{}",
        reading.reason
    );
}

#[test]
fn a_write_without_a_name_is_refused_and_secrets_stay_inside() {
    let subject = || Subject::transaction("place-order".parse().unwrap(), "us-east-1".parse().unwrap());
    let base = "http://shop.example";
    let error = TransactionProbe::of(subject(), office(), format!("{base}/orders"), "{}")
        .read_back(format!("{base}/orders/last"))
        .build()
        .unwrap_err();
    assert!(error.message().contains("does not carry {{id}}"), "{error}");
    assert!(TransactionProbe::of(subject(), office(), "ftp://x/{{id}}", "").read_back(base).build().is_err());
    let probe = TransactionProbe::of(subject(), office(), format!("{base}/orders?token=s3cret"), r#"{"pin":"s3cret"}"#)
        .header("authorization", "Bearer s3cret")
        .build()
        .unwrap();
    assert!(!format!("{probe:?}").contains("s3cret"), "{probe:?}");
}
