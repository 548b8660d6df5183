//! A drill as it could have been, with everything in it that a report has to show.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::*;
use crate::{
    error::{self, ErrorKind, Failure},
    journal::{Decision, Digest, Entry, Intent, Outcome, Record, RunEnd, Seq},
    model::{ApplicationId, Epoch, Objectives, OwnerId, RegionId, RunId, StepId},
    plan::{Call, Goal, GoalKind, Mode, Phase, Plan, PlanBuilder},
    spec::Waiver,
    step::{LagSample, Observed, Reversibility, RpoEvidence, Step, StepCx},
    time::Timestamp,
    validation::{Finding, Severity},
};

#[derive(Debug)]
struct Act(Reversibility);

#[async_trait]
impl Step for Act {
    const KIND: &'static str = "fixture.act";
    type Params = Value;
    type Output = Value;

    fn reversibility(&self) -> Reversibility {
        self.0
    }

    fn calls(&self, _: &Value) -> Vec<Call> {
        Vec::new()
    }

    async fn observe(&self, _: &StepCx, _: &Value) -> error::Result<Observed<Value>> {
        Ok(Observed::NotStarted)
    }

    async fn execute(&self, _: &StepCx, _: &Value) -> error::Result<Value> {
        Ok(Value::Null)
    }

    async fn compensate(&self, _: &StepCx, _: &Value, _: Option<&Value>) -> error::Result<()> {
        Ok(())
    }
}

/// A step of the fixture: name, title, phase, begun, ended, and what it waited for.
type Told = (&'static str, &'static str, Phase, f64, f64, &'static [&'static str]);

const SERVICES: [(&str, f64); 6] =
    [("cart", 19.0), ("catalog", 24.0), ("checkout", 22.5), ("orders", 31.0), ("payments", 26.0), ("search", 41.5)];

pub(super) fn region(id: &str) -> RegionId {
    RegionId::new(id).unwrap()
}

fn objectives() -> Objectives {
    Objectives { rto: Duration::from_secs(300), rpo: Duration::from_secs(60) }
}

fn fault_at() -> Timestamp {
    Timestamp::from_millis(1_795_428_000_000)
}

fn plan(kind: GoalKind, from: &str, to: &str, mode: Mode, steps: &[Told], services: (Phase, Option<Phase>)) -> Plan {
    let goal = Goal { kind, from: region(from), to: region(to), mode };
    let mut builder = PlanBuilder::new(ApplicationId::new("ecommerce").unwrap(), goal, objectives());
    let mut ready = Vec::new();
    for (service, _) in SERVICES {
        let id = format!("{service}/{}", services.0);
        let title = format!("Set the replicas of {service} in {to}");
        builder
            .step(&id, &Act(Reversibility::Reversible), &json!({}))
            .title(title)
            .phase(services.0)
            .region(&region(to));
        if let Some(phase) = services.1 {
            let title = format!("See that {service} is ready in {to}");
            let draft = builder.step(&format!("{service}/{phase}"), &Act(Reversibility::ReadOnly), &json!({}));
            draft.title(title).phase(phase).region(&region(to)).after(&id);
            ready.push(format!("{service}/{phase}"));
        }
    }
    for (id, title, phase, _, _, after) in steps {
        let kind = if id.ends_with("/promote") { Reversibility::Irreversible } else { Reversibility::Reversible };
        let mut draft = builder.step(id, &Act(kind), &json!({})).title(*title).phase(*phase).region(&region(to));
        if *phase == Phase::Promote {
            draft = draft.gate("promote the standby?");
        }
        for dependency in *after {
            draft = draft.after(dependency);
        }
        if *phase == Phase::Shift {
            for dependency in &ready {
                draft = draft.after(dependency);
            }
        }
    }
    builder.build().unwrap()
}

