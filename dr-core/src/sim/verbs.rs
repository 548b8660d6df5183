//! The steps of a simulated world, with the contracts of the real drivers' steps: they look before they act, note what
//! stood before, wait until the effect is there, prove it on another plane, and take it back from the note.

use std::{fmt::Debug, marker::PhantomData, time::Duration};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    cell::Cell,
    history::Role,
    machine::Process,
    mutant::{self, Mutant},
    world::{Caller, PROBE, Site, World},
};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    model::Plane,
    plan::{Arg, Call},
    step::{DynStep, Observed, Reversibility, Step, StepCx, StepRegistry, erase},
};

/// How often a step looks whether what it asked for is there.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What the steps of one process share.
#[derive(Clone, Debug)]
pub(crate) struct Hand {
    pub(crate) world: World,
    pub(crate) process: Process,
    pub(crate) mutant: Option<Mutant>,
}

/// What a step is to bring about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Params {
    pub(crate) sets: Vec<(Cell, i64)>,
    /// The region whose endpoint is called.
    pub(crate) region: u8,
    pub(crate) takes_ms: u64,
    /// One call for each cell, instead of one for all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) several: bool,
    /// An earlier step whose before-image says what to set, instead of the numbers in `sets`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) undoes: Option<Arg<Found>>,
}

/// What a step found out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Found {
    /// What stood before, cell by cell.
    pub(crate) was: Vec<i64>,
}

impl Params {
    /// What the cells are to be.
    fn targets(&self) -> Result<Vec<(Cell, i64)>> {
        let Some(undoes) = &self.undoes else { return Ok(self.sets.clone()) };
        Ok(self.sets.iter().map(|(cell, _)| *cell).zip(undoes.get()?.was.iter().copied()).collect())
    }

    fn cells(&self) -> Vec<Cell> {
        self.sets.iter().map(|(cell, _)| *cell).collect()
    }
}

/// What distinguishes one verb from another.
pub(crate) trait Verb: Debug + Send + Sync + 'static {
    const KIND: &'static str;
    const REVERSIBILITY: Reversibility;
    const READS: &'static str;
    const WRITES: &'static str;
    const PLANE: Plane;
}

macro_rules! verbs {
    ($($name:ident $kind:literal $reversibility:ident $reads:literal $writes:literal $plane:ident;)*) => {
        $(
            #[derive(Debug)]
            pub(crate) struct $name;

            impl Verb for $name {
                const KIND: &'static str = $kind;
                const REVERSIBILITY: Reversibility = Reversibility::$reversibility;
                const READS: &'static str = $reads;
                const WRITES: &'static str = $writes;
                const PLANE: Plane = Plane::$plane;
            }
        )*

        /// Every verb, as an engine holds it.
        fn all(hand: &Hand) -> Vec<std::sync::Arc<dyn DynStep>> {
            vec![$(erase(Turn::<$name> { hand: hand.clone(), verb: PhantomData })),*]
        }

        /// The step of this kind, by its type's name, for whoever builds a plan.
        pub(crate) fn of_kind(hand: &Hand, kind: &str) -> Option<std::sync::Arc<dyn DynStep>> {
            match kind {
                $($kind => Some(erase(Turn::<$name> { hand: hand.clone(), verb: PhantomData })),)*
                _ => None,
            }
        }
    };
}

verbs! {
    Freeze "sim.freeze" Reversible "sim:DescribeFreeze" "sim:SetFreeze" Kubernetes;
    Fence "sim.fence" Reversible "sim:DescribeStore" "sim:FenceStore" Control;
    Promote "sim.promote" Irreversible "sim:DescribeStore" "sim:PromoteStore" Control;
    Switchover "sim.switchover" Irreversible "sim:DescribeStore" "sim:SwitchoverStore" Control;
    Scale "sim.scale" Reversible "sim:DescribeWorkload" "sim:ScaleWorkload" Kubernetes;
    Check "sim.check" ReadOnly "sim:Get" "sim:Get" Application;
    Shift "sim.shift" Reversible "sim:GetTraffic" "sim:SetTraffic" Data;
    Latch "sim.latch" Reversible "sim:GetLatch" "sim:SetLatch" Data;
    Restore "sim.restore" Reversible "sim:Describe" "sim:Restore" Control;
}

/// Every verb for one process.
pub(crate) fn registry(hand: &Hand) -> StepRegistry {
    let mut steps = StepRegistry::new();
    for step in all(hand) {
        // Each kind is there once: the list above names them.
        let _ = steps.register(mutant::step(step, hand.mutant));
    }
    steps
}

#[derive(Debug)]
struct Turn<V> {
    hand: Hand,
    verb: PhantomData<fn() -> V>,
}

impl<V: Verb> Turn<V> {
    fn reads(params: &Params) -> Site {
        Site { region: params.region, plane: V::PLANE, operation: V::READS }
    }

    fn writes(params: &Params) -> Site {
        Site { region: params.region, plane: V::PLANE, operation: V::WRITES }
    }

