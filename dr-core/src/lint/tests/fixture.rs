//! A failover from us-east-1 to eu-west-1 that breaks no rule, for tests to change in one place.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::super::{LintInput, Report, RuleRegistry};
use crate::{
    error::Result,
    model::{ApplicationId, Objectives, Plane, RegionId, ResourceId},
    plan::{
        Call, CheckFact, Estimate, Goal, GoalKind, Inventory, Mode, Phase, Plan, PlanBuilder, PlanStep, StoreFact,
        StoreMember, TrafficFact,
    },
    step::{Observed, Reversibility, Step, StepCx},
    topology::Topology,
};

/// A step that makes the calls that it is given.
#[derive(Debug)]
struct Act;

#[async_trait]
impl Step for Act {
    const KIND: &'static str = "test.act";
    type Params = Vec<Call>;
    type Output = ();

    fn reversibility(&self) -> Reversibility {
        Reversibility::Reversible
    }

    fn calls(&self, params: &Vec<Call>) -> Vec<Call> {
        params.clone()
    }

    async fn observe(&self, _: &StepCx, _: &Vec<Call>) -> Result<Observed<()>> {
        Ok(Observed::NotStarted)
    }

    async fn execute(&self, _: &StepCx, _: &Vec<Call>) -> Result<()> {
        Ok(())
    }

    async fn compensate(&self, _: &StepCx, _: &Vec<Call>, _: Option<&()>) -> Result<()> {
        Ok(())
    }
}

pub(super) const EAST: &str = "us-east-1";
pub(super) const WEST: &str = "eu-west-1";
pub(super) const WITNESS: &str = "eu-central-1";
pub(super) const OLD_ARN: &str = "arn:aws:rds:us-east-1:111122223333:cluster:orders";
pub(super) const NEW_ARN: &str = "arn:aws:rds:eu-west-1:111122223333:cluster:orders";

pub(super) fn region(name: &str) -> RegionId {
    RegionId::new(name).unwrap()
}

pub(super) fn resource(name: &str) -> ResourceId {
    ResourceId::new(name).unwrap()
}

/// A changing call to a control plane.
pub(super) fn control(operation: &str, endpoint: &str) -> Call {
    Call {
        operation: operation.to_owned().into(),
        plane: Plane::Control,
        endpoints: vec![region(endpoint)],
        mutates: true,
        args: Default::default(),
        manual: String::new(),
    }
}

/// A reading call to a control plane.
pub(super) fn look(operation: &str, endpoint: &str) -> Call {
    Call { mutates: false, ..control(operation, endpoint) }
}

/// A changing call to a data plane.
pub(super) fn data(operation: &str, endpoint: &str) -> Call {
    Call { plane: Plane::Data, ..control(operation, endpoint) }
}

pub(super) fn failover_call() -> Call {
    control("rds:FailoverGlobalCluster", WEST).arg("TargetDbClusterIdentifier", NEW_ARN).arg("AllowDataLoss", true)
}

/// What a test does to the steps.
type Change = Box<dyn Fn(&mut Vec<PlanStep>)>;

/// Everything a plan is judged with.
pub(super) struct Case {
    pub(super) goal: Goal,
    pub(super) objectives: Objectives,
    pub(super) runner: &'static str,
    pub(super) journal: &'static str,
    pub(super) spec: Value,
    pub(super) facts: Inventory,
    /// Changes the steps before the plan is built; `after` is complete by then.
    pub(super) change: Change,
}

impl Case {
    pub(super) fn new() -> Self {
        Self {
            goal: Goal { kind: GoalKind::Failover, from: region(EAST), to: region(WEST), mode: Mode::Ungraceful },
            objectives: Objectives { rto: Duration::from_secs(300), rpo: Duration::from_secs(60) },
            runner: WITNESS,
            journal: WITNESS,
            spec: spec(),
            facts: facts(),
            change: Box::new(|_| {}),
        }
    }

    pub(super) fn change(mut self, change: impl Fn(&mut Vec<PlanStep>) + 'static) -> Self {
        self.change = Box::new(change);
        self
    }

    /// With one step changed.
    pub(super) fn step(self, id: &'static str, change: impl Fn(&mut PlanStep) + 'static) -> Self {
        self.change(move |steps| {
            change(steps.iter_mut().find(|step| step.id == *id).unwrap());
        })
    }

    pub(super) fn topology(&self) -> Topology {
        Topology::new(&serde_json::from_value(self.spec.clone()).unwrap()).unwrap()
    }

