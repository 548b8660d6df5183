"""What the tests share: the workspace's example, and a lab that stands while a test runs."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def example() -> Path:
    return ROOT / "examples/ecommerce.dr.yaml"


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C as at a terminal, also where the tests run in the background of a shell, which has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def lab_program() -> Path:
    named = os.environ.get("DR_LAB") or os.environ.get("DR_LAB_BIN")
    program = Path(named) if named else ROOT / "target/debug/lab"
    if not program.is_file():
        pytest.skip(f"there is no lab at {program}: build it with `cargo build --bin lab`, or name it with DR_LAB")
    return program


@pytest.fixture
def lab_env(tmp_path: Path) -> Iterator[Path]:
    """The env file of a lab of the test's own."""
    env_file = tmp_path / "lab.env"
    log = (tmp_path / "lab.log").open("w+")
    lab = subprocess.Popen(
        [lab_program(), "--env-file", env_file, "--time-scale", "10", "--seed", "7"], stdout=log, stderr=log
    )
    try:
        for _ in range(600):
            if env_file.exists() or lab.poll() is not None:
                break
            time.sleep(0.1)
        if not env_file.exists():
            pytest.fail(f"the lab did not stand up: {(tmp_path / 'lab.log').read_text()}")
        yield env_file
    finally:
        lab.terminate()
        lab.wait(timeout=30)
        log.close()
