"""Runs that another process executes: listed, followed and steered."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import dr
import pytest


def drill_program(root: Path) -> Path:
    named = os.environ.get("DR_DRILL")
    program = Path(named) if named else root / "target/debug/drill"
    if not program.is_file():
        pytest.skip(f"there is no drill at {program}: build it with `cargo build --bin drill`, or name it with DR_DRILL")
    return program


@pytest.fixture
def attended(tmp_path: Path, root: Path, example: Path) -> Iterator[Path]:
    """The journal of a drill in another process, which leaves its decisions to us."""
    log = (tmp_path / "drill.log").open("w+")
    drill = subprocess.Popen(
        [drill_program(root), "--attended", "--fault", "refuse", "--time-scale", "6"]
        + ["--spec", example, "--report", tmp_path / "report"],
        stdout=log,
        stderr=log,
    )
    try:
        yield tmp_path / "report/journal.sqlite"
    finally:
        drill.kill()
        drill.wait(timeout=30)
        log.close()
        print((tmp_path / "drill.log").read_text())


def until(what: Callable[[], bool], patience: float = 300.0) -> None:
    deadline = time.monotonic() + patience
    while not what():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.2)


def the_run(journal_file: Path) -> dr.JournalRun:
    until(journal_file.exists)
    journal = dr.Journal.open(journal_file)
    until(lambda: bool(journal.runs()))
    [info] = journal.runs(open=True)
    assert info.application == "ecommerce"
    assert "us-east-1" in info.goal
    assert info.created <= info.last
    return journal.run(info.id)


def test_a_run_of_another_process_is_followed_and_steered(attended: Path) -> None:
    run = the_run(attended)
    until(lambda: run.state == "waiting for approval")
    assert run.info.owner is not None
    assert run.info.owner.startswith("drill-")
    assert run.info.why

    # Refused, and told why by the process that holds the run.
    done = next(step.id for step in run.steps if step.state == "done")
    with pytest.raises(dr.DrError, match="only a failed step is tried again") as refused:
        run.retry(done, "Ada", "to see")
    assert refused.value.kind == "precondition-failed"
    assert refused.value.effect == "not-applied"
    with pytest.raises(dr.DrError, match="the decision is about plan"):
        run.approve("Ada", plan="0" * 64)

    run.pause("Ada", "one moment")
    assert run.state == "paused by operator"
    run.resume("Ada", "go on")
    assert run.state == "waiting for approval"

    heard: list[dr.Event] = []

    async def watch() -> None:
        async for event in run.follow():
            heard.append(event)
            if event.kind == "approval-requested" and not any(e.kind == "run-paused" for e in heard):
                await asyncio.to_thread(run.approve, "Ada", "agreed", run.info.plan)

    asyncio.run(watch())
    kinds = [event.kind for event in heard]
    assert kinds[0] == "run-started"
    assert kinds[-1] == "run-ended"
    for kind in ["step-completed", "approval-requested", "approval-decided", "run-paused", "run-resumed"]:
        assert kind in kinds
    assert run.state == "completed"
    assert run.info.ended
    assert all(step.state == "done" for step in run.steps)

    # The same again for whoever comes later, with `for`; and the rest for whoever comes back.
    again = list(run.follow())
    assert [event.json() for event in again] == [event.json() for event in heard]
    assert list(run.follow(after=run.info.records)) == []
    with pytest.raises(dr.DrError, match="has ended"):
        run.cancel("Ada", "too late")


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_is_heard_and_a_cancel_takes_everything_back(attended: Path) -> None:
    run = the_run(attended)
    until(lambda: run.state == "waiting for approval")
    events = run.follow()
    alarm = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    alarm.start()
    with pytest.raises(KeyboardInterrupt):
        for _ in events:
            pass
    run.cancel("Ada", "not today")
    kinds = [event.kind for event in events]
    assert kinds[-1] == "run-ended"
    assert run.state == "cancelled"
    # A wait that was under way when the run was cancelled is called off, and had changed nothing.
    waits = {step.state for step in run.steps if step.id.startswith("platform/ready")}
    assert waits <= {"done", "failed", "pending"}
    acts = {step.state for step in run.steps if not step.id.startswith("platform/ready")}
    assert acts <= {"compensated", "done", "pending"}
    assert len(run.before_images) == 0


def test_what_is_not_there_is_told(tmp_path: Path, attended: Path) -> None:
    with pytest.raises(dr.DrError, match="no journal") as absent:
        dr.Journal.open(tmp_path / "nowhere.sqlite")
    assert absent.value.kind == "not-found"
    assert not (tmp_path / "nowhere.sqlite").exists()
    until(attended.exists)
    journal = dr.Journal.open(attended, answer_within=timedelta(seconds=1))
    with pytest.raises(dr.DrError) as absent:
        journal.run("no-such-run")
    assert absent.value.kind == "not-found"