/// The report of a run of one step of this phase, of which nothing is told but this.
pub(super) fn told(phase: Phase, entries: Vec<Entry>) -> RunReport {
    let steps = [("it", "Do it", phase, 0.0, 0.0, [].as_slice())];
    let plan = plan(GoalKind::Failover, "us-east-1", "eu-west-1", Mode::Ungraceful, &steps, (Phase::Scale, None));
    let by = OwnerId::new("drill-1").unwrap();
    let created = Entry::RunCreated {
        plan: Box::new(plan),
        inventory: Box::default(),
        findings: Vec::new(),
        waivers: Vec::new(),
        unattended: None,
        by,
    };
    let run = RunId::new("fixture").unwrap();
    let write = |(seq, entry)| Record::write(&run, &Digest::START, Seq(seq), fault_at(), Epoch(1), entry).unwrap();
    let records: Vec<Record> = (1..).zip(std::iter::once(created).chain(entries)).map(write).collect();
    RunReport::from_journal(&run, &records, fault_at()).unwrap()
}

fn records(
    plan: Plan,
    (findings, waivers): (Vec<Finding>, Vec<Waiver>),
    began: f64,
    ends: f64,
    told: Vec<(f64, Entry)>,
) -> Vec<Record> {
    let owner = OwnerId::new("drill-1").unwrap();
    let created = Entry::RunCreated {
        plan: Box::new(plan),
        inventory: Box::default(),
        findings,
        waivers,
        unattended: None,
        by: owner.clone(),
    };
    let mut entries = vec![(began, created), (began + 0.1, Entry::EngineStarted { owner })];
    entries.extend(told);
    entries.push((ends, Entry::RunEnded { end: RunEnd::Completed, summary: "every step is done".into() }));
    entries.sort_by(|a, b| a.0.total_cmp(&b.0));
    (1..)
        .zip(entries)
        .map(|(seq, (at, entry))| {
            #[expect(clippy::cast_possible_truncation, reason = "milliseconds of a fixture")]
            let at = Timestamp::from_millis(fault_at().as_millis() + (at * 1000.0) as i64);
            let run = RunId::new("fixture").unwrap();
            Record::write(&run, &Digest::START, Seq(seq), at, Epoch(1), entry).unwrap()
        })
        .collect()
}

fn ran(id: &str, from: f64, to: f64) -> Vec<(f64, Entry)> {
    let step = StepId::new(id).unwrap();
    let intent = Intent { step: step.clone(), attempt: 1, before: None, params: json!({"password": "hunter2"}) };
    // The last word from the lost region was half a minute old when the old primary was given up.
    let since_fault = |seconds: f64| fault_at() + std::time::Duration::from_secs_f64(seconds);
    let sample = LagSample { lag: std::time::Duration::from_millis(400), at: since_fault(16.0) };
    let output = match id.ends_with("/promote") {
        true => json!({ "rpo": RpoEvidence::new(Some(sample), since_fault(from)) }),
        false => Value::Null,
    };
    let outcome = Outcome::Done { output, already: false };
    vec![(from, Entry::StepIntent(intent)), (to, Entry::StepOutcome { step, attempt: 1, outcome })]
}

const FAILOVER: &[Told] = &[
    ("services/hold-scale-down", "Hold scale-down of every service", Phase::Freeze, 35.2, 36.4, &[]),
    (
        "orders-db/fence",
        "See that no writer of orders-db answers in us-east-1",
        Phase::Fence,
        36.5,
        44.8,
        &["services/hold-scale-down"],
    ),
    ("orders-db/promote", "Fail orders-db over to eu-west-1", Phase::Promote, 47.0, 93.4, &["orders-db/fence"]),
    ("sessions/promote", "Fail sessions over to eu-west-1", Phase::Promote, 47.0, 71.2, &["orders-db/fence"]),
    (
        "storefront-dns/shift",
        "Let the standby take over api.ecommerce.com",
        Phase::Shift,
        93.5,
        94.6,
        &["orders-db/promote", "sessions/promote"],
    ),
    (
        "storefront-dns/answers",
        "Wait until DNS answers eu-west-1",
        Phase::Confirm,
        94.7,
        129.9,
        &["storefront-dns/shift"],
    ),
    (
        "storefront/order",
        "Place an order through api.ecommerce.com",
        Phase::Confirm,
        130.0,
        133.1,
        &["storefront-dns/answers"],
    ),
    (
        "storefront-dns/latch",
        "Keep traffic in eu-west-1 until somebody decides otherwise",
        Phase::Latch,
        133.2,
        134.0,
        &["storefront/order"],
    ),
];

