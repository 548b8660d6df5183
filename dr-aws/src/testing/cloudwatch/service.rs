use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use dr_core::{model::Plane, time::Timestamp};
use http::{Request, Response, StatusCode};
use serde_json::Value;

use super::{
    Alarm, CloudWatch, MetricId,
    protocol::{ApiError, Output, Protocol},
    store::Period,
};
use crate::testing::{Access, CallCx, Operation, Refusal, Service};

/// The API of CloudWatch, for what a failover reads of it.
#[derive(Clone, Debug)]
pub struct CloudWatchService {
    model: CloudWatch,
}

impl CloudWatchService {
    pub(in crate::testing) fn new(model: CloudWatch) -> Self {
        Self { model }
    }

    fn serve(&self, cx: &CallCx, input: &Value) -> Result<Output, ApiError> {
        match cx.action() {
            "GetMetricData" => self.get_metric_data(cx, input),
            "GetMetricStatistics" => self.get_metric_statistics(cx, input),
            "ListMetrics" => Ok(self.list_metrics(cx, input)),
            "DescribeAlarms" => self.describe_alarms(cx, input),
            "PutMetricData" => self.put_metric_data(cx, input),
            _ => Err(refused(&Refusal::NotImplemented(cx.operation().to_owned()))),
        }
    }

    fn get_metric_data(&self, cx: &CallCx, input: &Value) -> Result<Output, ApiError> {
        let (start, end) = (time(input, "StartTime")?, time(input, "EndTime")?);
        let ascending = text(input, "ScanBy") == Some("TimestampAscending");
        let results = items(input, "MetricDataQueries").map(|query| {
            let id = text(query, "Id").ok_or_else(|| ApiError::invalid("The parameter Id is required"))?;
            let Some(stat) = query.get("MetricStat") else {
                return Err(ApiError::invalid(
                    "NotImplemented: the double has no metric math in cloudwatch:GetMetricData",
                ));
            };
            let metric = metric(stat.get("Metric").unwrap_or(&Value::Null), "MetricName")?;
            let statistic = text(stat, "Stat").unwrap_or("Average");
            let mut periods = self.periods(cx, &metric, start, end, period(stat)?);
            if !ascending {
                periods.reverse();
            }
            let values = periods.iter().map(|period| value(period, statistic)).collect::<Result<_, _>>()?;
            Ok(Output::Structure(vec![
                ("Id", Output::Text(id.to_owned())),
                ("Label", Output::Text(text(query, "Label").unwrap_or(&metric.name).to_owned())),
                ("Timestamps", Output::List(periods.iter().map(|period| Output::Time(period.start)).collect())),
                ("Values", Output::List(values)),
                ("StatusCode", Output::Text("Complete".to_owned())),
            ]))
        });
        let results = results.collect::<Result<_, ApiError>>()?;
        Ok(Output::Structure(vec![
            ("MetricDataResults", Output::List(results)),
            ("Messages", Output::List(Vec::new())),
        ]))
    }

    fn get_metric_statistics(&self, cx: &CallCx, input: &Value) -> Result<Output, ApiError> {
        let metric = metric(input, "MetricName")?;
        let (start, end) = (time(input, "StartTime")?, time(input, "EndTime")?);
        let wanted: Vec<&str> = items(input, "Statistics").filter_map(Value::as_str).collect();
        let points = self.periods(cx, &metric, start, end, period(input)?).into_iter().map(|period| {
            let mut point = vec![("Timestamp", Output::Time(period.start))];
            for name in ["SampleCount", "Average", "Sum", "Minimum", "Maximum"] {
                if wanted.contains(&name) {
                    point.push((name, value(&period, name)?));
                }
            }
            Ok(Output::Structure(point))
        });
        let points = points.collect::<Result<_, ApiError>>()?;
        Ok(Output::Structure(vec![("Label", Output::Text(metric.name)), ("Datapoints", Output::List(points))]))
    }

    fn list_metrics(&self, cx: &CallCx, input: &Value) -> Output {
        let filters: Vec<_> =
            items(input, "Dimensions").filter_map(|it| Some((text(it, "Name")?, text(it, "Value")))).collect();
        let fits = |metric: &&MetricId| {
            text(input, "Namespace").is_none_or(|namespace| metric.namespace == namespace)
                && text(input, "MetricName").is_none_or(|name| metric.name == name)
                && filters.iter().all(|(name, value)| {
                    metric.dimensions.get(*name).is_some_and(|have| value.is_none_or(|value| have == value))
                })
        };
        let metrics = self.model.read(cx.region(), |store| store.ids().filter(fits).map(describe).collect());
        Output::Structure(vec![("Metrics", Output::List(metrics))])
    }

