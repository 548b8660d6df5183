"""Drives the AWS double with boto3, unmodified, as a foreign client.

The Rust test `foreign.rs` serves the world and passes its endpoints in the environment:
EAST_URL and WEST_URL, and WORLD_TIME, the seconds that the world's clock shows.
"""

import datetime
import os
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=30)
REGIONS = {"us-east-1": os.environ["EAST_URL"], "eu-west-1": os.environ["WEST_URL"]}


def client(service, region):
    return boto3.client(service, region_name=region, endpoint_url=REGIONS[region], config=ONCE)


def refused(code, call, **arguments):
    """The message of the error that a call must end in."""
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return error.response["Error"]["Message"]
    raise AssertionError(f"{code} was expected")


def route53():
    r53 = client("route53", "us-east-1")
    zone = r53.create_hosted_zone(Name="shop.example", CallerReference="boto3")["HostedZone"]["Id"]
    check = r53.create_health_check(
        CallerReference="boto3",
        HealthCheckConfig={
            "Type": "HTTPS_STR_MATCH",
            "FullyQualifiedDomainName": "east.shop.example",
            "Port": 443,
            "ResourcePath": "/health",
            "SearchString": '"region":"us-east-1"',
            "RequestInterval": 10,
            "FailureThreshold": 3,
            "EnableSNI": True,
        },
    )["HealthCheck"]
    assert check["HealthCheckVersion"] == 1
    assert check["HealthCheckConfig"]["SearchString"] == '"region":"us-east-1"'

    def record(role, address, **more):
        return {
            "Action": "CREATE",
            "ResourceRecordSet": {
                "Name": "api.shop.example",
                "Type": "A",
                "SetIdentifier": role.lower(),
                "Failover": role,
                "TTL": 60,
                "ResourceRecords": [{"Value": address}],
                **more,
            },
        }

    changes = [
        record("PRIMARY", "127.0.1.1", HealthCheckId=check["Id"]),
        record("SECONDARY", "127.0.2.1"),
    ]
    change = r53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    assert change["ChangeInfo"]["Status"] == "PENDING"
    assert r53.get_change(Id=change["ChangeInfo"]["Id"])["ChangeInfo"]["Status"] == "PENDING"
    message = refused(
        "InvalidChangeBatch",
        r53.change_resource_record_sets,
        HostedZoneId=zone,
        ChangeBatch={"Changes": changes[:1]},
    )
    assert "already exists" in message, message
    pages = r53.get_paginator("list_resource_record_sets").paginate(
        HostedZoneId=zone, PaginationConfig={"PageSize": 1}
    )
    records = [record for page in pages for record in page["ResourceRecordSets"]]
    assert [r.get("Failover") for r in records if r["Name"].startswith("api.")] == ["PRIMARY", "SECONDARY"], records
    assert len(records) == 4

    r53.update_health_check(HealthCheckId=check["Id"], HealthCheckVersion=1, Disabled=True, Inverted=True)
    refused(
        "HealthCheckVersionMismatch",
        r53.update_health_check,
        HealthCheckId=check["Id"],
        HealthCheckVersion=1,
        Disabled=False,
    )
    assert r53.get_health_check_status(HealthCheckId=check["Id"])["HealthCheckObservations"] == []
    assert "route53:ListTrafficPolicies" in refused("NotImplemented", r53.list_traffic_policies)


def s3():
    west = client("s3", "eu-west-1")
    west.put_object(Bucket="switches", Key="stop", Body=b"from boto3", IfNoneMatch="*")
    refused("PreconditionFailed", west.put_object, Bucket="switches", Key="stop", Body=b"", IfNoneMatch="*")
    refused("NoSuchKey", west.put_object, Bucket="switches", Key="gone", Body=b"", IfMatch='"0123"')
    assert west.get_object(Bucket="switches", Key="stop")["Body"].read() == b"from boto3"
    assert [o["Key"] for o in west.list_objects_v2(Bucket="switches")["Contents"]] == ["stop"]
    refused("404", west.head_object, Bucket="switches", Key="absent")
    assert west.get_bucket_location(Bucket="switches")["LocationConstraint"] == "eu-west-1"
    client("s3", "us-east-1").create_bucket(Bucket="new")
    # Without a name, as Route 53's checkers come.
    with urllib.request.urlopen(REGIONS["eu-west-1"] + "/switches/stop", timeout=10) as answer:
        assert answer.status == 200
    try:
        urllib.request.urlopen(REGIONS["eu-west-1"] + "/switches/absent", timeout=10)
        raise AssertionError("an absent object was read")
    except urllib.error.HTTPError as error:
        assert error.code == 403, error


def cloudwatch():
    now = datetime.datetime.fromtimestamp(float(os.environ["WORLD_TIME"]), datetime.timezone.utc)
    query = {
        "Id": "lag",
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/RDS",
                "MetricName": "AuroraGlobalDBRPOLag",
                "Dimensions": [{"Name": "DBClusterIdentifier", "Value": "orders-eu"}],
            },
            "Period": 60,
            "Stat": "Maximum",
        },
    }
    window = {
        "StartTime": now - datetime.timedelta(minutes=5),
        "EndTime": now + datetime.timedelta(minutes=5),
    }
    for region, values in (("eu-west-1", [87.0]), ("us-east-1", [])):
        metrics = client("cloudwatch", region)
        answer = metrics.get_metric_data(MetricDataQueries=[query], **window)
        assert answer["MetricDataResults"][0]["Values"] == values, answer
    metrics = client("cloudwatch", "us-east-1")
    metrics.put_metric_data(Namespace="shop", MetricData=[{"MetricName": "Orders", "Value": 7.0, "Timestamp": now}])
    points = metrics.get_metric_statistics(
        Namespace="shop", MetricName="Orders", Period=60, Statistics=["Sum"], **window
    )
    assert points["Datapoints"][0]["Sum"] == 7.0, points
    assert metrics.list_metrics(Namespace="shop")["Metrics"][0]["MetricName"] == "Orders"
    refused("InvalidParameterValue", metrics.put_metric_data, Namespace="AWS/x", MetricData=[{"MetricName": "a"}])


def rds():
    for region in REGIONS:
        assert client("rds", region).describe_global_clusters()["GlobalClusters"] == []


if __name__ == "__main__":
    checks = [route53, s3, cloudwatch, rds]
    for check in checks:
        check()
    print(f"{len(checks)} services checked with boto3 {boto3.__version__}")
