use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use dr_core::{
    driver::{Driver, Host, Operation, Permission, SurveyCx},
    error::{Error, ErrorKind, Result},
    model::{Plane, RegionId, Resource, ResourceKind},
    plan::{Arg, CheckFact, Estimate, GoalKind, Inventory, Mode, Phase, TrafficFact},
    planner::PlanDraft,
    probe::{HealthProbe, Subject},
    step::{DynStep, erase},
    validation::Validation,
};
use schemars::{Schema, schema_for};

use super::{
    AwaitAnswer, AwaitAnswerParams, CheckImage, ConfirmWrite, ConfirmWriteParams, DrainCaches, DrainCachesParams,
    FailoverRole, HoldLatch, InvertCheck, InvertCheckParams, PairIsWhole, PublicName, ReleaseSwitch,
    Route53FailoverSpec, StandbyServes, StandbyServesParams, SwitchIsArmed, SwitchParams, SwitchSpec, ThrowSwitch,
};
use crate::Clients;

/// The driver of `aws.route53_failover`.
#[derive(Clone, Debug)]
pub struct Route53Failover {
    clients: Clients,
    api: RegionId,
    invert: InvertCheck,
}

impl Route53Failover {
    /// The kind that `dr.yaml` writes.
    pub const KIND: ResourceKind = ResourceKind::from_static("aws.route53_failover");

    /// The driver, acting through these clients.
    ///
    /// # Errors
    ///
    /// Never in practice: the name of the API's region is a literal.
    pub fn new(clients: Clients) -> Result<Self> {
        let api = RegionId::new("us-east-1").map_err(|e| Error::new(ErrorKind::Internal, e.to_string()))?;
        Ok(Self { invert: InvertCheck::new(clients.clone())?, api, clients })
    }

    fn shift(&self, spec: &Route53FailoverSpec, to: FailoverRole, draft: &mut PlanDraft<'_>) {
        let record = &spec.record;
        match &spec.switch {
            SwitchSpec::StandbyTakesOver { region, bucket, key, .. } => {
                let params = SwitchParams {
                    region: region.clone(),
                    bucket: bucket.clone(),
                    key: key.clone(),
                    record: record.clone(),
                };
                let (verb, title) = match to {
                    FailoverRole::Secondary => ("throw-switch", format!("move {record}: the standby takes over")),
                    FailoverRole::Primary => ("release-switch", format!("move {record} back: release the latch")),
                };
                let step = match to {
                    FailoverRole::Secondary => draft.step(verb, &ThrowSwitch::new(self.clients.clone()), &params),
                    FailoverRole::Primary => draft.step(verb, &ReleaseSwitch::new(self.clients.clone()), &params),
                };
                let step = step.title(title).phase(Phase::Shift).region(region);
                step.timeout(Duration::from_secs(60)).estimate(Estimate::secs(1, 5));
            }
            SwitchSpec::CheckInversion { health_check_id } => {
                let image = match to {
                    FailoverRole::Secondary => CheckImage { disabled: true, inverted: true },
                    FailoverRole::Primary => previous_image(draft),
                };
                let params = InvertCheckParams {
                    health_check_id: health_check_id.clone(),
                    disabled: image.disabled,
                    inverted: image.inverted,
                };
                let step = draft.step("invert-check", &self.invert, &params).region(&self.api);
                let step = step.title(format!("move {record} through Route 53's API")).phase(Phase::Shift);
                step.timeout(Duration::from_secs(60)).estimate(Estimate::secs(2, 10));
            }
        }
    }
}

/// How the check stood before the run that this one reverses; enabled and not inverted when nothing says.
fn previous_image(draft: &PlanDraft<'_>) -> CheckImage {
    let kind = <InvertCheck as dr_core::step::Step>::KIND;
    let images = &draft.before().0;
    images
        .iter()
        .filter(|image| image.kind == kind)
        .find_map(|image| serde_json::from_value(image.before.clone()).ok())
        .unwrap_or(CheckImage { disabled: false, inverted: false })
}