    fn describe_alarms(&self, cx: &CallCx, input: &Value) -> Result<Output, ApiError> {
        let names: Vec<&str> = items(input, "AlarmNames").filter_map(Value::as_str).collect();
        let prefix = text(input, "AlarmNamePrefix");
        if prefix.is_some() && !names.is_empty() {
            return Err(ApiError::invalid("AlarmNamePrefix and AlarmNames are mutually exclusive"));
        }
        let state = text(input, "StateValue");
        // Without the types, composite alarms are left out.
        let types: Vec<&str> = items(input, "AlarmTypes").filter_map(Value::as_str).collect();
        let wants = |composite: bool| match composite {
            true => types.contains(&"CompositeAlarm"),
            false => types.is_empty() || types.contains(&"MetricAlarm"),
        };
        let fits = |alarm: &Alarm| {
            (names.is_empty() || names.contains(&alarm.name.as_str()))
                && prefix.is_none_or(|prefix| alarm.name.starts_with(prefix))
                && state.is_none_or(|state| alarm.state.as_str() == state)
                && wants(alarm.composite)
        };
        let (mut metric, mut composite) = (Vec::new(), Vec::new());
        for alarm in self.model.alarms(cx.region()).iter().filter(|alarm| fits(alarm)) {
            let arn = format!("arn:aws:cloudwatch:{}:111122223333:alarm:{}", cx.region(), alarm.name);
            let shown = Output::Structure(vec![
                ("AlarmName", Output::Text(alarm.name.clone())),
                ("AlarmArn", Output::Text(arn)),
                ("StateValue", Output::Text(alarm.state.as_str().to_owned())),
                ("StateReason", Output::Text("set by a test".to_owned())),
                ("StateUpdatedTimestamp", Output::Time(alarm.updated)),
            ]);
            if alarm.composite { composite.push(shown) } else { metric.push(shown) }
        }
        Ok(Output::Structure(vec![
            ("MetricAlarms", Output::List(metric)),
            ("CompositeAlarms", Output::List(composite)),
        ]))
    }

    fn put_metric_data(&self, cx: &CallCx, input: &Value) -> Result<Output, ApiError> {
        let namespace =
            text(input, "Namespace").ok_or_else(|| ApiError::invalid("The parameter Namespace is required"))?;
        if namespace.starts_with("AWS/") {
            return Err(ApiError::invalid("The value AWS/ for parameter Namespace is invalid."));
        }
        let mut data = Vec::new();
        for datum in items(input, "MetricData") {
            let mut metric = metric(datum, "MetricName")?;
            namespace.clone_into(&mut metric.namespace);
            let at = if datum.get("Timestamp").is_some() { time(datum, "Timestamp")? } else { cx.wall() };
            let values: Vec<f64> = match number(datum, "Value") {
                Some(value) => vec![value],
                None => items(datum, "Values").filter_map(as_number).collect(),
            };
            if values.is_empty() {
                return Err(ApiError::invalid(
                    "NotImplemented: the double has no statistic sets in cloudwatch:PutMetricData",
                ));
            }
            data.push((metric, at, values));
        }
        for (metric, at, values) in data {
            cx.applied(format!("{}/{}", metric.namespace, metric.name));
            for value in values {
                self.model.put_metric(cx.region(), metric.clone(), at, value);
            }
        }
        Ok(Output::Structure(Vec::new()))
    }

    fn periods(
        &self,
        cx: &CallCx,
        metric: &MetricId,
        start: Timestamp,
        end: Timestamp,
        period: Duration,
    ) -> Vec<Period> {
        self.model.read(cx.region(), |store| store.periods(metric, start, end, period, cx.wall()))
    }
}

