use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use dr_core::{
    decision::{Decider, Mode, Policy, PrewarmPolicy, SurveyedPlans, Warming},
    event::EventSink,
    model::{OwnerId, RunId},
    plan,
    planner::PlanOptions,
};

use crate::{drill::Drill, exit::Stop};

/// Between two looks at whether the loss is suspected.
const EVERY: Duration = Duration::from_secs(1);
/// How often in an hour and for how long the standby may be warm, where dr.yaml does not say.
const USUAL: PrewarmPolicy = PrewarmPolicy { per_hour: 3, keep: Duration::from_secs(15 * 60) };

/// What warms the standby on suspicion, and remembers what stood before.
///
/// Its policy is that of dr.yaml, but for what is not for a drill: somebody started it by hand, whatever the window, and
/// carries the failover out, whatever the mode.
pub(crate) fn decider(drill: &Drill) -> Result<Decider, Stop> {
    let spec = &drill.platform.spec;
    let mut policy = Policy::of(spec).map_err(|e| Stop::usage(e.to_string()))?;
    policy.mode = Mode::Ask;
    policy.windows.clear();
    policy.prewarm.get_or_insert(USUAL);
    let plans = SurveyedPlans {
        topology: drill.platform.topology.clone(),
        drivers: drill.platform.drivers.clone(),
        clock: drill.clock.clone(),
        options: PlanOptions::of(spec, plan::Mode::Ungraceful),
        waivers: spec.waivers.clone(),
    };
    let owner = OwnerId::of_process("drill/decider").map_err(|e| Stop::stopped(e.to_string()))?;
    let events: Arc<dyn EventSink> = drill.narrator.clone();
    let (engine, steps, clock) = (drill.engine.clone(), &drill.platform.steps, drill.clock.clone());
    Ok(Decider::new(policy, engine, steps, Arc::new(plans), owner, clock, events)?)
}

/// Waits for the verdict, and warms the standby as soon as the loss is suspected. Gives the run that did.
pub(crate) async fn meanwhile<T>(drill: &Drill, verdict: impl Future<Output = T>) -> Result<(T, Option<RunId>), Stop> {
    let mut decider = decider(drill)?;
    let mut warming = Warming::default();
    let mut verdict = pin!(verdict);
    let found = loop {
        tokio::select! {
            biased;
            found = &mut verdict => break found,
            news = warming.next() => decider.go_on(news, &mut warming).await,
            () = drill.clock.sleep(EVERY) => {
                let seen = drill.standings.borrow().clone();
                let considered = decider.consider(&seen).await?;
                decider.tend(&considered.prewarm, &mut warming).await;
            }
        }
    };
    // What is not done by now is left to the failover, which finds the rest done.
    Ok((found, decider.keep_warm(&mut warming).await))
}