const FAILBACK: &[Told] = &[
    ("orders-db/rejoined", "See that us-east-1 has caught up", Phase::Ready, 421.0, 449.0, &[]),
    (
        "orders-db/switchover",
        "Switch orders-db over to us-east-1",
        Phase::Promote,
        449.2,
        486.0,
        &["orders-db/rejoined"],
    ),
    ("sessions/switchover", "Switch sessions over to us-east-1", Phase::Promote, 449.2, 470.3, &["orders-db/rejoined"]),
    (
        "storefront-dns/return",
        "Give api.ecommerce.com back to us-east-1",
        Phase::Shift,
        486.1,
        487.0,
        &["orders-db/switchover", "sessions/switchover"],
    ),
    (
        "storefront-dns/returned",
        "Wait until DNS answers us-east-1",
        Phase::Confirm,
        487.1,
        521.5,
        &["storefront-dns/return"],
    ),
    ("storefront-dns/unlatch", "Release the latch", Phase::Latch, 521.6, 522.3, &["storefront-dns/returned"]),
    (
        "services/restore-scale-down",
        "Restore every scale-down policy",
        Phase::Restore,
        522.4,
        523.9,
        &["storefront-dns/unlatch"],
    ),
];

fn failover() -> RunReport {
    let plan = plan(
        GoalKind::Failover,
        "us-east-1",
        "eu-west-1",
        Mode::Ungraceful,
        FAILOVER,
        (Phase::Scale, Some(Phase::Ready)),
    );
    let mut told: Vec<(f64, Entry)> = FAILOVER.iter().flat_map(|step| ran(step.0, step.3, step.4)).collect();
    for (place, (service, length)) in SERVICES.into_iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "six services")]
        let began = 35.2 + place as f64 * 0.2;
        told.extend(ran(&format!("{service}/scale"), began, began + 1.1));
        told.extend(ran(&format!("{service}/ready"), began + 1.2, began + length));
    }
    // The fence's first attempt met a black hole; the second asked somebody else.
    let fence = StepId::new("orders-db/fence").unwrap();
    let failure =
        Failure::from(error::Error::new(ErrorKind::Timeout, "no answer within 4s").during("rds:DescribeDBClusters"));
    told.push((40.6, Entry::StepOutcome { step: fence.clone(), attempt: 1, outcome: Outcome::Failed { failure } }));
    told.push((41.6, Entry::StepIntent(Intent { step: fence, attempt: 2, before: None, params: Value::Null })));
    let (gate, question) = (StepId::new("orders-db/promote").unwrap(), "promote orders-db in eu-west-1?".to_owned());
    told.push((44.9, Entry::ApprovalRequested { step: gate, question, due: None }));
    let (decision, who) = (Decision::Approve, "drill".to_owned());
    let digest = plan.digest().clone();
    told.push((
        46.9,
        Entry::ApprovalDecided { plan: digest, findings: None, decision, who, why: "the target is the lab".into() },
    ));
    let findings = vec![Finding {
        severity: Severity::Warning,
        subject: "storefront-dns".into(),
        check: "W32 ttl-eats-the-objective".into(),
        message: "the record's TTL of 60 s is a fifth of the objective".into(),
        evidence: json!({"ttl": 60}),
        remedy: "lower the TTL to 20 s, or accept it in a waiver".into(),
    }];
    let waivers = vec![Waiver {
        rule: "W32".into(),
        step: None,
        who: "Ada Lovelace".into(),
        why: "the TTL stays until the new zone is delegated".into(),
        until: jiff::civil::date(2027, 3, 31),
    }];
    let records = records(plan, (findings, waivers), 35.0, 134.2, told);
    RunReport::from_journal(&RunId::new("ecommerce-failover-1").unwrap(), &records, fault_at()).unwrap()
}