const OPERATIONS: &[Operation] = &[
    Operation {
        name: "s3:GetObject",
        plane: Plane::Data,
        host: Host::TargetRegion,
        mutates: false,
        permission: Permission::Iam { action: "s3:GetObject", resource: "arn:aws:s3:::{bucket}/{key}" },
        manual: "aws s3api get-object --bucket {bucket} --key {key} --region {region} /dev/stdout",
    },
    Operation {
        name: "s3:PutObject",
        plane: Plane::Data,
        host: Host::TargetRegion,
        mutates: true,
        permission: Permission::Iam { action: "s3:PutObject", resource: "arn:aws:s3:::{bucket}/{key}" },
        manual: "aws s3api put-object --bucket {bucket} --key {key} --region {region}",
    },
    Operation {
        name: "s3:DeleteObject",
        plane: Plane::Data,
        host: Host::TargetRegion,
        mutates: true,
        permission: Permission::Iam { action: "s3:DeleteObject", resource: "arn:aws:s3:::{bucket}/{key}" },
        manual: "aws s3api delete-object --bucket {bucket} --key {key} --region {region}",
    },
    Operation {
        name: "route53:GetHealthCheck",
        plane: Plane::Control,
        host: Host::Fixed("us-east-1"),
        mutates: false,
        permission: Permission::Iam {
            action: "route53:GetHealthCheck",
            resource: "arn:aws:route53:::healthcheck/{id}",
        },
        manual: "aws route53 get-health-check --health-check-id {id}",
    },
    Operation {
        name: "route53:UpdateHealthCheck",
        plane: Plane::Control,
        host: Host::Fixed("us-east-1"),
        mutates: true,
        permission: Permission::Iam {
            action: "route53:UpdateHealthCheck",
            resource: "arn:aws:route53:::healthcheck/{id}",
        },
        manual: "aws route53 update-health-check --health-check-id {id} --disabled --inverted",
    },
    Operation {
        name: "route53:ListResourceRecordSets",
        plane: Plane::Control,
        host: Host::Fixed("us-east-1"),
        mutates: false,
        permission: Permission::Iam {
            action: "route53:ListResourceRecordSets",
            resource: "arn:aws:route53:::hostedzone/{id}",
        },
        manual: "aws route53 list-resource-record-sets --hosted-zone-id {id}",
    },
];

#[async_trait]
impl Driver for Route53Failover {
    fn kind(&self) -> ResourceKind {
        Self::KIND
    }

    fn schema(&self) -> Schema {
        schema_for!(Route53FailoverSpec)
    }

