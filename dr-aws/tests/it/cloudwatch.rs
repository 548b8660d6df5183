//! The double of CloudWatch, called by the real SDK in CBOR.

use std::time::Duration;

use aws_sdk_cloudwatch::{
    error::ProvideErrorMetadata as _,
    primitives::DateTime,
    types::{Dimension, Metric, MetricDataQuery, MetricDatum, MetricStat, Statistic},
};
use dr_aws::{
    classify,
    testing::cloudwatch::{Datum, MetricId},
};
use dr_core::{error::ErrorKind, time::Clock as _};

use crate::stage::{Stage, east, west};

fn at(seconds: i64) -> DateTime {
    DateTime::from_secs(1_790_000_000 + seconds)
}

fn lag(cluster: &str) -> Metric {
    Metric::builder()
        .namespace("AWS/RDS")
        .metric_name("Lag")
        .dimensions(Dimension::builder().name("DBClusterIdentifier").value(cluster).build())
        .build()
}

fn query(metric: Metric, stat: &str) -> MetricDataQuery {
    let stat = MetricStat::builder().metric(metric).period(60).stat(stat).build();
    MetricDataQuery::builder().id("lag").metric_stat(stat).build()
}

#[tokio::test]
async fn metrics_are_read_where_they_live() {
    for stage in Stage::each().await {
        let metric = MetricId::new("AWS/RDS", "Lag", [("DBClusterIdentifier", "orders-eu")]);
        for (after, value) in [(10, 80.0), (20, 120.0), (70, 90.0)] {
            let at = stage.clock.wall() + Duration::from_secs(after);
            stage.world.cloudwatch().put_metric(&west(), metric.clone(), at, value);
        }
        stage.clock.advance(Duration::from_secs(120));
        let west = stage.west();
        let get = || {
            let query = query(lag("orders-eu"), "Maximum");
            west.cloudwatch().get_metric_data().metric_data_queries(query).start_time(at(-60)).end_time(at(600))
        };
        let reply = get().send().await.unwrap();
        let result = &reply.metric_data_results()[0];
        assert_eq!(result.id(), Some("lag"));
        // 1,790,000,000 is 20 s into a minute, so that the first two fall into one period, and the newest is first.
        assert_eq!(result.values(), [90.0, 120.0]);
        assert_eq!(result.timestamps(), [at(40), at(-20)]);

        let elsewhere = stage.east();
        let query = query(lag("orders-eu"), "Maximum");
        let get =
            elsewhere.cloudwatch().get_metric_data().metric_data_queries(query).start_time(at(-60)).end_time(at(600));
        assert!(get.send().await.unwrap().metric_data_results()[0].values().is_empty());

        let points = west.cloudwatch().get_metric_statistics().namespace("AWS/RDS").metric_name("Lag");
        let points = points.dimensions(Dimension::builder().name("DBClusterIdentifier").value("orders-eu").build());
        let points = points.start_time(at(-60)).end_time(at(600)).period(300).statistics(Statistic::Average);
        let points = points.send().await.unwrap();
        assert!((points.datapoints()[0].average().unwrap() - 290.0 / 3.0).abs() < 1e-9);
        let listed = west.cloudwatch().list_metrics().namespace("AWS/RDS").metric_name("Lag").send().await.unwrap();
        assert_eq!(listed.metrics()[0].dimensions()[0].value(), Some("orders-eu"));
    }
}

#[tokio::test]
async fn sources_are_asked_once_a_minute() {
    let stage = Stage::in_process();
    let clock = stage.clock.clone();
    stage.world.cloudwatch().add_source(move |region| {
        let metric = MetricId::new("AWS/RDS", "Lag", [("DBClusterIdentifier", "orders-eu")]);
        let value = clock.monotonic().since_origin().as_secs_f64() - 1_790_000_000.0;
        if *region == west() { vec![Datum { metric, value }] } else { Vec::new() }
    });
    let west = stage.west();
    let read = || async {
        let get = west.cloudwatch().get_metric_data().metric_data_queries(query(lag("orders-eu"), "Sum"));
        get.start_time(at(-60)).end_time(at(600)).send().await.unwrap().metric_data_results()[0].values().to_vec()
    };
    assert_eq!(read().await, [0.0]);
    stage.clock.advance(Duration::from_secs(10));
    assert_eq!(read().await, [0.0], "still the same minute");
    stage.clock.advance(Duration::from_secs(60));
    assert_eq!(read().await, [70.0, 0.0]);
}

#[tokio::test]
async fn values_of_ones_own_can_be_put() {
    for stage in Stage::each().await {
        let east = stage.east();
        let datum = MetricDatum::builder().metric_name("Orders").value(7.0).timestamp(at(1)).build();
        let put = east.cloudwatch().put_metric_data().namespace("shop").metric_data(datum.clone());
        put.send().await.unwrap();
        assert_eq!(stage.world.effects().count("cloudwatch:PutMetricData", "shop/Orders"), 1);
        let error =
            east.cloudwatch().put_metric_data().namespace("AWS/RDS").metric_data(datum).send().await.unwrap_err();
        assert!(error.as_service_error().unwrap().is_invalid_parameter_value_exception());
        let error = east.cloudwatch().list_dashboards().send().await.unwrap_err();
        assert_eq!(error.message(), Some("NotImplemented: the double has no cloudwatch:ListDashboards"));
        assert_eq!(classify("cloudwatch:ListDashboards", error).kind(), ErrorKind::Unsupported);
    }
}

#[tokio::test]
async fn route53_publishes_in_north_virginia_alone() {
    let stage = Stage::in_process();
    let config = dr_aws::testing::route53::CheckConfig::http("127.0.0.1".parse().unwrap(), 80, "/");
    let id = stage.world.route53().add_check(config).unwrap();
    for (region, expected) in [(east(), vec![1.0]), (west(), Vec::new())] {
        let metric = Metric::builder().namespace("AWS/Route53").metric_name("HealthCheckStatus");
        let metric = metric.dimensions(Dimension::builder().name("HealthCheckId").value(&id).build()).build();
        let clients = stage.clients.for_reads(&region);
        let get = clients.cloudwatch().get_metric_data().metric_data_queries(query(metric, "Minimum"));
        let reply = get.start_time(at(-60)).end_time(at(60)).send().await.unwrap();
        assert_eq!(reply.metric_data_results()[0].values(), expected);
    }
}
