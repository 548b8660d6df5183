"""Aurora and ElastiCache as boto3 sees them: a failover from a dark region, over plain HTTP.

Called with the endpoints of us-east-1 and eu-west-1. The world moves its own clock, so this only asks and waits.
"""

import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

EU_ARN = "arn:aws:rds:eu-west-1:111122223333:cluster:orders-euw1"


def client(service, region, endpoint):
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30),
    )


def refused(code, call, **parameters):
    try:
        call(**parameters)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return error.response["Error"]["Message"]
    raise AssertionError(f"not refused with {code}")


def until(what, look, patience=60):
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"never saw {what}")


def aurora(us, eu):
    at_us, at_eu = client("rds", "us-east-1", us), client("rds", "eu-west-1", eu)

    def described():
        return at_eu.describe_global_clusters(GlobalClusterIdentifier="orders")["GlobalClusters"][0]

    assert described()["FailoverState"] == {}, described()
    order = {"GlobalClusterIdentifier": "orders", "TargetDbClusterIdentifier": EU_ARN}
    why = refused("InvalidGlobalClusterStateFault", at_us.failover_global_cluster, AllowDataLoss=True, **order)
    assert "Region of the target" in why, why
    refused("InvalidParameterCombination", at_eu.failover_global_cluster, AllowDataLoss=True, Switchover=True, **order)

    state = at_eu.failover_global_cluster(AllowDataLoss=True, **order)["GlobalCluster"]["FailoverState"]
    assert state["Status"] == "pending" and state["IsDataLossAllowed"] is True, state
    assert state["ToDbClusterArn"] == EU_ARN, state
    ended = until("the failover's end", lambda: described()["FailoverState"] == {} and described())
    writers = [member["DBClusterArn"] for member in ended["GlobalClusterMembers"] if member["IsWriter"]]
    assert writers == [EU_ARN], ended
    cluster = at_eu.describe_db_clusters(DBClusterIdentifier="orders-euw1")["DBClusters"][0]
    assert cluster["Status"] == "available", cluster
    messages = [event["Message"] for event in at_eu.describe_events(Duration=1440)["Events"]]
    assert any("RDS-EVENT-0238" in message for message in messages), messages


def cache(us, eu):
    at_us, at_eu = client("elasticache", "us-east-1", us), client("elasticache", "eu-west-1", eu)

    def described():
        found = at_eu.describe_global_replication_groups(GlobalReplicationGroupId="ldgnf-carts", ShowMemberInfo=True)
        return found["GlobalReplicationGroups"][0]

    order = {
        "GlobalReplicationGroupId": "ldgnf-carts",
        "PrimaryRegion": "eu-west-1",
        "PrimaryReplicationGroupId": "carts-euw1",
    }
    refused("InvalidParameterValue", at_us.failover_global_replication_group, **order)
    changed = at_eu.failover_global_replication_group(**order)["GlobalReplicationGroup"]
    assert changed["Status"] == "modifying", changed
    refused("InvalidGlobalReplicationGroupState", at_eu.failover_global_replication_group, **order)
    ended = until("the promotion's end", lambda: described()["Status"] == "available" and described())
    primaries = [m["ReplicationGroupRegion"] for m in ended["Members"] if m["Role"].upper() == "PRIMARY"]
    assert primaries == ["eu-west-1"], ended


if __name__ == "__main__":
    aurora(*sys.argv[1:3])
    cache(*sys.argv[1:3])
    print("ok")
