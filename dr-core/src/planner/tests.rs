//! Plans over three regions and a witness: from A to C, with B standing by.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use schemars::Schema;
use serde_json::json;

use super::*;
use crate::{
    driver::{Driver, DriverRegistry, Operation, SurveyCx},
    error::Result,
    lint::{LintInput, lint},
    model::{Plane, RegionId, Resource, ResourceId, ResourceKind},
    plan::{Call, Goal, GoalKind, Inventory, Mode, Phase, Plan, StoreFact, StoreMember},
    probe::HealthProbe,
    step::{DynStep, Observed, Reversibility, Step, StepCx, erase},
    topology::Topology,
    validation::{Severity, Validation},
};

const A: &str = "us-east-1";
const B: &str = "eu-west-1";
const C: &str = "ap-southeast-2";
const WITNESS: &str = "eu-central-1";

fn region(name: &str) -> RegionId {
    RegionId::new(name).unwrap()
}

#[derive(Debug)]
struct Act(Reversibility);

#[async_trait]
impl Step for Act {
    const KIND: &'static str = "test.store/act";
    type Params = Vec<Call>;
    type Output = ();

    fn reversibility(&self) -> Reversibility {
        self.0
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

/// A store with a member in every region, which sends its promotion wherever the test says.
#[derive(Debug)]
struct Store {
    /// The endpoint of the promotion; the goal's region when absent.
    endpoint: Option<&'static str>,
    /// The region of the cluster that is promoted; the goal's when absent.
    target: Option<&'static str>,
    /// Where the fence is called.
    fence: &'static str,
}

fn arn(region: &str) -> String {
    format!("arn:aws:rds:{region}:111122223333:cluster:orders")
}

#[async_trait]
impl Driver for Store {
    fn kind(&self) -> ResourceKind {
        ResourceKind::from_static("test.store")
    }

    fn schema(&self) -> Schema {
        Schema::default()
    }

    fn operations(&self) -> &'static [Operation] {
        &[]
    }

    fn probes(&self, _: &Resource) -> Result<Vec<Arc<dyn HealthProbe>>> {
        Ok(Vec::new())
    }

    fn validations(&self, _: &Resource) -> Result<Vec<Arc<dyn Validation>>> {
        Ok(Vec::new())
    }

    async fn survey(&self, _: &Resource, _: &SurveyCx<'_>) -> Result<Inventory> {
        Ok(Inventory::default())
    }

    fn contribute(&self, _: &Resource, draft: &mut PlanDraft<'_>) -> Result<()> {
        let to = draft.goal().to.clone();
        let call = |operation: &'static str, endpoint: &str, mutates| Call {
            operation: operation.into(),
            plane: Plane::Control,
            endpoints: vec![region(endpoint)],
            mutates,
            args: Default::default(),
            manual: String::new(),
        };
        let fence = vec![call("ec2:RevokeSecurityGroupIngress", self.fence, true)];
        draft.step("fence", &Act(Reversibility::Reversible), &fence).phase(Phase::Fence);
        let endpoint = self.endpoint.unwrap_or(to.as_str());
        let promote = vec![
            call("rds:DescribeGlobalClusters", endpoint, false),
            call("rds:FailoverGlobalCluster", endpoint, true)
                .arg("TargetDbClusterIdentifier", arn(self.target.unwrap_or(to.as_str())))
                .arg("AllowDataLoss", true),
        ];
        draft.step("promote", &Act(Reversibility::Irreversible), &promote).phase(Phase::Promote).region(&to);
        Ok(())
    }

    fn steps(&self) -> Vec<Arc<dyn DynStep>> {
        vec![erase(Act(Reversibility::Reversible))]
    }
}

fn topology() -> Topology {
    let spec = json!({
        "application": "shop",
        "endpoint": "https://api.example.com",
        "objectives": { "rto": "20m", "rpo": "60s" },
        "regions": [
            { "id": A, "role": "active" },
            { "id": B, "role": "warm-standby" },
            { "id": C, "role": "warm-standby" },
            { "id": WITNESS, "role": "witness" },
        ],
        "observers": [{ "id": "a", "region": A }, { "id": "b", "region": B }, { "id": "c", "region": C },
            { "id": "w", "region": WITNESS }],
        "probes": [{
            "id": "front", "kind": "http", "path": "/health", "interval": "10s", "timeout": "4s",
            "threshold": { "trip": 3, "clear": 3 },
        }],
        "detection": { "quorum": 2, "dwell": "10s", "hold_down": "10m" },
        "resources": [{ "id": "orders-db", "kind": "test.store", "spec": {} }],
        "runner": { "region": WITNESS },
        "journal": { "store": "sqlite", "path": "journal.sqlite", "region": WITNESS },
    });
    Topology::new(&serde_json::from_value(spec).unwrap()).unwrap()
}