fn failback() -> RunReport {
    let plan = plan(GoalKind::Failback, "eu-west-1", "us-east-1", Mode::Graceful, FAILBACK, (Phase::Restore, None));
    let mut told: Vec<(f64, Entry)> = FAILBACK.iter().flat_map(|step| ran(step.0, step.3, step.4)).collect();
    for (service, _) in SERVICES {
        told.extend(ran(&format!("{service}/restore"), 522.4, 523.5));
    }
    let records = records(plan, (Vec::new(), Vec::new()), 420.5, 524.0, told);
    RunReport::from_journal(&RunId::new("ecommerce-failback-1").unwrap(), &records, fault_at()).unwrap()
}

/// Forty requests a second, a gap while the region is gone, a shorter dip of writes during the switchover.
fn clients() -> ClientSeries {
    let mut series = ClientSeries::new(Offset::from_secs(-45.0), 1.0);
    for second in -45_i32..=560 {
        let wobble = u32::try_from((second * 7919).rem_euclid(7)).unwrap();
        let (succeeded, failed) = match second {
            0..=99 => (0, 11 + wobble),
            100..=133 => (u32::try_from(second - 98).unwrap(), u32::try_from((133 - second) / 3).unwrap()),
            450..=483 => (18 + wobble / 2, 17 + wobble / 2),
            _ => (37 + wobble, 0),
        };
        series.succeeded.push(succeeded);
        series.failed.push(failed);
    }
    series
}

fn moment(at: f64, kind: MomentKind, region_id: &str, what: &str) -> Moment {
    Moment { at: Offset::from_secs(at), kind, region: Some(region(region_id)), what: what.to_owned() }
}

pub(super) fn drill() -> DrillReport {
    let compared = |what: &str, value: &str| Compared { what: what.into(), before: value.into(), after: value.into() };
    DrillReport {
        application: ApplicationId::new("ecommerce").unwrap(),
        fault: FaultReport {
            name: "blackhole".into(),
            region: region("us-east-1"),
            what: "its application, control plane and Kubernetes API, and with them Route 53's API, took every packet and \
                   answered none"
                .into(),
        },
        seed: 7,
        time_scale: 20.0,
        fault_at: fault_at(),
        objectives: objectives(),
        measured: Measured {
            rto_s: Some(100.4),
            rpo_s: Some(0.4),
            writes_acked: 18_342,
            writes_lost: 3,
            detect_s: Some(34.6),
            promote_s: Some(91.8),
            dns_s: Some(96.3),
        },
        promises: Promise::runbook(),
        outage: Some(Outage { from: Offset::from_secs(-0.1), to: Offset::from_secs(100.3) }),
        clients: clients(),
        moments: vec![
            moment(0.0, MomentKind::Fault, "us-east-1", "us-east-1 stopped answering"),
            moment(14.2, MomentKind::Suspect, "us-east-1", "two of three observers saw a probe of us-east-1 fail"),
            moment(34.6, MomentKind::Unhealthy, "us-east-1", "three of three observers called us-east-1 lost, three probes each"),
            moment(91.8, MomentKind::Promoted, "eu-west-1", "orders-db took a write in eu-west-1"),
            moment(96.3, MomentKind::DnsFlipped, "eu-west-1", "api.ecommerce.com was answered with eu-west-1"),
            moment(100.3, MomentKind::Served, "eu-west-1", "a client placed an order again"),
            moment(133.1, MomentKind::Confirmed, "eu-west-1", "an order placed through api.ecommerce.com was read back"),
            moment(390.0, MomentKind::RegionBack, "us-east-1", "us-east-1 came back"),
            moment(488.7, MomentKind::DnsFlipped, "us-east-1", "api.ecommerce.com was answered with us-east-1"),
            moment(522.3, MomentKind::LatchReleased, "us-east-1", "the latch was released"),
        ],
        runs: vec![failover(), failback()],
        compared: vec![
            compared("orders-db writer", "us-east-1"),
            compared("sessions primary", "us-east-1"),
            compared("api.ecommerce.com answers", "us-east-1"),
            compared("eu-west-1 deployments/cart replicas", "2"),
            compared("eu-west-1 deployments/search replicas", "1"),
        ],
    }
}
