//! What looking costs, and how evenly it is done: our sampler, HAProxy's checks and blackbox_exporter, one after the other against
//! the same server on this machine.
//!
//! Everything runs in processes of its own, so that each one's CPU time is its own: the server, our sampler, the peers, and the
//! program that scrapes blackbox_exporter. The first three are this same program, started again with other arguments. Each target is
//! an address of its own within 127.0.0.0/8; the server tells them apart by the address that was connected to, and measures
//! periods and bursts from the moments at which connections arrive, for all alike.
//!
//! `cargo xtask bench probe` fetches the peers from Debian and says where they are (`DR_BENCH_HAPROXY`, `DR_BENCH_BLACKBOX`) or why they are not
//! there; without them, our side runs alone. `DR_BENCH_SECONDS` is how long each run is measured, 20 unless said.

mod arrivals;
mod blackbox;
mod child;
mod driver;
mod estate;
mod haproxy;
mod linger;
mod load;
#[path = "../measure/mod.rs"]
mod measure;
mod ours;
mod scenario;
mod server;

/// Whatever went wrong ends the benchmark.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["server", wire] => server::serve(wire.parse()?),
        ["ours", estate] => ours::sample(&estate.parse()?),
        ["drive", address, estate] => driver::drive(address, &estate.parse()?),
        [] => scenario::run(),
        _ => Err(format!("unknown arguments {words:?}").into()),
    }
}
