"""Watches a lab as its users would: boto3 for the writer, dig (or dnspython) for the name, kubectl for the replicas.

Prints a line whenever something is not what it was: `writer ARN`, `answer ADDRESSES`, `replicas NUMBER`. What gives no
answer while a region is lost is passed over. Ends when standard input does.
"""

import os
import subprocess
import sys
import threading

import boto3
import dns.message
import dns.query
from botocore.config import Config

env = os.environ
stop = threading.Event()
printing = threading.Lock()
rds = boto3.client(
    "rds",
    region_name="eu-west-1",
    endpoint_url=env["DR_LAB_AWS_EU_WEST_1"],
    config=Config(connect_timeout=5, read_timeout=5, retries={"total_max_attempts": 1}),
)
name, port = "api.ecommerce.com", env["DR_LAB_DNS_PORT"]
server = env["DR_LAB_NAME_SERVER"].rsplit(":", 1)[0]


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.strip()


def writer():
    members = rds.describe_global_clusters()["GlobalClusters"][0]["GlobalClusterMembers"]
    return " ".join(member["DBClusterArn"] for member in members if member["IsWriter"])


def answer():
    if dig := env.get("DR_FOREIGN_DIG"):
        return run(dig, "+short", "+tries=1", f"@{server}", "-p", port, name, "A")
    reply = dns.query.udp(dns.message.make_query(name, "A"), server, timeout=5, port=int(port))
    return " ".join(record.address for rrset in reply.answer for record in rrset if record.rdtype == dns.rdatatype.A)


def replicas():
    return run(
        env["DR_FOREIGN_KUBECTL"], "--kubeconfig", env["DR_LAB_KUBECONFIG_EU_WEST_1"], "--namespace", "production",
        "get", "deployment", "catalog", "--output", "jsonpath={.status.availableReplicas}",
    )  # fmt: skip


def watch(look, every):
    known = None
    stopped = False
    while not stopped:
        # One more look after the end: what changed last may have done so since the look before.
        stopped = stop.wait(every)
        try:
            seen = look()
        except Exception as error:  # a lab with a fault in it: nothing was seen
            print(f"{look.__name__}: {error}", file=sys.stderr, flush=True)
            continue
        if seen and seen != known:
            with printing:
                print(look.__name__, seen, flush=True)
            known = seen


looks = [(writer, 0.2), (answer, 0.2)]
if env.get("DR_FOREIGN_KUBECTL"):
    looks.append((replicas, 1.0))
threads = [threading.Thread(target=watch, args=look) for look in looks]
for thread in threads:
    thread.start()
sys.stdin.read()
stop.set()
for thread in threads:
    thread.join()