    pub(super) fn plan(&self) -> Plan {
        let mut builder = PlanBuilder::new(ApplicationId::new("shop").unwrap(), self.goal.clone(), self.objectives);
        builder.runner(Some(region(self.runner))).journal(Some(region(self.journal)));
        let mut add = |id: &str, phase: Phase, about: &str, calls: Vec<Call>, after: &[&str], p95: u64| {
            let mut step = builder.step(id, &Act, &calls).phase(phase).resource(&resource(about));
            step = step.timeout(Duration::from_secs(300)).estimate(Estimate::secs(p95 / 2, p95));
            for before in after {
                step = step.after(before);
            }
            let _ = step.id();
        };
        add("db/fence", Phase::Fence, "db", vec![data("app:FreezeWrites", WITNESS)], &[], 5);
        let describe = look("rds:DescribeGlobalClusters", WEST);
        add("db/promote", Phase::Promote, "db", vec![describe, failover_call()], &["db/fence"], 60);
        let promote = control("elasticache:FailoverGlobalReplicationGroup", WEST).arg("PrimaryRegion", WEST);
        let describe = look("elasticache:DescribeGlobalReplicationGroups", WEST);
        add("cache/promote", Phase::Promote, "cache", vec![describe, promote], &["db/fence"], 30);
        add("apps/scale", Phase::Scale, "apps", vec![control("k8s:patch deployments/scale", WEST)], &[], 5);
        add("apps/ready", Phase::Ready, "apps", vec![look("k8s:get deployments", WEST)], &["apps/scale"], 60);
        let all = ["db/promote", "cache/promote", "apps/ready"];
        add("dns/shift", Phase::Shift, "dns", vec![data("s3:PutObject", WEST)], &all, 5);
        add("dns/await", Phase::Shift, "dns", vec![look("dns:Query", WITNESS)], &["dns/shift"], 45);
        add("dns/confirm", Phase::Confirm, "dns", vec![look("app:PostOrder", WITNESS)], &["dns/await"], 5);
        add("dns/latch", Phase::Latch, "dns", vec![look("s3:GetObject", WEST)], &["dns/confirm"], 5);
        let plan = builder.build().unwrap();
        let mut stored = serde_json::to_value(&plan).unwrap();
        let mut steps: Vec<PlanStep> = serde_json::from_value(stored["steps"].take()).unwrap();
        (self.change)(&mut steps);
        stored["steps"] = serde_json::to_value(steps).unwrap();
        serde_json::from_value(stored).unwrap()
    }

    pub(super) fn report(&self) -> Report {
        let (plan, topology) = (self.plan(), self.topology());
        RuleRegistry::new().lint(&LintInput::new(&plan, &topology, &self.facts))
    }

    /// The numbers of the rules that are broken, with what each is about.
    pub(super) fn broken(&self) -> Vec<String> {
        let report = self.report();
        let number = |check: &str| check.split(' ').next().unwrap_or_default().to_owned();
        report.findings.iter().map(|finding| format!("{} {}", number(&finding.check), finding.subject)).collect()
    }
}

fn facts() -> Inventory {
    let member = |name: &str, writer: bool, address: &str| StoreMember {
        region: region(name),
        address: address.to_owned(),
        writer: Some(writer),
        available_instances: Some(1),
        engine_version: Some("15.4".to_owned()),
        synchronised: Some(true),
        lag: Some(Duration::from_millis(200)),
    };
    let store = |name: &str| StoreFact {
        resource: resource(name),
        writable_required: true,
        members: vec![member(EAST, true, OLD_ARN), member(WEST, false, NEW_ARN)],
    };
    Inventory {
        stores: vec![store("db"), store("cache")],
        traffic: vec![TrafficFact {
            resource: resource("dns"),
            name: "api.example.com".to_owned(),
            primary_check: CheckFact::StandbyTakesOver { region: region(WEST) },
            secondary_eligible: Some(true),
            ttl: Duration::from_secs(60),
        }],
        ..Inventory::default()
    }
}

fn spec() -> Value {
    let thing = |id: &str, after: &[&str]| json!({ "id": id, "kind": "test.thing", "depends_on": after, "spec": {} });
    json!({
        "application": "shop",
        "endpoint": "https://api.example.com",
        "objectives": { "rto": "5m", "rpo": "60s" },
        "regions": [
            { "id": EAST, "role": "active" },
            { "id": WEST, "role": "warm-standby" },
            { "id": WITNESS, "role": "witness" },
        ],
        "observers": [
            { "id": "a", "region": EAST }, { "id": "b", "region": WEST }, { "id": "c", "region": WITNESS },
        ],
        "probes": [{
            "id": "front", "kind": "http", "path": "/health", "interval": "10s", "timeout": "4s",
            "threshold": { "trip": 3, "clear": 3 },
        }],
        "detection": { "quorum": 2, "dwell": "10s", "hold_down": "10m" },
        "resources": [thing("db", &[]), thing("cache", &[]), thing("apps", &[]), thing("dns", &["db", "cache", "apps"])],
        "runner": { "region": WITNESS },
        "journal": { "store": "sqlite", "path": "journal.sqlite", "region": WITNESS },
    })
}
