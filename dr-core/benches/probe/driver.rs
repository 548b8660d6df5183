use std::{net::SocketAddr, sync::Arc, time::Duration};

use dr_core::time::{Clock as _, SystemClock};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::{Mutex, Semaphore},
};

use crate::{
    Outcome,
    estate::{Estate, Wire},
    linger::{raise_file_limit, until_told_to_end},
};

/// How many questions may be open at once.
const OPEN: usize = 512;

/// Asks blackbox_exporter at `address` to probe each target of the estate at its interval, evenly spread, over connections that stay
/// open; prints how many answers said `probe_success 1`. That stands for Prometheus, which would read the answer as well:
/// what it costs to ask is not counted.
pub(crate) fn drive(address: &str, estate: &Estate) -> Outcome {
    raise_file_limit();
    let address: SocketAddr = address.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let clock = SystemClock::new();
        let (wire, port, interval) = (estate.wire, estate.port, estate.interval);
        let module = match wire {
            Wire::Http => "http",
            Wire::Https => "https",
        };
        let questions: Arc<[String]> = estate
            .addresses()
            .map(|target| {
                format!("GET /probe?module={module}&target={wire}%3A%2F%2F{target}%3A{port}%2Fhealth HTTP/1.1\r\nHost: bench\r\n\r\n")
            })
            .collect();
        let idle: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
        let room = Arc::new(Semaphore::new(OPEN));
        let counts = Arc::new(std::sync::Mutex::new((0_u64, 0_u64)));
        let space = interval.as_secs_f64() / questions.len().max(1) as f64;
        let asking = async {
            let start = clock.monotonic();
            for n in 0_usize.. {
                let due = start + Duration::from_secs_f64(space * n as f64);
                let now = clock.monotonic();
                if due > now {
                    clock.sleep(due.since(now)).await;
                }
                let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
                let (idle, questions, counts) = (Arc::clone(&idle), Arc::clone(&questions), Arc::clone(&counts));
                tokio::spawn(async move {
                    let question = questions.get(n % questions.len().max(1)).map(String::as_bytes).unwrap_or_default();
                    let free = idle.lock().await.pop();
                    let answered = ask(address, free, question).await;
                    {
                        let mut counts = counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                        match &answered {
                            Ok((_, true)) => counts.0 += 1,
                            _ => counts.1 += 1,
                        }
                    }
                    if let Ok((stream, _)) = answered {
                        idle.lock().await.push(stream);
                    }
                    drop(permit);
                });
            }
        };
        tokio::select! {
            biased;
            () = until_told_to_end() => {}
            () = asking => {}
        }
        let (healthy, failed) = *counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        println!("{}", serde_json::json!({ "healthy": healthy, "failed": failed }));
        Ok(())
    })
}

/// One question and its answer, and whether that was a good one.
async fn ask(address: SocketAddr, free: Option<TcpStream>, question: &[u8]) -> std::io::Result<(TcpStream, bool)> {
    let mut stream = match free {
        Some(stream) => stream,
        None => TcpStream::connect(address).await?,
    };
    stream.write_all(question).await?;
    let mut answer = Vec::with_capacity(8 * 1024);
    loop {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(body) = whole(&answer) {
            let good = body.windows(GOOD.len()).any(|window| window == GOOD);
            return Ok((stream, good));
        }
    }
}

const GOOD: &[u8] = b"\nprobe_success 1\n";

/// The body of an answer that has come in full, of a stated length or in chunks.
fn whole(answer: &[u8]) -> Option<&[u8]> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let (head, body) = answer.split_at_checked(end)?;
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
    let done = match length {
        Some(length) => body.len() >= length,
        None => body.ends_with(b"\r\n0\r\n\r\n"),
    };
    done.then_some(body)
}
