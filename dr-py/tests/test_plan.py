"""Plans, made and judged without a world to ask."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import dr
import pytest


@pytest.fixture
def spec(example: Path) -> dr.Spec:
    """The example with its credentials given, so that nobody is asked for any."""
    nowhere = "http://127.0.0.1:1"
    variables = {"DR_LAB_ADMIN": nowhere, "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
    for region in ["US_EAST_1", "EU_WEST_1", "EU_CENTRAL_1"]:
        variables[f"DR_LAB_AWS_{region}"] = nowhere
        variables[f"DR_LAB_KUBECONFIG_{region}"] = "/nonexistent/kubeconfig"
    return dr.load(example, variables)


def test_a_plan_is_data(spec: dr.Spec) -> None:
    plan = spec.plan(survey=False)
    assert (plan.goal, plan.mode, plan.from_, plan.to) == ("failover", "ungraceful", "us-east-1", "eu-west-1")
    assert len(plan) == len(plan.steps) > 3
    assert json.loads(plan.json())["goal"]["kind"] == "failover"
    assert plan.text().startswith(f"Plan {plan.digest[:12]} for ecommerce")
    assert plan.dot().startswith("digraph plan {")
    assert plan.timeline()
    assert plan.expected.total_seconds() > 0
    ids = [step.id for step in plan.steps]
    for position, step in enumerate(plan.steps):
        assert all(ids.index(before) < position for before in step.after), step
        assert step.timeout.total_seconds() > 0
    assert set(plan.point_of_no_return) <= set(ids)
    gated = [step for step in plan.steps if step.question]
    assert {step.id for step in gated} >= set(plan.point_of_no_return)


def test_equal_plans_have_equal_digests(spec: dr.Spec) -> None:
    assert spec.plan(survey=False).digest == spec.plan("failover", "us-east-1", "eu-west-1", survey=False).digest
    assert spec.plan(survey=False).digest != spec.plan("switchover", survey=False).digest


def test_lint_speaks_in_findings_and_decides(spec: dr.Spec) -> None:
    plan = spec.plan(survey=False)
    findings = plan.lint()
    assert all(finding.severity in ("info", "warning", "error") for finding in findings)
    assert all(finding.check and finding.message and finding.remedy for finding in findings)
    standing = [finding for finding in findings if finding.severity != "info"]
    assert plan.allows_run == (not standing)


def test_what_cannot_be_seen_is_said(spec: dr.Spec) -> None:
    plan = spec.plan()
    assert plan.unknown, "nothing answers at the endpoints"
    assert asyncio.run(spec.plan_async()).unknown


def test_a_look_that_fails_is_a_finding(spec: dr.Spec) -> None:
    findings = spec.findings()
    assert findings
    assert {finding.check for finding in asyncio.run(spec.findings_async())} == {finding.check for finding in findings}


def test_python_ends_well_right_after_an_await(example: Path) -> None:
    program = (
        "import asyncio, sys, dr\n"
        "asyncio.run(dr.load(sys.argv[1], {'DR_LAB_ADMIN': 'x', 'AWS_ACCESS_KEY_ID': 'x', 'AWS_SECRET_ACCESS_KEY': 'x'})"
        ".plan_async(survey=False))\n"
    )
    codes = [subprocess.run([sys.executable, "-c", program, example], check=False).returncode for _ in range(5)]
    assert codes == [0] * 5


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"goal": "flee"}, "switchover"),
        ({"mode": "brutal"}, "graceful"),
        ({"to": "mars-1"}, "eu-west-1"),
        ({"to": "us-east-1"}, "itself"),
    ],
)
def test_nonsense_is_refused_with_what_there_is(spec: dr.Spec, arguments: dict[str, str], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        spec.plan(survey=False, **arguments)  # type: ignore[arg-type]


def test_after_is_a_run_and_nothing_else(spec: dr.Spec) -> None:
    with pytest.raises(TypeError, match="dr.Run"):
        spec.plan("failback", after="yesterday", survey=False)  # type: ignore[arg-type]


def test_a_run_that_no_journal_holds_cannot_be_resumed(spec: dr.Spec, tmp_path: Path) -> None:
    run = spec.resume("20261123T041500Z-ab12cd", tmp_path / "journal.sqlite")
    with pytest.raises(dr.DrError) as raised:
        run.wait()
    assert raised.value.kind == "not-found"
    with pytest.raises(dr.DrError):
        _ = run.outcome
    with pytest.raises(dr.DrError):
        _ = run.before_images


def test_events_end_where_the_run_does_for_asyncio_too(spec: dr.Spec, tmp_path: Path) -> None:
    async def watch() -> None:
        async for _ in spec.resume("20261123T041500Z-ab12cd", tmp_path / "journal.sqlite"):
            raise AssertionError("there is no such run")

    with pytest.raises(dr.DrError, match="no run"):
        asyncio.run(watch())
