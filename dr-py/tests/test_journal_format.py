"""docs/design/journal-format.md holds a program that verifies a journal: it must do so, and see what was changed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def program(root: Path) -> str:
    text = (root / "docs/design/journal-format.md").read_text(encoding="utf-8")
    [program] = re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return program


@pytest.fixture(scope="module")
def golden(root: Path) -> Path:
    return root / "dr-core/tests/golden/journal-v1"


def verdict(program: str, file: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", program, str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, (done.stdout + done.stderr).strip()


def test_every_golden_file_verifies(program: str, golden: Path) -> None:
    files = sorted(golden.glob("*.jsonl"))
    assert len(files) > 20
    for file in files:
        code, said = verdict(program, file)
        assert code == 0, f"{file.name}: {said}"
        assert said.startswith(f"{len(file.read_bytes().splitlines())} records, head ")


def test_what_was_changed_is_named(program: str, golden: Path, tmp_path: Path) -> None:
    lines = (golden / "a-whole-run.jsonl").read_bytes().splitlines(keepends=True)
    flipped = lines.copy()
    flipped[6] = flipped[6].replace(b'"attempt":1', b'"attempt":3')
    assert flipped != lines
    harmed = {
        "record 7": flipped,
        "record 4": lines[:3] + lines[4:],
        "record 2": [lines[0], lines[2], lines[1], *lines[3:]],
        f"record {len(lines)}": [*lines[:-1], lines[-1][:-1]],
        "record 1": [b"{}\n", *lines[1:]],
    }
    for told, content in harmed.items():
        file = tmp_path / "harmed.jsonl"
        file.write_bytes(b"".join(content))
        code, said = verdict(program, file)
        assert code == 1
        assert told in said, said
