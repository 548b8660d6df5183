//! steno, Oxide's saga engine, on the graphs of our engine's benchmark.
//!
//! `peer-steno run 1,5,1` runs a saga of no-op actions whose layers have these widths; `replay` recovers such a saga from
//! the events of a run that ended. CPU is of the whole process, the median of a few rounds after one that warms up. A
//! saga of steno has one verb where a step of ours has four, its log has no order, no lease and no digests, and its own
//! in-memory store keeps nothing; hence the second store here, which keeps each event as JSON text.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};
use rustix::time::{ClockId, Timespec, clock_gettime};
use serde_json::json;
use steno::{
    Action, ActionContext, ActionError, ActionRegistry, DagBuilder, InMemorySecStore, Node, SagaCachedState,
    SagaCreateParams, SagaDag, SagaId, SagaName, SagaNodeEvent, SagaType, SecStore,
};

const ROUNDS: usize = 5;

#[derive(Debug)]
struct Nothing;

impl SagaType for Nothing {
    type ExecContextType = ();
}

async fn do_nothing(_: ActionContext<Nothing>) -> Result<(), ActionError> {
    Ok(())
}

/// Keeps what a saga can be recovered from: the graph, and every event as text.
#[derive(Debug, Default)]
struct Kept {
    dag: Mutex<String>,
    events: Mutex<Vec<String>>,
}

#[async_trait::async_trait]
impl SecStore for Kept {
    async fn saga_create(&self, params: SagaCreateParams) -> Result<()> {
        *self.dag.lock().unwrap_or_else(PoisonError::into_inner) = serde_json::to_string(&params)?;
        Ok(())
    }

    async fn record_event(&self, event: SagaNodeEvent) {
        if let Ok(text) = serde_json::to_string(&event) {
            self.events.lock().unwrap_or_else(PoisonError::into_inner).push(text);
        }
    }

    async fn saga_update(&self, _: SagaId, _: SagaCachedState) {}
}

fn dag(widths: &[usize], action: &dyn Action<Nothing>) -> Result<Arc<SagaDag>> {
    let mut builder = DagBuilder::new(SagaName::new("bench"));
    let mut at = 0;
    for width in widths {
        let first = at;
        at += width;
        builder.append_parallel((first..at).map(|n| Node::action(format!("s{n}"), "nothing", action)).collect());
    }
    Ok(Arc::new(SagaDag::new(builder.build()?, json!(null))))
}

struct World {
    action: Arc<dyn Action<Nothing>>,
    registry: Arc<ActionRegistry<Nothing>>,
    dag: Arc<SagaDag>,
    nodes: usize,
    log: slog::Logger,
}

impl World {
    fn new(widths: &[usize]) -> Result<Self> {
        let action = steno::new_action_noop_undo("nothing", do_nothing);
        let mut registry = ActionRegistry::new();
        registry.register(Arc::clone(&action));
        let dag = dag(widths, &*action)?;
        let log = slog::Logger::root(slog::Discard, slog::o!());
        Ok(Self { action, registry: Arc::new(registry), dag, nodes: widths.iter().sum(), log })
    }

    /// CPU seconds of one whole saga.
    async fn run(&self, store: Arc<dyn SecStore>) -> Result<f64> {
        let before = cpu();
        let client = steno::sec(self.log.clone(), store);
        let id = SagaId::new_v4();
        let end = client.saga_create(id, Arc::new(()), Arc::clone(&self.dag), Arc::clone(&self.registry)).await?;
        client.saga_start(id).await?;
        let result = end.await;
        let took = cpu() - before;
        if result.kind.is_err() {
            bail!("the saga failed");
        }
        client.shutdown().await;
        Ok(took)
    }

    async fn median(&self, store: impl Fn() -> Arc<dyn SecStore>) -> Result<f64> {
        let mut rounds = Vec::new();
        for round in 0..=ROUNDS {
            let took = self.run(store()).await?;
            if round > 0 {
                rounds.push(took);
            }
        }
        rounds.sort_by(f64::total_cmp);
        rounds.get(ROUNDS / 2).copied().context("no rounds")
    }

    /// Records a CPU-second of recovery from a finished saga's events, decoded and taken in.
    async fn replay(&self) -> Result<f64> {
        let kept = Arc::new(Kept::default());
        self.run(kept.clone()).await?;
        let events = kept.events.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let dag = kept.dag.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut rounds = Vec::new();
        for _ in 0..=ROUNDS {
            let client = steno::sec(self.log.clone(), Arc::new(InMemorySecStore::new()));
            let before = cpu();
            let created: SagaCreateParams = serde_json::from_str(&dag)?;
            let log: Vec<SagaNodeEvent> =
                events.iter().map(|event| serde_json::from_str(event)).collect::<Result<_, _>>()?;
            let end =
                client.saga_resume(created.id, Arc::new(()), created.dag, Arc::clone(&self.registry), log).await?;
            client.saga_start(created.id).await?;
            let result = end.await;
            rounds.push(events.len() as f64 / (cpu() - before));
            if result.kind.is_err() {
                bail!("the recovered saga failed");
            }
            client.shutdown().await;
        }
        rounds.sort_by(f64::total_cmp);
        rounds.get(ROUNDS / 2).copied().context("no rounds")
    }
}

fn cpu() -> f64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ProcessCPUTime);
    tv_sec as f64 + tv_nsec as f64 / 1e9
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let (what, widths) = (args.next().context("run or replay?")?, args.next().context("the widths of the layers?")?);
    let widths: Vec<usize> = widths.split(',').map(str::parse).collect::<Result<_, _>>()?;
    let world = World::new(&widths)?;
    let peer = "steno 0.5.0";
    let told = match what.as_str() {
        "run" => {
            let a_step = |seconds: f64| seconds * 1e6 / world.nodes as f64;
            let kept = world.median(|| Arc::new(Kept::default())).await?;
            let discarded = world.median(|| Arc::new(InMemorySecStore::new())).await?;
            json!({ "peer": peer, "kept_us": a_step(kept), "discarded_us": a_step(discarded) })
        }
        "replay" => json!({ "peer": peer, "records_per_s": world.replay().await? }),
        other => bail!("there is nothing called `{other}` to do ({:?})", world.action.name()),
    };
    println!("{told}");
    Ok(())
}