    fn operations(&self) -> &'static [Operation] {
        OPERATIONS
    }

    fn probes(&self, resource: &Resource) -> Result<Vec<Arc<dyn HealthProbe>>> {
        let spec = Route53FailoverSpec::of(resource)?;
        let invalid = |e: dr_core::model::InvalidId| Error::new(ErrorKind::Invalid, e.to_string());
        let mut probes: Vec<Arc<dyn HealthProbe>> = Vec::new();
        for region in spec.members.keys() {
            for (n, server) in spec.name_servers.iter().enumerate() {
                let id = format!("{}/answers-{n}", resource.id).parse().map_err(invalid)?;
                let subject = Subject::infrastructure(id, region.clone());
                let vantage = "here".parse().map_err(invalid)?;
                let (server, name) = (server.clone(), spec.record.clone());
                probes.push(Arc::new(PublicName::new(subject, vantage, server, name, spec.record_type)));
            }
        }
        Ok(probes)
    }

    fn validations(&self, resource: &Resource) -> Result<Vec<Arc<dyn Validation>>> {
        let spec = Route53FailoverSpec::of(resource)?;
        Ok(vec![
            Arc::new(PairIsWhole {
                clients: self.clients.clone(),
                api: self.api.clone(),
                resource: resource.id.clone(),
                spec: spec.clone(),
            }),
            Arc::new(SwitchIsArmed {
                clients: self.clients.clone(),
                api: self.api.clone(),
                resource: resource.id.clone(),
                spec,
            }),
        ])
    }

    async fn survey(&self, resource: &Resource, _: &SurveyCx<'_>) -> Result<Inventory> {
        let spec = Route53FailoverSpec::of(resource)?;
        let primary = spec.members.values().find(|member| member.failover == FailoverRole::Primary);
        // Read from the file, not from Route 53: its API may be what has just been lost, and the validations have
        // compared the two while it was there.
        let primary_check = match &spec.switch {
            SwitchSpec::StandbyTakesOver { region, .. } => CheckFact::StandbyTakesOver { region: region.clone() },
            SwitchSpec::CheckInversion { .. } => {
                CheckFact::Endpoint { fqdn: primary.map(|member| member.name.clone()).unwrap_or_default() }
            }
        };
        let switched_by: &[&str] = match &spec.switch {
            SwitchSpec::StandbyTakesOver { .. } => &["s3:PutObject", "s3:DeleteObject"],
            SwitchSpec::CheckInversion { .. } => &["route53:UpdateHealthCheck"],
        };
        let traffic = TrafficFact {
            zone: Some(spec.hosted_zone_id.clone()),
            switched_by: switched_by.iter().map(|operation| (*operation).to_owned()).collect(),
            ..TrafficFact::new(resource.id.clone(), spec.record.as_str(), primary_check, spec.ttl())
        };
        Ok(Inventory { traffic: vec![traffic], ..Inventory::default() })
    }

    fn contribute(&self, resource: &Resource, draft: &mut PlanDraft<'_>) -> Result<()> {
        let spec = Route53FailoverSpec::of(resource)?;
        let goal = draft.goal().clone();
        if goal.kind == GoalKind::Rehearsal {
            return Ok(());
        }
        let (from, to) = (spec.member(&goal.from)?, spec.member(&goal.to)?);
        if let Some(url) = &to.health_url {
            let params = StandbyServesParams { region: goal.to.clone(), url: url.clone() };
            let step = draft.step("target-serves", &StandbyServes, &params).phase(Phase::Ready).region(&goal.to);
            step.title(format!("{} serves before clients are sent there", goal.to))
                .timeout(Duration::from_secs(120))
                .estimate(Estimate::secs(1, 10));
        }
        self.shift(&spec, to.failover, draft);
        let switch = draft.last_step();
        let params = AwaitAnswerParams {
            record: spec.record.clone(),
            record_type: spec.record_type,
            name_servers: spec.name_servers.clone(),
            wanted: to.name.clone(),
            unwanted: from.name.clone(),
        };
        // The checkers must see the switch (three looks, ten seconds apart) and Route 53 publish what they saw.
        let step = draft.step("await-answer", &AwaitAnswer, &params).phase(Phase::Shift).region(&goal.to);
        let step = step.title(format!("every authoritative server answers {}", goal.to));
        let step = step.timeout(Duration::from_secs(180)).estimate(Estimate::secs(40, 75));
        let step = match &switch {
            Some(switch) => step.after(switch.as_str()),
            None => step,
        };
        let answer = step.output();
        if let Some(confirm) = &spec.confirm {
            let params = ConfirmWriteParams {
                url: confirm.url.clone(),
                body: confirm.body.clone(),
                expect: confirm.expect.clone(),
                record: spec.record.clone(),
                record_type: spec.record_type,
                name_servers: spec.name_servers.clone(),
                region: goal.to.clone(),
            };
            let step = draft.step("confirm-write", &ConfirmWrite, &params).phase(Phase::Confirm).region(&goal.to);
            step.title(format!("a write through {} persists", spec.record))
                .timeout(Duration::from_secs(120))
                .estimate(Estimate::secs(1, 10));
        }
        if goal.mode == Mode::Graceful {
            // What is restored in the region that was left must not be taken from clients who still come there.
            let params = DrainCachesParams { answer: Arg::From(answer) };
            let step = draft.step("drain-caches", &DrainCaches, &params).phase(Phase::Latch).region(&goal.from);
            step.title(format!("resolvers forget {}", goal.from))
                .timeout(spec.ttl() * 2 + Duration::from_secs(60))
                .estimate(Estimate { p50: spec.ttl(), p95: spec.ttl() });
        }
        if let (SwitchSpec::StandbyTakesOver { region, bucket, key, .. }, FailoverRole::Secondary) =
            (&spec.switch, to.failover)
        {
            let params = SwitchParams {
                region: region.clone(),
                bucket: bucket.clone(),
                key: key.clone(),
                record: spec.record.clone(),
            };
            let latch = HoldLatch::new(self.clients.clone());
            let step = draft.step("hold-latch", &latch, &params).phase(Phase::Latch).region(region);
            step.title(format!("the switch keeps {} in {}", spec.record, goal.to))
                .timeout(Duration::from_secs(60))
                .estimate(Estimate::secs(1, 5));
        }
        Ok(())
    }

    fn steps(&self) -> Vec<Arc<dyn DynStep>> {
        vec![
            erase(StandbyServes),
            erase(ThrowSwitch::new(self.clients.clone())),
            erase(ReleaseSwitch::new(self.clients.clone())),
            erase(self.invert.clone()),
            erase(AwaitAnswer),
            erase(ConfirmWrite),
            erase(HoldLatch::new(self.clients.clone())),
            erase(DrainCaches),
        ]
    }
}