fn facts() -> Inventory {
    let member = |name: &str| StoreMember {
        writer: Some(name == A),
        available_instances: Some(1),
        engine_version: Some("15.4".to_owned()),
        synchronised: Some(true),
        lag: Some(Duration::from_millis(200)),
        ..StoreMember::new(region(name), arn(name))
    };
    let members = [A, B, C].map(member).to_vec();
    let resource = ResourceId::new("orders-db").unwrap();
    Inventory { stores: vec![StoreFact { members, ..StoreFact::new(resource, true) }], ..Inventory::default() }
}

const RIGHT: Store = Store { endpoint: None, target: None, fence: WITNESS };

fn plan(store: Store, from: &str, to: &str, runner: &str) -> Plan {
    let mut drivers = DriverRegistry::new();
    drivers.register(Arc::new(store)).unwrap();
    let goal = Goal { kind: GoalKind::Failover, from: region(from), to: region(to), mode: Mode::Ungraceful };
    let options = PlanOptions {
        runner: Some(region(runner)),
        journal: Some(region(runner)),
        approval: true,
        approvers: vec!["Ada".to_owned()],
        approval_expires: Some(Duration::from_secs(600)),
        ..PlanOptions::default()
    };
    Planner::new(&topology(), &drivers).plan(goal, &facts(), &BeforeImages::default(), &options).unwrap()
}

/// The numbers of the rules of error severity that a plan breaks.
fn errors(plan: &Plan) -> Vec<String> {
    let report = lint(&LintInput::new(plan, &topology(), &facts()));
    let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
    errors.map(|finding| finding.check.split(' ').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_regions_that_could_take_over_and_are_not_moved_stand_by() {
    let plan = plan(RIGHT, A, C, WITNESS);
    assert_eq!(plan.standing(), [region(B)], "a witness never stands by: it serves nothing");
    let regions: Vec<_> = plan.regions().into_iter().map(RegionId::as_str).collect();
    assert_eq!(regions, [C, WITNESS, B, A]);
}

#[test]
fn the_approval_stands_just_before_the_point_of_no_return() {
    let plan = plan(RIGHT, A, C, WITNESS);
    let gated: Vec<_> = plan.steps().iter().filter_map(|step| Some((step.id.as_str(), step.gate.as_ref()?))).collect();
    let [(step, gate)] = gated.as_slice() else { panic!("one gate: {gated:?}") };
    assert_eq!(*step, "orders-db/promote");
    assert_eq!((gate.approvers.as_slice(), gate.expires), (&["Ada".to_owned()][..], Some(Duration::from_secs(600))));
    assert!(gate.question.contains("writes that were not replicated are lost"), "{}", gate.question);
}

#[test]
fn any_of_three_regions_can_be_left_for_any_other() {
    for from in [A, B, C] {
        for to in [A, B, C].into_iter().filter(|to| *to != from) {
            let plan = plan(RIGHT, from, to, WITNESS);
            assert_eq!(plan.standing().len(), 1, "{from} to {to}");
            assert_eq!(errors(&plan), Vec::<String>::new(), "{from} to {to}");
        }
    }
}

#[test]
fn the_rules_hold_for_whichever_region_is_left() {
    // The control plane of the region that is left is gone, whichever it is; that of a standing region is not.
    assert!(errors(&plan(Store { fence: B, ..RIGHT }, B, C, WITNESS)).contains(&"E01".to_owned()));
    assert_eq!(errors(&plan(Store { fence: B, ..RIGHT }, A, C, WITNESS)), Vec::<String>::new());
    // A promotion goes to the region of its target, which is where the plan goes: a standing region is neither.
    assert!(errors(&plan(Store { endpoint: Some(B), ..RIGHT }, A, C, WITNESS)).contains(&"E09".to_owned()));
    assert!(errors(&plan(Store { target: Some(B), ..RIGHT }, A, C, WITNESS)).contains(&"E11".to_owned()));
    // The engine and its journal may run in a standing region, and not in the one that is left.
    assert!(errors(&plan(RIGHT, B, C, B)).contains(&"E18".to_owned()));
    assert_eq!(errors(&plan(RIGHT, A, C, B)), Vec::<String>::new());
}
