use async_trait::async_trait;
use aws_sdk_cloudwatch::types::{AlarmType, StateValue};
use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    model::{RegionId, VantageId},
    probe::{HealthProbe, Latency, ProbeCx, Reading, Subject},
};

use crate::{Clients, classify};

const OPERATION: &str = "cloudwatch:DescribeAlarms";

/// What a CloudWatch alarm says, such as one on a load balancer's `HTTPCode_Target_5XX_Count` or `UnHealthyHostCount`.
///
/// An alarm with too little data, or none of that name, has no opinion. Whether it treats missing data as breaching is
/// the alarm's own setting; one that does turns a region's silence into `ALARM`, which is why it has no vote here.
#[derive(Clone, Debug)]
pub struct AlarmState {
    subject: Subject,
    vantage: VantageId,
    clients: Clients,
    at: RegionId,
    alarm: String,
}

impl AlarmState {
    /// The metric or composite alarm of this name in the region `at`.
    #[must_use]
    pub fn new(subject: Subject, vantage: VantageId, clients: Clients, at: RegionId, alarm: String) -> Self {
        Self { subject, vantage, clients, at, alarm }
    }

    fn nothing(&self, why: &str) -> Error {
        let message = format!("the alarm {} in {} {why}", self.alarm, self.at);
        Error::new(ErrorKind::Unavailable, message).with_effect(Effect::NotApplied).during(OPERATION)
    }
}

#[async_trait]
impl HealthProbe for AlarmState {
    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn vantage(&self) -> &VantageId {
        &self.vantage
    }

    async fn probe(&self, cx: &ProbeCx) -> Result<Reading> {
        let began = cx.clock().monotonic();
        let clients = self.clients.for_reads(&self.at);
        // Without the types, composite alarms are left out.
        let call = clients
            .cloudwatch()
            .describe_alarms()
            .alarm_names(&self.alarm)
            .alarm_types(AlarmType::MetricAlarm)
            .alarm_types(AlarmType::CompositeAlarm);
        let reply = call.send().await.map_err(|error| classify(OPERATION, error))?;
        let latency = Latency::of(cx.clock().monotonic().since(began));
        let metric = reply.metric_alarms().iter().map(|alarm| (alarm.alarm_name(), alarm.state_value()));
        let composite = reply.composite_alarms().iter().map(|alarm| (alarm.alarm_name(), alarm.state_value()));
        let state = metric.chain(composite).find(|(name, _)| *name == Some(&self.alarm)).and_then(|(_, state)| state);
        let said = |state: &str| format!("the alarm {} in {} is {state}", self.alarm, self.at);
        match state {
            Some(StateValue::Ok) => Ok(Reading::healthy(latency, said("OK"))),
            Some(StateValue::Alarm) => Ok(Reading::unhealthy(latency, said("ALARM"))),
            Some(StateValue::InsufficientData) => Err(self.nothing("has too little data")),
            Some(_) => Err(self.nothing("is in a state that is not known here")),
            None => Err(self.nothing("does not exist")),
        }
    }
}
