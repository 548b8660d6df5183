use std::{net::SocketAddr, sync::Arc, time::Duration};

use dr_core::{
    model::{RegionId, VantageId},
    probe::{HttpProbe, Outcome as Look, Sampler, Subject, TcpProbe},
    time::{Clock as _, SystemClock},
};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    Outcome,
    estate::{Estate, NAME, ROOT, Wire},
    linger::{raise_file_limit, until_told_to_end},
};

/// Runs our sampler over the estate, every reading in full, until its standard input closes; then prints what it saw.
///
/// One thread, as HAProxy is given. Half of the targets are said to stand in each of two regions.
pub(crate) fn sample(estate: &Estate) -> Outcome {
    raise_file_limit();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let clock = Arc::new(SystemClock::new());
        let vantage: VantageId = "bench".parse()?;
        let regions: [RegionId; 2] = ["us-east-1".parse()?, "eu-west-1".parse()?];
        let control = Subject::infrastructure("control".parse()?, "eu-central-1".parse()?);
        let control = TcpProbe::new(control, vantage.clone(), &format!("127.0.0.1:{}", estate.port))?;
        let mut sampler = Sampler::new(clock.clone()).slots(4096).control(Arc::new(control), Duration::from_secs(1));
        let (wire, port) = (estate.wire, estate.port);
        for (address, region) in estate.addresses().zip(regions.iter().cycle()) {
            let subject = Subject::infrastructure(format!("front/{address}").parse()?, region.clone());
            let mut probe = HttpProbe::get(subject, vantage.clone(), format!("{wire}://{NAME}:{port}/health"))
                .address(SocketAddr::from((address, port)));
            if wire == Wire::Https {
                probe = probe.trust_pem(ROOT);
            }
            sampler = sampler.probe(Arc::new(probe.build()?), estate.interval);
        }
        let windows = sampler.windows();
        let (out, mut seen) = mpsc::channel(4096);
        let stop = CancellationToken::new();
        let running = tokio::spawn(sampler.run(out, stop.clone()));
        let receiving = tokio::spawn(async move {
            let (mut healthy, mut unhealthy, mut unknown) = (0_u64, 0_u64, 0_u64);
            let mut complaint = None;
            while let Some(observation) = seen.recv().await {
                match &observation.outcome {
                    Look::Looked(reading) if reading.is_healthy() => healthy += 1,
                    outcome => {
                        let count = if outcome.reading().is_some() { &mut unhealthy } else { &mut unknown };
                        *count += 1;
                        complaint.get_or_insert_with(|| outcome.to_string());
                    }
                }
            }
            (healthy, unhealthy, unknown, complaint)
        });
        until_told_to_end().await;
        let lived = clock.monotonic().since_origin();
        stop.cancel();
        running.await??;
        let (healthy, unhealthy, unknown, complaint) = receiving.await?;
        let tally = windows.tally();
        let late = windows.iter().filter_map(|(.., window)| window.samples().iter().map(|sample| sample.late).max());
        let told = json!({
            "seconds": lived.as_secs_f64(),
            "looks": tally.looks,
            "overloaded": tally.overloaded,
            "polluted": tally.polluted,
            "pauses": tally.pauses,
            "longest_pause_ms": tally.longest_pause.as_secs_f64() * 1e3,
            "latest_ms": late.max().unwrap_or_default().as_secs_f64() * 1e3,
            "healthy": healthy,
            "unhealthy": unhealthy,
            "unknown": unknown,
            "complaint": complaint,
        });
        println!("{told}");
        Ok(())
    })
}