    fn caller<'a>(&'a self, cx: &StepCx, role: Role) -> Caller<'a> {
        self.hand.world.caller(&self.hand.process, cx, role)
    }

    /// Waits until the cells are what they are to be.
    async fn arrive(cx: &StepCx, caller: &Caller<'_>, site: Site, targets: &[(Cell, i64)]) -> Result<()> {
        let cells: Vec<Cell> = targets.iter().map(|(cell, _)| *cell).collect();
        cx.poll_until(LOOK_EVERY, || async {
            let seen = caller.read(site, &cells).await?;
            Ok(is_there(&seen, targets).then_some(()))
        })
        .await
    }

    /// Sets cells, with one call or with several; what the first of several has done is not forgotten when the next fails.
    async fn set(caller: &Caller<'_>, site: Site, params: &Params, targets: &[(Cell, i64)]) -> Result<()> {
        let takes = Duration::from_millis(params.takes_ms);
        if !params.several {
            return caller.write(site, targets.to_vec(), takes).await;
        }
        for (done, target) in targets.iter().enumerate() {
            caller.write(site, vec![*target], takes).await.map_err(|error| match (done, error.effect()) {
                (1.., Effect::NotApplied) => error.with_effect(Effect::Applied),
                _ => error,
            })?;
        }
        Ok(())
    }
}

fn is_there(seen: &[(i64, bool)], targets: &[(Cell, i64)]) -> bool {
    seen.iter().zip(targets).all(|((value, moving), (_, target))| value == target && !moving)
}

/// The values of a before-image.
fn noted(cx: &StepCx) -> Option<Vec<i64>> {
    cx.before().and_then(|before| Vec::deserialize(before).ok())
}

#[async_trait]
impl<V: Verb> Step for Turn<V> {
    const KIND: &'static str = V::KIND;
    type Params = Params;
    type Output = Found;

    fn reversibility(&self) -> Reversibility {
        V::REVERSIBILITY
    }

    fn calls(&self, params: &Params) -> Vec<Call> {
        let call = |operation, mutates| Call {
            operation: std::borrow::Cow::Borrowed(operation),
            plane: V::PLANE,
            endpoints: self.hand.world.region(params.region).cloned().into_iter().collect(),
            mutates,
            args: std::collections::BTreeMap::new(),
            manual: String::new(),
        };
        if V::REVERSIBILITY == Reversibility::ReadOnly {
            vec![call(V::READS, false)]
        } else {
            vec![call(V::READS, false), call(V::WRITES, true)]
        }
    }

    async fn before_image(&self, cx: &StepCx, params: &Params) -> Result<Option<Value>> {
        if V::REVERSIBILITY == Reversibility::ReadOnly {
            return Ok(None);
        }
        let seen = self.caller(cx, Role::BeforeImage).read(Self::reads(params), &params.cells()).await?;
        Ok(Some(seen.into_iter().map(|(value, _)| Value::from(value)).collect()))
    }

    async fn observe(&self, cx: &StepCx, params: &Params) -> Result<Observed<Found>> {
        let caller = self.caller(cx, Role::Observe);
        let targets = params.targets()?;
        let seen = caller.read(Self::reads(params), &params.cells()).await?;
        if is_there(&seen, &targets) {
            return Ok(Observed::Done { output: Found { was: noted(cx).unwrap_or_default() } });
        }
        if seen.iter().any(|(_, moving)| *moving) {
            return Ok(Observed::InFlight);
        }
        if caller.blocked() {
            return Ok(Observed::Blocked { reason: "the standby is not ready".to_owned() });
        }
        caller.not_there();
        Ok(Observed::NotStarted)
    }

    async fn execute(&self, cx: &StepCx, params: &Params) -> Result<Found> {
        let caller = self.caller(cx, Role::Execute);
        let targets = params.targets()?;
        if V::REVERSIBILITY != Reversibility::ReadOnly {
            Self::set(&caller, Self::writes(params), params, &targets).await?;
        }
        if !mutant::trusts_replies(self.hand.mutant) {
            Self::arrive(cx, &caller, Self::reads(params), &targets).await?;
        }
        Ok(Found { was: noted(cx).unwrap_or_default() })
    }

    async fn verify(&self, cx: &StepCx, params: &Params, _: &Found) -> Result<()> {
        if mutant::trusts_replies(self.hand.mutant) {
            return Ok(());
        }
        let targets = params.targets()?;
        let site = Site { plane: Plane::Data, operation: PROBE, ..Self::reads(params) };
        let seen = self.caller(cx, Role::Verify).read(site, &params.cells()).await?;
        if is_there(&seen, &targets) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::PostconditionFailed, "clients see no effect"))
    }

    async fn compensate(&self, cx: &StepCx, params: &Params, _: Option<&Found>) -> Result<()> {
        let refuse = |kind, message: &str| Err(Error::new(kind, message).with_effect(Effect::NotApplied));
        if V::REVERSIBILITY == Reversibility::Irreversible {
            return refuse(ErrorKind::Unsupported, "there is no way back");
        }
        if V::REVERSIBILITY == Reversibility::ReadOnly {
            return Ok(());
        }
        let Some(before) = noted(cx) else { return refuse(ErrorKind::Invalid, "nobody noted what stood before") };
        let targets: Vec<(Cell, i64)> = params.cells().into_iter().zip(before).collect();
        let caller = self.caller(cx, Role::Compensate);
        Self::set(&caller, Self::writes(params), params, &targets).await?;
        Self::arrive(cx, &caller, Self::reads(params), &targets).await
    }
}
