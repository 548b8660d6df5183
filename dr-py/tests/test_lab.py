"""The whole way, against a lab in another process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import dr
import pytest


def admin(variables: dict[str, str], method: str, path: str, body: object = None) -> object:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(variables["DR_LAB_ADMIN"] + path, data, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_the_example_fails_over_and_back(lab_env: Path, root: Path) -> None:
    ran = subprocess.run(
        [sys.executable, root / "examples/python/failover.py", "--env-file", lab_env],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "restored: yes" in ran.stdout
    assert "step-completed public-name/" in ran.stdout
    assert ran.stdout.count("run-ended") == 2


@pytest.mark.usefixtures("ctrl_c")
def test_a_person_decides_and_ctrl_c_is_heard(lab_env: Path, example: Path, tmp_path: Path) -> None:
    variables = dr.read_env(lab_env)
    spec = dr.load(example, variables)
    admin(variables, "POST", "/faults", {"preset": "refuse"})
    plan = spec.plan()
    assert plan.allows_run, [str(finding) for finding in plan.lint()]
    asked: list[dr.ApprovalRequest] = []
    may_answer = threading.Event()

    def refuse(request: dr.ApprovalRequest) -> dr.Answer:
        asked.append(request)
        may_answer.wait(60)
        return dr.Answer("Ada", approve=False, why="not today")

    run = plan.run(journal=tmp_path / "journal.sqlite", approve=refuse)
    assert run.outcome is None
    for event in run:
        assert json.loads(event.json())["event"] == event.kind
        if event.kind == "approval-requested":
            break
    # The run waits for a person, and the loop for the run: only a signal ends the loop now.
    alarm = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    alarm.start()
    with pytest.raises(KeyboardInterrupt):
        for _ in run:
            pass
    may_answer.set()
    outcome = run.wait()
    assert not outcome.success
    assert outcome.state == "cancelled", outcome
    assert asked[0].plan == plan.digest
    assert asked[0].gates
    assert {step.id for step in outcome.steps} == {step.id for step in plan.steps}
    # Nothing with no way back was done.
    irreversible = {step.id for step in plan.steps if step.reversibility == "irreversible"}
    assert all(step.state != "done" for step in outcome.steps if step.id in irreversible)


def test_a_run_is_written_down_in_the_bucket_that_the_file_names(lab_env: Path, example: Path, tmp_path: Path) -> None:
    variables = dr.read_env(lab_env)
    text = example.read_text()
    in_a_file = "  store: sqlite\n  path: ${DR_JOURNAL:-journal.sqlite}\n"
    assert in_a_file in text
    in_a_bucket = "  store: s3\n  bucket: ecommerce-dr-journal-eu-central-1\n  prefix: python\n"
    elsewhere = tmp_path / "s3.dr.yaml"
    elsewhere.write_text(text.replace(in_a_file, in_a_bucket))
    spec = dr.load(elsewhere, variables)
    assert spec.journal().runs() == []
    admin(variables, "POST", "/faults", {"preset": "refuse"})
    run = spec.plan().run(approve=lambda _: dr.Answer("Ada", approve=False, why="not today"))
    assert run.wait().state == "cancelled"
    assert run.journal == "s3://ecommerce-dr-journal-eu-central-1/python"
    # Whoever reads the same file finds the run, on whatever machine.
    theirs = dr.load(elsewhere, variables).journal()
    assert [(info.id, info.state) for info in theirs.runs()] == [(run.id, "cancelled")]
    assert theirs.path == run.journal
    assert not list(tmp_path.glob("*.sqlite"))