#[async_trait]
impl Service for CloudWatchService {
    fn name(&self) -> &'static str {
        "cloudwatch"
    }

    fn signing_name(&self) -> &'static str {
        "monitoring"
    }

    fn identify(&self, request: &Request<Bytes>) -> Operation {
        let operation = Operation::control(Protocol::of(request).1);
        // Metrics are read and written by the data plane, except that here it falls with the API that shows them.
        Operation {
            plane: Plane::Control,
            access: if operation.name == "PutMetricData" { Access::Write } else { operation.access },
            ..operation
        }
    }

    async fn call(&self, cx: &CallCx, request: Request<Bytes>) -> Response<Bytes> {
        let (protocol, _) = Protocol::of(&request);
        match protocol.input(&request).and_then(|input| self.serve(cx, &input)) {
            Ok(output) => protocol.answer(cx, &output),
            Err(error) => protocol.error(&error),
        }
    }

    fn refuse(&self, request: &Request<Bytes>, why: &Refusal) -> Response<Bytes> {
        Protocol::of(request).0.error(&refused(why))
    }
}

fn refused(why: &Refusal) -> ApiError {
    let (status, shape, code) = match why {
        Refusal::Throttled => (StatusCode::BAD_REQUEST, "ThrottlingException", "Throttling"),
        Refusal::ServerError => (StatusCode::INTERNAL_SERVER_ERROR, "InternalServiceFault", "InternalServiceError"),
        Refusal::NotImplemented(_) => (StatusCode::NOT_IMPLEMENTED, "NotImplemented", "NotImplemented"),
        Refusal::Malformed(_) => (StatusCode::BAD_REQUEST, "SerializationException", "MalformedInput"),
    };
    ApiError { status, shape, code, message: why.to_string() }
}

fn describe(metric: &MetricId) -> Output {
    let dimensions = metric.dimensions.iter().map(|(name, value)| {
        Output::Structure(vec![("Name", Output::Text(name.clone())), ("Value", Output::Text(value.clone()))])
    });
    Output::Structure(vec![
        ("Namespace", Output::Text(metric.namespace.clone())),
        ("MetricName", Output::Text(metric.name.clone())),
        ("Dimensions", Output::List(dimensions.collect())),
    ])
}

fn value(period: &Period, statistic: &str) -> Result<Output, ApiError> {
    let refuse = || ApiError::invalid(format!("NotImplemented: the double has no statistic {statistic:?}"));
    period.statistic(statistic).map(Output::Number).ok_or_else(refuse)
}

fn metric(input: &Value, name: &str) -> Result<MetricId, ApiError> {
    let metric_name = text(input, name).ok_or_else(|| ApiError::invalid("The parameter MetricName is required"))?;
    let dimensions: BTreeMap<String, String> = items(input, "Dimensions")
        .filter_map(|dimension| Some((text(dimension, "Name")?.to_owned(), text(dimension, "Value")?.to_owned())))
        .collect();
    let namespace = text(input, "Namespace").unwrap_or_default().to_owned();
    Ok(MetricId { namespace, name: metric_name.to_owned(), dimensions })
}

fn period(input: &Value) -> Result<Duration, ApiError> {
    let seconds = number(input, "Period").unwrap_or(60.0);
    let fits = seconds >= 60.0 && seconds.rem_euclid(60.0) == 0.0 || [1.0, 5.0, 10.0, 30.0].contains(&seconds);
    let refuse = || ApiError::invalid("The value for parameter Period must be 1, 5, 10, 30 or a multiple of 60.");
    fits.then(|| Duration::from_secs_f64(seconds)).ok_or_else(refuse)
}

fn text<'a>(input: &'a Value, name: &str) -> Option<&'a str> {
    input.get(name)?.as_str()
}

/// A number, which the query protocol writes as text.
fn as_number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

fn number(input: &Value, name: &str) -> Option<f64> {
    as_number(input.get(name)?)
}

fn items<'a>(input: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    input.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// A time: seconds since the epoch, or RFC 3339 in the query protocol.
fn time(input: &Value, name: &str) -> Result<Timestamp, ApiError> {
    let value = input.get(name).unwrap_or(&Value::Null);
    let time = match as_number(value) {
        #[expect(clippy::cast_possible_truncation, reason = "a time too far away saturates")]
        Some(seconds) => Some(Timestamp::from_millis((seconds * 1000.0) as i64)),
        None => serde_json::from_value(value.clone()).ok(),
    };
    time.ok_or_else(|| ApiError::invalid(format!("The parameter {name} must be a time")))
}
