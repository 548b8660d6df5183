"""What is held of the regions, as it changes, against a lab in another process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import urllib.request
from pathlib import Path

import dr
import pytest


def break_region(variables: dict[str, str]) -> None:
    data = json.dumps({"preset": "refuse"}).encode()
    request = urllib.request.Request(variables["DR_LAB_ADMIN"] + "/faults", data, method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        json.load(answer)


def test_a_lost_region_is_told_with_its_readings(lab_env: Path, example: Path, tmp_path: Path) -> None:
    variables = dr.read_env(lab_env)
    spec = dr.load(example, variables)

    async def until_lost() -> list[dr.Verdict]:
        told: list[dr.Verdict] = []
        async for verdict in spec.watch({"us-east-1"}):
            told.append(verdict)
            if verdict.verdict == "healthy" and len(told) == 1:
                break_region(variables)
            if verdict.verdict == "unhealthy":
                break
        return told

    told = asyncio.run(asyncio.wait_for(until_lost(), 240))
    assert told[0].verdict == "healthy"
    last = told[-1]
    assert (last.region, last.verdict) == ("us-east-1", "unhealthy")
    assert last.why.startswith("us-east-1 unhealthy: ")
    assert list(last.observers.values()).count("down") >= 2
    assert {evidence.observer for evidence in last.evidence} >= set(last.observers)
    assert any(evidence.opinion == "down" and evidence.last for evidence in last.evidence)
    assert json.loads(last.json())["to"] == "unhealthy"
    assert all(verdict.region == "us-east-1" for verdict in told)


def test_a_decision_says_why(lab_env: Path, example: Path, tmp_path: Path) -> None:
    spec = dr.load(example, {**dr.read_env(lab_env), "DR_KILL_SWITCH": str(tmp_path / "stop")})
    with spec.watch() as watch:
        for verdict in watch:
            if verdict.verdict == "healthy" and watch.verdicts.get("us-east-1") == "healthy":
                break
        decision = watch.decide()
        assert decision.choice == "hold"
        assert decision.from_ == "us-east-1"
        assert decision.to == "eu-west-1"
        assert any("not held lost" in blocker for blocker in decision.blockers)
        assert "Readings:" in decision.why
        (tmp_path / "stop").write_text("change freeze\n")
        stopped = watch.decide(journal=tmp_path / "none.sqlite")
        assert stopped.sentence.startswith("hold: the kill switch is on (file)")
        assert json.loads(stopped.json())["blockers"][0]["because"] == "kill-switch"
        assert not (tmp_path / "none.sqlite").exists()
    assert list(watch) == []


@pytest.mark.usefixtures("ctrl_c")
def test_asyncio_ends_the_watch_and_ctrl_c_is_heard(lab_env: Path, example: Path) -> None:
    spec = dr.load(example, dr.read_env(lab_env))
    watch = spec.watch({"eu-central-1"})  # a witness is not watched: nothing is ever told of it

    async def forever() -> None:
        async for _ in watch:
            pass

    async def given_up() -> None:
        await asyncio.wait_for(forever(), 0.5)

    with pytest.raises((TimeoutError, asyncio.TimeoutError)):
        asyncio.run(given_up())
    assert list(watch) == [], "cancelled, it has ended"

    other = spec.watch({"eu-central-1"})
    alarm = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    alarm.start()
    with pytest.raises(KeyboardInterrupt):
        for _ in other:
            pass
    other.close()
    assert list(other) == []


def test_a_region_that_is_none_is_named(example: Path) -> None:
    spec = dr.load(example, {})
    with pytest.raises(ValueError, match='no region "mars"'):
        spec.watch({"mars"})
