#!/usr/bin/env python3
"""Loses a region of a standing lab, fails over, lets the region return and fails back: the drill, from Python.

In one terminal `cargo run --bin lab`, in another `python examples/python/failover.py`. The package is built and installed
by `pip install ./dr-py`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

import dr
from lab import Lab

ROOT = Path(__file__).resolve().parents[2]


class Stop(Exception):
    """The drill cannot go on."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--env-file", type=Path, default=ROOT / "target/lab/env", help="the env file that the lab wrote")
    parser.add_argument("--spec", type=Path, default=ROOT / "examples/ecommerce.dr.yaml", help="the platform's dr.yaml")
    parser.add_argument("--fault", default="blackhole", choices=["refuse", "blackhole", "gray", "control-plane"])
    parser.add_argument("--journal", type=Path, help="where the runs are written down (default: a temporary file)")
    parser.add_argument("--approve", default="examples/python/failover.py", metavar="NAME", help="who approves the plans")
    return parser.parse_args()


def judged(plan: dr.Plan) -> dr.Plan:
    """Shows a plan with what lint says of it, and refuses it where lint does."""
    print(plan.text())
    print(plan.timeline())
    for finding in plan.lint():
        print(finding)
    if not plan.allows_run:
        raise Stop("lint does not let this plan run")
    return plan


def completed(run: dr.Run) -> None:
    outcome = run.outcome
    if outcome is None or not outcome.success:
        raise Stop(f"run {run.id} did not complete: {outcome}")


def fail_over(plan: dr.Plan, journal: Path, name: str) -> dr.Run:
    run = plan.run(journal=journal, approve=name)
    for event in run:
        print(f"{event.at:%H:%M:%S}  {event}", flush=True)
    completed(run)
    return run


async def fail_back(spec: dr.Spec, after: dr.Run, journal: Path, name: str) -> None:
    """The same with asyncio, for programs that do other things meanwhile."""
    plan = judged(await spec.plan_async("failback", after=after))
    run = plan.run(journal=journal, approve=name)
    async for event in run:
        print(f"{event.at:%H:%M:%S}  {event}", flush=True)
    completed(run)


def ready(lab: Lab, spec: dr.Spec, patience: float = 120.0) -> None:
    """Looks whether everything is there that a failover needs. A call that was slow is no finding: it is made again."""
    deadline = lab.now() + patience
    while True:
        findings = spec.findings()
        blocking = [finding for finding in findings if finding.severity == "error"]
        if not blocking or lab.now() > deadline:
            break
        lab.sleep(10)
    for finding in findings:
        print(finding)
    if blocking:
        raise Stop("the platform is not ready for a failover")


def until_connected(lab: Lab, patience: float = 900.0) -> None:
    """Waits until the databases of the region that returned have caught up."""
    deadline = lab.now() + patience
    while any(state not in ("writer", "connected") for state in lab.state()["database"].values()):
        if lab.now() > deadline:
            raise Stop(f"the old writer does not rejoin: {lab.state()['database']}")
        lab.sleep(5)


def differences(lab: Lab, before: dict[str, object], patience: float = 300.0) -> list[str]:
    """What is not as it was, once the stack has had time to settle."""
    deadline = lab.now() + patience
    while True:
        now = lab.state()
        found = [f"{key}: {before[key]} became {now[key]}" for key in before if before[key] != now[key]]
        if not found or lab.now() > deadline:
            return found
        lab.sleep(5)


def drill(given: argparse.Namespace, journal: Path) -> int:
    lab = Lab(given.env_file)
    spec = dr.load(given.spec, dr.read_env(given.env_file))
    print(f"{spec!r}\n\nSTEADY STATE")
    lab.served()
    ready(lab, spec)
    before = lab.state()

    print(f"\nFAULT: {given.fault}")
    lost_at = lab.fault(given.fault)
    try:
        lab.sleep(30)
        print("\nFAILOVER")
        over = fail_over(judged(spec.plan("failover")), journal, given.approve)
        lab.served()
        felt = lab.clients(lost_at)["longest_gap"]
    finally:
        lab.heal()

    print("\nFAILBACK")
    until_connected(lab)
    asyncio.run(fail_back(spec, over, journal, given.approve))
    lab.served()
    changed = differences(lab, before)
    audit = lab.audit()

    print("\nMEASURED")
    print(f"longest gap that a client felt: {felt['to_s'] - felt['from_s']:.1f} s (objective {spec.objectives.rto})")
    print(f"writes acknowledged: {audit['writes_acked']}")
    print(f"writes lost: {audit['writes_lost']}, the oldest {audit['rpo_s']:.1f} s old (objective {spec.objectives.rpo})")
    print(f"restored: {'yes' if not changed else json.dumps(changed, indent=2)}")
    return 0 if not changed else 1


def main() -> int:
    given = arguments()
    with tempfile.TemporaryDirectory() as folder:
        try:
            return drill(given, given.journal or Path(folder) / "journal.sqlite")
        except (Stop, TimeoutError, OSError, dr.DrError) as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            return 1


if __name__ == "__main__":
    sys.exit(main())
