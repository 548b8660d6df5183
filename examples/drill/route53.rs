//! `drill route53`: what Route 53 would answer for the names of `dr.yaml`, if a region were lost.

use std::{collections::BTreeMap, sync::Arc};

use dr_aws::route53_failover::{FailoverRole, Route53FailoverSpec, SwitchSpec};
use dr_core::{
    detect::route53::{Asked, Seen, would_answer},
    model::RegionId,
    plan::{CheckFact, Inventory, RecordFact, RecordRole, TrafficFact},
    spec::SpecLoader,
    time::SystemClock,
    topology::Topology,
};
use serde_json::json;

use crate::{
    cli::Route53,
    exit::{Exit, Stop},
    platform,
};

/// What happens, what each record's region shows then, and whether the switch is set.
const CASES: [(&str, Seen, Seen, bool); 6] = [
    ("both regions serve", Seen::WELL, Seen::WELL, false),
    ("the primary's region is lost", Seen::LOST, Seen::WELL, false),
    ("its writes fail, all else answers", Seen::WELL, Seen::WELL, false),
    ("both regions are lost", Seen::LOST, Seen::LOST, false),
    ("failed over by the switch", Seen::LOST, Seen::WELL, true),
    ("and the primary's region is back", Seen::WELL, Seen::WELL, true),
];

pub(crate) fn route53(asked: &Route53) -> Result<Exit, Stop> {
    let spec = platform::read(&asked.spec, SpecLoader::new(), &(Arc::new(SystemClock::new()) as _))?;
    let topology = Topology::new(&spec).map_err(|e| Stop::usage(e.to_string()))?;
    let mut answers = Vec::new();
    for resource in topology.resources().iter().filter(|resource| resource.kind.as_str() == "aws.route53_failover") {
        let spec = Route53FailoverSpec::of(resource)?;
        for (case, primary, secondary, switched) in CASES {
            let traffic = traffic(
                &spec,
                TrafficFact::new(resource.id.clone(), &spec.record, CheckFact::None, spec.ttl()),
                switched,
            );
            let seen = |role| if role == RecordRole::Primary { primary } else { secondary };
            let seen: BTreeMap<RegionId, Seen> =
                traffic.records.iter().map(|record| (record.region.clone(), seen(record.role))).collect();
            answers.extend(would_answer(&traffic, &Inventory::default(), &seen).map(|answer| (case, answer)));
        }
    }
    if answers.is_empty() {
        return Err(Stop::usage("no resource of the kind aws.route53_failover is declared: there is nothing to ask"));
    }
    if asked.json {
        let answers: Vec<_> = answers.iter().map(|(case, answer)| json!({ "case": case, "answer": answer })).collect();
        println!("{}", json!(answers));
    } else {
        for (case, Asked { name, region, answer }) in &answers {
            println!("  {case:<36} {name} leads to {region}\n  {:36} {answer}", "");
        }
    }
    Ok(Exit::Met)
}

/// The name's pair of records as `dr.yaml` describes it: the primary follows the switch's check, and of a check of the
/// secondary nothing is written there.
fn traffic(spec: &Route53FailoverSpec, mut traffic: TrafficFact, switched: bool) -> TrafficFact {
    let (check, id) = match &spec.switch {
        SwitchSpec::StandbyTakesOver { region, health_check_id, .. } => {
            (CheckFact::StandbyTakesOver { region: region.clone() }, health_check_id)
        }
        // Disabled and inverted, it follows nothing.
        SwitchSpec::CheckInversion { health_check_id } if switched => {
            (CheckFact::Other { kind: "disabled and inverted".to_owned() }, health_check_id)
        }
        SwitchSpec::CheckInversion { health_check_id } => {
            let primary = spec.members.values().find(|member| member.failover == FailoverRole::Primary);
            (CheckFact::Endpoint { fqdn: primary.map(|it| it.name.clone()).unwrap_or_default() }, health_check_id)
        }
    };
    traffic.primary_check = check;
    traffic.records = spec
        .members
        .iter()
        .map(|(region, member)| {
            let primary = member.failover == FailoverRole::Primary;
            RecordFact {
                role: if primary { RecordRole::Primary } else { RecordRole::Secondary },
                region: region.clone(),
                alias: None,
                check: primary.then(|| id.clone()),
                check_healthy: primary.then_some(!switched),
            }
        })
        .collect();
    traffic
}
